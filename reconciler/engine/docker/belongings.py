"""Actions on networks and named volumes as calls of the Engine API, safe to repeat. Blocking.

Nothing is removed that does not carry the domain's label. All methods raise what the SDK raises besides the errors of
the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError

from reconciler.engine.docker.failures import NotOurs, status
from reconciler.engine.protocol import EngineError, NameConflict
from reconciler.planner.actions import CreateNetwork, CreateVolume
from reconciler.planner.observed import LABEL_DOMAIN

Body = Mapping[str, Any]


class Belongings:
    """The networks and volumes of domains."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client

    def _network(self, name: str) -> Body | None:
        found = [body for body in self._client.networks(names=[name]) if body.get("Name") == name]
        return found[0] if found else None

    def create_network(self, action: CreateNetwork) -> None:
        """Make a network of a domain; the one that is there already is fine."""
        if self._have_network(action):
            return
        try:
            self._client.create_network(
                action.name,
                driver=action.spec.driver or "bridge",
                internal=action.spec.internal,
                check_duplicate=True,
                labels={**action.spec.labels, LABEL_DOMAIN: action.domain},
            )
        except APIError as error:
            if status(error) != 409 or not self._have_network(action):
                raise

    def _have_network(self, action: CreateNetwork) -> bool:
        existing = self._network(action.name)
        if existing is None:
            return False
        if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != action.domain:
            raise NameConflict(
                f"the network name {action.name} is held by a network ({str(existing['Id'])[:12]}) that does not"
                f" belong to domain {action.domain}; remove it, or name the domain otherwise"
            )
        return True

    def remove_network(self, name: str, domain: str) -> None:
        """Remove a network of the domain; one that is gone is fine."""
        existing = self._network(name)
        if existing is None:
            return
        if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != domain:
            raise NotOurs(f"network {name} does not belong to domain {domain}; it is left alone")
        try:
            self._client.remove_network(existing["Id"])
        except APIError as error:
            if status(error) == 404:
                return
            ends = (self._client.inspect_network(existing["Id"]).get("Containers") or {}).values()
            users = ", ".join(sorted(str(end.get("Name")) for end in ends))
            if not users:
                raise
            raise EngineError(f"network {name} can't be removed: {users} still use it") from error

    def _volume(self, name: str) -> Body | None:
        try:
            found: Body = self._client.inspect_volume(name)
        except APIError as error:
            if status(error) == 404:
                return None
            raise
        return found

    def create_volume(self, action: CreateVolume) -> None:
        """A volume of that name serves, whoever made it, as with Compose; it stays whose it is, and is not removed."""
        if self._volume(action.name) is not None:
            return
        labels = {**action.spec.labels, LABEL_DOMAIN: action.domain}
        self._client.create_volume(action.name, driver=action.spec.driver or "local", labels=labels)

    def remove_volume(self, name: str, domain: str) -> None:
        """Remove a volume of the domain; one that is gone is fine."""
        existing = self._volume(name)
        if existing is None:
            return
        if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != domain:
            raise NotOurs(f"volume {name} does not belong to domain {domain}; it is left alone")
        try:
            self._client.remove_volume(name)
        except APIError as error:
            if status(error) != 404:
                raise
