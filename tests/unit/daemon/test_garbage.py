"""The garbage collector goes through little at a time, whatever there is in memory."""

from __future__ import annotations

import gc

from reconciler.daemon.garbage import THRESHOLDS, little_at_a_time

AT_ONCE = 2 * THRESHOLDS[0] * THRESHOLDS[1] * THRESHOLDS[2]


def test_what_was_gone_through_once_is_not_gone_through_again() -> None:
    before, kept, most = gc.get_threshold(), [], 0
    with little_at_a_time():
        for number in range(500_000):
            kept.append([number])
            if number % 10_000 == 0:
                most = max(most, len(gc.get_objects()))
        assert gc.get_freeze_count() >= 400_000
    assert most <= AT_ONCE
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
    assert len(kept) == 500_000


def test_cycles_that_nobody_has_any_more_are_collected() -> None:
    class Node:
        alive = 0

        def __init__(self) -> None:
            self.me = self
            Node.alive += 1

        def __del__(self) -> None:
            Node.alive -= 1

    with little_at_a_time():
        for _ in range(100_000):
            Node()
        assert Node.alive <= AT_ONCE
