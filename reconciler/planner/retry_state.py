"""What must be remembered of a chunk because no observation can tell it: failures, back-off, roll-backs. Pure.

Everything else is derived from intent and observation each time. :func:`notice` compares what is seen with what
is remembered and gives the new memory; it never looks at events, so a missed one changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.planner import kept_endpoints
from reconciler.planner.back_off import ATTEMPTS, REFUSED, UPDATES
from reconciler.planner.kept_endpoints import Kept
from reconciler.states import Reason

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
class Leftover:
    """A container that is to go and that the engine did not let go, by its id: how often that was tried, when it is
    tried again, and the engine's words. What is up and healthy is never touched for it."""

    id: str
    attempts: int
    not_before: float
    error: str


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run of a container that ended by itself: when (monotonic seconds), after how long, and how; ``code`` is None
    where nobody saw it."""

    at: float
    lasted: float
    code: int | None = None
    oom: bool = False


@dataclass(frozen=True, slots=True)
class RetryState:
    """The memory of one chunk. Times are monotonic seconds.

    ``attempts`` counts setbacks since the last long spell of health. ``not_before`` is when the next attempt may
    begin. ``failure`` is set while the chunk counts as failed. ``counted_run`` is the run whose end or illness
    has been counted already. ``proven_run`` is the run that was seen up and healthy, ``proven_at`` since when.
    ``rejected`` is what an update was rolled back from, ``paused`` what one failed to lead to and was left as it is,
    both as :func:`reconciler.planner.following.target` says it. ``tolerated`` are differences that could not be cured,
    in their words: where another value is declared or found they are others, and are tried again.
    ``job_generation`` is the generation whose job has succeeded. ``restart_on_open`` waits for the gate.
    ``unchangeable`` is the id of a container that the engine would not change in place. ``warnings`` are what the
    engine said when it made or changed the container whose id is ``warned_of``.
    ``asked_image`` is the id of an image that a person wants the chunk to have. ``aimed_image`` is the id of the one
    that the last update was made for, ``aimed_from`` that of the container that it replaces, until nothing is left of
    that. ``beside`` tells beside which runs of others, whose namespaces it shares, a run of the container was first
    seen. ``made`` counts the containers that were made of which none has lasted, the last one at ``made_at``.
    ``retry_at`` is when what is ``rejected`` is tried again, where it failed for a trouble that can pass; None where
    the failure was a verdict on it. ``retries`` counts such updates in a row. ``leftovers`` are containers that could
    not be removed yet. ``stopped_run`` is the last run that we ended ourselves: how it ended says nothing about it.
    ``files`` stands for the replaced files for which the chunk was last brought to a new container, or was to be.
    ``runs`` are the last runs of the container ``runs_of`` that ended by themselves, ``crashes`` how many did;
    ``looping`` that they did so often that it is in a crash loop. ``restarts_seen`` is the engine's own count of
    restarts that has been counted, ``seen_since`` when, ``seen_began`` when the run began that was seen then (by the
    engine's clock), ``restarted`` how many restarts by the engine were counted at all. ``judged_run`` is the run whose
    mounts are known to have been judged: as we started it, or had it looked at. ``kept`` are connections to networks
    that are to be others, as they were.
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
    retry_at: float | None = None
    retries: int = 0
    leftovers: tuple[Leftover, ...] = ()
    stopped_run: str = ""
    files: str = ""
    runs_of: str = ""
    runs: tuple[EndedRun, ...] = ()
    crashes: int = 0
    looping: bool = False
    restarts_seen: int = 0
    seen_since: float = 0.0
    seen_began: float | None = None
    restarted: int = 0
    judged_run: str = ""
    kept: Kept = ()


def making(memory: RetryState, now: float) -> RetryState:
    """The memory once a container is being made. One that has lasted for as long as makes setbacks forgotten was no
    waste, whether it was healthy all the time or is just replaced by what somebody wants instead."""
    lasted = now - memory.made_at >= HEALTHY_AFTER_SECONDS
    return replace(memory, made=1 if lasted else memory.made + 1, made_at=now)


def next_making(memory: RetryState) -> float | None:
    """When the next container may be made; None: at any time. What takes containers away again and again may be
    somebody else, or a fault of ours: they are not made in a busy loop."""
    wait = ATTEMPTS.after(memory.made - 1)
    return memory.made_at + wait if wait else None


def set_back(
    memory: RetryState,
    *,
    now: float,
    jitter: float,
    error: str,
    failure: Failure | None,
    remedy: Remedy,
    counted_run: str | None = None,
) -> RetryState:
    """One more setback: with a ``failure`` the chunk counts as failed, without it as being recovered."""
    attempts = memory.attempts + 1
    is_refused = failure is not None and failure.reason is Reason.POLICY_REFUSED
    wait = REFUSED.after(attempts, jitter) if is_refused else ATTEMPTS.after(attempts - 1, jitter)
    return replace(
        memory,
        attempts=attempts,
        not_before=now + wait,
        failure=failure,
        remedy=remedy,
        counted_run=memory.counted_run if counted_run is None else counted_run,
        proven_at=None,
        last_error=error,
    )


def put_off(memory: RetryState, target: str, now: float, jitter: float) -> RetryState:
    """An update to ``target`` failed for a trouble that can pass: what was there before it goes on, or comes back at
    once, and the update is tried again, ever less often."""
    retries = memory.retries + 1
    due = now + UPDATES.after(retries, jitter)
    return replace(memory, rejected=target, retry_at=due, retries=retries, not_before=None)


def update_begins(memory: RetryState) -> RetryState:
    """What was given up before is tried, or something else is."""
    return replace(memory, rejected="", retry_at=None)


def not_removed(memory: RetryState, container_id: str, *, error: str, now: float, jitter: float) -> RetryState:
    """The engine did not let a container go: it is tried again by itself, apart from all else."""
    before = next((one for one in memory.leftovers if one.id == container_id), None)
    attempts = before.attempts + 1 if before is not None else 1
    noted = Leftover(container_id, attempts, now + ATTEMPTS.after(attempts, jitter), error)
    return replace(memory, leftovers=(*(one for one in memory.leftovers if one.id != container_id), noted))


def without_gone(memory: RetryState, present: Collection[str]) -> RetryState:
    """The memory without the leftovers that are gone."""
    left = tuple(one for one in memory.leftovers if one.id in present)
    return memory if left == memory.leftovers else replace(memory, leftovers=left)


def check_changed(memory: RetryState, running: Collection[str]) -> RetryState:
    """The memory once another health check is declared for a container that is not recreated: what the one before had
    found of the runs that go on counts no more, neither for them nor against them."""
    proven = "" if memory.proven_run in running else memory.proven_run
    counted = "" if memory.counted_run in running else memory.counted_run
    return replace(memory, proven_run=proven, counted_run=counted, proven_at=None if not proven else memory.proven_at)


def attempt_begins(memory: RetryState) -> RetryState:
    """What is remembered once the next attempt is under way."""
    return replace(memory, not_before=None, failure=None, remedy=Remedy.START)


def asked_anew(memory: RetryState) -> RetryState:
    """A person who asks has failures forgotten, so that it is tried at once; not how often it ended by itself."""
    return replace(
        intent_changed(memory),
        runs_of=memory.runs_of,
        runs=memory.runs,
        crashes=memory.crashes,
        looping=memory.looping,
        last_error=memory.last_error if memory.looping else "",
    )


def intent_changed(memory: RetryState) -> RetryState:
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
        retry_at=None,
        retries=0,
        leftovers=tuple(replace(one, not_before=0.0) for one in memory.leftovers),
        runs=(),
        crashes=0,
        looping=False,
        kept=kept_endpoints.forgiven(memory.kept),
    )


def proven(memory: RetryState, run: str, now: float) -> RetryState:
    """The chunk is up and healthy in ``run``; after ten minutes of it, setbacks are forgotten."""
    if memory.proven_run != run or memory.proven_at is None:
        memory = replace(memory, proven_run=run, proven_at=now)
    pending = memory.not_before is not None and now < memory.not_before
    settled = memory.failure is None and memory.not_before is None and memory.remedy is Remedy.START
    if not pending and not settled:
        memory = replace(memory, failure=None, not_before=None, remedy=Remedy.START)
    return _rested(memory, now)


def serves_again(memory: RetryState, run: str, now: float) -> RetryState:
    """The same of what an update was rolled back to: that the update failed is remembered until it is tried again."""
    if memory.proven_run != run or memory.proven_at is None:
        memory = replace(memory, proven_run=run, proven_at=now)
    return _rested(memory, now)


def _rested(memory: RetryState, now: float) -> RetryState:
    healthy = now - memory.proven_at if memory.proven_at is not None else 0.0
    is_rested = (memory.attempts or memory.crashes) and healthy >= HEALTHY_AFTER_SECONDS
    return replace(memory, attempts=0, crashes=0, runs=()) if is_rested else memory
