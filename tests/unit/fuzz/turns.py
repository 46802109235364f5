"""How long something keeps the loop, measured as the daemon does it: by processor time, for a machine may be busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from reconciler.daemon.turns import measure_from_here, measured_loop, turns_now

T = TypeVar("T")
LONGEST_TURN_SECONDS = 0.1


def quick(call: Callable[[], T]) -> T:
    """Do in a moment what the loop does in one turn."""
    begun = time.thread_time()
    result = call()
    assert time.thread_time() - begun < LONGEST_TURN_SECONDS
    return result


def in_short_turns(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do in a loop what takes several turns, none of them long."""

    async def main() -> T:
        measure_from_here()
        await asyncio.sleep(0)
        result = await work()
        await asyncio.sleep(0)
        told = turns_now()
        assert told.get("longest_turn_cpu_ms", 0) < LONGEST_TURN_SECONDS * 1000, told
        return result

    with asyncio.Runner(loop_factory=measured_loop) as runner:
        return runner.run(main())
