"""Removes what somebody else has put into a folder, however deep, however much, following nothing.

The standard library's ``rmtree`` goes as deep as the tree is, which ends the thread that calls it where a container
made a thousand folders in one another. Here a folder in a folder is moved up first, so that no tree is deep.

This module owns the difference between platforms: where folders can't be held open, ``rmtree`` has to do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from functools import partial
from itertools import islice

AT_ONCE = 1000
EVERYTHING = 100_000_000
_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def empty(folder: str, most: int = EVERYTHING) -> bool:
    """Remove what is in a folder, ``most`` entries of it; whether it is empty now. What can't be removed (another
    user's folder, where this user is not root) is left. Raises OSError where the folder itself can't be opened."""
    if os.open not in os.supports_dir_fd or os.scandir not in os.supports_fd:
        return _plainly(folder)
    at = os.open(folder, _FLAGS)
    try:
        return _Emptying(at, most).all()
    finally:
        os.close(at)


def remove(folder: str, most: int = EVERYTHING) -> bool:
    """Remove a folder, or a link in its place; whether it is gone."""
    with contextlib.suppress(OSError):
        if os.path.islink(folder):
            os.unlink(folder)
            return True
        empty(folder, most)
        os.rmdir(folder)
    return not os.path.lexists(folder)


class _Emptying:
    def __init__(self, at: int, most: int) -> None:
        self._at = at
        self._left = most

    def all(self) -> bool:
        """Whether nothing is left."""
        stuck: set[str] = set()
        while True:
            todo = [one for one in _entries(self._at, AT_ONCE + len(stuck)) if one[0] not in stuck]
            if not todo:
                return not stuck
            for name, is_folder in todo:
                if self._left <= 0:
                    return False
                self._left -= 1
                if not (self._take_apart(name) if is_folder else _done(partial(os.unlink, name, dir_fd=self._at))):
                    stuck.add(name)

    def _take_apart(self, name: str) -> bool:
        """Remove a folder; what is a folder in it comes to stand beside it."""
        with contextlib.suppress(OSError):
            inner = os.open(name, _FLAGS, dir_fd=self._at)
            try:
                self._move_up(inner)
            finally:
                os.close(inner)
        return _done(partial(os.rmdir, name, dir_fd=self._at))

    def _move_up(self, inner: int) -> None:
        while self._left > 0:
            found = _entries(inner, AT_ONCE)
            self._left -= len(found)
            gone = 0
            for name, is_folder in found:
                up = partial(os.rename, name, f".{secrets.token_hex(8)}", src_dir_fd=inner, dst_dir_fd=self._at)
                gone += _done(up if is_folder else partial(os.unlink, name, dir_fd=inner))
            if not gone:
                return


def _entries(at: int, most: int) -> list[tuple[str, bool]]:
    with os.scandir(at) as listing:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in islice(listing, most)]


def _done(call: Callable[[], None]) -> bool:
    try:
        call()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _plainly(folder: str) -> bool:
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        with contextlib.suppress(OSError, RecursionError):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
    with os.scandir(folder) as listing:
        return next(iter(listing), None) is None
