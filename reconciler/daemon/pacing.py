"""How often views are made for who watches: soon after each change, and never so often that little else gets done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

SHORTEST_PAUSE_SECONDS = 0.1
PAUSE_FOR_WORK = 4.0
"""A pause is at least so many times as long as it took to make the view before it."""


class Pace:
    """Measures how long a view takes to be made, and pauses accordingly."""

    def __init__(self, shortest_seconds: float = SHORTEST_PAUSE_SECONDS) -> None:
        self._shortest = shortest_seconds
        self._took = 0.0

    @contextmanager
    def making(self) -> Iterator[None]:
        """While a view is made."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._took = time.monotonic() - begun

    @property
    def pause_seconds(self) -> float:
        """How long the next pause is."""
        return max(self._shortest, PAUSE_FOR_WORK * self._took)

    async def pause(self) -> None:
        """Let everything else have its turn."""
        await asyncio.sleep(self.pause_seconds)
