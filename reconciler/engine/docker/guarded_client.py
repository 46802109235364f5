"""The SDK's client, with a guard before everything that it sends; see :mod:`reconciler.engine.docker.guarding`."""

from __future__ import annotations

from typing import Any, Protocol

import docker
import requests

from reconciler.engine.docker import sdk
from reconciler.policy.request import FOR_DOMAIN


class Watching(Protocol):
    """Who looks at what is to be sent."""

    def check(self, client: docker.APIClient, request: requests.PreparedRequest, domain: str = "") -> None:
        """Return where the request may be sent, for a ``domain`` where nothing in it tells. Raises PolicyRefused."""
        ...

    def lends_login(self, domain: str, registry: str) -> bool:
        """Whether the daemon's own login to a registry may be used for a domain."""
        ...


class GuardedClient(sdk.Client):
    """The SDK's client, with a guard before everything that it sends."""

    guard: Watching | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request that the guard lets pass. Raises PolicyRefused, and what ``requests`` raises."""
        domain = str(request.headers.pop(FOR_DOMAIN, None) or "")
        if self.guard is not None:
            self.guard.check(self, request, domain)
        return super().send(request, **kwargs)
