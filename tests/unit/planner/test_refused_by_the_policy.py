"""What the policy refused is tried again seldom: nobody's doing but an edit, a share or another policy changes that."""

from __future__ import annotations

import pytest

from reconciler.planner.retry_state import Failure, Remedy, RetryState, asked_anew, intent_changed, set_back
from reconciler.states import Reason


def tried(reason: Reason, times: int) -> list[float]:
    """The waits after so many failures in a row."""
    memory, waits = RetryState(), []
    for _ in range(times):
        memory = set_back(memory, now=0.0, jitter=0.5, error="no", failure=Failure(reason, "no"), remedy=Remedy.START)
        assert memory.not_before is not None
        waits.append(memory.not_before)
    return waits


def test_it_waits_half_a_minute_at_least_and_ever_longer() -> None:
    assert tried(Reason.POLICY_REFUSED, 9) == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert tried(Reason.START_FAILED, 3) == [0, 1, 2]


@pytest.mark.parametrize("anew", [intent_changed, asked_anew])
def test_another_intent_or_a_person_has_it_tried_at_once(anew: object) -> None:
    failure = Failure(Reason.POLICY_REFUSED, "no")
    memory = set_back(RetryState(), now=0.0, jitter=0.5, error="no", failure=failure, remedy=Remedy.START)
    assert callable(anew)
    assert anew(memory).not_before is None
    assert anew(memory).attempts == 0
