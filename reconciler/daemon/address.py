"""Where the daemon is reached: the Unix socket in the state directory, or a loopback port and a token.

Shared by the control socket's server and by commands that must start fast: it imports nothing heavy. The port is
for platforms without Unix sockets, and for state directories whose path is too long for one where no shorter
way to the directory exists. Paths are text here: importing pathlib takes longer than asking the daemon.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

SOCKET_NAME = "pnr.sock"
PORT_NAME = "pnr.port"
MOST_REQUEST_BYTES = 64 * 1024
HEARTBEAT_SECONDS = 5.0
LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 108 on Linux and 104 on macOS, with the terminating NUL
_OPEN_DIRECTORIES = "/proc/self/fd"

Folder = str | os.PathLike[str]


def unix_sockets() -> bool:
    """Whether this platform has Unix sockets that asyncio can serve."""
    return hasattr(socket, "AF_UNIX") and os.name == "posix"


@contextmanager
def socket_path(state: Folder) -> Iterator[str | None]:
    """A path of the socket that is short enough to bind or connect to; None where there is none.

    Valid only inside the ``with``. Raises OSError where the state directory can't be opened.
    """
    path = os.path.join(state, SOCKET_NAME)
    if not unix_sockets():
        yield None
    elif len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        yield path
    elif os.path.isdir(_OPEN_DIRECTORIES):
        directory = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"{_OPEN_DIRECTORIES}/{directory}/{SOCKET_NAME}"
        finally:
            os.close(directory)
    else:
        yield None


def read_port(state: Folder) -> tuple[int, str] | None:
    """Port and token as a daemon left them; None where there is no such file, or it makes no sense."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(os.path.join(state, PORT_NAME), flags), encoding="ascii") as stream:
            words = stream.read(200).split()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return None  # a link: no daemon leaves one
    if len(words) != 2 or not words[0].isdigit() or not 0 < int(words[0]) < 65536:
        return None
    return int(words[0]), words[1]


def connect(state: Folder, timeout_seconds: float) -> tuple[socket.socket, str]:
    """A connection to the daemon, and the token that its requests must carry ("" on a Unix socket).

    Raises ConnectionRefusedError or FileNotFoundError where no daemon answers, PermissionError where this user
    may not ask it, another OSError where the machine says so.
    """
    refused: OSError = FileNotFoundError(os.path.join(state, SOCKET_NAME))
    with socket_path(state) as path:
        if path is not None:
            if os.path.islink(path):
                raise OSError(errno.ELOOP, f"{SOCKET_NAME} is a symbolic link, which is not followed: remove it")
            try:
                return _connected(socket.AF_UNIX, path, timeout_seconds), ""
            except (FileNotFoundError, ConnectionRefusedError) as error:
                refused = error
    port = read_port(state)
    if port is None:
        raise refused
    return _connected(socket.AF_INET, ("127.0.0.1", port[0]), timeout_seconds), port[1]


def _connected(family: int, address: str | tuple[str, int], timeout_seconds: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_seconds)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection
