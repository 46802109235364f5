"""Reads a file that somebody else may be changing, or may have put there to hurt: never follows a link, never blocks
on a pipe, never reads more than it was told.

This module owns the difference between platforms: Windows has neither O_NOFOLLOW nor pipes in folders, and can't open
folders to look below them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice
from typing import IO

ATTEMPTS = 3
_LISTED = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
"""The flags with which a folder is opened that is to be listed."""


class Refused(Exception):
    """Why a file was not read: ``Symlink``, ``NotAFile``, ``Unreadable``, ``TooLarge`` or ``Gone``, in words too.

    ``passing`` says that the reason may be gone in a moment: somebody is writing right now.
    """

    def __init__(self, code: str, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.passing = passing


def signature(path: str, *, dir_fd: int | None = None) -> tuple[int, ...]:
    """What changes when a file does. Raises FileNotFoundError, OSError."""
    at = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    return (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode)


def changed_at_ns(signature: tuple[int, ...]) -> int:
    """When the file of a signature was last changed, in nanoseconds since 1970."""
    return max(signature[2], signature[3])


def read(path: str, limit: int, *, dir_fd: int | None = None) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Raises Refused."""
    for _ in range(ATTEMPTS):
        data = _attempt(path, limit, dir_fd)
        if data is not None:
            return data
    raise Refused("Unreadable", "it keeps changing while it is read", passing=True)


