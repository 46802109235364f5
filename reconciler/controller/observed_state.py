"""What is seen of the engine, kept current piece by piece, with the look-ups that decisions need.

A look that began before our own last step on a chunk may show what was before that step. Such news is dropped:
whatever happened after the step has an event, and so a look, of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from reconciler.intent.model import ChunkId
from reconciler.intent.writers import written
from reconciler.planner.observed import Container, Network, Observed, Owned, Volume
from reconciler.planner.ports import held


@dataclass(slots=True)
class ObservedState:
    """Containers by id, by name and by owner; networks and volumes by name. ``complete`` once all was seen, in a look
    that began ``all_seen_at``.
    ``ended_unseen`` are the runs that had ended when the engine could be looked at again: nobody saw how.

    What a decision asks for is at hand: there may be thousands of containers, all decided about again and again.
    """

    containers: dict[str, Container] = field(default_factory=dict)
    by_name: dict[str, str] = field(default_factory=dict)
    by_owner: dict[ChunkId, set[str]] = field(default_factory=dict)
    networks: Owned[Network] = field(default_factory=Owned)
    volumes: Owned[Volume] = field(default_factory=Owned)
    _owners: dict[str, dict[ChunkId, None]] = field(default_factory=dict)  # by domain
    _with: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)  # ids, by what they have
    complete: bool = False
    all_seen_at: float = 0.0
    looked_at: dict[str, float] = field(default_factory=dict)
    ended_unseen: frozenset[str] = frozenset()

    def seen_at(self, container_id: str) -> float:
        """When the last look at a container that was taken in began. That a list still shows it is no look at it: a
        busy engine lists what has ended as running for seconds."""
        return self.looked_at.get(container_id, 0.0)

    def observed(self) -> Observed:
        """All of it as the planner takes it; a view, not a copy."""
        return Observed(self.containers, self.networks, self.volumes)

    def of(self, id: ChunkId) -> tuple[Container, ...]:
        """The chunk's own containers."""
        return tuple(self.containers[cid] for cid in sorted(self.by_owner.get(id, ())))

    def named(self, name: str) -> Container | None:
        """The container of that name, whoever's it is."""
        cid = self.by_name.get(name)
        return self.containers.get(cid) if cid is not None else None

    def owners(self, domain: str) -> set[ChunkId]:
        """The chunks of a domain that have containers."""
        return set(self._owners.get(domain, ()))

    def has_owners(self, domain: str) -> bool:
        """Whether a chunk of a domain has containers."""
        return domain in self._owners

    def at(self, network: str, address: str) -> list[Container]:
        """The containers that have an address in a network."""
        return self._having(f"address {address}", network)

    def strangers_in(self, network: str) -> list[Container]:
        """The containers of nobody's chunk that are connected to a network."""
        return self._having("stranger", network)

    def writing(self, what: str) -> list[Container]:
        """The containers of chunks that can write to what others may have as well (:func:`written`)."""
        return self._having("writer", what)

    def publishing(self, number: int) -> list[Container]:
        """The containers of chunks that have a port of the host of this number."""
        return self._having("port", str(number))

    def _having(self, kind: str, what: str) -> list[Container]:
        return [self.containers[id] for id in self._with.get((kind, what), ())]

    def put(self, container: Container) -> bool:
        """Take note of a container; False when nothing is new."""
        before = self.containers.get(container.id)
        if before is container or before == container:
            return False
        if before is not None:
            self._forget(before)
        self.containers[container.id] = container
        self.by_name[container.name] = container.id
        if container.owner is not None:
            self.by_owner.setdefault(container.owner, set()).add(container.id)
            self._owners.setdefault(container.owner.domain, {})[container.owner] = None
        for key in _what_it_has(container):
            self._with.setdefault(key, {})[container.id] = None
        return True

    def drop(self, container_id: str) -> Container | None:
        """A container is gone; what it was."""
        self.looked_at.pop(container_id, None)
        gone = self.containers.pop(container_id, None)
        if gone is not None:
            self._forget(gone)
        return gone

    def _forget(self, container: Container) -> None:
        for key in _what_it_has(container):
            having = self._with.get(key)
            if having is not None:
                having.pop(container.id, None)
                if not having:
                    del self._with[key]
        if self.by_name.get(container.name) == container.id:
            del self.by_name[container.name]
        if container.owner is not None:
            ids = self.by_owner.get(container.owner)
            if ids is not None:
                ids.discard(container.id)
                if not ids:
                    del self.by_owner[container.owner]
                    owners = self._owners[container.owner.domain]
                    del owners[container.owner]
                    if not owners:
                        del self._owners[container.owner.domain]

    def replace(self, seen: Observed, keep: Callable[[Container], bool]) -> Iterable[Container]:
        """Take the whole picture; containers for which ``keep`` says so stay as they are known.

        Yields every container that is new, changed or gone.
        """
        self.networks = Owned(seen.networks)
        self.volumes = Owned(seen.volumes)
        self.complete = True
        for cid, known in list(self.containers.items()):
            if cid not in seen.containers and not keep(known):
                self.drop(cid)
                yield known
        for container in seen.containers.values():
            before = self.containers.get(container.id)
            if before is container:
                continue
            if keep(container):
                continue
            fresh = container
            if before is not None and container.settings is None and before.run == container.run:
                # A summary does not show the settings; what an earlier inspection showed still stands.
                fresh = replace(container, settings=before.settings)
            if self.put(fresh):
                yield fresh


def _what_it_has(container: Container) -> Iterable[tuple[str, str]]:
    """What a container is looked for by."""
    for addresses in (container.networks, container.ipv6_addresses):
        for network, address in addresses.items():
            if address:
                yield f"address {address}", network
    if container.owner is None:
        for network in container.networks:
            yield "stranger", network
    else:
        for what in written(container.settings or {}):
            yield "writer", what
        for port in held(container):
            yield "port", str(port.number)
