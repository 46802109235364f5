"""An event loop whose time jumps: where nothing is ready, it goes to the next timer at once instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TURN_SECONDS = 1e-7


class DeadlockError(AssertionError):
    """Nothing is ready and no timer runs: the simulation would wait for ever."""


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise DeadlockError("nothing is ready and no timer runs")
        # A turn of the loop takes a moment, as it does in reality; else what waits for the blink of an eye, and
        # looks at the clock again, would turn for ever.
        self.now += max(timeout, TURN_SECONDS)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module's text. Real I/O and threads have no place in it."""

    def __init__(self, now: float = 0.0) -> None:
        self._jumping = _JumpingSelector(now)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds, from what they began with."""
        return self._jumping.now


def run(coroutine: Coroutine[Any, Any, T], loop: VirtualLoop | None = None) -> T:
    """Run a coroutine in virtual time."""
    loop = loop or VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=60.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
