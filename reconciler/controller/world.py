"""What is seen of the engine, kept current piece by piece, with the look-ups that decisions need.

A look that began before our own last step on a chunk may show what was before that step. Such news is dropped:
whatever happened after the step has an event, and so a look, of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from reconciler.intent.model import ChunkId
from reconciler.planner.observed import Container, Network, Observed, Volume


@dataclass(slots=True)
class World:
    """Containers by id, by name and by owner; networks and volumes by name. ``complete`` once all was seen.
    ``ended_unseen`` are the runs that had ended when the engine could be looked at again: nobody saw how."""

    containers: dict[str, Container] = field(default_factory=dict)
    by_name: dict[str, str] = field(default_factory=dict)
    by_owner: dict[ChunkId, set[str]] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    complete: bool = False
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
        return {id for id, ids in self.by_owner.items() if id.domain == domain and ids}

    def put(self, container: Container) -> bool:
        """Take note of a container; False when nothing is new."""
        before = self.containers.get(container.id)
        if before is container or before == container:
            return False
        if before is not None:
            self._forget_names(before)
        self.containers[container.id] = container
        self.by_name[container.name] = container.id
        if container.owner is not None:
            self.by_owner.setdefault(container.owner, set()).add(container.id)
        return True

    def drop(self, container_id: str) -> Container | None:
        """A container is gone; what it was."""
        self.looked_at.pop(container_id, None)
        gone = self.containers.pop(container_id, None)
        if gone is not None:
            self._forget_names(gone)
        return gone

    def _forget_names(self, container: Container) -> None:
        if self.by_name.get(container.name) == container.id:
            del self.by_name[container.name]
        if container.owner is not None:
            ids = self.by_owner.get(container.owner)
            if ids is not None:
                ids.discard(container.id)
                if not ids:
                    del self.by_owner[container.owner]

    def replace(self, seen: Observed, keep: Callable[[Container], bool]) -> Iterable[Container]:
        """Take the whole picture; containers for which ``keep`` says so stay as they are known.

        Yields every container that is new, changed or gone.
        """
        self.networks = dict(seen.networks)
        self.volumes = dict(seen.volumes)
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
