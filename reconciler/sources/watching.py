"""Hints from the operating system that something in a folder has changed (watchdog).

Its thread does nothing but call ``hint``. That it works is never relied upon: it is checked, started again when it has
died or its folder was replaced, and where it can't be had (the limit of watches is reached) the caller polls.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("pnr.sources")

RETRY_SECONDS = 30.0
# A file that is moved out of the folder is told only when no "moved in" came for so long, and all that came after it
# waits with it. The two halves of a move come together; half a second, watchdog's own choice, is an age.
MOVE_HALVES_APART_SECONDS = 0.01
_MOVE_PAIRING = (
    ("watchdog.observers.inotify_move_event_grouper", "InotifyMoveEventGrouper"),
    ("watchdog.observers.inotify_buffer", "InotifyBuffer"),
)
# We open and read files ourselves: to be told of it would cost a wake-up a file.
_READING = frozenset({"FileOpenedEvent", "FileClosedNoWriteEvent"})


class Watching:
    """Watches a folder (or what a link to one leads to), and with ``recursive`` what is below it."""

    def __init__(self, root: Path, *, recursive: bool = False) -> None:
        self._root = root
        self._recursive = recursive
        self._observer: Any = None
        self._watched: tuple[int, int] | None = None
        self._warned = False
        self._not_before = 0.0

    def ensure(self, hint: Callable[[], None]) -> bool:
        """See to it that the folder is watched; False where it can't be. ``hint`` is called in another thread."""
        if not self.lost():
            return True
        self.stop()
        at = _identity(self._root)
        if at is None or time.monotonic() < self._not_before:
            return False
        try:
            self._start(hint)
        except (OSError, RuntimeError) as error:
            self.stop()
            self._not_before = time.monotonic() + RETRY_SECONDS
            if not self._warned:
                log.warning("%s can't be watched (%s); it is looked at every half second instead", self._root, error)
                self._warned = True
            return False
        self._watched = at
        self._warned = False
        return True

    def lost(self) -> bool:
        """Whether nothing is watched, or no longer what now stands in the folder's place."""
        return self._observer is None or not self._alive() or _identity(self._root) != self._watched

    def _alive(self) -> bool:
        emitters = self._observer.emitters
        return self._observer.is_alive() and bool(emitters) and all(emitter.is_alive() for emitter in emitters)

    def _start(self, hint: Callable[[], None]) -> None:
        from watchdog import events
        from watchdog.observers import Observer

        for module, name in _MOVE_PAIRING:
            with contextlib.suppress(ImportError, AttributeError):
                getattr(importlib.import_module(module), name).delay = MOVE_HALVES_APART_SECONDS

        class Handler(events.FileSystemEventHandler):
            def on_any_event(self, event: events.FileSystemEvent) -> None:
                hint()

        wanted = [
            kind
            for name, kind in vars(events).items()
            if name.startswith(("File", "Dir")) and name.endswith("Event") and name not in _READING
        ]
        self._observer = Observer()
        self._observer.schedule(Handler(), os.path.realpath(self._root), recursive=self._recursive, event_filter=wanted)
        self._observer.start()

    def stop(self) -> None:
        """Stop watching; returns when the threads have ended or will end by themselves."""
        observer, self._observer, self._watched = self._observer, None, None
        if observer is None:
            return
        # Also where it never came to run: it has had a thread and descriptors since it was made.
        observer.stop()
        if observer.is_alive():
            observer.join(2.0)


def place(path: Path) -> str:
    """The identity of a directory, that of what a link to one leads to: of another in its place (a mount, too) it is
    another. Lasts over a reboot where the file system has an identity of its own. Raises OSError."""
    at = os.stat(path)
    if not stat.S_ISDIR(at.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory", str(path))
    system = 0
    if hasattr(os, "statvfs"):
        system = os.statvfs(path).f_fsid
    return f"{system or at.st_dev:x}:{at.st_ino:x}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        at = os.stat(path)
    except OSError:
        return None
    return at.st_dev, at.st_ino
