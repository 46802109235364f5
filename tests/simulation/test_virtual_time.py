"""The loop whose time jumps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.controller.clock import LoopClock, SystemClock
from tests.simulation.virtual_time import DeadlockError, run


def test_a_week_passes_at_once_and_exactly() -> None:
    async def story() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(7 * 86_400)
        return before, loop.time()

    before, after = run(story())
    assert after - before == pytest.approx(7 * 86_400, abs=1e-3)


def test_timers_fire_in_the_order_of_their_times() -> None:
    async def story() -> list[str]:
        fired: list[str] = []
        loop = asyncio.get_running_loop()
        for delay in (3.0, 1.0, 2.0):
            loop.call_later(delay, fired.append, f"{delay:g}")
        await asyncio.sleep(10)
        return fired

    assert run(story()) == ["1", "2", "3"]


def test_waiting_for_what_nobody_will_do_is_an_error_and_no_hang() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match="no timer runs"):
        run(story())


def test_a_story_leaves_no_task_behind() -> None:
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("background")

    async def story() -> None:
        story.task = asyncio.get_running_loop().create_task(background())  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    run(story())
    assert ended == ["background"]


def test_the_loops_clock_is_as_virtual_as_the_loop() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)

    async def story() -> tuple[datetime, float]:
        clock = LoopClock(start)
        await asyncio.sleep(90)
        return clock.now(), clock.monotonic()

    now, monotonic = run(story())
    assert abs(now - start - timedelta(seconds=90)) < timedelta(milliseconds=1)
    assert monotonic == pytest.approx(90, abs=1e-3)


def test_the_machines_clock_is_in_utc_and_counts_as_asyncio_does() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC

    async def loops_time() -> float:
        return asyncio.get_running_loop().time()

    before = clock.monotonic()
    assert before <= asyncio.run(loops_time()) <= clock.monotonic()
