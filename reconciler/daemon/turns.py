"""Measures the turns of the event loop: from one wait for something to happen to the next. While a turn lasts nobody is
answered and nothing is seen to.

Two clocks: what passed, and the processor time of the loop's thread, which tells a turn that did too much from one that
a busy machine held up.

This module owns the difference between platforms: Windows' loop waits elsewhere, and is not measured.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary


@dataclass(slots=True)
class Turns:
    """The longest turns of a loop so far, in seconds."""

    longest: float = 0.0
    longest_cpu: float = 0.0

    def forget(self) -> None:
        """Start over."""
        self.longest = self.longest_cpu = 0.0

    def document(self) -> dict[str, float]:
        """As ``pnr status --json`` shows them."""
        return {
            "longest_turn_ms": round(self.longest * 1000, 1),
            "longest_turn_cpu_ms": round(self.longest_cpu * 1000, 1),
        }


class _Measuring(selectors.DefaultSelector):
    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns
        self._begun: tuple[float, float] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._begun is not None:
            turns, (at, cpu) = self._turns, self._begun
            turns.longest = max(turns.longest, time.monotonic() - at)
            turns.longest_cpu = max(turns.longest_cpu, time.thread_time() - cpu)
        found = super().select(timeout)
        self._begun = time.monotonic(), time.thread_time()
        return found


_MEASURED: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def measured_loop() -> asyncio.AbstractEventLoop:
    """A new event loop whose turns are measured."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    turns = Turns()
    loop = asyncio.SelectorEventLoop(_Measuring(turns))
    _MEASURED[loop] = turns
    return loop


def measure_from_here() -> None:
    """What came before was the start, while nobody is answered anyway. Counts from the next turn on."""
    turns = _MEASURED.get(asyncio.get_running_loop())
    if turns is not None:
        asyncio.get_running_loop().call_soon(turns.forget)


def turns_now() -> dict[str, Any]:
    """Those of the loop that runs; nothing where it is not measured."""
    turns = _MEASURED.get(asyncio.get_running_loop())
    return turns.document() if turns is not None else {}
