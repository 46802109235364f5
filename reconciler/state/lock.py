"""One daemon a state directory. The kernel holds the lock, so it is gone when its holder is, however it ended.

This module owns the difference between platforms: flock(2) where there is one, msvcrt's locking on Windows.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import IO, ClassVar

from reconciler.errors import PnrError

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class StateLocked(PnrError):
    """Another process holds the state directory."""

    code: ClassVar[str] = "StateLocked"


class StateLock:
    """The lock file ``ROOT/pnr.lock``; it holds its owner's pid, for people."""

    def __init__(self, root: Path) -> None:
        self._path = root / "pnr.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock. Raises StateLocked, which names the holder's pid where it can be read."""
        try:
            file = self._path.open("a+", encoding="ascii", errors="replace")
        except OSError as error:
            raise StateLocked(f"{self._path} can't be opened: {error.strerror or error}") from error
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in _HELD:
                file.close()
                raise StateLocked(
                    f"{self._path} can't be locked: {error.strerror or error}; choose a --state on a local disk"
                ) from error
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StateLocked(
                f"another pnr (pid {holder}) works with the state directory {self._path.parent}; stop it, or choose"
                " another --state"
            ) from error
        self._file = file
        # The pid is only for people: on a full disk the lock holds without it.
        with contextlib.suppress(OSError):
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.truncate(self._file.fileno(), 0)
            self._file.close()
            self._file = None


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
