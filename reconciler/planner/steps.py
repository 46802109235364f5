"""What a decision is, and the steps that several of them share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.lifecycle import Reason, State
from reconciler.planner import following
from reconciler.planner.actions import (
    Action,
    CreateContainer,
    EnsureImage,
    RemoveContainer,
    StartContainer,
    StopContainer,
    Work,
)
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import (
    ChunkInput,
)

DEFAULT_GRACE_SECONDS = 10.0  # Docker's


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the work to begin (None: nothing), and when to decide again at the latest. ``fetch`` is an image to
    be had ahead of any work on the chunk, which goes on whether it can be had or not."""

    state: State
    reason: Reason
    message: str
    work: Work | None = None
    wake_at: float | None = None
    fetch: EnsureImage | None = None


def to_do(i: ChunkInput, reason: Reason, steps: Sequence[tuple[Action, str]], message: str) -> Decision:
    """The decision to do something, step by step, each with its cause."""
    work = Work(i.id, tuple(steps), reason) if steps else None
    return Decision(State.EXECUTING, reason, message, work)


def take_away(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    """Stop a container, where it runs, and remove it."""
    steps: list[tuple[Action, str]] = []
    if c.condition in (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING):
        steps.append((StopContainer(c.name, grace(i, c)), cause))
    steps.append((RemoveContainer(c.name), cause))
    return steps


def grace(i: ChunkInput, c: Container) -> float:
    """How long a container may take to stop: as it was created with, else as its chunk says now."""
    own = (c.settings or {}).get("stop_grace_period")
    if own is not None:
        return float(own)
    return i.chunk.container.stop_grace_seconds if i.chunk is not None else DEFAULT_GRACE_SECONDS


def restart(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    """Stop a container that runs, and start it."""
    assert i.chunk is not None
    return [
        (StopContainer(c.name, grace(i, c)), cause),
        (StartContainer(c.name, i.chunk.container.files), cause),
    ]


def create_and_start(i: ChunkInput, cause: str) -> list[tuple[Action, str]]:
    """A container of the present intent, under its own name."""
    assert i.chunk is not None
    name = i.chunk.container.name
    return [
        (CreateContainer(name, i.chunk, i.id.replica, i.generation, i.flowin), cause),
        (StartContainer(name, i.chunk.container.files), cause),
    ]


def ensure_images(i: ChunkInput) -> list[tuple[Action, str]]:
    """The container's image, and those that it mounts."""
    assert i.chunk is not None
    own = following.fetch(i.chunk)
    mounted = following.mounted(i.chunk)
    return [(own, f"policy {own.policy}"), *((image, "it is mounted") for image in mounted)]
