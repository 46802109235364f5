"""Measures how late the program itself is while it asks: on a machine that is starved, a deadline passes in which
nobody had the time to listen. Such a silence says nothing about who was asked.

While a question is open a timer rings ten times a second; what it rings late is time that was lost. Questions that are
answered at once, as nearly all are, cost nothing.
"""

from __future__ import annotations

import asyncio

from reconciler.controller.clock import Clock

TICK_SECONDS = 0.1
USUAL_SECONDS = 0.02  # a timer is never quite on time
MOST_LATE_SECONDS = 0.25
MOST_LATE_SHARE = 0.25


class Lateness:
    """See the module's text. Owned by the loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open = 0
        self._lost = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> float:
        """A question begins; what was lost so far, to be handed to :meth:`end`."""
        self._open += 1
        if self._timer is None:
            self._arm()
        return self._lost

    def end(self, before: float) -> float:
        """A question has ended; how many seconds were lost while it was open."""
        self._open -= 1
        lost = self._lost - before + self._overdue()
        if not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return lost

    def _overdue(self) -> float:
        late = self._clock.monotonic() - self._due if self._timer is not None else 0.0
        return late if late > USUAL_SECONDS else 0.0

    def _arm(self) -> None:
        self._due = self._clock.monotonic() + TICK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._lost += self._overdue()
        self._arm()


def is_too_late(lost: float, elapsed: float, timeout_seconds: float) -> bool:
    """Whether a question that was not answered within its time (``elapsed`` seconds have passed) was not given that
    time: the one who asks was ``lost`` for too much of it, or did not even notice for long that it was over."""
    if elapsed < timeout_seconds:
        return False
    return max(lost, elapsed - timeout_seconds) > min(MOST_LATE_SECONDS, timeout_seconds * MOST_LATE_SHARE)
