"""Shows a running service's views from a thread of its own.

A terminal that is held (Ctrl-S), a pipe that nobody reads: writing may block for as long as it likes, and the
daemon's loop must not wait for it. Views that come while one is being shown are skipped but for the newest.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from reconciler.cli.terminal import is_terminal

LAST_WORDS_SECONDS = 2.0

Show = Callable[[dict[str, Any]], None]


class Presenter:
    """A context manager; ``show`` returns at once and may be called from any thread."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._newest: dict[str, Any] | None = None
        self._ending = False
        self._news = threading.Condition()
        # A daemon thread: a terminal that never takes the last view can't keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="pnr-present", daemon=True)

    def show(self, view: dict[str, Any]) -> None:
        """Have a view shown soon."""
        with self._news:
            self._newest = view
            self._news.notify()

    def __enter__(self) -> Presenter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._news:
            self._ending = True
            self._news.notify()
        self._thread.join(LAST_WORDS_SECONDS)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest is not None or self._ending)
                view, self._newest = self._newest, None
                if view is None:
                    return
            try:
                self._show(view)
            except (OSError, ValueError):  # nobody reads any more (ValueError: closed); the work goes on unseen
                return


def line_printer() -> Show:
    """Shows views as plain lines, a line a change, each flushed."""
    from reconciler.cli.terminal import say
    from reconciler.daemon.plain_output import PlainView

    plain = PlainView()

    def show(view: dict[str, Any]) -> None:
        for line in plain.lines(view):
            say(line)

    return show


def wants_live(plain: bool) -> bool:
    """Whether a live picture can and should be drawn."""
    return not plain and is_terminal(sys.stdout)
