"""The loop: the one owner of intent, observation, facts and states.

Whatever happens reaches it as a message; a message changes what is known and marks whom it concerns. Then, always
in the same way: decide about everyone marked, begin what is to be done without waiting for it, and tell. Work in
flight is part of what is known (``busy``), so deciding twice never does twice. Deciding is pure and lives in
:mod:`reconciler.planner`; what runs beside the loop (executor, prober, watcher) only sends messages.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.controller import objects
from reconciler.controller.adoption import Adoption
from reconciler.controller.attention import Attention
from reconciler.controller.clock import Clock
from reconciler.controller.deciding import Decider
from reconciler.controller.executor import Executor
from reconciler.controller.images import Images
from reconciler.controller.intake import Intake
from reconciler.controller.known import Known
from reconciler.controller.prober import Prober
from reconciler.controller.protocols import Judge, ProbeMaker, RuntimeReader, Source
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import (
    Beat,
    EngineLost,
    EngineUp,
    FetchEnded,
    FetchSaid,
    ImagesSeen,
    LookNow,
    Message,
    OutputRead,
    Probed,
    RegistrySaid,
    RuntimeSaid,
    ScanTaken,
    SeenAll,
    SeenOne,
    StepDone,
    TakeDown,
    WorkDone,
    WorkProgress,
)
from reconciler.controller.tell import restore_chunks, snapshot_document, view
from reconciler.controller.watcher import Watcher
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable, Glimpse, Milestone, NotFound
from reconciler.facts import SYSTEM_READY, TV, Pnr
from reconciler.intent.model import ChunkId
from reconciler.lifecycle import Reason, State
from reconciler.planner import following
from reconciler.planner.actions import (
    EnsureImage,
    RemoveContainer,
    StartContainer,
)
from reconciler.planner.health import Health, fold, unanswered
from reconciler.planner.memory import intent_changed, set_back
from reconciler.planner.notice import step_told, work_failed
from reconciler.planner.observed import Container

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
        keep_down: Callable[[str], bool] | None = None,
    ) -> None:
        self.known = Known(clock, recorder)
        self.passes = 0
        self.version = 0
        self.source_read = False
        self.on_beat: Callable[[], None] = _nothing
        self._engine = engine
        self._source = source
        self._runtime = runtime
        self._inbox: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._executor = Executor(engine, self.post)
        self._prober = Prober(inside=engine, make=make_probe, clock=clock, post=self.post)
        self._images = Images(known=self.known, engine=engine, post=self.post, seed=seed)
        self._watcher = Watcher(
            engine=engine,
            clock=clock,
            post=self.post,
            steps_done=lambda: self.known.steps_done,
            put_off=self._put_off,
            images_changed=self._images.look_soon,
        )
        self._attention = Attention(
            known=self.known, prober=self._prober, engine=engine, runtime=runtime, post=self.post
        )
        self._decider = Decider(
            known=self.known,
            executor=self._executor,
            attention=self._attention,
            images=self._images,
            runtime=runtime,
            seed=seed,
        )
        self._adoption = Adoption(known=self.known, executor=self._executor, prober=self._prober)
        self.intake = Intake(domains=self.known.domains, judge=judge, recorder=recorder, keep_down=keep_down)
        recorder.attach(lambda name: snapshot_document(self.known, name))

    @property
    def first_pass_done(self) -> bool:
        """Whether the files and the engine were looked at once (or the engine was found not to answer)."""
        return self.source_read and self.known.engine_asked

    @property
    def idle(self) -> bool:
        """Whether no work is in flight and no message waits."""
        return not self._inbox and not self._executor.in_flight

    async def look_at_source(self) -> None:
        """Read the files again soon, even if nothing told of a change."""
        await self._source.look_now()

    def view(self) -> dict[str, Any]:
        """The document of ``pnr status --json``, as things stand now."""
        return view(
            self.known, self._images, self.intake.file_problems, ready=self.known.engine_up and self.source_read
        )

    # --- the loop -------------------------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Put a message to the loop. From the loop's thread only."""
        self._inbox.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Converge until cancelled. Containers are left as they are when it ends."""
        restored = self.known.recorder.load()
        self.intake.restore(restored)
        self.known.chunks.update(restore_chunks(restored, self.known.clock))
        for name, record in self.known.domains.items():
            # What was to go when the program ended still goes in its order: its last intent tells who needs whom.
            self._adoption.adopt(name, record.domain if record.wanted is None else None)
        tasks = [
            asyncio.create_task(self._read_source(), name="source"),
            asyncio.create_task(self._watcher.run(), name="watcher"),
            asyncio.create_task(self._images.run(), name="images"),
            asyncio.create_task(self.known.recorder.run(), name="recorder"),
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
            await self._images.close()
            await self._attention.close()
            await self._source.close()
            await self.known.recorder.flush()

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
            while self.known.changed_unseen:
                self._watcher.look_at(self.known.changed_unseen.pop())
            now = self.known.clock.monotonic()
            while self._decider.timers and self._decider.timers[0][0] <= now + 0.0005:
                _, id = heapq.heappop(self._decider.timers)
                self.known.mark(id)
            due = [key for key, at in self._decider.object_retry.items() if at <= now]
            for key in due:
                del self._decider.object_retry[key]
                self.known.dirty_domains.update(dict.fromkeys(self.known.domains))
            if self.known.dirty or self.known.dirty_domains:
                self.passes += 1
                self.known.revision += 1
                self._decider.converge()
                self._tell_change()

    async def _wait(self) -> None:
        if self._inbox:
            # Messages are waiting; still let everyone else run once.
            self._wake.clear()
            await asyncio.sleep(0)
            return
        due = [self._decider.timers[0][0]] if self._decider.timers else []
        due.extend(self._decider.object_retry.values())
        timer = None
        if due:
            delay = max(0.0, min(due) - self.known.clock.monotonic())
            timer = asyncio.get_running_loop().call_later(delay, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._wake.clear()

    async def changed(self, since: int) -> int:
        """The number of the newest change, once it is not ``since`` any more."""
        while self.version == since:
            await self._changed.wait()
        return self.version

    def _tell_change(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _take(self, message: Message) -> None:
        match message:
            case Beat():
                self.on_beat()
            case ScanTaken(scan):
                self._take_scan(scan)
            case EngineUp(info):
                self.known.engine_info = info
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
                record = self.known.chunks.get(id)
                if record is not None:
                    self._attention.read_own(record)
                    self.known.mark(id)
            case OutputRead():
                self._output_read(message)
            case ImagesSeen():
                self._images.seen(message)
            case RegistrySaid():
                self._registry_said(message)
            case FetchSaid():
                self._images.fetch_said(message)
            case FetchEnded():
                self._images.fetch_ended(message)
            case LookNow(only):
                self._look_now(only)
            case TakeDown(only, volumes):
                self._take_down(only, volumes)

    def _take_scan(self, scan: Any) -> None:
        changes = self.intake.take(scan, known=frozenset(self.known.facts))
        self.source_read = True
        for name, old in changes.items():
            self._adoption.adopt(name, old)
        for name in self.known.domains:
            self.known.mark_domain(name)
        self._tell_change()

    def _engine_lost(self, text: str) -> None:
        self.known.engine_asked = True
        self.known.engine_message = text
        if self.known.engine_up or self.known.facts.state(SYSTEM_READY) is None:
            self.known.recorder.journal(kind="engine", message=f"lost: {text}")
        self.known.engine_up = False
        self.known.answer(SYSTEM_READY, Pnr("is system ready?", ("no",), TV.N), by="pnr")
        self._prober.drop_all()
        for record in self.known.chunks.values():
            record.health = Health()
        self.known.mark_all()

    def _engine_is_up(self) -> None:
        if not self.known.engine_up:
            self.known.engine_up = True
            self.known.engine_message = ""
            self._images.look_soon()
            self.known.recorder.journal(kind="engine", message=f"{self.known.engine_info} answers")
            self.known.answer(SYSTEM_READY, Pnr("is system ready?", ("yes",), TV.Y), by="pnr")
            self.known.mark_all()

    def _seen_all(self, seen: SeenAll) -> None:
        def keep(container: Container) -> bool:
            stale = self._is_stale(container.owner, seen.asked)
            if stale:
                self._watcher.look_at(container.id)
            return stale

        world = self.known.world
        before = (world.networks, world.volumes)
        for container in world.replace(seen.observed, keep):
            self.known.concerns(container)
        if objects.keep_touched(self.known, seen.asked, *before):
            self._watcher.look_everywhere()
        if world.networks.keys() ^ before[0].keys() or world.volumes.keys() ^ before[1].keys():
            self.known.mark_all()
        self.known.engine_asked = True
        self._engine_is_up()
        for id, record in self.known.chunks.items():
            if record.state != State.COMPLETED:
                self.known.mark(id)
        for name in self.known.domains:
            self.known.mark_domain(name)

    def _seen_one(self, seen: SeenOne) -> None:
        known = self.known.world.containers.get(seen.container_id)
        either = seen.container or known
        owner = either.owner if either is not None else None
        if self._is_stale(owner, seen.asked):
            self._watcher.look_at(seen.container_id)
            return
        if seen.container is None:
            gone = self.known.world.drop(seen.container_id)
            if gone is not None:
                self.known.concerns(gone)
        else:
            self.known.put(seen.container)

    def _put_off(self, hint: Glimpse) -> bool:
        """Whether a hint is about what our own work is doing just now; it is looked at when that is done."""
        owner = hint.owner
        if owner is None and hint.container_id in self.known.world.containers:
            owner = self.known.world.containers[hint.container_id].owner
        record = self.known.chunks.get(owner) if owner is not None else None
        if record is None or record.busy is None or self._executor.is_fetching(record.id):
            return False
        record.put_off.add(str(hint.container_id))
        return True

    def _is_stale(self, owner: ChunkId | None, asked: int) -> bool:
        """Whether news may be from before our own last step on the chunk. It is then asked for again."""
        record = self.known.chunks.get(owner) if owner is not None else None
        return record is not None and record.touched > asked

    def _work_progress(self, key: ChunkId | str, reason: Reason | None, text: str) -> None:
        if isinstance(key, ChunkId):
            if isinstance(text, Milestone):
                self.known.recorder.journal(kind="image", chunk=key, message=str(text))
            record = self.known.chunks.get(key)
            if record is not None and record.busy is not None:
                record.busy = (reason or record.busy[0], str(text))
                self.known.mark(key)

    def _step_done(self, done: StepDone) -> None:
        key = done.key
        if isinstance(key, ChunkId):
            record = self.known.chunk_record(key)
            self.known.touch(record)
            if done.container is not None:
                if isinstance(done.action, StartContainer):
                    record.started_run = done.container.run
                self.known.put(done.container)
                record.memory = step_told(record.memory, done.action, done.container)
                for warning in done.container.warnings:
                    self.known.recorder.journal(kind="warning", chunk=key, message=f"the engine warns: {warning}")
            elif isinstance(done.action, RemoveContainer):
                cid = self.known.world.by_name.get(done.action.name)
                gone = self.known.world.drop(cid) if cid is not None else None
                if gone is not None:
                    self.known.concerns(gone)
            if isinstance(done.action, EnsureImage):
                self._images.touched(done.action.image)  # what it did is told by its milestones
            else:
                self.known.recorder.journal(kind="action", chunk=key, message=done.action.describe())
            self.known.mark(key)
            self.known.mark_domain(key.domain)
            for need in self.known.needs_told(key):
                self.known.mark(need)
            return
        domain = objects.step_done(self.known, key, done.action)
        if domain is not None:
            self.known.recorder.journal(kind="action", domain=domain, message=done.action.describe())

    def _work_done(self, done: WorkDone) -> None:
        if isinstance(done.key, str):
            domain = self._decider.object_busy.pop(done.key, "")
            if done.error is not None:
                self.known.object_trouble[done.key] = str(done.error)
                self._decider.object_retry[done.key] = self.known.clock.monotonic() + OBJECT_RETRY_SECONDS
                self.known.networks_left.pop(done.key.removeprefix("network:"), None)
                self._watcher.look_everywhere()
            else:
                self.known.object_trouble.pop(done.key, None)
            for id in list(self.known.chunks):
                if id.domain == domain:
                    self.known.mark(id)
            self.known.mark_domain(domain)
            return
        record = self.known.chunk_record(done.key)
        record.busy = None
        self.known.touch(record)
        for container_id in record.put_off:
            self._watcher.look_at(container_id)
        record.put_off.clear()
        self.known.mark(done.key)
        self.known.mark_waiting_copies(done.key)
        self.known.mark_domain(done.key.domain)
        if done.error is None:
            return
        self._watcher.look_everywhere()
        if isinstance(done.error, NotFound):
            # What we wanted to act on is gone: look, and decide anew. Counted, so that it can't spin.
            gone = str(done.error)
            now = self.known.clock.monotonic()
            record.memory = set_back(
                record.memory, now=now, jitter=0.5, error=gone, failure=None, remedy=record.memory.remedy
            )
            return
        if isinstance(done.error, EngineUnavailable):
            record.memory = replace(record.memory, not_before=self.known.clock.monotonic() + 0.2)
            return
        reason = _reason_of(done.error)
        record.memory = work_failed(self._decider.input_of(record), reason, str(done.error))
        self.known.recorder.journal(kind="error", chunk=done.key, reason=reason, message=str(done.error))

    def _probed(self, probed: Probed) -> None:
        record = self.known.chunks.get(probed.id)
        chunk = self.known.desired(probed.id)
        if record is None or chunk is None or chunk.health is None or record.health.run != probed.run:
            return
        before, now, result = record.health, self.known.clock.monotonic(), probed.result
        if result.is_known:
            record.health = fold(
                before, chunk.health, ok=result.ok, message=result.message, now=now, counts=probed.counts
            )
        else:
            record.health = unanswered(before, result.message, now)
        if record.health.tv is not before.tv:
            self._prober.is_up(probed.id, record.health.tv is TV.Y)
            self.known.mark(probed.id)
        elif record.health.message != before.message or record.state != State.COMPLETED:
            self.known.mark(probed.id)

    def _output_read(self, read: OutputRead) -> None:
        record = self.known.chunks.get(read.id)
        if record is None or record.ending is None or record.ending.run != read.run:
            return
        record.ending = replace(record.ending, output=read.output)
        failure = record.memory.failure
        if failure is not None and record.memory.counted_run == read.run and read.output.strip():
            text = f"{failure.message}; it said: {read.output.strip()[-600:]}"
            record.memory = replace(record.memory, failure=replace(failure, message=text), last_error=text)
        self.known.mark(read.id)

    def _look_now(self, only: tuple[str, ...]) -> None:
        for name, record in self.known.domains.items():
            if only and name not in only:
                continue
            if record.down:
                record.down = False
                record.volumes_too = False
                self._adoption.adopt(name, None)
            for id, chunk in self.known.chunks.items():
                # A person's word counts like a changed intent: setbacks and rolled-back updates are tried anew.
                asked_for = chunk.state == State.FAILED or chunk.memory.not_before is not None
                wanted = self.known.desired(id)
                if wanted is not None and following.rejected_image(chunk.memory) and self._images.question(wanted):
                    continue  # a rejected image is tried again when it is known that there is no newer one
                if id.domain == name and asked_for and chunk.busy is None:
                    chunk.memory = intent_changed(chunk.memory)
                if id.domain == name and wanted is not None:
                    own = self.known.world.of(id)
                    chunk.memory = following.by_request(wanted, chunk.memory, self._images.news(wanted), own)
        self._images.ask_now(only)
        self._watcher.look_everywhere()
        self.known.mark_all()

    def _registry_said(self, said: RegistrySaid) -> None:
        """A registry has answered. Where a person waits for it and there is nothing newer than what was rejected, that
        is tried again."""
        for id in self._images.registry_said(said):
            record, chunk = self.known.chunks.get(id), self.known.desired(id)
            if record is None or chunk is None or record.busy is not None:
                continue
            if following.rejected_image(record.memory) and not following.newer(chunk, self._images.news(chunk)):
                record.memory = intent_changed(record.memory)

    def _take_down(self, only: tuple[str, ...], volumes: bool) -> None:
        for name, record in list(self.known.domains.items()):
            if only and name not in only:
                continue
            self.known.recorder.journal(kind="intent", domain=name, message="taken down by a person")
            old = record.wanted
            record.down = True
            record.held = ""
            record.volumes_too = volumes
            self._adoption.adopt(name, old)
        self.known.mark_all()


def _nothing() -> None:
    """Nobody wants a sign of life."""


def _reason_of(error: EngineError) -> Reason:
    try:
        return Reason(error.code)
    except ValueError:
        return Reason.ENGINE_ERROR
