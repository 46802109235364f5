"""How long something keeps the loop, measured as the daemon does it: by processor time, for a machine may be busy.

What the tests themselves have in memory is many times what a daemon has: to go through all of it for garbage would
count as a turn of its own, so that waits until something was measured.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from reconciler.daemon.turns import measure_from_here, measured_loop, turns_now

T = TypeVar("T")
LONGEST_TURN_SECONDS = 0.1


def quick(call: Callable[[], T]) -> T:
    """Do in a moment what the loop does in one turn."""
    with _no_garbage_collected():
        begun = time.thread_time()
        result = call()
        taken = time.thread_time() - begun
    assert taken < LONGEST_TURN_SECONDS
    return result


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


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

    with _no_garbage_collected(), asyncio.Runner(loop_factory=measured_loop) as runner:
        return runner.run(main())
