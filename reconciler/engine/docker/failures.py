"""Turns what the SDK raises into the errors of the engine protocol, with Docker's own words in them.

Where a status code tells what happened, the code is what is looked at. Where Docker has only words for it (a port that
is taken), the patterns stand here and nowhere else.
"""

from __future__ import annotations

import re

import requests
import urllib3
from docker.errors import APIError, DockerException

from reconciler.engine.protocol import EngineError, EngineUnavailable, NotFound

LOST = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)

_PORT_TAKEN = re.compile(
    r"(?:Bind for (?P<a>\S+):(?P<p>\d+) failed: port is already allocated)"
    r"|(?:listen (?:tcp|udp)[46]? (?P<b>\S*):(?P<q>\d+): bind: address already in use)"
    r"|(?:failed to bind (?:host )?port[^\d]*(?P<c>[\d.:\[\]a-f]+):(?P<r>\d+))"
    r"|(?:cannot expose (?:privileged )?port (?P<s>\d+))"
)


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
    if _caused_by(error, PermissionError):
        return EngineUnavailable(
            f"permission denied on {where}: run as a user in the group `docker` (usermod -aG docker USER), or as root"
        )
    if _caused_by(error, FileNotFoundError) or _caused_by(error, ConnectionRefusedError):
        return EngineUnavailable(
            f"no Docker engine answers at {where}: is it installed and started (systemctl start docker)?"
        )
    return EngineUnavailable(f"the Docker engine at {where} does not answer: {text}")


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
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


def translate(error: BaseException, where: str, other: type[EngineError]) -> EngineError:
    """The protocol's error for what the SDK raised; ``other`` where nothing more precise fits."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, LOST):
        return unavailable(error, where)
    if status(error) == 404:
        return NotFound(words(error))
    if isinstance(error, (DockerException, OSError)):
        return other(words(error))
    raise error


def taken_port(error: BaseException) -> int | None:
    """The host port that could not be bound, where that is what the engine complains about."""
    found = _PORT_TAKEN.search(words(error))
    if found is None:
        return None
    port = found.group("p") or found.group("q") or found.group("r") or found.group("s")
    return int(port) if port else None
