"""The one machine: four states, documented steps only."""

from __future__ import annotations

import itertools

import pytest

from reconciler.lifecycle import IllegalTransition, advance
from reconciler.states import State

# As the contract with the users has it, and the one way back for work that is withdrawn before it began.
DOCUMENTED = {
    (State.READY, State.EXECUTING),
    (State.EXECUTING, State.COMPLETED),
    (State.EXECUTING, State.FAILED),
    (State.EXECUTING, State.READY),
    (State.COMPLETED, State.EXECUTING),
    (State.FAILED, State.READY),
}


class Model:
    def __init__(self, state: State) -> None:
        self.state = state.value


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(State, 2)))
def test_every_way_consists_of_documented_steps_and_ends_at_its_target(source: State, target: State) -> None:
    model = Model(source)
    seen: list[tuple[State, State]] = []
    assert advance(model, target, lambda _, a, b: seen.append((a, b)))
    assert State(model.state) is target
    assert set(seen) <= DOCUMENTED
    assert seen[0][0] is source
    assert all(before[1] is after[0] for before, after in itertools.pairwise(seen))


@pytest.mark.parametrize("state", list(State))
def test_staying_where_one_is_is_no_transition(state: State) -> None:
    model = Model(state)
    steps: list[str] = []
    assert not advance(model, state, lambda trigger, *_: steps.append(trigger))
    assert steps == []


def test_a_state_that_does_not_exist_is_refused() -> None:
    model = Model(State.READY)
    model.state = "strange"
    with pytest.raises((ValueError, IllegalTransition)):
        advance(model, State.COMPLETED)
