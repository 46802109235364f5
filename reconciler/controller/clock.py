"""Time as a thing that is passed in, so that simulation can run in virtual time. Sleeping is always asyncio's."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Seconds that only grow, and the time of day."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment; the event loop's timers use the same scale."""
        ...

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """As asyncio's loops count by default."""
        return time.monotonic()

    def now(self) -> datetime:
        """As the machine's calendar has it."""
        return datetime.now(UTC)


class LoopClock:
    """The running event loop's idea of time, which a simulation makes virtual."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start

    def monotonic(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """``start`` plus the loop's time."""
        return self._start + timedelta(seconds=self.monotonic())


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def wall(clock: Clock, at: float | None) -> str | None:
    """A time of the monotonic clock as people have it."""
    if at is None:
        return None
    return iso(clock.now() + timedelta(seconds=at - clock.monotonic()))
