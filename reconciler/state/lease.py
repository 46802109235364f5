"""One pnr a domain of an engine: leases that the kernel holds, so that they are gone when their holder is.

The lock of a state directory keeps two daemons from one directory; this keeps two directories from one domain. A lease
is for an engine (by its own id) and a domain, and is seen by everybody on this host, whoever they are.

This module owns the difference between platforms. Linux has names for sockets that lie in no file system (none that a
service's sandbox hides, no file that is left behind), in each network namespace. Elsewhere it is a locked file in the
folder for temporary files.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from reconciler.state import lock

Key = tuple[str, str]
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.01
_QUEUE = 64
_ENGINE = "/var/run/docker.sock"


class Leases:
    """The leases of this process. Nothing here blocks for longer than a moment."""

    def __init__(self) -> None:
        self._held: dict[Key, socket.socket | IO[str]] = {}

    def take(self, engine: str, domain: str) -> str:
        """Take the lease of a domain of the engine with this id. "" where it is ours now, else who has it.

        Where the platform gives no lease, nobody can be told apart, and it is ours.
        """
        if (engine, domain) in self._held:
            return ""
        taken = _take(_name(engine, domain), ask=True)
        if isinstance(taken, str):
            return taken
        if taken is not None:
            self._held[engine, domain] = taken
        return ""

    def is_free(self, engine: str, domain: str) -> bool:
        """Whether nobody has it. A lease of our own is not free."""
        if (engine, domain) in self._held:
            return False
        taken = _take(_name(engine, domain), ask=False)
        if isinstance(taken, str):
            return False
        if taken is not None:
            taken.close()
        return True

    def release(self, engine: str, domain: str) -> None:
        """Give a lease back."""
        held = self._held.pop((engine, domain), None)
        if held is not None:
            held.close()

    def close(self) -> None:
        """Give all back."""
        for engine, domain in list(self._held):
            self.release(engine, domain)


def _name(engine: str, domain: str) -> str:
    return "pnr-" + hashlib.sha256(f"{engine}\0{domain}".encode("utf-8", "replace")).hexdigest()[:40]


def _take(name: str, *, ask: bool) -> Any:
    return _take_name(name, ask=ask) if sys.platform == "linux" else _take_file(name)


def _take_name(name: str, *, ask: bool) -> socket.socket | str | None:
    """The lease, who has it, or None where there is no telling. Who has it is only looked up with ``ask``: each time
    stays in the holder's queue."""
    for _ in range(_ATTEMPTS):
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            held.bind(f"\0{name}")
            held.listen(_QUEUE)
        except OSError as error:
            held.close()
            if error.errno != errno.EADDRINUSE:
                return None
        else:
            return held
        if not ask:
            break
        try:
            pid, uid = _peer(name)
        except BlockingIOError:
            break
        except OSError:
            time.sleep(_PAUSE_SECONDS)  # it was let go in between, or is only just being taken
            continue
        return f"pid {pid}" if _may_use_an_engine(uid) else None
    return "another process"


def _peer(name: str) -> tuple[int, int]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        asking.connect(f"\0{name}")
        said = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", said)
    return pid, uid


def _may_use_an_engine(uid: int) -> bool:
    """Whether this user could run a pnr: a name taken by anybody else is no lease, but in the way on purpose."""
    import pwd

    if uid in (0, os.geteuid()):
        return True
    try:
        engine = os.stat(_ENGINE)
        user = pwd.getpwuid(uid)
    except (OSError, KeyError):
        return True  # the engine is elsewhere, and so is the list of who may use it
    return uid == engine.st_uid or engine.st_gid in os.getgrouplist(user.pw_name, user.pw_gid)


def _take_file(name: str) -> IO[str] | str | None:
    # All users must find the same; what is opened below it is a file of ours, and no link.
    shared = "/tmp" if sys.platform == "darwin" else tempfile.gettempdir()  # noqa: S108
    folder = Path(shared) / "pnr-leases"
    try:
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            folder.chmod(0o1777)
        path = folder / name
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        file = os.fdopen(os.open(path, flags, 0o666), "r+", encoding="ascii", errors="replace")
    except OSError:
        return None
    try:
        lock.take(file)
    except OSError as error:
        file.seek(0)
        pid = file.read(20).strip()
        file.close()
        return (f"pid {pid}" if pid else "another process") if error.errno in lock.HELD else None
    with contextlib.suppress(OSError):
        os.truncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode())
    return file
