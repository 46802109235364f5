"""When silence says something about who was asked, and when only about who asked."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.controller.clock import LoopClock
from reconciler.controller.lateness import Lateness, is_too_late
from tests.simulation.virtual_time import VirtualLoop, run


@pytest.mark.parametrize(
    ("lost", "elapsed", "timeout", "late"),
    [
        (0.0, 2.0, 2.0, False),
        (0.1, 2.05, 2.0, False),
        (0.3, 2.0, 2.0, True),
        (0.0, 12.0, 2.0, True),
        (5.0, 1.9, 2.0, False),  # it was answered in its time
        (0.03, 0.1, 0.1, True),  # a quarter of a short one
    ],
)
def test_silence_is_no_answer_where_we_were_away_for_too_much_of_its_time(
    lost: float, elapsed: float, timeout: float, late: bool
) -> None:
    assert is_too_late(lost, elapsed, timeout) is late


def test_what_is_lost_while_a_question_is_open_is_measured() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lateness = Lateness(LoopClock())
        first = lateness.begin()
        await asyncio.sleep(1.0)
        assert lateness.end(first) == 0.0
        loop.stall(5.0)  # while nothing is asked
        second = lateness.begin()
        await asyncio.sleep(0.55)
        loop.stall(3.0)
        await asyncio.sleep(0.5)
        third = lateness.begin()
        assert 2.9 < lateness.end(second) <= 3.0
        assert lateness.end(third) == 0.0

    run(story())


def test_what_is_lost_counts_before_its_timer_has_rung() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lateness = Lateness(LoopClock())
        before = lateness.begin()
        loop.stall(3.0)
        assert lateness.end(before) > 2.8

    run(story())
