"""Keeps the garbage collector's turns short: while it goes through what is in memory nobody is answered.

What was imported stays to the end, and intents are large, stay long and have no cycles: when nobody wants one any more
it goes without the collector. Neither is gone through again and again. What is left are the objects of the day, of
which few at a time are looked at.
"""

from __future__ import annotations

import gc

FEW = 2_000
"""So many new objects at a time. Those that stay are looked at again when there are ten times as many."""

MANY_CHUNKS = 500
"""Intents with so many chunks are set aside at once. Each time a few cycles that happen to be alive are set aside with
them, and stay: that must be rare."""


class Garbage:
    """Counts what has come since memory was set aside last."""

    def __init__(self) -> None:
        self._chunks = 0

    def begin(self) -> None:
        """The start is over."""
        gc.freeze()
        gc.set_threshold(FEW)

    def adopted(self, chunks: int) -> None:
        """Intents with so many chunks have come."""
        self._chunks += chunks
        if self._chunks >= MANY_CHUNKS:
            self._chunks = 0
            gc.freeze()
