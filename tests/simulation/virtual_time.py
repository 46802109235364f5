"""Virtual time, as the program has it for its own rehearsals, in which a test can let time pass by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from reconciler.daemon.rehearsal import virtual_time
from reconciler.daemon.rehearsal.virtual_time import TURN_SECONDS, DeadlockError

__all__ = ["DeadlockError", "VirtualLoop", "run"]

T = TypeVar("T")


class VirtualLoop(virtual_time.VirtualLoop):
    """The program's, with what only tests do to time."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def stall(self, seconds: float) -> None:
        """Time passes in which the machine gives nobody a turn."""
        self._jumping.now += seconds

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
    return virtual_time.run(coroutine, loop or VirtualLoop())
