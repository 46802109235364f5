"""The SDK's client, with a guard before everything that it sends; see :mod:`reconciler.engine.docker.guarding`."""

from __future__ import annotations

from socket import SocketIO
from typing import Any, Protocol

import docker
import requests

from reconciler.policy.request import FOR_DOMAIN


class Watching(Protocol):
    """Who looks at what is to be sent."""

    def check(self, client: docker.APIClient, request: requests.PreparedRequest, domain: str = "") -> None:
        """Return where the request may be sent, for a ``domain`` where nothing in it tells. Raises PolicyRefused."""
        ...

    def lends_login(self, domain: str, registry: str) -> bool:
        """Whether the daemon's own login to a registry may be used for a domain."""
        ...


class GuardedClient(docker.APIClient):
    """The SDK's client, with a guard before everything that it sends."""

    guard: Watching | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request that the guard lets pass. Raises PolicyRefused, and what ``requests`` raises."""
        domain = str(request.headers.pop(FOR_DOMAIN, None) or "")
        if self.guard is not None:
            self.guard.check(self, request, domain)
        return super().send(request, **kwargs)

    def _get_raw_response_socket(self, response: Any) -> Any:
        found = super()._get_raw_response_socket(response)  # type: ignore[misc]
        return _Following(found, response.raw._fp.fp) if isinstance(found, SocketIO) else found


class _Following:
    """What comes behind the head of an answer, as the SDK reads it: from the socket. What came together with the head
    is in a buffer by then. The SDK passes that over, and so loses what a short command printed where this process is
    slow."""

    def __init__(self, socket: SocketIO, buffered: Any) -> None:
        self._socket = socket
        self._buffered = buffered

    def fileno(self) -> int:
        """Of the socket: something comes, or it is closed."""
        return self._socket.fileno()

    def recv(self, limit: int) -> bytes:
        """What is there, so many bytes at most."""
        return bytes(self._buffered.read1(limit))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)
