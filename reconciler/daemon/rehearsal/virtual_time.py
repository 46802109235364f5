"""An event loop whose time jumps: where nothing is ready, it goes to the next timer at once instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
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

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, now: float = 0.0) -> None:
        self._jumping = _JumpingSelector(now)
        super().__init__(self._jumping)

    def stall(self, seconds: float) -> None:
        """Time passes in which the machine gives nobody a turn."""
        self._jumping.now += seconds

    def time(self) -> float:
        """Virtual seconds, from what they began with."""
        return self._jumping.now

    def pass_over(self, pause: float, end: float) -> None:
        """For who looks again and again with a pause between: let the time of those looks pass, up to ``end``, before
        which nothing else happens: they would see what was seen. The clock then says to the last bit what it would have
        said, or a story would be another one."""
        if self._ready:
            return
        soonest = min(self._scheduled[0].when(), end) if self._scheduled else end
        now = self._jumping.now
        while True:
            look = now + max(now + pause - now, TURN_SECONDS) + TURN_SECONDS
            if look + 10 * TURN_SECONDS > soonest:
                break
            now = look
        self._jumping.now = now


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
