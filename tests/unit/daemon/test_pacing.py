"""Views are made soon after each change, and not so often that little else gets done."""

from __future__ import annotations

import pytest

from reconciler.daemon import pacing
from reconciler.daemon.pacing import PAUSE_FOR_WORK, SHORTEST_PAUSE_SECONDS, Pace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(pacing, "time", found)
    return found


def test_what_is_quickly_made_is_made_at_the_usual_pace(clock: Clock) -> None:
    pace = Pace()
    assert pace.pause_seconds == SHORTEST_PAUSE_SECONDS
    with pace.making():
        clock.now += SHORTEST_PAUSE_SECONDS / 100
    assert pace.pause_seconds == SHORTEST_PAUSE_SECONDS


def test_what_takes_long_is_made_less_often_until_it_takes_less(clock: Clock) -> None:
    pace = Pace()
    with pace.making():
        clock.now += 3.0
    assert pace.pause_seconds == 3.0 * PAUSE_FOR_WORK
    with pace.making():
        clock.now += 0.001
    assert pace.pause_seconds == SHORTEST_PAUSE_SECONDS


def test_what_fails_counts_as_long_as_it_took(clock: Clock) -> None:
    pace = Pace()

    def fail() -> None:
        with pace.making():
            clock.now += 1.0
            raise ValueError("no view")

    with pytest.raises(ValueError, match="no view"):
        fail()
    assert pace.pause_seconds == PAUSE_FOR_WORK
