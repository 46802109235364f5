"""How long a turn of the event loop took is known, and what it took of the processor."""

from __future__ import annotations

import asyncio
import time

from reconciler.daemon.turns import measured_loop, turns_now


def measured(work: float, rest: float) -> dict[str, float]:
    async def main() -> dict[str, float]:
        for _ in range(3):
            await asyncio.sleep(0)
        until = time.thread_time() + work
        while time.thread_time() < until:
            pass
        time.sleep(rest)  # noqa: ASYNC251 - to hold up the loop is the point
        await asyncio.sleep(0.001)
        return turns_now()

    with asyncio.Runner(loop_factory=measured_loop) as runner:
        return runner.run(main())


def test_a_turn_that_works_is_seen_on_both_clocks() -> None:
    found = measured(0.05, 0)
    assert found["longest_turn_ms"] >= 50
    assert found["longest_turn_cpu_ms"] >= 50


def test_a_turn_that_waits_for_something_else_is_no_work() -> None:
    found = measured(0, 0.05)
    assert found["longest_turn_ms"] >= 50
    assert found["longest_turn_cpu_ms"] < 50


def test_waiting_for_something_to_happen_is_no_turn() -> None:
    async def main() -> dict[str, float]:
        await asyncio.sleep(0.3)
        return turns_now()

    with asyncio.Runner(loop_factory=measured_loop) as runner:
        assert runner.run(main())["longest_turn_cpu_ms"] < 300


async def test_another_loop_is_not_measured() -> None:
    assert turns_now() == {}
