"""All that the loop knows, in one place, and whom a piece of news concerns.

Owned by the loop's task: nobody else changes it. ``mark`` is how news asks for a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.controller.clock import Clock
from reconciler.controller.facts_table import FactsTable
from reconciler.controller.observed_state import ObservedState
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.engine.protocol import EngineInfo
from reconciler.facts import TV, FactRef, Pnr
from reconciler.intent.model import Adopt, Chunk, ChunkId
from reconciler.intent.names import Names
from reconciler.intent.settings.references import containers_shared, linked
from reconciler.intent.writers import written
from reconciler.planner.addresses import fixed
from reconciler.planner.mounts import News
from reconciler.planner.network_changes import NetworkChange
from reconciler.planner.observed import Condition, Container
from reconciler.planner.ports import declared, held
from reconciler.planner.retry_state import asked_anew
from reconciler.planner.rolling import Stage
from reconciler.planner.situation import ALIVE
from reconciler.states import Reason

_HELD_BY_OTHERS = (Reason.NAME_CONFLICT, Reason.PORT_IN_USE, Reason.ADDRESS_IN_USE)


@dataclass
class LoopState:
    """Intent (``domains``), observation (``world``), ``facts``, and what is remembered of each chunk.

    ``news`` counts, by domain, what changed of its chunks' states, its facts and its intent; ``stalls`` is what was
    found out of its stalled chunks, with the counts of the domains that it follows from. ``adopting`` are the domains
    whose intent has changed, and whose chunks and facts are not brought in line with it yet.
    """

    clock: Clock
    recorder: Recorder
    world: ObservedState = field(default_factory=ObservedState)
    facts: FactsTable = field(default_factory=FactsTable)
    domains: dict[str, DomainRecord] = field(default_factory=dict)
    chunks: dict[ChunkId, ChunkRecord] = field(default_factory=dict)
    by_domain: dict[str, dict[ChunkId, ChunkRecord]] = field(default_factory=dict)  # the same
    engine_info: EngineInfo | None = None
    steps_done: int = 0
    news: dict[str, int] = field(default_factory=dict)
    stalls: dict[str, tuple[Mapping[str, int], Mapping[ChunkId, tuple[str, ...]]]] = field(default_factory=dict)
    adopting: set[str] = field(default_factory=set)
    engine_up: bool = False
    engine_asked: bool = False
    engine_message: str = ""
    dirty: dict[ChunkId, None] = field(default_factory=dict)
    dirty_domains: dict[str, None] = field(default_factory=dict)
    wanted_names: dict[str, set[ChunkId]] = field(default_factory=dict)
    object_trouble: dict[str, str] = field(default_factory=dict)  # by network:NAME or volume:NAME
    network_changes: dict[str, NetworkChange] = field(default_factory=dict)  # by the network's name
    objects_touched: dict[str, int] = field(default_factory=dict)  # by the same keys: our last step on it
    dependents: dict[ChunkId, set[ChunkId]] = field(default_factory=dict)
    needs: Mapping[ChunkId, frozenset[ChunkId]] = field(default_factory=dict)  # the other way round
    # Those who are needed come first, of others those with fixed addresses; cycles are cut.
    ranks: Mapping[ChunkId, int] = field(default_factory=dict)
    names: Names = field(default_factory=dict)  # in networks that domains share
    guests_in: Mapping[str, tuple[ChunkId, ...]] = field(default_factory=dict)  # by network: who joins it as a guest
    fixed_in: Mapping[str, tuple[ChunkId, ...]] = field(default_factory=dict)  # by network: who has a fixed address
    changed_unseen: set[str] = field(default_factory=set)  # ids of containers that are to be looked at
    all_unseen: bool = False  # everything is to be looked at
    files_wait: str = ""  # what has to be waited for before anything can be taken from the domains directory
    files_remarks: tuple[str, ...] = ()  # what people should know of it besides
    policy_remark: str = ""  # what people should know of the policy's file
    files_looked: bool = False  # whether it is known of ``files`` that there are none
    files: News = field(default_factory=dict)
    who: Mapping[FactRef, tuple[ChunkId, ...]] = field(default_factory=dict)
    joining: Mapping[str, tuple[ChunkId, ...]] = field(default_factory=dict)  # by network: who joins it
    port_wanted: Mapping[str, tuple[ChunkId, ...]] = field(default_factory=dict)  # by number: who is to have a port
    writers: Mapping[str, tuple[ChunkId, ...]] = field(default_factory=dict)  # by what they can write to
    made: frozenset[str] = frozenset()  # network:NAME or volume:NAME that some domain has as its own
    freed: bool = False  # whether something of somebody else went, that chunks may have failed for

    def has_news(self, domain: str) -> None:
        """Something changed that it may follow from which chunks are stalled."""
        self.news[domain] = self.news.get(domain, 0) + 1

    def take_remarks(self, waits: str, remarks: tuple[str, ...]) -> None:
        """Take note of what a scan says of the domains directory as such."""
        told = {self.files_wait, *self.files_remarks}
        for text in (waits, *remarks):
            if text and text not in told:
                self.recorder.journal(kind="files", message=text)
        self.files_wait, self.files_remarks = waits, remarks

    def take_policy_remark(self, text: str) -> None:
        """Take note of what people should know of the policy's file; "" where it is as it was read."""
        if text != self.policy_remark:
            self.recorder.journal(kind="policy", message=text or "the policy is again as this daemon read it")
        self.policy_remark = text

    def take_files(self, news: News) -> None:
        """Take note of what became of the host's files, and mark whom that concerns."""
        if not self.files_looked:
            self.files_looked = True
            self.mark_all()
        before, self.files = self.files, news
        for id in before.keys() | news.keys():
            container = self.world.containers.get(id)
            if before.get(id) != news.get(id) and container is not None and container.owner is not None:
                self.mark(container.owner)
                self.mark_domain(container.owner.domain)

    def answered_by(self, ref: FactRef) -> tuple[ChunkId, ...]:
        """The chunks that can answer a fact."""
        return self.who.get(ref, ())

    def touch(self, record: ChunkRecord) -> None:
        """A step of ours on a chunk is done: what was looked at before it may be out of date."""
        self.steps_done += 1
        record.touched = self.steps_done

    def mark(self, id: ChunkId) -> None:
        self.dirty[id] = None

    def in_order(self) -> list[ChunkId]:
        """Those who are marked: those who are needed before those who need them."""
        return sorted(self.dirty, key=lambda id: self.ranks.get(id, -1))

    def mark_waiting_copies(self, id: ChunkId, *, all: bool = False) -> None:
        """Mark the other copy of a chunk that is to be replaced next, for its turn may have come; ``all`` that are
        still to be replaced. What is told of those that come later is the same whoever is before them."""
        chunk = self.desired(id)
        for copy in id.copies(chunk.replicas) if chunk is not None and chunk.replicas > 1 else ():
            other = self.chunks.get(copy)
            if other is not None and other.stage in (Stage.PENDING, Stage.BEHIND) and copy != id:
                self.mark(copy)
                if not all:
                    return

    def mark_neighbours(self, id: ChunkId) -> None:
        """A chunk with a fixed address has its address now, or has failed: mark who waits for that."""
        chunk = self.desired(id)
        for network in fixed(chunk.container) if chunk is not None else ():
            for other in self.joining.get(network, ()):
                if other != id and other in self.chunks:
                    self.mark(other)

    def mark_domain(self, name: str) -> None:
        self.dirty_domains[name] = None

    def mark_all(self) -> None:
        self.dirty.update(dict.fromkeys(self.chunks))
        self.dirty_domains.update(dict.fromkeys(self.domains))

    def chunk_record(self, id: ChunkId) -> ChunkRecord:
        record = self.chunks.get(id)
        if record is None:
            record = ChunkRecord(id, self.clock.now())
            self.remember(record)
        return record

    def remember(self, record: ChunkRecord) -> None:
        record.worked_at = self.clock.monotonic()
        self.chunks[record.id] = record
        self.by_domain.setdefault(record.id.domain, {})[record.id] = record

    def forget(self, id: ChunkId) -> None:
        if self.chunks.pop(id, None) is not None:
            del self.by_domain[id.domain][id]
            self.has_news(id.domain)

    def chunks_of(self, domain: str) -> Mapping[ChunkId, ChunkRecord]:
        """The chunks of a domain."""
        return self.by_domain.get(domain, {})

    def desired(self, id: ChunkId) -> Chunk | None:
        record = self.domains.get(id.domain)
        wanted = record.wanted if record is not None else None
        return wanted.by_id.get(id) if wanted is not None else None

    def put(self, container: Container) -> None:
        """Take note of a container, and mark whom the news concerns: also those who want the name that it had."""
        before = self.world.containers.get(container.id)
        holder = self.world.named(container.name)
        if not self.world.put(container):
            return
        if holder is not None and holder.id != container.id:
            # A name is one container's: the other was removed, or has another name by now, as a look at it will tell.
            self.world.drop(holder.id)
            self.concerns(holder)
        self.concerns(container)
        if before is not None and before.name != container.name:
            self._mark_wanting(before.name)
        if before is not None and before.networks != container.networks:
            self._mark_addressed(before)
        if container.owner is None:
            self._mark_guests({*container.networks, *(before.networks if before is not None else ())})

    def concerns(self, container: Container) -> None:
        """Mark whom news of a container concerns."""
        if container.owner is not None:
            self.mark(container.owner)
            self.mark_domain(container.owner.domain)
            for need in self.needs_told(container.owner):
                self.mark(need)
            ended = container.id not in self.world.containers or container.condition not in ALIVE
            if ended and self.desired(container.owner) is None:
                self._mark_writers(container)
        self._mark_wanting(container.name)
        self._mark_for_ports(container)
        is_gone = container.id not in self.world.containers
        if is_gone:
            self._mark_addressed(container)
            self._mark_guests(container.networks)
        if container.owner is None and (is_gone or container.condition is not Condition.RUNNING):
            self.freed = True

    def _mark_addressed(self, before: Container) -> None:
        """Somebody has another address, or none: mark who may be waiting for the one that it had."""
        for network in before.networks:
            for id in self.fixed_in.get(network, ()):
                self.mark(id)

    def mark_neighbours_of_ports(self, id: ChunkId) -> None:
        """It has become another matter when a chunk gives up its ports: mark who is to have them."""
        for c in self.world.of(id):
            self._mark_for_ports(c)

    def _mark_for_ports(self, container: Container) -> None:
        """There is news of a container, or of another one of its chunk: mark who is to have ports that it has, or had,
        or that others of the chunk have."""
        others = self.world.of(container.owner) if container.owner is not None else ()
        for c in (container, *others):
            for number in {port.number for port in (*held(c), *declared(c.settings))}:
                for id in self.port_wanted.get(str(number), ()):
                    if id != container.owner:
                        self.mark(id)

    def _mark_guests(self, networks: Iterable[str]) -> None:
        """Somebody came to these networks, or left them: mark who may have a name there or not by that."""
        for network in networks:
            for id in self.guests_in.get(network, ()):
                self.mark(id)

    def names_held(self, chunk: Chunk) -> dict[str, set[str]]:
        """The names of containers of others in the networks in which a chunk is a guest; not of those that are about to
        be taken over."""
        found: dict[str, set[str]] = {network: set() for network in chunk.container.guest_in}
        for network, names in found.items():
            for c in self.world.strangers_in(network):
                if not self._is_to_be_adopted(c.name):
                    names |= {c.name, *c.endpoints.get(network, {}).get("aliases", ())}
        return found

    def _is_to_be_adopted(self, name: str) -> bool:
        wanting = (self.desired(id) for id in self.wanted_names.get(name, ()))
        return any(c is not None and c.container.name == name and c.adopt is not Adopt.NO for c in wanting)

    def _mark_wanting(self, name: str) -> None:
        """Mark those who want a container of this name. What an engine shows of links on its own bridge changes with
        the container at their other end, without an event."""
        for id in self.wanted_names.get(name, ()):
            self.mark(id)
            chunk = self.desired(id)
            if chunk is not None and name in linked(chunk.container.settings):
                self.changed_unseen.update(container.id for container in self.world.of(id))

    def sharing(self, chunk: Chunk) -> list[str]:
        """The ids of the containers whose namespaces a chunk's container shares."""
        found = (self.world.named(name) for name in containers_shared(chunk.container.settings).values())
        return [container.id for container in found if container is not None]

    def is_wanted_by_another(self, name: str, id: ChunkId) -> bool:
        """Whether another chunk's container is to have this name."""
        others = (self.desired(other) for other in self.wanted_names.get(name, ()) if other != id)
        return any(other is not None and other.container.name == name for other in others)

    def leaving_writers(self, what: str) -> Iterable[Container]:
        """The containers of ours that are to go, or whose file is gone, run, and write to what others may have."""
        for c in self.world.writing(what):
            record = self.domains.get(c.owner.domain) if c.owner is not None else None
            if c.owner is None or record is None or record.unknown:
                continue
            is_leaving = self.desired(c.owner) is None or record.missed_at is not None
            if is_leaving and c.condition in ALIVE:
                yield c

    def _mark_writers(self, gone: Container) -> None:
        """One that was to go has ended: mark those that are to write to what it wrote to."""
        for what in written(gone.settings or {}):
            for id in self.writers.get(what, ()):
                if id in self.chunks:
                    self.mark(id)

    def needs_told(self, gone: ChunkId) -> Iterable[ChunkId]:
        """While domains are taken down: those that wait until ``gone`` is gone."""
        record = self.chunks.get(gone)
        if record is None or record.last is None or self.desired(gone) is not None:
            return ()
        return self.needs.get(gone, ())

    def retry_blocked(self) -> None:
        """Something of somebody else went: who failed for want of a name or a port may try again at once."""
        self.freed = False
        for id, record in self.chunks.items():
            failure = record.memory.failure
            if failure is not None and failure.reason in (Reason.NAME_CONFLICT, Reason.PORT_IN_USE):
                now = self.clock.monotonic()
                retry_at = now if record.memory.retry_at is not None else None
                record.memory = replace(record.memory, not_before=now, made=0, retry_at=retry_at)
            if failure is not None and failure.reason in _HELD_BY_OTHERS:
                record.memory = replace(record.memory, not_before=self.clock.monotonic(), made=0)
                self.mark(id)

    def retry_refused(self) -> None:
        """Somebody shares something that was not shared: whom the policy refused may try again at once."""
        for id, record in self.chunks.items():
            failure = record.memory.failure
            if failure is not None and failure.reason is Reason.POLICY_REFUSED and record.busy is None:
                record.memory = asked_anew(record.memory)
                self.mark(id)

    def answer(self, ref: FactRef, fact: Pnr, *, by: str) -> None:
        before = self.facts.answer(ref, fact, by=by, at=self.clock.now())
        if before is None:
            return
        if ref.domain:
            self.recorder.touch(ref.domain)
        if not (before.fact.tv is TV.U and fact.tv is TV.U):
            self.recorder.fact_changed(ref, before.fact, fact, by)
        self.tell_askers(ref)

    def tell_askers(self, ref: FactRef) -> None:
        self.has_news(ref.domain)
        for id in self.facts.askers(ref):
            self.mark(id)
