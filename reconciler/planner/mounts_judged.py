"""What somebody else has started, and that has something of the host: its mounts are looked at, once a run. Pure.

Before each start of ours what is to be mounted is judged. An engine that starts a container by itself, or a person with
``docker start``, mounts what is there by then.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.intent.model import Chunk
from reconciler.planner.actions import ExamineMounts
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import Failure, Remedy, RetryState, set_back
from reconciler.planner.situation import ChunkInput, Roles
from reconciler.planner.steps import Decision, to_do
from reconciler.states import Reason

SETBACKS = 4
"""What had other places of the host is not started again before the time of so many setbacks is over: people are to
see why it was ended."""


def noted(m: RetryState, chunk: Chunk, c: Container) -> RetryState:
    """The memory with the run of what was there before anybody took note of who had started it."""
    return replace(m, judged_run=c.run) if chunk.container.judged and c.run and not m.judged_run else m


def to_be_seen(i: ChunkInput, parts: Roles) -> Decision | None:
    """The decision to look at a run that was not started by us; None where nothing is to be looked at."""
    c, judged = parts.main, i.memory.judged_run
    if i.chunk is None or not i.chunk.container.judged or c is None:
        return None
    if c.condition is not Condition.RUNNING or judged in ("", c.run):
        return None
    cause = "it was not started by pnr: what it has of the host is looked at"
    return to_do(i, Reason.RECOVERING, [(ExamineMounts(c.name, c.run), cause)], cause)


def refused(i: ChunkInput, action: ExamineMounts, reason: Reason, message: str) -> RetryState:
    """The memory once it was ended for what it had. How it ended says nothing more."""
    return set_back(
        replace(i.memory, attempts=max(i.memory.attempts, SETBACKS)),
        now=i.now,
        jitter=i.jitter,
        error=message,
        failure=Failure(reason, message),
        remedy=Remedy.START,
        counted_run=action.run,
    )
