"""Brings everything that is kept of a domain in line with an intent that has changed, or was restored."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.controller.executor import Executor
from reconciler.controller.look_ups import LookUps
from reconciler.controller.loop_state import LoopState
from reconciler.controller.prober import Prober
from reconciler.controller.work import ENTRIES_A_CHUNK, Steps, in_portions, work_of
from reconciler.facts import FactRef, Pnr
from reconciler.intent.model import Chunk, ChunkId, Domain
from reconciler.intent.settings.references import awaited
from reconciler.planner.health import Health
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import asked_anew, check_changed, intent_changed


class DesiredState:
    """What follows from a changed intent: whose setbacks are forgotten, who waits for whom, which facts there are."""

    def __init__(self, *, known: LoopState, executor: Executor, prober: Prober) -> None:
        self._state = known
        self._look_ups = LookUps(known)
        self._executor = executor
        self._prober = prober

    def adopt(self, changes: Mapping[str, Domain | None]) -> None:
        """The intents of domains have changed (or were restored), each with the one before: bring records, facts and
        look-ups in line."""
        for _ in self.in_steps(changes):
            pass

    def in_steps(self, changes: Mapping[str, Domain | None]) -> Steps:
        """The same step by step, so that others can have their turn. Until it is done nothing may be decided or written
        down: what is known of the domains in ``adopting`` belongs to the intent before, in part."""
        self._state.adopting.update(changes)
        for name, old in changes.items():
            yield from self._adopt(name, old)
            self._state.adopting.discard(name)
        if changes:
            yield from self._look_ups.renew()

    def _adopt(self, name: str, old: Domain | None) -> Steps:
        record = self._state.domains[name]
        old_chunks: dict[ChunkId, Chunk] = dict(old.by_id) if old is not None else {}
        new_chunks: dict[ChunkId, Chunk] = dict(record.wanted.by_id) if record.wanted is not None else {}
        for id, chunk in old_chunks.items():
            yield work_of(chunk)
            self._state.facts.unregister(chunk)
            for wanted in (chunk.container.name, *awaited(chunk.container)):
                self._state.wanted_names.get(wanted, set()).discard(id)
            if id not in new_chunks:
                leaver = self._state.chunk_record(id)
                leaver.last = chunk
                leaver.memory = intent_changed(leaver.memory)  # it goes at once, whatever it was held back by
                self._executor.cancel_if_waiting_for_image(id)
        for id, chunk in new_chunks.items():
            yield work_of(chunk)
            self._state.facts.register(chunk)
            for wanted in (chunk.container.name, *awaited(chunk.container)):
                self._state.wanted_names.setdefault(wanted, set()).add(id)
            c = self._state.chunk_record(id)
            if c.last is not None and c.last is not chunk and c.last != chunk:
                c.as_declared = False
                c.is_new = True
                is_other = c.last.container.digest != chunk.container.digest
                c.memory = intent_changed(c.memory) if is_other else asked_anew(c.memory)
                self._executor.cancel_if_waiting_for_image(id)
                if c.last.health != chunk.health:
                    c.health = Health()
                    self._prober.drop(id)
                    if c.last.container.digest == chunk.container.digest:
                        own = self._state.world.of(id)
                        running = [each.run for each in own if each.condition is Condition.RUNNING]
                        c.memory = check_changed(c.memory, running)
            c.last = chunk
        yield from in_portions(self._declare_facts(name, new_chunks), ENTRIES_A_CHUNK)
        self._state.has_news(name)
        # Of a domain whose intent is lost only its chunks are known: they are what is to go now.
        for id in dict.fromkeys((*old_chunks, *new_chunks, *self._state.chunks_of(name))):
            self._state.mark(id)
        self._state.mark_domain(name)
        self._state.recorder.touch(name)

    def _declare_facts(self, name: str, new_chunks: Mapping[ChunkId, Chunk]) -> Steps:
        """Each step tells how many facts were gone through."""
        record = self._state.domains[name]
        now = self._state.clock.now()
        declared: set[FactRef] = set()
        for chunk in new_chunks.values():
            declared.update(map(chunk.flowout_ref, chunk.flowout))
            yield len(chunk.flowout)
        given: dict[FactRef, Pnr] = {}
        for cpux in record.wanted.cpuxs if record.wanted is not None else ():
            given.update((FactRef(name, cpux.name, key), fact) for key, fact in cpux.rt_state.items())
            yield len(cpux.rt_state)
        for ref in list(self._state.facts.of(name)):
            yield 1
            if ref not in declared and ref not in given:
                self._state.facts.forget(ref)
                self._state.tell_askers(ref)
        for ref, fact in given.items():
            yield 1
            if (self._state.facts.state(ref) is None or ref not in declared) and self._state.facts.answer(
                ref, fact, by="rt_state", at=now
            ):
                self._state.tell_askers(ref)
