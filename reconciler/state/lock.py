"""One daemon a state directory. The kernel holds the lock, so it is gone when its holder is, however it ended.

This module owns the difference between platforms: flock(2) where there is one, msvcrt's locking on Windows.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import IO, ClassVar

from reconciler.errors import PnrError

HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class StateLocked(PnrError):
    """Another process holds the state directory."""

    code: ClassVar[str] = "StateLocked"


class StateHeld(StateLocked):
    """It is another pnr that works with it."""


class StateLock:
    """The lock file ``ROOT/pnr.lock``; it holds its owner's pid, for people."""

    def __init__(self, root: Path) -> None:
        self._path = root / "pnr.lock"
        self._file: IO[str] | None = None
        self._directory = (0, 0)

    def acquire(self) -> None:
        """Take the lock, in a directory that is made where there is none. Raises StateLocked, which names the holder's
        pid where it can be read."""
        root = self._path.parent
        try:
            root.mkdir(parents=True, exist_ok=True)
            file = _open(self._path)
        except OSError as error:
            why = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror or error
            raise StateLocked(
                f"the state directory {root} can't be used: {why}; name another one with --state, or check its rights"
            ) from error
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in HELD:
                file.close()
                raise StateLocked(
                    f"{self._path} can't be locked: {error.strerror or error}; choose a --state on a local disk"
                ) from error
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StateHeld(
                f"another pnr (pid {holder}) works with the state directory {self._path.parent}; stop it, or choose"
                " another --state"
            ) from error
        self._file = file
        self._directory = self._directory_now()
        # The pid is only for people: on a full disk the lock holds without it.
        with contextlib.suppress(OSError):
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"{os.getpid()}\n".encode())

    def is_there(self) -> bool:
        """Whether the lock that is held is the one of the state directory: that may have been removed since, and made
        again by somebody else."""
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # nobody can tell
        held = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def is_same_directory(self) -> bool:
        """Whether the directory is the one in which the lock was taken, so that only the lock's file can be gone."""
        return self._directory_now() == self._directory

    def _directory_now(self) -> tuple[int, int]:
        try:
            there = self._path.parent.stat()
        except OSError:
            return 0, 0
        return there.st_dev, there.st_ino

    def acquire_again(self) -> None:
        """Take the lock of the directory that is there now. Raises StateLocked; the old one is then held still."""
        before = self._file
        self.acquire()
        if before is not None:
            before.close()

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.truncate(self._file.fileno(), 0)
            self._file.close()
            self._file = None


def _open(path: Path) -> IO[str]:
    """The lock's file, made where there is none. Raises OSError: no link is followed, and another user's file, which
    he could lock, is none of ours."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o644)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise OSError(errno.ELOOP, f"{path.name} in it is a symbolic link, which is not followed: remove it") from error
    at = os.fstat(descriptor)
    wrong = "" if stat.S_ISREG(at.st_mode) else "is not a file"
    if hasattr(os, "geteuid") and at.st_uid not in (0, os.geteuid()):
        wrong = wrong or f"belongs to uid {at.st_uid}"
    if wrong:
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} in it {wrong}: remove it")
    return os.fdopen(descriptor, "a+", encoding="ascii", errors="replace")


def take(file: IO[str]) -> None:
    """Lock a file, or raise an OSError, of ``HELD`` where somebody else has it."""
    _lock(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        # A byte far behind the text, so that the pid can still be read.
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
