"""Talks to the daemon over its control socket: standard library only, so that ``pnr status`` starts fast."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.daemon import address
from reconciler.errors import PnrError

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 6 * address.HEARTBEAT_SECONDS


class NoDaemon(PnrError):
    """No daemon answers in this state directory."""

    code = "NoDaemon"


class DaemonUnreachable(PnrError):
    """There is a daemon, or may be one, but it can't be talked to."""

    code = "DaemonUnreachable"


class DaemonRefused(PnrError):
    """The daemon's own words about a request that it can't fulfil. ``daemon_code`` is its code."""

    code = "DaemonRefused"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.daemon_code = code


def request(
    state: address.Folder, message: Mapping[str, Any], *, silence_seconds: float = SILENCE_SECONDS
) -> Iterator[dict[str, Any]]:
    """Ask the daemon; its answers as they come, the last one with ``done``.

    Connects at once. Raises NoDaemon where none answers, DaemonUnreachable where it may not be asked, says
    nothing for ``silence_seconds`` or goes away, and DaemonRefused with its own words.
    """
    where = os.path.join(state, address.SOCKET_NAME)
    try:
        connection, token = address.connect(state, CONNECT_SECONDS)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise NoDaemon(
            f"no pnr daemon answers at {where}; start one with `pnr run`,"
            " or name the state folder of a running daemon with --state"
        ) from error
    except PermissionError as error:
        raise DaemonUnreachable(
            f"this user may not open {where}; run the command as the user of the daemon, or with sudo"
        ) from error
    except OSError as error:
        raise DaemonUnreachable(f"can't reach the daemon at {where}: {error.strerror or error}") from error
    body = {**message, "token": token} if token else dict(message)
    return _converse(connection, json.dumps(body).encode() + b"\n", where, silence_seconds)


def together(answers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All that a daemon's answers say; of what several say, the last."""
    found: dict[str, Any] = {}
    for answer in answers:
        found |= answer
    return found


def status(
    state: address.Folder, only: Sequence[str] = (), *, silence_seconds: float = SILENCE_SECONDS
) -> dict[str, Any]:
    """The document of ``pnr status --json``, of the domains named in ``only`` or of all. Raises as :func:`request`
    does."""
    message = {"command": "status", **({"only": list(only)} if only else {})}
    view = together(request(state, message, silence_seconds=silence_seconds)).get("view")
    if not isinstance(view, dict):
        raise _not_pnr(os.path.join(state, address.SOCKET_NAME))
    return view


def _not_pnr(where: str) -> DaemonUnreachable:
    return DaemonUnreachable(f"the program that answers at {where} is not a pnr daemon")


def _converse(connection: socket.socket, line: bytes, where: str, silence_seconds: float) -> Iterator[dict[str, Any]]:
    with connection:
        connection.settimeout(silence_seconds)
        try:
            connection.sendall(line)
            with connection.makefile("rb") as stream:
                for raw in stream:
                    if not raw.strip():
                        continue
                    answer = json.loads(raw)
                    error = answer.get("error")
                    if error:
                        raise DaemonRefused(str(error.get("code", "Error")), str(error.get("message", "")))
                    yield answer
                    if answer.get("done"):
                        return
        except TimeoutError as error:
            raise DaemonUnreachable(
                f"the daemon at {where} has not answered for {silence_seconds:g} s; it may hang or be stopped"
            ) from error
        except OSError as error:
            raise DaemonUnreachable(f"the connection to {where} was lost: {error.strerror or error}") from error
        except (ValueError, AttributeError) as error:
            raise _not_pnr(where) from error
    raise DaemonUnreachable(f"the daemon at {where} closed the connection before its answer was complete")
