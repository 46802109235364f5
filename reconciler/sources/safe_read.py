"""Reads a file that somebody else may be changing, or may have put there to hurt: never follows a link, never blocks
on a pipe, never reads more than it was told.

This module owns the difference between platforms: Windows has neither O_NOFOLLOW nor pipes in folders.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """Why a file was not read: ``Symlink``, ``NotAFile``, ``Unreadable``, ``TooLarge`` or ``Gone``, in words too."""

    code: str
    message: str


def signature(path: str) -> tuple[int, ...]:
    """What changes when a file does. Raises FileNotFoundError, OSError."""
    at = os.lstat(path)
    return (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode)


def read(path: str, limit: int, *, dir_fd: int | None = None) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Raises Refused."""
    for _ in range(ATTEMPTS):
        data = _attempt(path, limit, dir_fd)
        if data is not None:
            return data
    raise Refused("Unreadable", "it keeps changing while it is read")


def _attempt(path: str, limit: int, dir_fd: int | None) -> bytes | None:
    try:
        at = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
        if stat.S_ISLNK(at.st_mode):
            raise Refused("Symlink", "it is a symbolic link, which is refused: put the file itself here")
        if not stat.S_ISREG(at.st_mode):
            raise Refused("NotAFile", f"it is {_kind(at.st_mode)}, not a file")
        if os.name != "nt" and not at.st_mode & 0o444:
            raise Refused("Unreadable", "nobody may read it (mode 000): chmod it")
        if at.st_size > limit:
            raise Refused("TooLarge", f"it has {at.st_size} bytes; {limit} are the most")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), dir_fd=dir_fd)
    except FileNotFoundError:
        raise Refused("Gone", "it is gone") from None
    except OSError as error:
        raise Refused("Unreadable", f"it can't be read: {error.strerror or error}") from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise Refused("NotAFile", f"it is {_kind(before.st_mode)}, not a file")
        data = b""
        while len(data) <= limit:
            part = os.read(descriptor, min(1 << 20, limit + 1 - len(data)))
            if not part:
                break
            data += part
        after = os.fstat(descriptor)
    except OSError as error:
        raise Refused("Unreadable", f"it can't be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise Refused("TooLarge", f"it has more than {limit} bytes")
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size
    return data if same else None


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    ):
        if test(mode):
            return name
    return "something else"
