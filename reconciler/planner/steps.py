"""What a decision is, and the steps that several of them share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.intent.model import Kind, Strategy
from reconciler.intent.settings.endpoints import has_fixed_address
from reconciler.planner import following
from reconciler.planner.actions import (
    Action,
    CreateContainer,
    EnsureImage,
    RemoveContainer,
    RenameContainer,
    StartContainer,
    StopContainer,
    Work,
)
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import ALIVE, ChunkInput, left_name, stuck
from reconciler.states import Reason, State

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
    if c.condition in ALIVE:
        steps.append((StopContainer(c.name, grace(i, c), c.id), cause))
    steps.append((RemoveContainer(c.name, c.id), cause))
    return steps


def grace(i: ChunkInput, c: Container) -> float:
    """How long a container may take to stop: as it was created with, else as its chunk says now."""
    own = (c.settings or {}).get("stop_grace_period")
    if own is not None:
        return float(own)
    return i.chunk.container.stop_grace_seconds if i.chunk is not None else DEFAULT_GRACE_SECONDS


def start(i: ChunkInput, c: Container, name: str, cause: str) -> list[tuple[Action, str]]:
    """Start a container, which is called ``name`` by then. But for start-first no two of a chunk run at one time: what
    they share may bear only one writer."""
    assert i.chunk is not None
    spec = i.chunk.container
    policy = "" if "restart" in i.chunk.ignore_drift else str(spec.settings.get("restart") or "")
    return [*end_others(i, c, cause), (StartContainer(name, spec.files, alone(i, c), policy), cause)]


def end_others(i: ChunkInput, c: Container | None, cause: str) -> list[tuple[Action, str]]:
    """Stop what else of the chunk runs, where it may not run beside ``c`` (None: one that is to be made)."""
    if not ends_others(i):
        return []
    others = (other for other in i.containers if c is None or other.id != c.id)
    return [
        (StopContainer(other.name, grace(i, other), other.id), cause) for other in others if other.condition in ALIVE
    ]


def alone(i: ChunkInput, c: Container | None) -> tuple[str, ...]:
    """The ids of those that may not run beside ``c`` (None: one that is to be made)."""
    return tuple(other.id for other in i.containers if c is None or other.id != c.id) if ends_others(i) else ()


def ends_others(i: ChunkInput) -> bool:
    """Whether no two of the chunk's containers may run at one time."""
    chunk = i.chunk
    if chunk is None:
        return False
    start_first = chunk.strategy is Strategy.START_FIRST and not has_fixed_address(chunk.container)
    return not (start_first and chunk.kind is Kind.SERVICE)


def restart(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    """Stop a container that runs, and start it."""
    return [(StopContainer(c.name, grace(i, c), c.id), cause), *start(i, c, c.name, cause)]


def call(i: ChunkInput, c: Container, name: str, cause: str) -> list[tuple[Action, str]]:
    """Give a container another name. One that its engine is about to start again must end first: until it runs,
    Docker refuses to rename it."""
    steps: list[tuple[Action, str]] = []
    if c.condition is Condition.RESTARTING:
        steps.append((StopContainer(c.name, grace(i, c), c.id), cause))
    return [*steps, (RenameContainer(c.name, name), cause)]


def free_name(i: ChunkInput, name: str, c: Container | None, cause: str) -> list[tuple[Action, str]]:
    """See to it that no container of the chunk but ``c`` has a name: another one goes, or is called otherwise where the
    engine did not let it go."""
    holder = own_holder(i, name)
    if holder is None or (c is not None and holder.id == c.id) or holder.condition is Condition.REMOVING:
        return []
    if holder.id in stuck(i):
        return call(i, holder, left_name(holder), f"it can't be removed yet, and {name} is needed")
    return take_away(i, holder, cause)


def own_holder(i: ChunkInput, name: str) -> Container | None:
    """The chunk's own container of a name."""
    return next((c for c in i.containers if c.name == name), None)


def create_and_start(i: ChunkInput, cause: str, but: Container | None = None) -> list[tuple[Action, str]]:
    """A container of the present intent, under its own name; ``but`` has been removed by then."""
    assert i.chunk is not None
    name = i.chunk.container.name
    others = i if but is None else replace(i, containers=tuple(c for c in i.containers if c.id != but.id))
    return [
        *free_name(others, name, None, cause),
        create(i, name, cause),
        *end_others(others, None, cause),
        (StartContainer(name, i.chunk.container.files, alone(others, None)), cause),
    ]


def create(i: ChunkInput, name: str, cause: str) -> tuple[Action, str]:
    """Make a container of the present intent."""
    assert i.chunk is not None
    return CreateContainer(name, i.chunk, i.id.replica, i.generation, i.flowin), cause


def ensure_images(i: ChunkInput) -> list[tuple[Action, str]]:
    """The container's image, and those that it mounts."""
    assert i.chunk is not None
    own = following.fetch(i.chunk)
    mounted = following.mounted(i.chunk)
    return [(own, f"pull_policy {own.policy}"), *((image, "it is mounted") for image in mounted)]
