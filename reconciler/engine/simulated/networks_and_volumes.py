"""The networks and volumes of a pretended host, and how its containers are connected, with Docker's rules.

What does not carry our labels is not changed: every attempt is noted and refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.engine.protocol import EngineError, Glimpse, NameConflict, NotFound
from reconciler.engine.simulated.addresses import address_in, check_network
from reconciler.engine.simulated.registry import SimulatedImages
from reconciler.planner.actions import ConnectNetwork, CreateNetwork, CreateVolume, RemoveNetwork
from reconciler.planner.networks_and_volumes import as_made, volume_as_made
from reconciler.planner.observed import Condition, Container, Network, Volume

ALIVE = (Condition.RUNNING, Condition.PAUSED)


class NotOurs(EngineError):
    """Somebody tried to change what does not carry our labels."""


class SimulatedBelongings(SimulatedImages):
    """``containers`` are by id, ``networks`` and ``volumes`` by name. ``trespasses`` lists every attempt on what is not
    ours. While ``refusing_networks`` says why, no network can be made; while ``refusing_endpoints`` says why, no
    container that runs is connected to one in a way that is asked for (with an address, an option, a MAC address)."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, Container] = {}
        self.networks: dict[str, Network] = {"bridge": Network("net-bridge", "bridge")}
        self.volumes: dict[str, Volume] = {}
        self.trespasses: list[str] = []
        self.refusing_networks = ""
        self.refusing_endpoints = ""
        self._serial = 0

    def named(self, name: str) -> Container:
        """The container of that name. Raises NotFound."""
        found = self._find(name)
        if found is None:
            raise NotFound(f"there is no container {name}")
        return found

    # --- what people do -----------------------------------------------------------------------------------------

    def plant_network(self, name: str, **seen: Any) -> None:
        """Somebody else's network, or one that a person made to look like ours."""
        self._serial += 1
        self.networks[name] = Network(f"net-foreign-{name}-{self._serial}", name, **seen)
        self._hint(Glimpse(None))

    def plant_twin(self, name: str, **seen: Any) -> Network:
        """A second network of the same name: the engine has both."""
        self._serial += 1
        twin = Network(f"net-twin-{name}-{self._serial}", name, **seen)
        first = self.networks[name]
        self.networks[name] = replace(first, twins=(*first.twins, twin))
        self._hint(Glimpse(None))
        return twin

    def plant_volume(self, name: str, **seen: Any) -> None:
        """Somebody else's volume, or one that was made by an earlier declaration."""
        self.volumes[name] = Volume(name, **seen)
        self._hint(Glimpse(None))

    def connect_by_hand(self, name: str, network: str, **endpoint: Any) -> None:
        """Somebody connects it to a network."""
        self._connect(self.named(name), network, {"aliases": [], **endpoint})

    def disconnect_by_hand(self, name: str, network: str) -> None:
        """Somebody disconnects it from a network."""
        self._disconnect(self.named(name), network)

    def remove_network_by_hand(self, name: str) -> None:
        """Somebody disconnects everybody from a network and removes it."""
        for c in list(self.containers.values()):
            if name in c.networks:
                self.disconnect_by_hand(c.name, name)
        self.networks.pop(name, None)
        self._hint(Glimpse(None))

    # --- what calls do ------------------------------------------------------------------------------------------

    def connect_network(self, action: ConnectNetwork) -> Container:
        """Connect; one that is connected is fine. Raises NotFound for the network."""
        c = self._ours(action.name)
        if action.network not in self.networks:
            raise NotFound(f"there is no network {action.network}")
        if action.network in c.networks:
            return c
        self._find_one(action.network)
        return self._connect(c, action.network, {"aliases": [*action.aliases], **action.endpoint})

    def _connect(self, c: Container, network: str, endpoint: dict[str, Any]) -> Container:
        if self.refusing_endpoints and c.condition in ALIVE and endpoint.keys() - {"aliases", "links"}:
            raise EngineError(self.refusing_endpoints)
        address = self._address(c, network, endpoint) if c.condition in ALIVE else ""
        connected = {**c.networks, network: address}
        return self._put(replace(c, networks=connected, endpoints={**c.endpoints, network: endpoint}))

    def _find_one(self, network: str) -> None:
        if self.networks[network].twins:
            raise EngineError(f"network {network} is ambiguous (2 matches found on name)")

    def _address(self, c: Container, network: str, endpoint: Mapping[str, Any]) -> str:
        others = (o for o in self.containers.values() if o.id != c.id and o.condition in ALIVE)
        taken = {address for o in others if (address := o.networks.get(network))}
        return address_in(self.networks[network], endpoint, taken)

    def disconnect_network(self, name: str, network: str) -> Container:
        """Disconnect; one that is not connected is fine."""
        return self._disconnect(self._ours(name), network)

    def _disconnect(self, c: Container, network: str) -> Container:
        left = {n: a for n, a in c.networks.items() if n != network}
        ends = {n: e for n, e in c.endpoints.items() if n != network}
        return self._put(replace(c, networks=left, endpoints=ends)) if network in c.networks else c

    def create_network(self, action: CreateNetwork) -> None:
        """Make a network; the domain's own that is there is fine. Raises NameConflict."""
        name, domain = action.name, action.domain
        existing = self.networks.get(name)
        if existing is not None:
            if domain not in (existing.domain, *(twin.domain for twin in existing.twins)):
                raise NameConflict(f"the network name {name} is taken")
            return
        if self.refusing_networks:
            raise EngineError(self.refusing_networks)
        check_network(action.spec, self.networks.values())
        self._serial += 1
        made = as_made(action.spec, domain)
        driver = made.driver or "bridge"
        self.networks[name] = replace(made, id=f"net{self._serial:05d}", driver=driver)
        self._hint(Glimpse(None))

    def remove_network(self, action: RemoveNetwork) -> None:
        """Remove a network of the domain; one that is gone is fine. Raises EngineError while it is in use."""
        name, domain = action.name, action.domain
        existing = self.networks.get(name)
        alike = (existing, *existing.twins) if existing is not None else ()
        which = next((one for one in alike if action.id in ("", one.id)), None)
        if existing is None or which is None:
            return
        if which.domain != domain:
            raise self._trespass(f"network {name}")
        if which is not existing:
            # The simulated containers are all in the first.
            self.networks[name] = replace(existing, twins=tuple(one for one in existing.twins if one is not which))
            self._hint(Glimpse(None))
            return
        if action.disconnect:
            connected = [c for c in self.containers.values() if name in c.networks]
            if any(c.owner is None for c in connected):
                raise self._trespass(f"network {name}, which others use")
            for c in connected:
                self._disconnect(c, name)
        users = [c.name for c in self.containers.values() if name in c.networks and c.condition in ALIVE]
        if users:
            raise EngineError(f"network {name} has active endpoints: {', '.join(users)}")
        del self.networks[name]
        if existing.twins:
            self.networks[name] = replace(existing.twins[0], twins=existing.twins[1:])
        self._hint(Glimpse(None))

    def create_volume(self, action: CreateVolume) -> None:
        """Make a volume; the domain's own that is there is fine. Raises NameConflict where it is somebody else's."""
        there = self.volumes.setdefault(action.name, volume_as_made(action.spec, action.domain))
        if there.domain != action.domain:
            raise NameConflict(f"the volume name {action.name} is held by a volume that pnr did not make")

    def remove_volume(self, name: str, domain: str) -> None:
        """Remove a volume of the domain; one that is gone is fine. Raises EngineError while a container has it."""
        volume = self.volumes.get(name)
        if volume is not None and volume.domain != domain:
            raise self._trespass(f"volume {name}")
        for c in self.containers.values():
            if any(mount.get("source") == name for mount in (c.settings or {}).get("volumes") or ()):
                raise EngineError(f"volume {name} is in use by container {c.name}")
        self.volumes.pop(name, None)

    # --- bookkeeping --------------------------------------------------------------------------------------------

    def _find(self, name: str) -> Container | None:
        return next((c for c in self.containers.values() if c.name == name), None)

    def _ours(self, name: str) -> Container:
        container = self.named(name)
        if container.owner is None:
            raise self._trespass(f"container {name}")
        return container

    def _trespass(self, what: str) -> NotOurs:
        self.trespasses.append(what)
        return NotOurs(f"{what} was not made by pnr; it is left alone")

    def _put(self, container: Container) -> Container:
        self.containers[container.id] = container
        self._hint(Glimpse(container.id, container.owner))
        return container
