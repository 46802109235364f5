"""What must be remembered of a chunk because no observation can tell it: failures, back-off, roll-backs. Pure.

Everything else is derived from intent and observation each time. :func:`notice` compares what is seen with what
is remembered and gives the new memory; it never looks at events, so a missed one changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.lifecycle import Reason

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 300.0
HEALTHY_AFTER_SECONDS = 600.0


class Remedy(StrEnum):
    """What the next attempt does with the container that is there."""

    START = "start"
    RESTART = "restart"
    RECREATE = "recreate"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the chunk could not be brought up."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one chunk. Times are monotonic seconds.

    ``attempts`` counts setbacks since the last long spell of health. ``not_before`` is when the next attempt may
    begin. ``failure`` is set while the chunk counts as failed. ``counted_run`` is the run whose end or illness
    has been counted already. ``proven_run`` is the run that was seen up and healthy, ``proven_at`` since when.
    ``rejected`` is what an update was rolled back from, ``paused`` what one failed to lead to and was left as it is,
    both as :func:`reconciler.planner.following.target` says it. ``tolerated`` are differences that could not be cured,
    in their words: where another value is declared or found they are others, and are tried anew.
    ``job_generation`` is the generation whose job has succeeded. ``restart_on_open`` waits for the gate.
    ``unchangeable`` is the id of a container that the engine would not change in place. ``warnings`` are what the
    engine said when it made or changed the container whose id is ``warned_of``.
    ``asked_image`` is the id of an image that a person wants the chunk to have. ``aimed_image`` is the id of the one
    that the last update was made for, ``aimed_from`` that of the container that it replaces, until nothing is left of
    that. ``beside`` tells beside which runs of others, whose namespaces it shares, a run of the container was first
    seen. ``made`` counts the containers that were made of which none has lasted, the last one at ``made_at``.
    """

    attempts: int = 0
    not_before: float | None = None
    failure: Failure | None = None
    remedy: Remedy = Remedy.START
    counted_run: str = ""
    proven_run: str = ""
    proven_at: float | None = None
    rejected: str = ""
    paused: str = ""
    tolerated: tuple[str, ...] = ()
    job_generation: int = 0
    restart_on_open: bool = False
    last_error: str = ""
    unchangeable: str = ""
    warnings: tuple[str, ...] = ()
    warned_of: str = ""
    asked_image: str = ""
    aimed_image: str = ""
    aimed_from: str = ""
    beside: str = ""
    made: int = 0
    made_at: float = 0.0


def delay(attempts: int, jitter: float) -> float:
    """Seconds to wait before attempt number ``attempts`` + 1. ``jitter`` is in 0 … 1.

    The first retry comes at once, then 1 s doubling to 5 min, each spread by ±10 % so that what broke together
    does not come back together.
    """
    if attempts <= 1:
        return 0.0
    doubled = FIRST_DELAY_SECONDS * 2.0 ** min(attempts - 2, 32)
    return min(doubled, LONGEST_DELAY_SECONDS) * (0.9 + 0.2 * jitter)


def making(memory: Memory, now: float) -> Memory:
    """The memory once a container is being made. One that has lasted for as long as makes setbacks forgotten was no
    waste, whether it was healthy all the time or is just replaced by what somebody wants instead."""
    lasted = now - memory.made_at >= HEALTHY_AFTER_SECONDS
    return replace(memory, made=1 if lasted else memory.made + 1, made_at=now)


def next_making(memory: Memory) -> float | None:
    """When the next container may be made; None: at any time. What takes containers away again and again may be
    somebody else, or a fault of ours: they are not made in a busy loop."""
    wait = delay(memory.made, 0.5)
    return memory.made_at + wait if wait else None


def set_back(
    memory: Memory,
    *,
    now: float,
    jitter: float,
    error: str,
    failure: Failure | None,
    remedy: Remedy,
    counted_run: str | None = None,
) -> Memory:
    """One more setback: with a ``failure`` the chunk counts as failed, without it as being recovered."""
    attempts = memory.attempts + 1
    return replace(
        memory,
        attempts=attempts,
        not_before=now + delay(attempts, jitter),
        failure=failure,
        remedy=remedy,
        counted_run=memory.counted_run if counted_run is None else counted_run,
        proven_at=None,
        last_error=error,
    )


def attempt_begins(memory: Memory) -> Memory:
    """What is remembered once the next attempt is under way."""
    return replace(memory, not_before=None, failure=None, remedy=Remedy.START)


def intent_changed(memory: Memory) -> Memory:
    """A changed intent forgets failures, so that the new one is tried at once."""
    return replace(
        memory,
        attempts=0,
        not_before=None,
        failure=None,
        remedy=Remedy.START,
        rejected="",
        paused="",
        last_error="",
        asked_image="",
        aimed_image="",
        aimed_from="",
        made=0,
    )


def proven(memory: Memory, run: str, now: float) -> Memory:
    """The chunk is up and healthy in ``run``; after ten minutes of it, setbacks are forgotten."""
    if memory.proven_run != run or memory.proven_at is None:
        memory = replace(memory, proven_run=run, proven_at=now)
    pending = memory.not_before is not None and now < memory.not_before
    settled = memory.failure is None and memory.not_before is None and memory.remedy is Remedy.START
    if not pending and not settled:
        memory = replace(memory, failure=None, not_before=None, remedy=Remedy.START)
    return _rested(memory, now)


def serves_again(memory: Memory, run: str, now: float) -> Memory:
    """The same of what an update was rolled back to: that the update failed is remembered until it is tried anew."""
    if memory.proven_run != run or memory.proven_at is None:
        memory = replace(memory, proven_run=run, proven_at=now)
    return _rested(memory, now)


def _rested(memory: Memory, now: float) -> Memory:
    healthy = now - memory.proven_at if memory.proven_at is not None else 0.0
    return replace(memory, attempts=0) if memory.attempts and healthy >= HEALTHY_AFTER_SECONDS else memory
