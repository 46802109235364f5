"""What can hold a chunk back: its gate, its back-off, a name that is taken, something that it needs. Pure."""

from __future__ import annotations

from reconciler.planner import following
from reconciler.planner.situation import (
    ChunkInput,
)
from reconciler.planner.steps import Decision
from reconciler.sentences import advised
from reconciler.states import Reason, State


def held_back(i: ChunkInput) -> Decision | None:
    """The verdict while the next attempt is not due, or could not succeed; None when it may begin."""
    m = i.memory
    assert i.chunk is not None
    if m.paused == following.target(i.chunk, m, i.image) and m.failure is not None:
        text = f"the update failed and is paused until the domain changes: {m.failure.message}"
        return Decision(State.FAILED, Reason.UPDATE_PAUSED, text)
    due = m.not_before is None or i.now >= m.not_before
    if m.failure is not None and not due:
        return Decision(State.FAILED, m.failure.reason, m.failure.message, wake_at=m.not_before)
    if not i.gate_open:
        text = i.waiting_for or "its gatekeeper does not hold"
        return Decision(State.READY, Reason.WAITING_FOR_GATEKEEPER, text)
    if not due:
        text = f"attempt {m.attempts + 1} is held back; last: {m.last_error}"
        return Decision(State.EXECUTING, Reason.BACK_OFF, text, wake_at=m.not_before)
    return None


def name_taken(i: ChunkInput) -> Decision | None:
    """The verdict while somebody else has the container's name, or nobody new can begin with a network or volume."""
    if i.conflict is not None:
        return Decision(State.FAILED, *i.conflict)
    if i.holder is None or i.chunk is None:
        return None
    h = i.holder
    if i.holder_leaves:
        text = f"waiting until container {h.id[:12]} of {h.owner} has given up the name {i.chunk.container.name}"
        return Decision(State.EXECUTING, Reason.CREATING, text)
    whose = f"belongs to {h.owner}" if h.owner is not None else "was not made by pnr"
    name = i.chunk.container.name
    text = advised(
        f"the name {name} is held by container {h.id[:12]} ({h.image}), which {whose}",
        f"remove or rename it (`docker rename {name} NEW`), or choose another container name in the domain file",
    )
    return Decision(State.FAILED, Reason.NAME_CONFLICT, text)


def lacking(i: ChunkInput, reason: Reason) -> Decision | None:
    """The verdict while something that it needs is not there: a failure where waiting alone brings nothing."""
    if i.obstacle is not None:
        return Decision(State.FAILED, *i.obstacle)
    return Decision(State.EXECUTING, reason, f"waiting for {i.blocked_by}") if i.blocked_by else None
