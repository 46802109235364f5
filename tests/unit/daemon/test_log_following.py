"""A stream that is asked for again tells no line twice and leaves none out."""

from __future__ import annotations

import random

from reconciler.daemon.log_following import OVERLAP_NS, Told
from reconciler.engine.protocol import Printed

SECOND = 1_000_000_000


def test_streams_that_overlap_give_each_line_once() -> None:
    for seed in range(50):
        rng = random.Random(seed)
        # Equal lines at equal times, and times that go back a little: two streams of a container are written together.
        times = [n * rng.choice([0, 1, SECOND // 50]) // 10 * 10 for n in range(300)]
        printed = [
            Printed(SECOND + max(0, at + rng.randint(-3, 3)), f"line {rng.randint(1, 3)}") for at in sorted(times)
        ]
        told, given, end = Told(), [], 0
        while end < len(printed):
            begin = told.begin()
            end = min(len(printed), end + rng.randint(0, 40))
            stream = [line for line in printed[:end] if begin is None or line.at >= begin]
            given += [line for line in stream if told.is_new(line)]
        assert given == printed


def test_nothing_from_before_the_beginning_is_asked_for() -> None:
    assert Told().begin() is None
    assert Told(5 * SECOND).begin() == 5 * SECOND
    told = Told()
    assert told.is_new(Printed(7 * SECOND, "a"))
    assert told.begin() == 7 * SECOND - OVERLAP_NS
    assert not told.is_new(Printed(7 * SECOND, "a"))
    assert told.is_new(Printed(7 * SECOND, "a"))
