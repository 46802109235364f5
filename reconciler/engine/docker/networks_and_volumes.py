"""Actions on networks and named volumes as calls of the Engine API, safe to repeat. Blocking.

Nothing is removed that does not carry the domain's label. All methods raise what the SDK raises besides the errors of
the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import docker
from docker.errors import APIError

from reconciler.engine.docker import sdk
from reconciler.engine.docker.failures import NotOurs, status, words
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.docker.refusals import overlap
from reconciler.engine.protocol import CreateFailed, EngineError, NameConflict
from reconciler.planner.actions import CreateNetwork, CreateVolume, RemoveNetwork
from reconciler.planner.bodies import network_body, volume_body
from reconciler.planner.observed import LABEL_DOMAIN

Body = Mapping[str, Any]

# https://github.com/moby/moby/issues/42119: the engine's own count, which it corrects when it starts.
_STUCK = (
    "Docker counts containers in it and shows none, which is a fault of Docker when many come and go at once;"
    " pnr removes it when Docker was restarted"
)


class NetworksAndVolumes:
    """The networks and volumes of domains."""

    def __init__(self, client: docker.APIClient, ownership: Ownership) -> None:
        self._client = client
        self._ownership = ownership

    def _networks(self, name: str) -> list[Body]:
        """All that have the name: the engine can have several."""
        return [body for body in self._client.networks(names=[name]) if body.get("Name") == name]

    def create_network(self, action: CreateNetwork) -> None:
        """Make a network of a domain; the one that is there already is fine."""
        if self._have_network(action):
            return
        try:
            # The SDK's own method knows not all of a network.
            body = {**network_body(action.spec, action.domain), "Name": action.name}
            sdk.post_json(self._client, "/networks/create", body=body)
        except APIError as error:
            if status(error) == 409 and self._have_network(action):
                return
            pools = [pool.subnet for pool in action.spec.ipam.pools] if "overlap" in words(error).lower() else []
            said = overlap(action.name, filter(None, pools), self._subnets())
            if said:
                raise CreateFailed(said) from error
            raise

    def _have_network(self, action: CreateNetwork) -> bool:
        existing = self._networks(action.name)
        if any(_domain(body) == action.domain for body in existing):
            return True
        if existing:
            raise NameConflict(
                f"the network name {action.name} is held by a network ({str(existing[0]['Id'])[:12]}) that does not"
                f" belong to domain {action.domain}; remove it, or name the domain otherwise"
            )
        return False

    def _subnets(self) -> Iterator[tuple[str, list[str]]]:
        for network in self._client.networks():
            pools = (network.get("IPAM") or {}).get("Config") or ()
            yield str(network["Name"]), [str(pool["Subnet"]) for pool in pools if pool.get("Subnet")]

    def remove_network(self, action: RemoveNetwork) -> None:
        """Remove the networks of the domain that have the name, or the one of them that the action means by its id; one
        that is gone is fine."""
        name, domain = action.name, action.domain
        existing = [body for body in self._networks(name) if action.id in ("", str(body["Id"]))]
        ours = [str(body["Id"]) for body in existing if _domain(body) == domain]
        if existing and not ours:
            raise NotOurs(f"network {name} does not belong to domain {domain}; it is left alone")
        for id in ours:
            if action.disconnect:
                self._disconnect_all(name, id)
            self._remove(name, id)

    def _remove(self, name: str, id: str) -> None:
        refusal, users = self._refusal(id)
        if refusal is not None and not users:
            # What just goes is counted for a moment longer than it is shown.
            refusal, users = self._refusal(id)
        if refusal is None:
            return
        if users:
            raise EngineError(f"network {name} can't be removed: {', '.join(users)} still use it") from refusal
        if status(refusal) == 403:
            raise EngineError(f"network {name} can't be removed: {_STUCK}") from refusal
        raise refusal

    def _refusal(self, network_id: str) -> tuple[APIError | None, list[str]]:
        """Remove it; where the engine refuses to: its error, and who uses the network."""
        try:
            self._client.remove_network(network_id)
            return None, []
        except APIError as error:
            return (None, []) if status(error) == 404 else (error, self._users(network_id))

    def _users(self, network_id: str) -> list[str]:
        try:
            shown = self._client.inspect_network(network_id).get("Containers") or {}
        except APIError as error:
            if status(error) == 404:
                return []
            raise
        return sorted(str(end.get("Name")) for end in shown.values())

    def _disconnect_all(self, name: str, network_id: str) -> None:
        """Disconnect the containers of pnr, those that are stopped as well: one that is started again would look for
        the network that is gone. Raises NotOurs, with nothing done, where somebody else's is connected."""
        connected = self._client.containers(all=True, filters={"network": [network_id]})
        foreign = sorted(str((c.get("Names") or ["/?"])[0]).lstrip("/") for c in connected if not self._is_ours(c))
        if foreign:
            raise NotOurs(
                f"network {name} can't be recreated: {', '.join(foreign)}, which pnr did not make, is connected to it;"
                " disconnect it"
            )
        for container in connected:
            try:
                self._client.disconnect_container_from_network(container["Id"], network_id, force=True)
            except APIError:
                # It may have gone, or was disconnected, meanwhile: whether the network is free then tells its removal.
                continue

    def _is_ours(self, summary: Body) -> bool:
        return self._ownership.of_summary(self._client, summary) is not None

    def _volume(self, name: str) -> Body | None:
        try:
            found: Body = self._client.inspect_volume(name)
        except APIError as error:
            if status(error) == 404:
                return None
            raise
        return found

    def create_volume(self, action: CreateVolume) -> None:
        """Make a named volume of a domain; the one that is there already is fine. Raises NameConflict where it is
        somebody else's."""
        existing = self._volume(action.name)
        if existing is not None:
            if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != action.domain:
                raise NameConflict(
                    f"the volume name {action.name} is held by a volume that does not belong to domain"
                    f" {action.domain}; declare it as external, or give this one another name"
                )
            return
        body = volume_body(action.spec, action.domain)
        self._client.create_volume(
            action.name, driver=body["Driver"], driver_opts=body.get("DriverOpts"), labels=body["Labels"]
        )

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


def _domain(network: Body) -> str | None:
    """Whose a network is."""
    return (network.get("Labels") or {}).get(LABEL_DOMAIN)
