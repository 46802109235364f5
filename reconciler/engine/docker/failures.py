"""Turns what the SDK raises into the errors of the engine protocol, with Docker's own words in them.

Where a status code tells what happened, the code is what is looked at. Where Docker has only words for it (a port that
is taken), the patterns stand here and nowhere else.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

import requests
import urllib3
from docker.constants import IS_WINDOWS_PLATFORM
from docker.errors import APIError, DockerException

from reconciler.engine.docker.refusals import meaning
from reconciler.engine.protocol import EngineError, EngineUnavailable, NotFound
from reconciler.sentences import advised


def _of_named_pipes() -> tuple[type[Exception], ...]:
    """What a named pipe of Windows raises, which is no OSError."""
    if not IS_WINDOWS_PLATFORM:
        return ()
    return (importlib.import_module("pywintypes").error,)


LOST: tuple[type[Exception], ...] = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
    *_of_named_pipes(),
)
"""The connection to the engine failed or broke."""

RAISED: tuple[type[Exception], ...] = (DockerException, OSError, *LOST)
"""All that a call of the SDK is expected to raise."""


class NotOurs(EngineError):
    """An action on an object that does not carry our labels. Never carried out."""


_ADDRESS = r"(?P<ip>\[[0-9a-fA-F:.]*\]|[0-9.]*):(?P<port>\d+)"
_PORT_TAKEN = (
    # a container holds it
    re.compile(rf"Bind for {_ADDRESS} failed: port is already allocated"),
    # a process holds it; Docker up to 27, Docker Desktop
    re.compile(rf"listen (?P<protocol>tcp|udp)[46]? {_ADDRESS}: bind: (?:address already in use|Only one usage)"),
    # a process holds it; Docker 28
    re.compile(rf"failed to bind host port (?:for )?{_ADDRESS}\S*?(?:/(?P<protocol>tcp|udp))?: address already in use"),
)

_ADDRESS_TAKEN = re.compile(r"(?:^|[:\s])address already in use\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TakenPort:
    """A host port that could not be bound. ``protocol`` is None where the engine does not say."""

    port: int
    ip: str = ""
    protocol: str | None = None


def words(error: BaseException) -> str:
    """What the engine said, in one line."""
    if isinstance(error, APIError) and error.explanation:
        text = error.explanation
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    else:
        text = str(error)
    return " ".join(text.split())


def status(error: BaseException) -> int | None:
    """The HTTP status of an answer, where there was one."""
    if isinstance(error, APIError) and error.response is not None:
        return int(error.response.status_code)
    return None


def unavailable(error: BaseException, where: str) -> EngineUnavailable:
    """The engine does not answer: say why as far as it can be told, and what to do."""
    text = words(error)
    if caused_by(error, PermissionError):
        return EngineUnavailable(
            advised(
                f"permission denied on {where}",
                "run pnr as a user in the group `docker` (`usermod -aG docker USER`, then log in again), or as root",
            )
        )
    if caused_by(error, FileNotFoundError) or caused_by(error, ConnectionRefusedError):
        return EngineUnavailable(
            advised(
                f"no Docker engine answers at {where}",
                "start it (`systemctl start docker`, or Docker Desktop), or install it; pnr goes on by itself then",
            )
        )
    return EngineUnavailable(f"the Docker engine at {where} does not answer: {text}")


def caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error, or one of those behind it, is of a kind."""
    seen: set[int] = set()
    stack: list[object] = [error]
    while stack:
        current = stack.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, kind):
            return True
        stack.extend([current.__cause__, current.__context__, getattr(current, "reason", None), *current.args])
    return False


def translate(error: BaseException, where: str, other: type[EngineError], about: str = "") -> EngineError:
    """The protocol's error for what the SDK raised; ``other`` where nothing more precise fits. ``about`` begins the
    message of that."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, LOST):
        return unavailable(error, where)
    if status(error) == 404 and not about:  # of what is to be made it is something else that is not there: its driver
        return NotFound(words(error))
    if isinstance(error, (DockerException, OSError)):
        return other(about + meaning(words(error)), permanent=_is_never_possible(error) or None)
    raise error


_NEVER_POSSIBLE = re.compile(
    r"unable to find (?:user|group) |It does not belong to any of this network's subnets|invalid link local IP address"
    r"|error renaming interface .*(?:file exists|invalid argument)"
)
"""What an engine reports as a failure of its own although it is one of what was asked for."""


def _is_never_possible(error: BaseException) -> bool:
    """Whether the engine says that what was asked for is wrong: a command that is not in the image or not executable, a
    configuration that it does not take."""
    return status(error) == 400 or _NEVER_POSSIBLE.search(words(error)) is not None


def taken_port(error: BaseException) -> TakenPort | None:
    """The host port that could not be bound, where that is what the engine complains about."""
    said = words(error)
    for pattern in _PORT_TAKEN:
        found = pattern.search(said)
        if found is not None:
            groups = found.groupdict()
            return TakenPort(int(groups["port"]), groups["ip"].strip("[]"), groups.get("protocol"))
    return None


_NOT_JOINED = re.compile(
    r"non running container|container [0-9a-f]{12,64} is not running|container \S+ is restarting, wait until",
    re.IGNORECASE,
)
_NO_CONTAINER = re.compile(r"No such container: (?P<id>\w+)")


def is_not_joined(error: BaseException, container_id: str) -> bool:
    """Whether a container can't be started since another one, whose namespace it shares or that it is linked to, is not
    there or does not run at this moment. An engine has many words for it, and codes from 400 to 500."""
    said = words(error)
    gone = _NO_CONTAINER.search(said)
    return _NOT_JOINED.search(said) is not None or (gone is not None and not container_id.startswith(gone["id"]))


def is_connected_already(error: BaseException) -> bool:
    """Whether the engine will not connect a container to a network since it is connected to it."""
    return re.search(r"endpoint with name .* already exists in network", words(error)) is not None


def is_address_taken(error: BaseException) -> bool:
    """Whether the engine complains that an address of a network is not free. Ports are told in similar words."""
    return taken_port(error) is None and _ADDRESS_TAKEN.search(words(error)) is not None
