"""How containers are connected to networks on an engine, which shows more connections than there are. Blocking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import docker
from docker.errors import APIError

from reconciler.engine.docker import reading, sdk
from reconciler.engine.docker.failures import is_address_taken, is_connected_already, status
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.protocol import AddressInUse, NotFound
from reconciler.intent.settings import endpoints
from reconciler.planner import attainable
from reconciler.sentences import advised

Body = Mapping[str, Any]


class Connections:
    """Connects with one client."""

    def __init__(self, client: docker.APIClient, ownership: Ownership) -> None:
        self._client = client
        self._ownership = ownership

    def _inspect(self, container_id: str) -> Body | None:
        try:
            return self._ownership.inspect(self._client, container_id)
        except APIError as error:
            if status(error) == 404:
                return None
            raise

    def _again(self, container_id: str) -> Body:
        body = self._inspect(container_id)
        if body is None:
            raise NotFound(f"container {container_id[:12]} is gone")
        return body

    def connect(
        self,
        body: Body,
        network: str,
        aliases: tuple[str, ...],
        endpoint: Mapping[str, Any],
        *,
        comes_back: bool = False,
    ) -> Body:
        """The container once it is connected. ``comes_back``: where that is refused, it is connected otherwise at once.
        Raises AddressInUse."""
        if is_connected(body, network):
            return body
        cid, config = str(body["Id"]), endpoints.to_api(aliases, endpoint)
        try:
            self._ask_to_connect(cid, network, config)
        except APIError as error:
            seen = self._inspect(cid)
            if seen is not None and is_connected(seen, network) and self._is_done(error, seen, network, config):
                return self._again(cid)
            if seen is not None and not comes_back:
                self._forget_refused(seen, network)
            if is_address_taken(error):
                raise AddressInUse(self.who_has(cid, {network: config.get("IPAMConfig") or {}})) from error
            raise
        return self._again(cid)

    def _ask_to_connect(self, container_id: str, network: str, config: Mapping[str, Any]) -> None:
        # The SDK's own method knows not all of an endpoint.
        request = {"Container": container_id, "EndpointConfig": config}
        sdk.post_json(self._client, "/networks/{0}/connect", network, body=request)

    def _is_done(self, error: APIError, seen: Body, network: str, config: Mapping[str, Any]) -> bool:
        """Whether a container that is shown as connected really is, though a call failed: somebody may have done it
        meanwhile. An engine may show an endpoint that it could not give the container, too; asked again it tells."""
        if not _runs(seen) or is_connected_already(error):
            return True
        try:
            self._ask_to_connect(str(seen["Id"]), network, config)
        except APIError as again:
            return is_connected_already(again)
        return True

    def _forget_refused(self, body: Body, network: str) -> None:
        """What an engine refused to connect a running container to, it goes on showing, and the container can't be
        started again with it: a connection that it does take replaces that, and can be ended."""
        shown = (body.get("NetworkSettings") or {}).get("Networks") or {}
        if not _runs(body) or network not in shown:
            return
        try:
            self._ask_to_connect(str(body["Id"]), network, {})
            self._client.disconnect_container_from_network(body["Id"], network, force=True)
        except APIError:
            return  # the refusal is what is told

    def who_has(self, own_id: str, configs: Mapping[str, Mapping[str, Any]]) -> str:
        """Who has a fixed address of a container, of which ``configs`` tells by network."""
        wanted = {
            network: {str(config[key]) for key in ("IPv4Address", "IPv6Address") if config.get(key)}
            for network, config in configs.items()
        }
        step = "give the chunk another address in the domain file"
        for other in self._client.containers():
            for network, end in ((other.get("NetworkSettings") or {}).get("Networks") or {}).items():
                if held := wanted.get(network, set()) & {(end or {}).get("Gateway"), (end or {}).get("IPv6Gateway")}:
                    said = f"the address {', '.join(sorted(held))} in network {network}"
                    return advised(f"{said} is that of the network's own gateway", step)
                there = {(end or {}).get("IPAddress"), (end or {}).get("GlobalIPv6Address")} - {"", None}
                if other["Id"] != own_id and (held := wanted.get(network, set()) & there):
                    name = str((other.get("Names") or ["/?"])[0]).lstrip("/")
                    said = f"the address {', '.join(sorted(held))} in network {network} is held by container {name}"
                    return advised(said, f"disconnect that one, or {step}")
        for network, fixed in wanted.items():
            if told := self._never_given(network, fixed):
                return told
        said = ", ".join(f"{value} in network {net}" for net, fixed in wanted.items() for value in sorted(fixed))
        cause = f"the address {said} is held by a container or machine that can't be seen from here"
        return advised(cause, f"see to it that it is free, or {step}")

    def _never_given(self, name: str, fixed: Collection[str]) -> str:
        """Why a network gives none of these addresses, as far as it can be seen of it."""
        try:
            seen = reading.network(self._client.inspect_network(name)) if fixed else None
        except APIError:
            return ""
        found = (attainable.refusal(seen, address) for address in sorted(fixed)) if seen is not None else ()
        return next((refusal[1] for refusal in found if refusal is not None), "")


def is_connected(body: Body, network: str) -> bool:
    """Whether a container really is connected to a network."""
    return network in reading.connections(body, reading.condition(str((body.get("State") or {}).get("Status", ""))))


def _runs(body: Body) -> bool:
    return bool((body.get("State") or {}).get("Running"))