def read_at(path: str, limit: int) -> bytes:
    """As :func:`read`, of an absolute path of which no part is a link: one that became a link since somebody looked is
    not followed. Windows looks at the last part only. Raises Refused."""
    if os.open not in os.supports_dir_fd:
        return read(path, limit)
    above, name = os.path.split(path)
    try:
        descriptor = _descend(above)
    except FileNotFoundError:
        raise Refused("Gone", "it is gone") from None
    except OSError as error:
        raise Refused("Unreadable", f"it can't be reached: {error.strerror or error}") from error
    try:
        return read(name, limit, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _descend(path: str) -> int:
    """A descriptor of the folder at an absolute path, which only serves to go on from there. Follows no link. Raises
    OSError."""
    # O_PATH: a folder on the way may be one that can be passed through and not listed.
    flags = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(os.sep, flags)
    for part in [part for part in path.split(os.sep) if part]:
        try:
            below = os.open(part, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


class Folder:
    """A folder that was reached without following a link. Names are looked up in it and nowhere else: where the folder
    is moved meanwhile, and a link put in its place, that link is not followed."""

    def __init__(self, path: str, dir_fd: int | None) -> None:
        self._path = path
        self._dir_fd = dir_fd

    def listing(self) -> list[tuple[str, bool]]:
        """All names in their order, and whether each is that of a folder (and no link). Raises OSError."""
        with os.scandir(self._path if self._dir_fd is None else self._dir_fd) as listing:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing)
        self._still_here()
        return found

    def look(self, name: str) -> tuple[os.stat_result, str | None]:
        """What ``name`` is and, of a link, where it leads. Raises OSError."""
        place = self._at(name)
        at = os.stat(place, dir_fd=self._dir_fd, follow_symlinks=False)
        target = os.readlink(place, dir_fd=self._dir_fd) if stat.S_ISLNK(at.st_mode) else None
        self._still_here()
        return at, target

    def open(self, name: str) -> IO[bytes]:
        """A regular file, to be read. Raises OSError, and Refused where it is something else by now."""
        place = self._at(name)
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        file = os.fdopen(os.open(place, flags | getattr(os, "O_CLOEXEC", 0), dir_fd=self._dir_fd), "rb")
        try:
            at = os.fstat(file.fileno())
            if not stat.S_ISREG(at.st_mode):
                raise Refused("NotAFile", f"it is {_kind(at.st_mode)}, not a file", passing=True)
            self._still_here()
            if self._dir_fd is None and not os.path.samestat(at, os.stat(place, follow_symlinks=False)):
                raise Refused("Symlink", "it was exchanged as it was opened", passing=True)
        except BaseException:
            file.close()
            raise
        return file

    @contextlib.contextmanager
    def below(self, name: str) -> Iterator[Folder]:
        """A folder in it. Raises OSError, among them NotADirectoryError for a link."""
        path = os.path.join(self._path, name)
        if self._dir_fd is None:
            folder = Folder(path, None)
            folder._still_here()
            yield folder
            return
        try:
            descriptor = os.open(name, _LISTED | getattr(os, "O_NOFOLLOW", 0), dir_fd=self._dir_fd)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise NotADirectoryError(errno.ENOTDIR, "it is a symbolic link by now", path) from error
        try:
            yield Folder(path, descriptor)
        finally:
            os.close(descriptor)

    def _still_here(self) -> None:
        """Where folders can't be held open: that no part of the path is a link by now."""
        if self._dir_fd is None and os.path.realpath(self._path) != self._path:
            raise NotADirectoryError(errno.ENOTDIR, "a part of its path is a symbolic link by now", self._path)

    def names(self, limit: int) -> list[str]:
        """At most ``limit`` names. Raises OSError."""
        with os.scandir(self._path if self._dir_fd is None else self._dir_fd) as listing:
            return [entry.name for entry in islice(listing, limit)]

    def signature(self, name: str) -> tuple[int, ...]:
        """See :func:`signature`."""
        return signature(self._at(name), dir_fd=self._dir_fd)

    def read(self, name: str, limit: int) -> bytes:
        """See :func:`read`."""
        return read(self._at(name), limit, dir_fd=self._dir_fd)

    def _at(self, name: str) -> str:
        return name if self._dir_fd is not None else os.path.join(self._path, name)


@contextlib.contextmanager
def folder_at(path: str) -> Iterator[Folder]:
    """The folder at an absolute path of which no part is a link: one that became a link since is not followed. Raises
    OSError."""
    if not _can_hold_folders():
        folder = Folder(path, None)
        folder._still_here()
        yield folder
        return
    above = _descend(os.path.dirname(path))
    try:
        descriptor = os.open(os.path.basename(path) or ".", _LISTED | getattr(os, "O_NOFOLLOW", 0), dir_fd=above)
    finally:
        os.close(above)
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _can_hold_folders() -> bool:
    return os.open in os.supports_dir_fd and os.scandir in os.supports_fd


@contextlib.contextmanager
def folder_below(root: str, parts: tuple[str, ...]) -> Iterator[Folder]:
    """The folder ``root/part/part``, where no part may be a link. Raises OSError."""
    if any(part in ("", ".", "..") or os.path.basename(part) != part for part in parts):
        raise NotADirectoryError(f"{parts!r} are not names of folders")
    if not _can_hold_folders():
        path = root
        for part in parts:
            path = os.path.join(path, part)
            if os.path.islink(path):
                raise NotADirectoryError(f"{path} is a symbolic link")
        yield Folder(path, None)
        return
    descriptor = os.open(root, _LISTED)
    try:
        for part in parts:
            below = os.open(part, _LISTED | getattr(os, "O_NOFOLLOW", 0), dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield Folder(os.path.join(root, *parts), descriptor)
    finally:
        os.close(descriptor)


def _attempt(path: str, limit: int, dir_fd: int | None) -> bytes | None:
    """The bytes, or None where the file changed meanwhile. Raises Refused."""
    try:
        at = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
        _judge(at, limit)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), dir_fd=dir_fd)
    except FileNotFoundError:
        raise Refused("Gone", "it is gone") from None
    except OSError as error:
        raise Refused("Unreadable", f"it can't be read: {error.strerror or error}") from error
    try:
        before = os.fstat(descriptor)
        _judge(before, limit)
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


def _judge(at: os.stat_result, limit: int) -> None:
    if stat.S_ISLNK(at.st_mode):
        raise Refused("Symlink", "it is a symbolic link, which is refused: put the file itself here")
    if not stat.S_ISREG(at.st_mode):
        raise Refused("NotAFile", f"it is {_kind(at.st_mode)}, not a file")
    if os.name != "nt" and not at.st_mode & 0o444:
        raise Refused("Unreadable", "no user may read it (mode 000): chmod it")
    if at.st_size > limit:
        raise Refused("TooLarge", f"it has {at.st_size} bytes; {limit} are the most")


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
