"""Equal copies of a chunk are updated one after the other, so that the others go on serving. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from reconciler.facts import TV
from reconciler.planner import following
from reconciler.planner.observed import Condition
from reconciler.planner.situation import ChunkInput, Roles, roles
from reconciler.planner.standing import health_of


class Stage(StrEnum):
    """How far one copy has come with the present intent: all that the others want to know of it."""

    ABSENT = "absent"  # it has no container yet
    PENDING = "pending"  # its container is still to be replaced
    UNPROVEN = "unproven"  # it has the new container, which has not been seen up
    UP = "up"
    FAILED = "failed"  # its update was rolled back, or is paused


def stage(i: ChunkInput) -> Stage:
    """The stage of a copy, apart from whether work on it is under way."""
    its = roles(i)
    if its.rolled_back or (i.chunk is not None and i.memory.paused == following.target(i.chunk, i.memory, i.image)):
        return Stage.FAILED
    if its.current is None or its.is_pending:
        return Stage.ABSENT if its.previous is None else Stage.PENDING
    proven = bool(its.current.run) and i.memory.proven_run == its.current.run
    up = health_of(i, its.current) is TV.Y or proven
    return Stage.UP if up else Stage.UNPROVEN


def is_update_of_serving(parts: Roles) -> bool:
    """Whether what is next is to replace a container that serves: only that waits for a turn."""
    previous = parts.previous
    return (
        (parts.current is None or parts.is_pending) and previous is not None and previous.condition is Condition.RUNNING
    )


def waits_for(number: int, siblings: Iterable[tuple[int, Stage, bool]]) -> str:
    """Why the replacement of copy ``number``, which serves, must wait, for people; nothing when its turn has come.
    ``siblings`` are the other copies: number, stage, and whether work on it is under way.

    Its turn has come when no copy before it is still to be replaced, and each that was replaced has proved itself. One
    whose update failed stops the rest: what broke one copy is not done to the others.
    """
    for other, its, busy in siblings:
        if its is Stage.FAILED:
            return f"the update of replica {other} failed"
        if busy:
            return f"replica {other} is being worked on"
        if its is Stage.PENDING and other < number:
            return "replicas before it come first"
        if its is Stage.UNPROVEN:
            return f"replica {other} is not up yet"
    return ""
