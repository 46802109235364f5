"""The loop: the one owner of intent, observation, facts and states.

Whatever happens reaches it as a message; a message changes what is known and marks whom it concerns. Then, always
in the same way: decide about everyone marked, begin what is to be done without waiting for it, and tell. Work in
flight is part of what is known (``busy``), so deciding twice never does twice. Deciding is pure and lives in
:mod:`reconciler.planner`; what runs beside the loop (executor, prober, watcher) only sends messages.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import Any

from reconciler.controller.clock import Clock
from reconciler.controller.commands import Commands
from reconciler.controller.desired_state import DesiredState
from reconciler.controller.domain_leases import DomainLeases
from reconciler.controller.executor import Executor
from reconciler.controller.file_judging import FileJudging
from reconciler.controller.host_files import HostFiles
from reconciler.controller.image_state import Images
from reconciler.controller.intake import Intake
from reconciler.controller.loop_state import LoopState
from reconciler.controller.monitoring import Monitor
from reconciler.controller.observing import Observations
from reconciler.controller.outcomes import Outcomes
from reconciler.controller.prober import Prober
from reconciler.controller.protocols import Judge, Leases, ProbeMaker, RuntimeReader, Source
from reconciler.controller.reconciling import Reconciler
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import (
    Beat,
    ConfirmRemoval,
    EngineLost,
    EngineUp,
    FetchEnded,
    FetchSaid,
    FilesSeen,
    ImagesSeen,
    JudgeAgain,
    LookNow,
    Message,
    OutputRead,
    Probed,
    RegistrySaid,
    RuntimeSaid,
    ScanJudged,
    ScanTaken,
    SeenAll,
    SeenOne,
    StepDone,
    StreamDropped,
    TakeDown,
    WorkDone,
    WorkProgress,
)
from reconciler.controller.shared_objects import SharedObjects
from reconciler.controller.snapshots import restore_chunks, restore_networks, snapshot_document
from reconciler.controller.status_parts import FilesTold
from reconciler.controller.status_view import at_once, view
from reconciler.controller.telling_chunks import ChunksTold
from reconciler.controller.watcher import Watcher
from reconciler.controller.work import FEWEST_AT_ONCE, MOST_AT_ONCE, Steps
from reconciler.engine.protocol import Engine
from reconciler.intent.model import ChunkId, Domain
from reconciler.probes.reach import OfHost, of_host
from reconciler.states import State

VIEW_AT_ONCE_SECONDS = 0.02
STEPS_A_LOOK = 10
"""After so many steps of a view it is looked at the clock; each takes 0.1 ms at most."""


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
        leases: Leases | None = None,
        keep_down: Callable[[str], bool] | None = None,
        lending: SharedObjects | None = None,
        may_take_up: Callable[[str, str], bool] | None = None,
        make_executor: Callable[[Engine, Callable[[Message], None]], Executor] = Executor,
        is_of_host: OfHost = of_host,
    ) -> None:
        self._lending = lending or SharedObjects()
        self.known = LoopState(clock, recorder)
        self.passes = 0
        self.version = 0
        self.source_read = False
        self.on_beat: Callable[[], None] = _nothing
        self._engine = engine
        self._source = source
        self._runtime = runtime
        self._files_told = FilesTold()
        self._chunks_told = ChunksTold()
        self._has_more = False
        self._is_at_it = False
        self._asking = 0  # how many views are being made for somebody
        self._inbox: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._executor = make_executor(engine, self.post)
        self._prober = Prober(
            inside=engine, ping=engine.ping, make=make_probe, clock=clock, post=self.post, is_of_host=is_of_host
        )
        self._images = Images(
            known=self.known, engine=engine, post=self.post, seed=seed, may_take_up=may_take_up or _nobodys
        )
        self._observations = Observations(
            known=self.known, executor=self._executor, prober=self._prober, images=self._images
        )
        self._watcher = Watcher(
            engine=engine,
            clock=clock,
            post=self.post,
            steps_done=lambda: self.known.steps_done,
            put_off=self._observations.is_put_off,
            images_changed=self._images.look_soon,
            told_to_end=self._observations.told_to_end,
        )
        self._monitor = Monitor(known=self.known, prober=self._prober, engine=engine, runtime=runtime, post=self.post)
        self._decider = Reconciler(
            known=self.known,
            executor=self._executor,
            attention=self._monitor,
            prober=self._prober,
            images=self._images,
            runtime=runtime,
            seed=seed,
            on_forgotten=lambda: self.post(JudgeAgain()),
        )
        self._desired = DesiredState(known=self.known, executor=self._executor, prober=self._prober)
        self._leases = DomainLeases(known=self.known, leases=leases)
        self._outcomes = Outcomes(known=self.known, decider=self._decider, images=self._images, watcher=self._watcher)
        self._commands = Commands(known=self.known, adoption=self._desired, images=self._images, watcher=self._watcher)
        self._host_files = HostFiles(known=self.known, engine=engine, post=self.post, changed=self.changed)
        self.intake = Intake(
            domains=self.known.domains,
            judge=judge,
            recorder=recorder,
            clock=clock,
            stirred_at=source.stirred_at,
            keep_down=keep_down,
        )
        self._judging = FileJudging(judge=judge, intake=self.intake, post=self.post)
        self._last_look: asyncio.Task[None] | None = None
        recorder.attach(lambda name: snapshot_document(self.known, name))

    @property
    def first_pass_done(self) -> bool:
        """Whether the files and the engine were looked at once (or the engine was found not to answer)."""
        return self.source_read and self.known.engine_asked

    @property
    def idle(self) -> bool:
        """Whether no work is in flight and no message waits."""
        at_it = self._inbox or self._is_at_it or self._has_more
        return not at_it and not self._executor.in_flight and not self._judging.is_at_work

    def is_at_work_on(self, names: Collection[str]) -> bool:
        """Whether work on these domains is in flight, or a message waits that may begin some. Others may be worked on,
        and files judged."""
        if self._inbox or self._is_at_it or self._has_more:
            return True
        busy = self._decider.object_busy
        return any((key.domain if isinstance(key, ChunkId) else busy.get(key)) in names for key in self._executor.keys)

    async def look_at_source(self) -> None:
        """Read the files again, even if nothing told of a change, and take in what they say. That takes as long as they
        can't be had, as while git is at work (``known.files_wait`` then says so)."""
        before = self._judging.seen
        await self._source.look_now()
        while self._judging.taken <= before:
            await self._changed.wait()

    async def look_now(self, only: tuple[str, ...]) -> None:
        """Do as a person asks (:class:`LookNow`), until a look at the engine that began after this was taken in, or the
        engine does not answer."""
        before = self._watcher.looks_begun
        await self._host_files.settle()
        self.post(LookNow(only))
        while self._observations.newest <= before and self.known.engine_up:
            await self._changed.wait()

    def policy_said(self, text: str) -> None:
        """What people should know of the policy's file; "" where it is as it was read."""
        self.known.take_policy_remark(text)
        self._tell_change()

    def write_state_again(self) -> None:
        """The state directory has lost what it held: write all of it."""
        self.known.recorder.write_again()
        self.known.recorder.touch_folder()
        for name in self.known.domains:
            self.known.recorder.touch(name)

    def view(self) -> dict[str, Any]:
        """The document of ``pnr status --json``, as things stand now."""
        return at_once(self._view())

    async def view_in_turns(self, only: Collection[str] = (), *, in_passing: bool = False) -> dict[str, Any]:
        """The same, of the domains named in ``only`` or of all, made in several turns where it takes a while: of each
        chunk as things stood at some time of it. ``in_passing``: nobody waits for it, so the work goes on beside it as
        always."""
        with nullcontext() if in_passing else self.answering():
            begun, making = time.thread_time(), self._view(only)
            for number in count(1):
                try:
                    next(making)
                except StopIteration as made:
                    document: dict[str, Any] = made.value
                    return document
                # To ask for the time takes as long as a step.
                if number % STEPS_A_LOOK == 0 and time.thread_time() - begun > VIEW_AT_ONCE_SECONDS:
                    await asyncio.sleep(0)
                    begun = time.thread_time()
            raise AssertionError("a view comes to its end")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody waits for an answer, less is done in each turn: the answer takes several."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1

    def _view(self, only: Collection[str] = ()) -> Generator[int, None, dict[str, Any]]:
        return view(
            self.known,
            self._images,
            self.intake.file_errors,
            self.intake.said,
            self._files_told,
            self._chunks_told,
            ready=self.known.engine_up and self.source_read,
            only=only,
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
        chunks = restore_chunks(restored, self.known.clock)
        for chunk in chunks:
            self.known.remember(chunk)
        self._decider.begun_before(chunk.id.domain for chunk in chunks if chunk.state != State.COMPLETED)
        self.known.network_changes.update(restore_networks(restored, self.known.clock))
        self._lending.take(self.known.domains.values())
        # What was to go when the program ended still goes in its order: its last intent tells who needs whom.
        self._desired.adopt(
            {name: one.domain if one.wanted is None else None for name, one in self.known.domains.items()}
        )
        tasks = [
            asyncio.create_task(self._read_source(), name="source"),
            asyncio.create_task(self._watcher.run(), name="watcher"),
            asyncio.create_task(self._images.run(), name="images"),
            asyncio.create_task(self._host_files.run(), name="host files"),
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
            await self._judging.close()
            await self._prober.close()
            await self._executor.close()
            await self._images.close()
            await self._monitor.close()
            if self._last_look is not None:
                self._last_look.cancel()
                await asyncio.gather(self._last_look, return_exceptions=True)
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
            self._is_at_it = False
            await self._wait()
            self._is_at_it = True
            await self._take_all()
            self._leases.see_to_it()
            self._look_at_unseen()
            now = self.known.clock.monotonic()
            while self._decider.timers and self._decider.timers[0][0] <= now + 0.0005:
                self._decider.ring(heapq.heappop(self._decider.timers)[1])
            for times in (self._decider.object_retry, self._decider.object_due):
                over = [key for key, at in times.items() if at <= now]
                for key in over:
                    del times[key]
                self.known.dirty_domains.update(dict.fromkeys(self.known.domains if over else ()))
            removal = self.intake.removals.due()
            if removal is not None and removal <= now and not self._judging.is_at_work:
                # What is judged is what there is now, not what was told last.
                self.intake.removals.asked()
                self._last_look = asyncio.create_task(self._source.look_now(), name="look before removal")
            if self.known.freed:
                self.known.retry_blocked()
            if self.known.dirty or self.known.dirty_domains:
                self.passes += 1
                self._has_more = self._decider.converge(FEWEST_AT_ONCE if self._asking else MOST_AT_ONCE)
                self._look_at_unseen()
                self._tell_change()

    async def _take_all(self) -> None:
        """Take the messages that there are, so many in a turn."""
        taken = 0
        while self._inbox:
            await self._take(self._inbox.popleft())
            taken += 1
            if taken % MOST_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _in_turns(self, steps: Steps) -> None:
        """Do what nothing may come between but answers: what is known is not whole before it is done."""
        self.known.recorder.hold()
        try:
            done = 0
            for work in steps:
                done += work
                if done >= MOST_AT_ONCE:
                    done = 0
                    await asyncio.sleep(0)
        finally:
            for _ in steps:
                pass  # when the program ends what is written down must be whole
            self.known.recorder.go_on()

    def _look_at_unseen(self) -> None:
        while self.known.changed_unseen:
            self._watcher.look_at(self.known.changed_unseen.pop())
        if self.known.all_unseen:
            self.known.all_unseen = False
            self._watcher.look_everywhere()

    async def _wait(self) -> None:
        if self._inbox or self._has_more:
            # There is something to do; still let everyone else run once.
            self._wake.clear()
            await asyncio.sleep(0)
            return
        due = [self._decider.timers[0][0]] if self._decider.timers else []
        due.extend((*self._decider.object_retry.values(), *self._decider.object_due.values()))
        removal = None if self._judging.is_at_work else self.intake.removals.due()
        due.extend([removal] if removal is not None else [])
        if self._leases.due is not None:
            due.append(self._leases.due)
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

    async def _take(self, message: Message) -> None:
        match message:
            case Beat():
                self.on_beat()
            case ScanTaken(scan):
                self.known.take_remarks(scan.waits, scan.remarks)
                if scan.waits:
                    self._tell_change()
                else:
                    self._judging.take(scan)
            case ScanJudged():
                changes = self._judging.judged(message)
                if changes is not None:
                    await self._adopt(changes)
                    self.source_read = True
                    self._tell_change()
            case JudgeAgain():
                self._judging.again()
            case EngineUp(info):
                self.known.engine_info = info
            case EngineLost(text):
                self._observations.engine_lost(text)
                self._tell_change()
            case StreamDropped(text):
                self._observations.stream_dropped(text)
            case SeenAll():
                self._observations.all(message, self._watcher)
                self._tell_change()
            case SeenOne():
                self._observations.one(message, self._watcher)
            case WorkProgress(key, reason, text):
                self._outcomes.progress(key, reason, text)
            case StepDone():
                self._outcomes.step_done(message)
            case WorkDone():
                self._outcomes.work_done(message)
            case Probed():
                self._monitor.probed(message)
            case RuntimeSaid(id):
                record = self.known.chunks.get(id)
                if record is not None:
                    self._monitor.read_own(record)
                    self.known.mark(id)
            case OutputRead():
                self._monitor.output_read(message)
            case ImagesSeen():
                self._commands.images_seen(message)
            case RegistrySaid():
                self._commands.registry_said(message)
            case FetchSaid():
                self._images.fetch_said(message)
            case FetchEnded():
                self._images.fetch_ended(message)
            case LookNow(only):
                self._leases.ask_again(only)
                await self._in_turns(self._commands.bring_up(only))
                self._commands.look_now(only)
            case FilesSeen(news):
                self.known.take_files(news)
            case TakeDown(only, volumes):
                held, steps = self._commands.take_down(only, volumes)
                await self._in_turns(steps)
                self.known.mark_all()
                if held:
                    await self._adopt(self.intake.confirm(held))
            case ConfirmRemoval(only):
                await self._adopt(self.intake.confirm(only))

    async def _adopt(self, changes: Mapping[str, Domain | None]) -> None:
        is_lent_anew = self._lending.take(self.known.domains.values())
        if is_lent_anew:
            self.known.retry_refused()
        if is_lent_anew or changes:
            self._decider.object_retry.clear()
        await self._in_turns(self._desired.in_steps(changes))
        for name in self.known.domains:
            self.known.mark_domain(name)
        self._tell_change()


def _nobodys(image: str, domain: str) -> bool:
    """Where no policy says otherwise, what another domain has built is not taken up."""
    return False


def _nothing() -> None:
    """Nobody wants a sign of life."""
