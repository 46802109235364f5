"""The life of a design chunk: one shared ``transitions`` machine for its four states.

The state of a chunk is changed in no other way than through :func:`advance`, which fires the machine's
triggers. What the state *should* be is derived from intent and observation (``planner.verdict``); the machine
is what makes sure that only documented steps are taken, each of them told to the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from transitions import Machine

from reconciler.states import State


class HasState(Protocol):
    """What the machine moves: any object with a ``state``."""

    state: str


_TRANSITIONS = [
    # trigger, source, destination
    ["begin", State.READY, State.EXECUTING],
    ["succeed", State.EXECUTING, State.COMPLETED],
    ["fail", State.EXECUTING, State.FAILED],
    ["withdraw", State.EXECUTING, State.READY],
    ["disturb", State.COMPLETED, State.EXECUTING],
    ["retry", State.FAILED, State.READY],
]

_ROUTES: dict[tuple[State, State], tuple[str, ...]] = {
    (State.READY, State.EXECUTING): ("begin",),
    (State.READY, State.COMPLETED): ("begin", "succeed"),
    (State.READY, State.FAILED): ("begin", "fail"),
    (State.EXECUTING, State.COMPLETED): ("succeed",),
    (State.EXECUTING, State.FAILED): ("fail",),
    (State.EXECUTING, State.READY): ("withdraw",),
    (State.COMPLETED, State.EXECUTING): ("disturb",),
    (State.COMPLETED, State.FAILED): ("disturb", "fail"),
    (State.COMPLETED, State.READY): ("disturb", "withdraw"),
    (State.FAILED, State.READY): ("retry",),
    (State.FAILED, State.EXECUTING): ("retry", "begin"),
    (State.FAILED, State.COMPLETED): ("retry", "begin", "succeed"),
}

# One machine for all chunks: a machine a chunk costs 112 KiB, a model registered with a machine 10 KiB, and an
# event fired on a plain object nothing at all. So the events are fired directly and no model is registered.
_machine = Machine(
    model=None,
    states=[state.value for state in State],
    transitions=[[trigger, str(source), str(dest)] for trigger, source, dest in _TRANSITIONS],
    initial=None,
    auto_transitions=False,
    send_event=False,
)


class IllegalTransition(ValueError):
    """Two states between which the machine knows no way. A programming error, never the user's."""


def advance(model: HasState, target: State, on_step: Callable[[str, State, State], None] | None = None) -> bool:
    """Move ``model`` to ``target`` by the shortest documented way; tell each step to ``on_step``.

    ``on_step(trigger, source, destination)`` is called after each transition. Returns False when the model
    is there already. Raises IllegalTransition where the machine has no such way.
    """
    source = State(model.state)
    if source is target:
        return False
    route = _ROUTES.get((source, target))
    if route is None:
        raise IllegalTransition(f"no way from {source} to {target}")
    for trigger in route:
        before = State(model.state)
        _machine.events[trigger].trigger(model)
        if on_step is not None:
            on_step(trigger, before, State(model.state))
    return True
