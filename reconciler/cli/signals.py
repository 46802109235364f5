"""Turns the signals that ask a process to end into a stop event. The one module that knows signals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from types import FrameType

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)  # SIGBREAK: Windows' Ctrl-Break


def stop_on_signals(stop: asyncio.Event) -> None:
    """Have the first signal set ``stop``; a second one ends the process in its ordinary way.

    To be called on the loop's thread, which must be the main thread.
    """
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        stop.set()
        for number in ENDING:
            _restore(loop, number)

    def from_anywhere(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ask_to_stop)

    for number in ENDING:
        try:
            loop.add_signal_handler(number, ask_to_stop)
        except NotImplementedError:  # Windows' loops
            signal.signal(number, from_anywhere)


def _restore(loop: asyncio.AbstractEventLoop, number: signal.Signals) -> None:
    with contextlib.suppress(NotImplementedError):  # Windows' loops: the handler below is all there is
        loop.remove_signal_handler(number)
    signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
