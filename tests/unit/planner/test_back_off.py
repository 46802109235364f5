"""One back-off for all that is tried again: ever later, up to a longest wait, and never all at once."""

from __future__ import annotations

import pytest

from reconciler.planner.back_off import (
    ATTEMPTS,
    NETWORKS,
    RECONNECTS,
    REFUSED,
    REGISTRIES,
    REMINDERS,
    UPDATES,
    BackOff,
    spread,
)
from reconciler.planner.retry_state import Remedy, RetryState, put_off, set_back

MINUTE = 60.0


@pytest.mark.parametrize(
    ("back_off", "waits"),
    [
        (ATTEMPTS, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0]),
        (REFUSED, [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1800.0]),
        (UPDATES, [MINUTE, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0]),
        (NETWORKS, [MINUTE, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0]),
        (REGISTRIES, [MINUTE, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0]),
        (RECONNECTS, [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0]),
        (REMINDERS, [MINUTE, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0]),
    ],
)
def test_each_wait_is_twice_the_one_before_up_to_the_longest(back_off: BackOff, waits: list[float]) -> None:
    assert [back_off.after(failures) for failures in range(1, len(waits) + 1)] == waits
    assert back_off.after(10_000) == back_off.longest == waits[-1]
    assert back_off.after(0) == 0.0


def test_what_failed_together_does_not_come_back_together() -> None:
    assert [spread(jitter) for jitter in (0.0, 0.5, 1.0)] == [0.9, 1.0, 1.1]
    assert 270.0 <= ATTEMPTS.after(50, 0.0) < ATTEMPTS.after(50, 1.0) <= 330.0


def waits_after_setbacks(count: int) -> list[float]:
    memory, waits = RetryState(), []
    for _ in range(count):
        memory = set_back(memory, now=7.0, jitter=0.5, error="no", failure=None, remedy=Remedy.START)
        waits.append((memory.not_before or 0.0) - 7.0)
    return waits


def test_the_first_retry_is_at_once_then_after_a_second_doubling_to_five_minutes() -> None:
    assert waits_after_setbacks(4) == [0.0, 1.0, 2.0, 4.0]
    assert waits_after_setbacks(50)[-1] == 300.0


def test_an_update_is_tried_again_after_a_minute_then_ever_later() -> None:
    once = put_off(RetryState(), "it", 0.0, 0.5)
    assert (once.retry_at, put_off(once, "it", 0.0, 0.5).retry_at) == (MINUTE, 2 * MINUTE)
