"""Brings everything that is kept of a domain in line with an intent that has changed, or was restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.controller.executor import Executor
from reconciler.controller.known import Known
from reconciler.controller.prober import Prober
from reconciler.facts import FactRef, Pnr
from reconciler.intent.model import Chunk, ChunkId, Domain
from reconciler.intent.names import names_in_networks
from reconciler.intent.settings.references import awaited
from reconciler.planner.addresses import fixed
from reconciler.planner.health import Health
from reconciler.planner.memory import asked_anew, check_changed, intent_changed
from reconciler.planner.observed import Condition
from reconciler.planner.ordering import answerers, dependencies, needed_first


class Adoption:
    """What follows from a changed intent: whose setbacks are forgotten, who waits for whom, which facts there are."""

    def __init__(self, *, known: Known, executor: Executor, prober: Prober) -> None:
        self._known = known
        self._executor = executor
        self._prober = prober

    def adopt(self, changes: Mapping[str, Domain | None]) -> None:
        """The intents of domains have changed (or were restored), each with the one before: bring records, facts and
        look-ups in line."""
        for name, old in changes.items():
            self._adopt(name, old)
        if changes:
            self._look_ups()

    def _adopt(self, name: str, old: Domain | None) -> None:
        record = self._known.domains[name]
        old_chunks: dict[ChunkId, Chunk] = dict(old.by_id) if old is not None else {}
        new_chunks: dict[ChunkId, Chunk] = dict(record.wanted.by_id) if record.wanted is not None else {}
        for id, chunk in old_chunks.items():
            self._known.facts.unregister(chunk)
            for wanted in (chunk.container.name, *awaited(chunk.container)):
                self._known.wanted_names.get(wanted, set()).discard(id)
            if id not in new_chunks:
                leaver = self._known.chunk_record(id)
                leaver.last = chunk
                leaver.memory = intent_changed(leaver.memory)  # it goes at once, whatever it was held back by
                self._executor.cancel_if_waiting_for_image(id)
        for id, chunk in new_chunks.items():
            self._known.facts.register(chunk)
            for wanted in (chunk.container.name, *awaited(chunk.container)):
                self._known.wanted_names.setdefault(wanted, set()).add(id)
            c = self._known.chunk_record(id)
            if c.last is not None and c.last != chunk:
                c.as_declared = False
                is_other = c.last.container.digest != chunk.container.digest
                c.memory = intent_changed(c.memory) if is_other else asked_anew(c.memory)
                self._executor.cancel_if_waiting_for_image(id)
                if c.last.health != chunk.health:
                    c.health = Health()
                    self._prober.drop(id)
                    if c.last.container.digest == chunk.container.digest:
                        own = self._known.world.of(id)
                        running = [each.run for each in own if each.condition is Condition.RUNNING]
                        c.memory = check_changed(c.memory, running)
            c.last = chunk
        self._declare_facts(name, old_chunks, new_chunks)
        for id in (*old_chunks, *new_chunks):
            self._known.mark(id)
        self._known.mark_domain(name)
        self._known.recorder.touch(name)

    def _look_ups(self) -> None:
        """Who waits for whom, and who has which name: of all domains, which takes a while where there are many."""
        self._known.dependents = {}
        last = [c.last for c in self._known.chunks.values() if c.last is not None]
        # Of those who need nobody, who has a fixed address begins before who may be given it.
        last.sort(key=lambda chunk: not fixed(chunk.container))
        self._known.fixed_in = _by_network((chunk, fixed(chunk.container)) for chunk in last)
        desired = [chunk for chunk in last if self._known.desired(chunk.id) is not None]
        self._known.guests_in = _by_network((chunk, chunk.container.guest_in) for chunk in desired)
        names = names_in_networks(desired)
        if names != self._known.names:
            self._known.names = names
            for guests in self._known.guests_in.values():
                for guest in guests:
                    self._known.mark(guest)
        self._known.needs = dependencies(last)
        self._known.ranks = {id: n for n, id in enumerate(needed_first(self._known.needs))}
        for id, needs in self._known.needs.items():
            for need in needs:
                self._known.dependents.setdefault(need, set()).add(id)
        self._known.who = answerers(last)

    def _declare_facts(
        self, name: str, old_chunks: Mapping[ChunkId, Chunk], new_chunks: Mapping[ChunkId, Chunk]
    ) -> None:
        record = self._known.domains[name]
        now = self._known.clock.now()
        declared = {chunk.flowout_ref(key) for chunk in new_chunks.values() for key in chunk.flowout}
        given: dict[FactRef, Pnr] = {}
        if record.wanted is not None:
            for cpux in record.wanted.cpuxs:
                for key, fact in cpux.rt_state.items():
                    given[FactRef(name, cpux.name, key)] = fact
        for ref in [ref for ref in self._known.facts.of(name) if ref not in declared and ref not in given]:
            self._known.facts.forget(ref)
            self._known.tell_askers(ref)
        for ref, fact in given.items():
            if (self._known.facts.state(ref) is None or ref not in declared) and self._known.facts.answer(
                ref, fact, by="rt_state", at=now
            ):
                self._known.tell_askers(ref)


def _by_network(joined: Iterable[tuple[Chunk, Iterable[str]]]) -> dict[str, tuple[ChunkId, ...]]:
    found: dict[str, tuple[ChunkId, ...]] = {}
    for chunk, networks in joined:
        for network in networks:
            found[network] = (*found.get(network, ()), chunk.id)
    return found
