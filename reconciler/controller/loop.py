"""The loop: the one owner of intent, observation, facts and states.

Whatever happens reaches it as a message; a message changes what is known and marks whom it concerns. Then, always
in the same way: decide about everyone marked, begin what is to be done without waiting for it, and tell. Work in
flight is part of what is known (``busy``), so deciding twice never does twice. Deciding is pure and lives in
:mod:`reconciler.planner`; what runs beside the loop (executor, prober, watcher) only sends messages.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.controller.clock import Clock
from reconciler.controller.executor import Executor
from reconciler.controller.facts_table import FactsTable
from reconciler.controller.intake import Intake
from reconciler.controller.prober import Prober
from reconciler.controller.protocols import Judge, ProbeMaker, RuntimeReader, Source
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import (
    ChunkRecord,
    DomainRecord,
    Ending,
    EngineLost,
    EngineUp,
    LookNow,
    Message,
    OutputRead,
    Probed,
    RuntimeSaid,
    ScanTaken,
    SeenAll,
    SeenOne,
    StepDone,
    TakeDown,
    WorkDone,
    WorkProgress,
)
from reconciler.controller.tell import restore_chunks, snapshot_document
from reconciler.controller.watcher import Watcher
from reconciler.controller.world import World
from reconciler.engine.protocol import Engine, EngineError, EngineInfo, NotFound
from reconciler.facts import SYSTEM_READY, TV, FactRef, Pnr, is_closed, is_open, missing
from reconciler.intent.model import Chunk, ChunkId, FactsMode
from reconciler.lifecycle import Reason, State, advance
from reconciler.planner import chunk as planner
from reconciler.planner.actions import (
    CreateNetwork,
    CreateVolume,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    Work,
)
from reconciler.planner.answers import answers
from reconciler.planner.chunk import ChunkInput, Decision
from reconciler.planner.health import Health, fold
from reconciler.planner.memory import Memory, Remedy, intent_changed
from reconciler.planner.observed import Condition, Container, Network, Volume
from reconciler.planner.ordering import answerers, dependencies
from reconciler.planner.plan import network_work, used_volumes, volume_work

log = logging.getLogger("pnr.controller")

OBJECT_RETRY_SECONDS = 5.0


class Controller:
    """Converges an engine to what a source declares. Give it its parts, then :meth:`run` it."""

    def __init__(
        self,
        *,
        engine: Engine,
        source: Source,
        judge: Judge,
        runtime: RuntimeReader | None,
        make_probe: ProbeMaker,
        clock: Clock,
        recorder: Recorder,
        seed: int | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.recorder = recorder
        self.world = World()
        self.facts = FactsTable()
        self.domains: dict[str, DomainRecord] = {}
        self.chunks: dict[ChunkId, ChunkRecord] = {}
        self.engine_info: EngineInfo | None = None
        self.engine_up = False
        self.engine_message = "not asked yet"
        self.passes = 0
        self.source_read = False
        self._source = source
        self._runtime = runtime
        self._random = random.Random(seed)
        self._inbox: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._dirty: dict[ChunkId, None] = {}
        self._dirty_domains: dict[str, None] = {}
        self._timers: list[tuple[float, ChunkId]] = []
        self._object_busy: dict[str, str] = {}
        self._object_trouble: dict[str, str] = {}
        self._object_retry: dict[str, float] = {}
        self._wanted_names: dict[str, set[ChunkId]] = {}
        self._dependents: dict[ChunkId, set[ChunkId]] = {}
        self._who: dict[FactRef, tuple[ChunkId, ...]] = {}
        self._side_tasks: set[asyncio.Task[None]] = set()
        self._executor = Executor(engine, self.post)
        self._prober = Prober(inside=engine, make=make_probe, clock=clock, post=self.post)
        self._watcher = Watcher(engine=engine, clock=clock, post=self.post)
        self.intake = Intake(domains=self.domains, judge=judge, recorder=recorder)
        recorder.attach(lambda name: snapshot_document(self, name))

    # --- the loop -------------------------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Put a message to the loop. From the loop's thread only."""
        self._inbox.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Converge until cancelled. Containers are left as they are when it ends."""
        restored = self.recorder.load()
        self.intake.restore(restored)
        self.chunks.update(restore_chunks(restored, self.clock))
        for name in self.domains:
            self._adopt_intent(name, None)
        tasks = [
            asyncio.create_task(self._read_source(), name="source"),
            asyncio.create_task(self._watcher.run(), name="watcher"),
            asyncio.create_task(self.recorder.run(), name="recorder"),
            asyncio.create_task(self._loop(), name="loop"),
        ]
        if self._runtime is not None:
            tasks.append(asyncio.create_task(self._read_runtime(self._runtime), name="runtime"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._prober.close()
            await self._executor.close()
            for side in list(self._side_tasks):
                side.cancel()
            await asyncio.gather(*self._side_tasks, return_exceptions=True)
            await self._source.close()
            await self.recorder.flush()

    async def _read_source(self) -> None:
        async for scan in self._source.scans():
            self.post(ScanTaken(scan))
        raise RuntimeError("the source ended")

    async def _read_runtime(self, runtime: RuntimeReader) -> None:
        async for id in runtime.changes():
            self.post(RuntimeSaid(id))
        raise RuntimeError("the runtime reader ended")

    async def _loop(self) -> None:
        while True:
            await self._wait()
            while self._inbox:
                self._take(self._inbox.popleft())
            now = self.clock.monotonic()
            while self._timers and self._timers[0][0] <= now + 0.0005:
                _, id = heapq.heappop(self._timers)
                self._mark(id)
            due = [key for key, at in self._object_retry.items() if at <= now]
            for key in due:
                del self._object_retry[key]
                self._dirty_domains.update(dict.fromkeys(self.domains))
            if self._dirty or self._dirty_domains:
                self.passes += 1
                self._converge()
                self._changed.set()

    async def _wait(self) -> None:
        if self._inbox:
            # Messages are waiting; still let everyone else run once.
            self._wake.clear()
            await asyncio.sleep(0)
            return
        due = [self._timers[0][0]] if self._timers else []
        due.extend(self._object_retry.values())
        timer = None
        if due:
            delay = max(0.0, min(due) - self.clock.monotonic())
            timer = asyncio.get_running_loop().call_later(delay, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._wake.clear()

    async def changed(self) -> None:
        """Return after the next change of anything that is told."""
        self._changed.clear()
        await self._changed.wait()

    def answered_by(self, ref: FactRef) -> tuple[ChunkId, ...]:
        """The chunks that can answer a fact."""
        return self._who.get(ref, ())

    def _mark(self, id: ChunkId) -> None:
        self._dirty[id] = None

    def _mark_domain(self, name: str) -> None:
        self._dirty_domains[name] = None

    def _mark_all(self) -> None:
        self._dirty.update(dict.fromkeys(self.chunks))
        self._dirty_domains.update(dict.fromkeys(self.domains))

    # --- messages -------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        match message:
            case ScanTaken(scan):
                self._take_scan(scan)
            case EngineUp(info):
                self.engine_info = info
            case EngineLost(text):
                self._engine_lost(text)
            case SeenAll():
                self._seen_all(message)
            case SeenOne():
                self._seen_one(message)
            case WorkProgress(key, reason, text):
                self._work_progress(key, reason, text)
            case StepDone():
                self._step_done(message)
            case WorkDone():
                self._work_done(message)
            case Probed():
                self._probed(message)
            case RuntimeSaid(id):
                record = self.chunks.get(id)
                if record is not None:
                    self._read_own(record)
                    self._mark(id)
            case OutputRead():
                self._output_read(message)
            case LookNow(only):
                self._look_now(only)
            case TakeDown(only, volumes):
                self._take_down(only, volumes)

    def _take_scan(self, scan: Any) -> None:
        changes = self.intake.take(scan, known=frozenset(self.facts))
        self.source_read = True
        for name, old in changes.items():
            self._adopt_intent(name, old)
        for name in self.domains:
            self._mark_domain(name)
        self._changed.set()

    def _adopt_intent(self, name: str, old: Any) -> None:
        """The intent of a domain has changed (or was restored): bring records, facts and look-ups in line."""
        record = self.domains[name]
        old_chunks: dict[ChunkId, Chunk] = dict(old.by_id) if old is not None else {}
        new_chunks: dict[ChunkId, Chunk] = dict(record.wanted.by_id) if record.wanted is not None else {}
        for id, chunk in old_chunks.items():
            self.facts.unregister(chunk)
            self._wanted_names.get(chunk.container.name, set()).discard(id)
            if id not in new_chunks:
                self._chunk_record(id).last = chunk
        for id, chunk in new_chunks.items():
            self.facts.register(chunk)
            self._wanted_names.setdefault(chunk.container.name, set()).add(id)
            c = self._chunk_record(id)
            if c.last is not None and c.last != chunk:
                c.memory = intent_changed(c.memory)
                self._executor.cancel_if_waiting_for_image(id)
                if c.last.health != chunk.health:
                    c.health = replace(Health(), run="")
                    self._prober.drop(id)
            c.last = chunk
        self._declare_facts(name, old_chunks, new_chunks)
        self._dependents = {}
        last = [c.last for c in self.chunks.values() if c.last is not None]
        for id, needs in dependencies(last).items():
            for need in needs:
                self._dependents.setdefault(need, set()).add(id)
        self._who = answerers(last)
        for id in (*old_chunks, *new_chunks):
            self._mark(id)
        self._mark_domain(name)
        self.recorder.touch(name)

    def _declare_facts(
        self, name: str, old_chunks: Mapping[ChunkId, Chunk], new_chunks: Mapping[ChunkId, Chunk]
    ) -> None:
        record = self.domains[name]
        now = self.clock.now()
        declared = {chunk.flowout_ref(key) for chunk in new_chunks.values() for key in chunk.flowout}
        given: dict[FactRef, Pnr] = {}
        if record.wanted is not None:
            for cpux in record.wanted.cpuxs:
                for key, fact in cpux.rt_state.items():
                    given[FactRef(name, cpux.name, key)] = fact
        for ref in [ref for ref in self.facts if ref.domain == name and ref not in declared and ref not in given]:
            self.facts.forget(ref)
            self._tell_askers(ref)
        for ref, fact in given.items():
            if (self.facts.state(ref) is None or ref not in declared) and self.facts.answer(
                ref, fact, by="rt_state", at=now
            ):
                self._tell_askers(ref)

    def _chunk_record(self, id: ChunkId) -> ChunkRecord:
        record = self.chunks.get(id)
        if record is None:
            record = self.chunks[id] = ChunkRecord(id, self.clock.now())
        return record

    def _engine_lost(self, text: str) -> None:
        self.engine_message = text
        if self.engine_up or self.facts.state(SYSTEM_READY) is None:
            self.recorder.journal(kind="engine", message=f"lost: {text}")
        self.engine_up = False
        self._answer(SYSTEM_READY, Pnr("is system ready?", ("no",), TV.N), by="pnr")
        self._prober.drop_all()
        for record in self.chunks.values():
            record.health = Health()
        self._mark_all()

    def _engine_is_up(self) -> None:
        if not self.engine_up:
            self.engine_up = True
            self.engine_message = ""
            self.recorder.journal(kind="engine", message=f"{self.engine_info} answers")
            self._answer(SYSTEM_READY, Pnr("is system ready?", ("yes",), TV.Y), by="pnr")
            self._mark_all()

    def _seen_all(self, seen: SeenAll) -> None:
        def keep(container: Container) -> bool:
            owner = container.owner
            record = self.chunks.get(owner) if owner is not None else None
            return record is not None and record.touched_at >= seen.asked_at

        before = (set(self.world.networks), set(self.world.volumes))
        for container in self.world.replace(seen.observed, keep):
            self._concerns(container)
        if self.world.networks.keys() ^ before[0] or self.world.volumes.keys() ^ before[1]:
            self._mark_all()
        self._engine_is_up()
        for name in self.domains:
            self._mark_domain(name)

    def _seen_one(self, seen: SeenOne) -> None:
        known = self.world.containers.get(seen.container_id)
        either = seen.container or known
        owner = either.owner if either is not None else None
        record = self.chunks.get(owner) if owner is not None else None
        if record is not None and record.touched_at >= seen.asked_at:
            return
        if seen.container is None:
            gone = self.world.drop(seen.container_id)
            if gone is not None:
                self._concerns(gone)
        elif self.world.put(seen.container):
            self._concerns(seen.container)

    def _concerns(self, container: Container) -> None:
        """Mark whom news of a container concerns."""
        if container.owner is not None:
            self._mark(container.owner)
            self._mark_domain(container.owner.domain)
            for need in self._needs_told(container.owner):
                self._mark(need)
        for id in self._wanted_names.get(container.name, ()):
            self._mark(id)
        if container.owner is None and container.condition is not Condition.RUNNING:
            self._retry_blocked()

    def _needs_told(self, gone: ChunkId) -> Iterable[ChunkId]:
        """While domains are taken down: those that wait until ``gone`` is gone."""
        record = self.chunks.get(gone)
        if record is None or record.last is None or self._desired(gone) is not None:
            return ()
        return (id for entry in record.last.gate for id in self._who.get(entry.ref, ()))

    def _retry_blocked(self) -> None:
        """Something of somebody else went: who failed for want of a name or a port may try again at once."""
        for id, record in self.chunks.items():
            failure = record.memory.failure
            if failure is not None and failure.reason in (Reason.NAME_CONFLICT, Reason.PORT_IN_USE):
                record.memory = replace(record.memory, not_before=self.clock.monotonic())
                self._mark(id)

    def _work_progress(self, key: ChunkId | str, reason: Reason | None, text: str) -> None:
        if isinstance(key, ChunkId):
            record = self.chunks.get(key)
            if record is not None and record.busy is not None:
                record.busy = (reason or record.busy[0], text)
                self._mark(key)

    def _step_done(self, done: StepDone) -> None:
        key = done.key
        if isinstance(key, ChunkId):
            record = self._chunk_record(key)
            record.touched_at = self.clock.monotonic()
            if done.container is not None:
                self.world.put(done.container)
            elif isinstance(done.action, RemoveContainer):
                cid = self.world.by_name.get(done.action.name)
                if cid is not None:
                    self.world.drop(cid)
            self.recorder.journal(kind="action", chunk=key, message=done.action.describe())
            self._mark(key)
            self._mark_domain(key.domain)
            for need in self._needs_told(key):
                self._mark(need)
            return
        match done.action:
            case CreateNetwork(name, domain, _):
                self.world.networks[name] = Network("", name, domain)
            case RemoveNetwork(name, domain):
                self.world.networks.pop(name, None)
            case CreateVolume(name, domain, _):
                self.world.volumes[name] = Volume(name, domain)
            case RemoveVolume(name, domain):
                self.world.volumes.pop(name, None)
            case _:
                return
        self.recorder.journal(kind="action", domain=domain, message=done.action.describe())

    def _work_done(self, done: WorkDone) -> None:
        if isinstance(done.key, str):
            domain = self._object_busy.pop(done.key, "")
            if done.error is not None:
                self._object_trouble[done.key] = str(done.error)
                self._object_retry[done.key] = self.clock.monotonic() + OBJECT_RETRY_SECONDS
            else:
                self._object_trouble.pop(done.key, None)
            for id in list(self.chunks):
                if id.domain == domain:
                    self._mark(id)
            self._mark_domain(domain)
            return
        record = self._chunk_record(done.key)
        record.busy = None
        record.touched_at = self.clock.monotonic()
        self._mark(done.key)
        self._mark_domain(done.key.domain)
        if done.error is None:
            return
        self._watcher.look_everywhere()
        if isinstance(done.error, NotFound):
            # What we wanted to act on is gone: look, and decide anew. The delay keeps this from spinning.
            record.memory = replace(record.memory, not_before=self.clock.monotonic() + 0.2)
            return
        if done.error.code == "EngineUnavailable":
            self._watcher.look_everywhere()
            record.memory = replace(record.memory, not_before=self.clock.monotonic() + 0.2)
            return
        reason = _reason_of(done.error)
        record.memory = planner.work_failed(self._input(record), reason, str(done.error))
        self.recorder.journal(kind="error", chunk=done.key, reason=reason, message=str(done.error))

    def _probed(self, probed: Probed) -> None:
        record = self.chunks.get(probed.id)
        chunk = self._desired(probed.id)
        if record is None or chunk is None or chunk.health is None or record.health.run != probed.run:
            return
        before = record.health
        record.health = fold(
            before,
            chunk.health,
            ok=probed.result.ok,
            message=probed.result.message,
            now=self.clock.monotonic(),
            counts=probed.counts,
        )
        if record.health.tv is not before.tv:
            self._prober.is_up(probed.id, record.health.tv is TV.Y)
            self._mark(probed.id)
        elif record.health.message != before.message or record.state != State.COMPLETED:
            self._mark(probed.id)

    def _output_read(self, read: OutputRead) -> None:
        record = self.chunks.get(read.id)
        if record is None or record.ending is None or record.ending.run != read.run:
            return
        record.ending = replace(record.ending, output=read.output)
        failure = record.memory.failure
        if failure is not None and record.memory.counted_run == read.run and read.output.strip():
            text = f"{failure.message}; it said: {read.output.strip()[-600:]}"
            record.memory = replace(record.memory, failure=replace(failure, message=text), last_error=text)
        self._mark(read.id)

    def _look_now(self, only: tuple[str, ...]) -> None:
        for name, record in self.domains.items():
            if only and name not in only:
                continue
            if record.down:
                record.down = False
                record.volumes_too = False
                self._adopt_intent(name, None)
            for id, chunk in self.chunks.items():
                if id.domain == name and chunk.memory.not_before is not None:
                    chunk.memory = replace(chunk.memory, not_before=self.clock.monotonic())
        self._watcher.look_everywhere()
        self._mark_all()

    def _take_down(self, only: tuple[str, ...], volumes: bool) -> None:
        for name, record in list(self.domains.items()):
            if only and name not in only:
                continue
            self.recorder.journal(kind="intent", domain=name, message="taken down by a person")
            old = record.wanted
            record.down = True
            record.held = ""
            record.volumes_too = volumes
            self._adopt_intent(name, old)
        self._mark_all()

    # --- deciding -------------------------------------------------------------------------------------------

    def _converge(self) -> None:
        while self._dirty or self._dirty_domains:
            while self._dirty:
                id = next(iter(self._dirty))
                del self._dirty[id]
                self._decide(id)
            while self._dirty_domains:
                name = next(iter(self._dirty_domains))
                del self._dirty_domains[name]
                self._decide_domain(name)

    def _desired(self, id: ChunkId) -> Chunk | None:
        record = self.domains.get(id.domain)
        wanted = record.wanted if record is not None else None
        return wanted.by_id.get(id) if wanted is not None else None

    def _input(self, record: ChunkRecord) -> ChunkInput:
        id = record.id
        chunk = self._desired(id)
        domain = self.domains[id.domain]
        holder = self.world.named(chunk.container.name) if chunk is not None else None
        gate = chunk.gate if chunk is not None else ()
        gate_open = is_open(gate, self.facts)
        flowin: dict[str, str] = {}
        if chunk is not None:
            for key, ref in chunk.flowin.items():
                fact = self.facts.get(ref)
                if fact is not None and fact.tv is not TV.U:
                    flowin[key] = ",".join(fact.response)
        return ChunkInput(
            id=id,
            chunk=chunk,
            generation=domain.generation,
            containers=self.world.of(id),
            memory=record.memory,
            health=record.health,
            now=self.clock.monotonic(),
            gate_open=gate_open,
            gate_closed=is_closed(gate, self.facts),
            waiting_for="" if gate_open else self._waiting_text(chunk),
            holder=holder if holder is not None and holder.owner != id else None,
            blocked_by=self._blocked_by(record, chunk),
            busy=record.busy,
            jitter=self._random.random(),
            answered_all=chunk is not None and self._answered_all(record, chunk),
            engine_up=self.engine_up,
            flowin=flowin,
        )

    def _waiting_text(self, chunk: Chunk | None) -> str:
        if chunk is None:
            return ""
        parts = []
        for entry in missing(chunk.gate, self.facts):
            found = self.facts.get(entry.ref)
            who = ", ".join(str(id.chunk) for id in self._who.get(entry.ref, ())) or "nobody that is declared"
            short = entry.ref.key if entry.ref.cpux == chunk.id.cpux else str(entry.ref)
            parts.append(
                f"{short} is {found.tv if found is not None else 'U'}, wanted {entry.wanted.tv} (from {who})"
            )
        return "; ".join(parts)

    def _blocked_by(self, record: ChunkRecord, chunk: Chunk | None) -> str:
        if chunk is None:
            still = [
                str(id)
                for id in sorted(self._dependents.get(record.id, ()))
                if self._desired(id) is None and self.world.by_owner.get(id)
            ]
            return ", ".join(still)
        domain = self.domains[record.id.domain].domain
        if domain is None or not self.world.complete:
            return "a first look at the engine"
        trouble = network_work(domain, self.world.networks)[1]
        for name in chunk.container.networks:
            if name in trouble:
                return self._object_trouble.get(f"network:{name}", trouble[name])
        volumes = used_volumes(chunk)
        if volumes:
            trouble = volume_work(domain, self.world.observed())[1]
            for name in sorted(volumes & trouble.keys()):
                return self._object_trouble.get(f"volume:{name}", trouble[name])
        return ""

    def _answered_all(self, record: ChunkRecord, chunk: Chunk) -> bool:
        if chunk.facts is FactsMode.NONE or not chunk.flowout:
            return False
        return all(
            key in record.own and record.own[key].tv is declared.tv for key, declared in chunk.flowout.items()
        )

    def _decide(self, id: ChunkId) -> None:
        record = self.chunks.get(id)
        if id.domain not in self.domains or (
            record is None and self._desired(id) is None and not self.world.of(id)
        ):
            return
        if record is None:
            record = self._chunk_record(id)
        self._attend(record)
        i = self._input(record)
        memory = planner.notice(i)
        if memory is not record.memory:
            self._remember(record, i, memory)
            i = replace(i, memory=memory)
        for ref, fact in answers(i, planner.cast(i), record.own, self.facts).items():
            before = self.facts.state(ref)
            given = before is not None and before.by == "rt_state" and fact.tv is TV.U
            if not given:
                self._answer(ref, fact, by=id.chunk)
        if i.chunk is None and not i.containers and record.busy is None:
            self._gone(record)
            return
        decision = planner.decide(i)
        self._show(record, decision)
        if decision.wake_at is not None and decision.wake_at != record.wake_at:
            record.wake_at = decision.wake_at
            heapq.heappush(self._timers, (decision.wake_at, id))
        if decision.work is not None and self.engine_up:
            self._begin(record, i, decision.work)

    def _begin(self, record: ChunkRecord, i: ChunkInput, work: Work) -> None:
        record.memory = planner.work_begins(i, work)
        if record.memory.attempts or i.memory.remedy is not Remedy.START:
            record.restarts += 1
        record.attempts_total += 1
        record.busy = (Reason(work.label), work.steps[0][1])
        record.busy_since = self.clock.monotonic()
        record.touched_at = record.busy_since
        self.recorder.journal(kind="work", chunk=record.id, reason=work.label, message=work.steps[0][1])
        self._executor.start(work)

    def _attend(self, record: ChunkRecord) -> None:
        """See to it that the run that counts is watched, and that what it leaves behind is read."""
        chunk = self._desired(record.id)
        if chunk is None:
            self._prober.drop(record.id)
            return
        if not self.engine_up or record.busy is not None:
            return
        main = planner.cast(self._input(record)).main
        if main is None or main.condition is not Condition.RUNNING:
            self._prober.drop(record.id)
            if main is not None and main.run and main.condition in (Condition.EXITED, Condition.DEAD):
                if record.ending is None or record.ending.run != main.run:
                    record.ending = Ending(main.run, main.exit_code, main.oom_killed)
                    self._read_output(record.id, main)
                if chunk.facts is not FactsMode.NONE and record.memory.counted_run != main.run:
                    self._read_own(record)
            return
        if record.health.run != main.run:
            record.health = Health(run=main.run, since=self.clock.monotonic())
            record.own = {}
            record.own_run = main.run
            if chunk.facts is not FactsMode.NONE:
                self._read_own(record)
        if chunk.health is None or chunk.health.type == "fact":
            return
        if chunk.health.type == "docker":
            self._take_dockers_word(record, chunk, main)
        else:
            self._prober.watch(record.id, main, chunk.health)
            self._prober.is_up(record.id, record.health.tv is TV.Y)

    def _take_dockers_word(self, record: ChunkRecord, chunk: Chunk, main: Container) -> None:
        """Docker has counted already; its word is taken as it is, when its event comes."""
        said = main.health or "none"
        tv = {"healthy": TV.Y, "unhealthy": TV.N}.get(said, TV.U)
        text = "the image has no HEALTHCHECK" if said == "none" else f"Docker says: {said}"
        if record.health.tv is not tv or record.health.message != text:
            record.health = replace(
                record.health,
                tv=tv,
                message=text,
                last_error="" if tv is TV.Y else text,
                failures=0 if tv is not TV.N else 1,
                last_at=self.clock.monotonic(),
            )

    def _read_own(self, record: ChunkRecord) -> None:
        chunk = self._desired(record.id)
        if self._runtime is None or chunk is None or chunk.facts is FactsMode.NONE:
            return
        said = self._runtime.read(record.id)
        strange = sorted(key for key in said.answers if key not in chunk.flowout)
        problems = (*said.problems, *(f"{key} is not one of the chunk's flowout facts; ignored" for key in strange))
        if problems != record.own_problems:
            record.own_problems = problems
            for problem in problems:
                self.recorder.journal(kind="facts", chunk=record.id, message=problem)
        record.own = {key: fact for key, fact in said.answers.items() if key in chunk.flowout}
        if chunk.health is not None and chunk.health.type == "fact":
            good = self._answered_all(record, chunk)
            bad = not good and all(key in record.own for key in chunk.flowout)
            tv = TV.Y if good else TV.N if bad else TV.U
            if record.health.tv is not tv and (tv is not TV.U or record.health.tv is TV.Y):
                text = "the container says so" if good else "the container says otherwise"
                record.health = replace(
                    record.health,
                    tv=tv,
                    message=text,
                    last_error="" if good else text,
                    failures=1 if bad else 0,
                    last_at=self.clock.monotonic(),
                )

    def _read_output(self, id: ChunkId, container: Container) -> None:
        async def read() -> None:
            try:
                output = await self.engine.last_output(container.id)
            except EngineError as error:
                log.debug("the last output of %s can't be read: %s", container.name, error)
                return
            self.post(OutputRead(id, container.run, output))

        task = asyncio.get_running_loop().create_task(read())
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)

    def _remember(self, record: ChunkRecord, i: ChunkInput, memory: Memory) -> None:
        failed = memory.attempts > record.memory.attempts
        record.memory = memory
        self.recorder.touch(record.id.domain)
        if failed:
            self.recorder.journal(kind="setback", chunk=record.id, message=memory.last_error)

    def _answer(self, ref: FactRef, fact: Pnr, *, by: str) -> None:
        before = self.facts.answer(ref, fact, by=by, at=self.clock.now())
        if before is None:
            return
        if ref.domain:
            self.recorder.touch(ref.domain)
        if not (before.fact.tv is TV.U and fact.tv is TV.U):
            self.recorder.fact_changed(ref, before.fact, fact, by)
        self._tell_askers(ref)

    def _tell_askers(self, ref: FactRef) -> None:
        for id in self.facts.askers(ref):
            self._mark(id)

    def _show(self, record: ChunkRecord, decision: Decision) -> None:
        """Move the machine to the verdict, and tell."""
        domain = self.domains[record.id.domain]
        reason, message, state = decision.reason, decision.message, decision.state
        if not self.engine_up:
            reason, message, state = Reason.ENGINE_UNAVAILABLE, self.engine_message, State(record.state)
        if domain.down and not self.world.of(record.id) and record.busy is None:
            reason, message = Reason.SUSPENDED, "taken down by a person; `pnr apply` brings it back"
        moved = State(record.state) is not state
        if moved:

            def step(trigger: str, source: State, destination: State) -> None:
                last = destination is state
                self.recorder.transition(
                    record.id,
                    trigger,
                    source,
                    destination,
                    reason if last else Reason.UPDATING,
                    message if last else "",
                )

            advance(record, state, step)
            record.since = self.clock.now()
        if moved or record.reason is not reason or record.message != message:
            record.reason = reason
            record.message = message
            self.recorder.touch(record.id.domain)

    def _gone(self, record: ChunkRecord) -> None:
        """Nothing of a chunk is left that was to go."""
        domain = self.domains[record.id.domain]
        self._mark_domain(domain.name)
        for need in self._needs_told(record.id):
            self._mark(need)
        self._prober.drop(record.id)
        declared = domain.domain is not None and record.id in domain.domain.by_id
        if domain.down and declared and not domain.gone:
            record.memory = intent_changed(replace(record.memory, proven_run="", job_generation=0))
            self._show(record, Decision(State.READY, Reason.SUSPENDED, ""))
            return
        if self._runtime is not None:
            self._runtime.forget(record.id)
        self.chunks.pop(record.id, None)
        self.recorder.touch(domain.name)

    def _decide_domain(self, name: str) -> None:
        """A domain's own objects: make the networks and volumes it needs, remove what it left."""
        record = self.domains.get(name)
        if record is None or not self.engine_up or not self.world.complete:
            return
        for id in self.world.owners(name):
            if id not in self.chunks:
                self._mark(id)
        wanted = record.wanted
        if wanted is not None:
            for work in (
                *network_work(wanted, self.world.networks)[0],
                *volume_work(wanted, self.world.observed())[0],
            ):
                self._begin_object(name, work)
            return
        if self.world.owners(name) or any(c.busy for id, c in self.chunks.items() if id.domain == name):
            return
        left = [
            Work(f"network:{n.name}", ((RemoveNetwork(n.name, name), "its domain is gone"),))
            for n in self.world.networks.values()
            if n.domain == name
        ]
        if record.volumes_too:
            left.extend(
                Work(f"volume:{v.name}", ((RemoveVolume(v.name, name), "a person asked for it"),))
                for v in self.world.volumes.values()
                if v.domain == name
            )
        for work in left:
            self._begin_object(name, work)
        if not left and record.gone and not any(key for key, d in self._object_busy.items() if d == name):
            self._forget_domain(record)

    def _begin_object(self, domain: str, work: Work) -> None:
        key = str(work.key)
        if key in self._object_busy or self._object_retry.get(key, 0.0) > self.clock.monotonic():
            return
        self._object_busy[key] = domain
        self._executor.start(work)

    def _forget_domain(self, record: DomainRecord) -> None:
        if any(id.domain == record.name for id in self.chunks):
            return
        for ref in [ref for ref in self.facts if ref.domain == record.name]:
            self.facts.forget(ref)
            self._tell_askers(ref)
        del self.domains[record.name]
        self.recorder.forget(record.name)
        self.recorder.journal(kind="intent", domain=record.name, message="removed")
        self._changed.set()


def _reason_of(error: EngineError) -> Reason:
    try:
        return Reason(error.code)
    except ValueError:
        return Reason.ENGINE_ERROR
