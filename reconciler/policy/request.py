"""A request to the Engine API as it is judged, and which route it takes. Pure.

Only routes in the table here are known; what is not known is refused by every policy but the profile open, so that a
route that is used one day has to be thought about first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Route(Enum):
    """What a request does."""

    READ = auto()
    HARMLESS = auto()  # ends or removes something, or only talks to a process that is there
    CREATE_CONTAINER = auto()
    UPDATE_CONTAINER = auto()
    START_CONTAINER = auto()
    EXEC = auto()
    CREATE_VOLUME = auto()
    CREATE_NETWORK = auto()
    CONNECT_NETWORK = auto()
    PULL = auto()
    BUILD = auto()
    UNKNOWN = auto()


_ID = r"/([^/]+)"
_ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("POST", "/containers/create", Route.CREATE_CONTAINER),
    ("POST", f"/containers{_ID}/update", Route.UPDATE_CONTAINER),
    ("POST", f"/containers{_ID}/(?:start|restart)", Route.START_CONTAINER),
    ("POST", f"/containers{_ID}/exec", Route.EXEC),
    ("POST", f"/containers{_ID}/(?:stop|kill|pause|unpause|wait|rename|resize)", Route.HARMLESS),
    ("DELETE", f"/containers{_ID}", Route.HARMLESS),
    ("POST", f"/exec{_ID}/(?:start|resize)", Route.HARMLESS),
    ("POST", "/volumes/create", Route.CREATE_VOLUME),
    ("DELETE", f"/volumes{_ID}", Route.HARMLESS),
    ("POST", "/networks/create", Route.CREATE_NETWORK),
    ("POST", f"/networks{_ID}/connect", Route.CONNECT_NETWORK),
    ("POST", f"/networks{_ID}/disconnect", Route.HARMLESS),
    ("DELETE", f"/networks{_ID}", Route.HARMLESS),
    ("POST", "/images/create", Route.PULL),
    ("DELETE", "/images/(.+)", Route.HARMLESS),
    ("POST", "/build", Route.BUILD),
)
_COMPILED = tuple((method, re.compile(pattern), route) for method, pattern, route in _ROUTES)
_VERSION = re.compile(r"^/v[0-9]+\.[0-9]+(?=/)")


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is without the version of the API; ``target`` is the id or name in it; ``body`` is what a JSON body
    holds, None where there is none; ``domain`` the domain that it is sent for, where nothing in it tells."""

    route: Route
    method: str
    path: str
    target: str = ""
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Any = None
    domain: str = ""

    def one(self, name: str) -> str:
        """The one value of a parameter of the query; "" where it is not there."""
        return next(iter(self.query.get(name, ())), "")


class NoJson(ValueError):
    """A body that should be JSON and is not."""


FOR_DOMAIN = "X-Pnr-Domain"
"""The header in which a request says which domain it is sent for, to the guard; the engine does not get it."""


def of_url(method: str, url: str, body: Any, domain: str = "") -> Request:
    """The request that is about to be sent. Raises NoJson."""
    parts = urlsplit(url)
    path = _VERSION.sub("", parts.path)
    query = parse_qs(parts.query, keep_blank_values=True)
    route, target = route_of(method, path)
    sent: Any = None
    if body and route not in (Route.READ, Route.HARMLESS, Route.BUILD, Route.PULL, Route.UNKNOWN):
        try:
            sent = json.loads(body)
        except (ValueError, TypeError) as error:
            raise NoJson(f"the body of {method} {path} is not JSON: {error}") from error
    return Request(route, method, path, target, query, sent, domain)


def container_of(request: Request) -> str:
    """The container that something is done to by whose it is, by name or id; "" for any other request."""
    match request.route:
        case Route.UPDATE_CONTAINER | Route.START_CONTAINER | Route.EXEC:
            return request.target
        case Route.CONNECT_NETWORK if isinstance(request.body, Mapping):
            return str(request.body.get("Container") or "")
    return ""


def route_of(method: str, path: str) -> tuple[Route, str]:
    """The route, and the id or name in it."""
    if method in ("GET", "HEAD"):
        return Route.READ, ""
    for known, pattern, route in _COMPILED:
        match = pattern.fullmatch(path) if known == method else None
        if match is not None and ".." not in path.split("/"):
            return route, unquote(match[1]) if match.re.groups else ""
    return Route.UNKNOWN, ""


def to_create(body: Mapping[str, Any], platform: str | None = None) -> Request:
    """The request that makes a container."""
    query = {"platform": [platform]} if platform else {}
    return Request(Route.CREATE_CONTAINER, "POST", "/containers/create", query=query, body=body)
