"""Hints from the operating system that something in a folder has changed (watchdog).

Its thread does nothing but call ``hint``. That it works is never relied upon: it is checked, started again when it has
died or its folder was replaced, and where it can't be had (the limit of watches is reached) the caller polls.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("pnr.sources")

_TELLING = frozenset({"created", "modified", "moved", "deleted", "closed"})


class Watching:
    """Watches a folder, and with ``recursive`` what is below it."""

    def __init__(self, root: Path, *, recursive: bool = False) -> None:
        self._root = root
        self._recursive = recursive
        self._observer: Any = None
        self._watched: tuple[int, int] | None = None
        self._warned = False

    def ensure(self, hint: Callable[[], None], where: Callable[[str], None] | None = None) -> bool:
        """See to it that the folder is watched; False where it can't be. ``where`` is told the path of each change."""
        try:
            at = os.stat(self._root)
        except OSError:
            self.stop()
            return False
        alive = self._observer is not None and self._observer.is_alive() and self._emitters_live()
        if alive and self._watched == (at.st_dev, at.st_ino):
            return True
        self.stop()
        try:
            self._start(hint, where)
        except (OSError, RuntimeError) as error:
            if not self._warned:
                log.warning("%s can't be watched (%s); it is looked at every half second instead", self._root, error)
                self._warned = True
            self.stop()
            return False
        self._watched = (at.st_dev, at.st_ino)
        self._warned = False
        return True

    def _emitters_live(self) -> bool:
        emitters = self._observer.emitters
        return bool(emitters) and all(emitter.is_alive() for emitter in emitters)

    def _start(self, hint: Callable[[], None], where: Callable[[str], None] | None) -> None:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in _TELLING:
                    return
                if where is not None:
                    for path in (event.src_path, event.dest_path):
                        if path:
                            where(os.fsdecode(path))
                hint()

        observer = Observer()
        observer.daemon = True
        observer.schedule(Handler(), str(self._root), recursive=self._recursive)
        self._observer = observer
        observer.start()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended or will end by itself."""
        observer, self._observer, self._watched = self._observer, None, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(2.0)
