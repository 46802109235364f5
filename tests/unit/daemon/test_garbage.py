"""The garbage collector goes through little at a time, whatever there is in memory."""

from __future__ import annotations

import gc

from reconciler.daemon.garbage import ALL_AFTER_SECONDS, THRESHOLDS, little_at_a_time

AT_ONCE = 2 * THRESHOLDS[0] * THRESHOLDS[1] * THRESHOLDS[2]


class Node:
    """A cycle of its own; ``alive`` counts those that were not collected yet."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Node.alive += 1

    def __del__(self) -> None:
        Node.alive -= 1


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


def test_that_holds_however_much_was_in_memory_before() -> None:
    there = [[number] for number in range(40 * AT_ONCE)]
    gc.collect()
    test_what_was_gone_through_once_is_not_gone_through_again()
    assert there


def test_cycles_that_nobody_has_any_more_are_collected() -> None:
    before = Node.alive
    with little_at_a_time():
        for _ in range(100_000):
            Node()
        assert Node.alive - before <= AT_ONCE
    gc.collect()


def test_cycles_that_lived_long_are_collected_within_the_hour() -> None:
    def churn() -> None:
        for _ in range(3 * AT_ONCE):
            [[]]  # noqa: B018 - something to be gone through
        kept = [[number] for number in range(3 * AT_ONCE)]
        assert kept

    seconds = 0.0
    gc.collect()
    assert Node.alive == 0
    with little_at_a_time(lambda: seconds):
        kept = [Node() for _ in range(1000)]
        churn()
        assert gc.get_freeze_count() > 1000
        kept.clear()
        churn()
        assert Node.alive == 1000  # set aside while they were alive
        seconds = ALL_AFTER_SECONDS
        churn()
        assert Node.alive == 0
