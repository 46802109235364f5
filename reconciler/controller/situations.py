"""Gathers all that a decision about one chunk depends on. Reads only."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.monitoring import Monitor
from reconciler.controller.preconditions import Preconditions
from reconciler.controller.records import ChunkRecord
from reconciler.controller.restart_budget import RestartBudget
from reconciler.facts import TV, is_closed, is_open, missing
from reconciler.intent.model import Chunk, ChunkId, Domain, Strategy
from reconciler.intent.names import with_short_names
from reconciler.intent.settings.references import awaited, containers_shared, must_run
from reconciler.intent.writers import written
from reconciler.planner import (
    addresses,
    attainable,
    endpoints,
    following,
    kept_endpoints,
    network_changes,
    networks_and_volumes,
)
from reconciler.planner.addresses import Holder
from reconciler.planner.arranged import Belongings
from reconciler.planner.capabilities import Connected, supported_networks, unsupported_of
from reconciler.planner.observed import Condition, Container, ImageNews
from reconciler.planner.retry_state import RetryState
from reconciler.planner.rolling import Stage, is_update_of_serving, stage, waits_for
from reconciler.planner.situation import ChunkInput, roles
from reconciler.sentences import advised, joined
from reconciler.states import Reason

LONGEST_WAIT_SECONDS = 10.0
MOST_WAITED_FOR = 20
"""So many of what a chunk waits for are named in its message; its gate may have thousands of facts, and as many chunks
may have to be gone before it."""
_FETCHING = (Reason.PULLING_IMAGE, Reason.BUILDING_IMAGE)
_Blocked = tuple[str, tuple[Reason, str] | None]


TOLD_SECONDS = 60.0
"""For so long, and the time that it is given to stop, an end is that of who told it to."""


class Situations:
    """See the module's text. ``source`` of the spread of back-offs."""

    def __init__(
        self,
        *,
        known: LoopState,
        attention: Monitor,
        images: Images,
        crowd: RestartBudget,
        doubts: Preconditions,
        source: random.Random,
    ) -> None:
        self._state = known
        self._monitor = attention
        self._images = images
        self._random = source
        self._restarts = crowd
        self._preconditions = doubts

    def of(self, record: ChunkRecord) -> ChunkInput:
        """The situation of a chunk."""
        i = self._own_input(record)
        if i.chunk is None or i.chunk.replicas == 1 or not is_update_of_serving(roles(i)):
            return i
        return replace(i, turn=waits_for(record.id.replica, self._siblings(record, i.chunk)))

    def _wanted(self, id: ChunkId) -> Chunk | None:
        """A chunk as it is wanted, with the names that it is to have in networks of others, and with the connections
        that it keeps while others can't be had."""
        chunk, record = self._state.desired(id), self._state.chunks.get(id)
        if chunk is not None and chunk.container.guest_in:
            chunk = with_short_names(chunk, self._state.names, self._state.names_held(chunk))
        if chunk is not None and record is not None and record.memory.kept:
            chunk = kept_endpoints.as_kept(chunk, record.memory.kept, self._state.clock.monotonic())
        return chunk

    def _ahead(self, chunk: Chunk | None) -> str:
        """Which chunks whose answers a gate needs are on their way to another intent: those are about to change. In a
        cycle nobody waits for those who come later."""
        if chunk is None:
            return ""
        ranks, found = self._state.ranks, dict[str, None]()
        for entry in chunk.gate:
            for need in self._state.answered_by(entry.ref) if entry.wanted.tv is TV.Y else ():
                other = self._state.chunks.get(need)
                if other is not None and other.renews and ranks.get(need, 0) < ranks.get(chunk.id, 0):
                    found[need.chunk if need.domain == chunk.id.domain else str(need)] = None
        return _listed(list(found))

    def _siblings(self, record: ChunkRecord, chunk: Chunk) -> Iterator[tuple[int, Stage, bool]]:
        for id in record.id.copies(chunk.replicas):
            other = self._state.chunks.get(id)
            if other is None or id == record.id or self._state.desired(id) is None:
                continue
            # What was found when it was last decided about stands, unless there is news of it.
            known = None if id in self._state.dirty else other.stage
            yield id.replica, known or stage(self._own_input(other)), other.busy is not None

    def _own_input(self, record: ChunkRecord) -> ChunkInput:
        id = record.id
        chunk = self._wanted(id)
        domain = self._state.domains[id.domain]
        of_networks = self._of_networks(chunk, domain.domain)
        holder = self._state.world.named(chunk.container.name) if chunk is not None else None
        containers = self._state.world.of(id)
        gate = chunk.gate if chunk is not None else ()
        blocked_by, obstacle = self._blocked_by(record, chunk, of_networks)
        if not blocked_by and obstacle is None:
            obstacle = self._impossible(chunk, of_networks)
            blocked_by = obstacle[1] if obstacle is not None else ""
        held, in_use = self._addresses(id, chunk, containers)
        if not blocked_by and in_use is not None:
            blocked_by, obstacle = in_use
        if chunk is not None and of_networks.back:
            changes = self._state.network_changes
            chunk = network_changes.as_connected(chunk, of_networks.back, containers, changes, id)
        gate_open = is_open(gate, self._state.facts)
        flowin: dict[str, str] = {}
        if chunk is not None:
            for key, ref in chunk.flowin.items():
                fact = self._state.facts.get(ref)
                if fact is not None and fact.tv is not TV.U:
                    flowin[key] = ",".join(fact.response)
        news = self._images.news(chunk)
        return ChunkInput(
            id=id,
            chunk=chunk,
            generation=domain.generation,
            containers=containers,
            memory=with_drift(record.memory, chunk, news, containers),
            health=record.health,
            now=self._state.clock.monotonic(),
            gate_open=gate_open,
            gate_closed=is_closed(gate, self._state.facts),
            comes_after=self._ahead(chunk),
            waiting_for="" if gate_open else self._waiting_text(chunk),
            holder=holder if holder is not None and holder.owner != id else None,
            blocked_by=blocked_by,
            obstacle=obstacle,
            conflict=self._conflict(chunk, domain.domain),
            kept_network=joined(of_networks.back.values()),
            cut_off=self._cut_off(chunk, containers, of_networks),
            held_addresses=held,
            busy=record.busy,
            jitter=self._random.random(),
            crowd=self._restarts.before(id),
            told_run=self._told_run(record),
            stop_is_over=self._state.clock.monotonic() >= self.stop_is_over_at(record),
            doubted=self._preconditions.of(record, chunk),
            ended_unseen=self._state.world.ended_unseen,
            answered_all=chunk is not None and self._monitor.answered_all(record, chunk),
            engine_up=self._state.engine_up,
            flowin=flowin,
            ids=self._ids(chunk),
            runs=self._runs(chunk),
            unsupported=unsupported_of(chunk, domain.domain, self.connected) if chunk is not None else (),
            image=news,
            holder_leaves=self._leaves(holder),
            files=self._state.files,
            leaves="taken down by a person" if domain.down else "no longer declared",
            wanted_elsewhere=frozenset(c.name for c in containers if self._state.is_wanted_by_another(c.name, id)),
        )

    def stop_is_over_at(self, record: ChunkRecord) -> float:
        """When what the last work on a chunk told to end has ended, or goes on: an engine that failed the call may be
        at it still."""
        grace = record.last.container.stop_grace_seconds if record.last is not None else 0.0
        return record.worked_at + grace + TOLD_SECONDS

    def _told_run(self, record: ChunkRecord) -> str:
        """The run that somebody told to end, if it may still end by that: what takes no notice goes on."""
        chunk = record.last
        grace = chunk.container.stop_grace_seconds if chunk is not None else 0.0
        is_fresh = self._state.clock.monotonic() - record.told_at <= grace + TOLD_SECONDS
        return record.told_run if is_fresh else ""

    def _leaves(self, holder: Container | None) -> bool:
        """Whether a container of ours is to give up its name."""
        owner = holder.owner if holder is not None else None
        domain = self._state.domains.get(owner.domain) if owner is not None else None
        if holder is None or owner is None or domain is None or domain.unknown:
            return False
        wanted = self._state.desired(owner)
        return wanted is None or wanted.container.name != holder.name

    @property
    def connected(self) -> Connected | None:
        """The engine, as far as it says what can be honoured."""
        info = self._state.engine_info
        return Connected(str(info), info.api_version, info.system) if info is not None else None

    def _ids(self, chunk: Chunk | None) -> dict[str, str]:
        if chunk is None:
            return {}
        found = ((name, self._state.world.named(name)) for name in awaited(chunk.container))
        return {name: container.id for name, container in found if container is not None}

    def _runs(self, chunk: Chunk | None) -> dict[str, str]:
        names = containers_shared(chunk.container.settings).values() if chunk is not None else ()
        found = ((name, self._state.world.named(name)) for name in names)
        return {name: c.run for name, c in found if c is not None and c.condition is Condition.RUNNING}

    def _waiting_text(self, chunk: Chunk | None) -> str:
        if chunk is None:
            return ""
        parts = []
        lacking = missing(chunk.gate, self._state.facts)
        for entry in lacking[:MOST_WAITED_FOR]:
            found = self._state.facts.get(entry.ref)
            names = dict.fromkeys(id.chunk for id in self._state.who.get(entry.ref, ()))
            who = ", ".join(names) or "no declared chunk"
            short = entry.ref.key if entry.ref.cpux == chunk.id.cpux else str(entry.ref)
            parts.append(f"{short} is {found.tv if found is not None else 'U'}, wanted {entry.wanted.tv} (from {who})")
        more = len(lacking) - MOST_WAITED_FOR
        return "; ".join([*parts, f"and {more} more"] if more > 0 else parts)

    def _of_networks(self, chunk: Chunk | None, domain: Domain | None) -> Belongings:
        """How the networks stand that a chunk joins and that the engine can make."""
        if chunk is None or domain is None or not self._state.world.complete:
            return Belongings()
        names = supported_networks(domain, self.connected, chunk.container.networks)
        seen, now = self._state.world.observed(), self._state.clock.monotonic()
        return networks_and_volumes.networks(domain, seen, self._state.network_changes, names, now)

    def _cut_off(self, chunk: Chunk | None, own: Sequence[Container], found: Belongings) -> dict[str, tuple[str, ...]]:
        """By a container's id: the networks of the chunk that are there, and that it lost as they were recreated."""
        if chunk is None:
            return {}
        changes, there = self._state.network_changes, self._state.world.networks
        lost = {one.container for name in chunk.container.networks for one in _attachments(changes, name)}
        return {
            c.id: tuple(
                name
                for name in chunk.container.networks
                if name not in c.networks and name in there and name not in found.missing
            )
            for c in own
            if c.id in lost or endpoints.is_in_none(c)
        }

    def _addresses(
        self, id: ChunkId, chunk: Chunk | None, own: Sequence[Container]
    ) -> tuple[tuple[Holder, ...], _Blocked | None]:
        """Who has an address that the chunk is to have, and gives it up; what stands in the way of that, or of who may
        be given another's address."""
        if chunk is None:
            return (), None
        found, mine = [], {c.id for c in own}
        wanted_at = addresses.fixed(chunk.container).items()
        there = (c for network, at in wanted_at for one in at for c in self._state.world.at(network, one))
        others = {c.id: c for c in there if c.id not in mine}
        for holder in addresses.holders(chunk, others.values()):
            owner = holder.container.owner
            wanted = self._wanted(owner) if owner is not None else None
            if addresses.is_asked_for(holder, wanted):
                text = addresses.told(holder)
                return (), (text, (Reason.ADDRESS_IN_USE, text))
            busy = self._state.chunks[owner].busy if owner in self._state.chunks else None
            if busy is not None and busy[0] not in _FETCHING:
                return (), (f"container {holder.container.name}, which has the address {holder.address}", None)
            found.append(addresses.as_declared(holder, wanted))
        return tuple(found), self._comes_first(id, chunk)

    def _impossible(self, chunk: Chunk | None, found: Belongings) -> tuple[Reason, str] | None:
        """The failure that an address is which the engine will not give, as far as that is seen of its network. What is
        about to be made anew is not judged, as it is not as declared."""
        for network, wanted in addresses.fixed(chunk.container).items() if chunk is not None else ():
            seen = self._state.world.networks.get(network)
            if seen is None or network in found.missing or network in found.back:
                continue
            for address in wanted:
                refusal = attainable.refusal(seen, address)
                if refusal is not None:
                    return refusal
        return None

    def _comes_first(self, id: ChunkId, chunk: Chunk) -> _Blocked | None:
        """Whoever is about to get a fixed address, where the chunk may be given it. A long fetch is not waited for."""
        own = addresses.fixed(chunk.container)
        for network in chunk.container.networks.keys() - own.keys():
            for other in self._state.fixed_in.get(network, ()):
                record = self._state.chunks.get(other)
                if record is None or record.busy is None or other == id:
                    continue
                waited = self._state.clock.monotonic() - record.busy_since
                if record.busy[0] not in _FETCHING or waited < LONGEST_WAIT_SECONDS:
                    return f"{other}, which has a fixed address in network {network}", None
        return None

    def _conflict(self, chunk: Chunk | None, domain: Domain | None) -> tuple[Reason, str] | None:
        if chunk is None or domain is None:
            return None
        seen, now = self._state.world.observed(), self._state.clock.monotonic()
        return networks_and_volumes.conflict(chunk, domain, seen, self._state.network_changes, now)

    def _blocked_by(
        self, record: ChunkRecord, chunk: Chunk | None, found: Belongings
    ) -> tuple[str, tuple[Reason, str] | None]:
        """What the chunk has to wait for, and the failure that this is, where there is nobody to wait for."""
        if chunk is None:
            still = [
                str(id)
                for id in sorted(self._state.dependents.get(record.id, ()))
                if self._state.desired(id) is None and self._state.world.by_owner.get(id)
            ]
            return _listed(still), None
        domain = self._state.domains[record.id.domain].domain
        if domain is None or not self._state.world.complete:
            return "a first look at the engine", None
        leaver = self._leaving_writer(chunk)
        if leaver:
            return leaver, None
        running = must_run(chunk.container.settings)
        for name, setting in sorted(awaited(chunk.container).items()):
            other = self._state.world.named(name)
            if other is None and not self._state.is_wanted_by_another(name, record.id):
                step = f"start it, or correct its name in `{setting}` of the domain file"
                return f"container {name}", _absent(f"container {name}, which does not exist and no domain makes", step)
            if other is None or (name in running and other.condition is not Condition.RUNNING):
                return (f"container {name}" if other is None else f"container {name} to run"), None
        seen = self._state.world.observed()
        for name, text in found.missing.items():
            if name in found.conflict:
                return text, (Reason.NAME_CONFLICT, found.conflict[name])
            if name in found.stuck:
                return text, (Reason.CREATE_FAILED, found.stuck[name])
            return self._awaited_object(f"network:{name}", text, domain.networks_named((name,))[-1].external)
        volumes = networks_and_volumes.used_volumes(chunk)
        missing = networks_and_volumes.volumes(domain, seen, volumes).missing if volumes else {}
        for name, text in sorted(missing.items()):
            return self._awaited_object(f"volume:{name}", text, domain.volumes_named((name,))[-1].external)
        return "", None

    def _leaving_writer(self, chunk: Chunk) -> str:
        """A container of ours that is to go and writes to what the chunk's is to write to: two must not at one time.
        Who is new waits also for one whose file is gone, while nobody knows yet what that means: where a domain was
        given another name, the old one is about to go."""
        own = set(written(chunk.container.settings))
        if not own or chunk.strategy is Strategy.START_FIRST:
            return ""
        is_new = not self._state.world.of(chunk.id)
        for what in sorted(own):
            for c in self._state.leaving_writers(what):
                is_to_go = c.owner is None or self._state.desired(c.owner) is None
                if is_to_go or is_new:
                    why = "which is to go and" if is_to_go else "whose file is gone and which"
                    return f"container {c.name}, {why} writes to {what}, to have ended"
        return ""

    def _awaited_object(self, key: str, text: str, external: bool) -> tuple[str, tuple[Reason, str] | None]:
        """The same for a network or volume: nobody makes an external one but another domain that has it as its own."""
        trouble = self._state.object_trouble.get(key)
        if trouble is not None:
            return trouble, (Reason.CREATE_FAILED, trouble)
        if not external or key in self._state.made:
            return text, None
        kind, _, name = key.partition(":")
        return text, _absent(text, f"make it (`docker {kind} create {name}`), or correct its name in the domain file")


def _listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - MOST_WAITED_FOR
    return ", ".join([*names[:MOST_WAITED_FOR], *([f"and {more} more"] if more > 0 else [])])


def _attachments(changes: network_changes.Changes, network: str) -> tuple[network_changes.Attachment, ...]:
    change = changes.get(network)
    return change.attachments if change is not None else ()


def with_drift(memory: RetryState, chunk: Chunk | None, news: ImageNews, containers: Sequence[Container]) -> RetryState:
    """What is remembered, with the image that a swapped tag asks for."""
    return following.by_drift(chunk, memory, news, containers) if chunk is not None else memory


def _absent(text: str, step: str = "") -> tuple[Reason, str]:
    return Reason.EXTERNAL_MISSING, advised(f"waiting for {text}", step)
