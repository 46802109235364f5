"""Sees to it that the run of a container that counts is watched, and that what it leaves behind is read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from reconciler.controller.loop_state import LoopState
from reconciler.controller.prober import Prober
from reconciler.controller.protocols import RuntimeReader
from reconciler.controller.records import ChunkRecord, Ending, Message, OutputRead, Probed
from reconciler.engine.protocol import Engine, EngineError
from reconciler.facts import TV
from reconciler.intent.model import DOCKER_CHECK, FACT_CHECK, Chunk, ChunkId, FactsMode
from reconciler.intent.settings.references import containers_shared
from reconciler.planner import crash_loop
from reconciler.planner.gist import gist
from reconciler.planner.health import Health, asked_anew, fold, judged, reached_through, unanswered, without_lost
from reconciler.planner.observed import Condition, Container
from reconciler.probes.protocol import WITHOUT_HEALTHCHECK
from reconciler.sentences import advised
from reconciler.states import State

MOST_OUTPUT_BYTES = 4096
MOST_OUTPUT_LINES = 20
_MOST_STRANGE = 20
_SAID = "; it said: "
_NETWORK = "network_mode"

log = logging.getLogger("pnr.controller")

ENDINGS = (Condition.EXITED, Condition.DEAD, Condition.RESTARTING)


class Monitor:
    """What is asked of, and read from, the containers that count."""

    def __init__(
        self,
        *,
        known: LoopState,
        prober: Prober,
        engine: Engine,
        runtime: RuntimeReader | None,
        post: Callable[[Message], None],
    ) -> None:
        self._state = known
        self._prober = prober
        self._engine = engine
        self._runtime = runtime
        self._post = post
        self._side_tasks: set[asyncio.Task[None]] = set()
        self._being_read: set[ChunkId] = set()

    async def close(self) -> None:
        """Stop reading."""
        for task in self._side_tasks:
            task.cancel()
        await asyncio.gather(*self._side_tasks, return_exceptions=True)

    def forget(self, id: ChunkId) -> None:
        """A chunk is gone: ask it no more."""
        self._prober.drop(id)

    def attend(self, record: ChunkRecord, chunk: Chunk, main: Container | None) -> None:
        """See to it that the run that counts (``main``) is watched, and that what it leaves behind is read."""
        if main is None or main.condition is not Condition.RUNNING:
            self._prober.drop(record.id)
            if main is not None and main.condition is Condition.PAUSED and main.run == record.health.run:
                record.health = asked_anew(record.health, self._state.clock.monotonic())
            if main is not None and main.run and main.condition in ENDINGS:
                stopped_by_us = record.memory.stopped_run == main.run
                if stopped_by_us:
                    record.ending = None  # how it ended tells of our own stop, not of it
                elif not _is_read(record.ending, main.run):
                    self._take_ending(record, main)
                if chunk.facts is not FactsMode.NONE and record.memory.counted_run != main.run:
                    self.read_own(record)
            return
        if main.restarts:
            self._read_unseen_end(record, main)
        reached = self._as_reached(chunk, main)
        reach = frozenset(f"{network} {address}" for network, address in reached.networks.items())
        if record.health.run != main.run:
            since, began = self._since(record, main), self._began(record, main)
            record.health = Health(main.run, main.id, since, networks=reach, began=began)
            record.own = {}
            if chunk.facts is not FactsMode.NONE:
                self.read_own(record)
        seen_at = min(self._state.world.seen_at(id) for id in (main.id, *self._state.sharing(chunk)))
        if record.health.seen_at != seen_at:
            record.health = replace(record.health, seen_at=seen_at)
        record.health = reached_through(record.health, reach, self._state.clock.monotonic())
        if chunk.health is None or chunk.health.type == FACT_CHECK:
            return
        if chunk.health.type == DOCKER_CHECK:
            self._take_dockers_word(record, main)
        else:
            self._prober.watch(record.id, reached, chunk.health)
            self._prober.is_up(record.id, _needs_no_haste(record))

    def _read_unseen_end(self, record: ChunkRecord, main: Container) -> None:
        """The engine has started it again before its end was seen: what it printed is still there, how it ended not."""
        if record.health.container == main.id:
            run = record.health.run
        elif crash_loop.is_new(record.memory, main, self._state.clock.monotonic()):
            run = ""  # it ended before it was looked at for the first time
        else:
            return
        if run != main.run and main.finished is not None and not _is_read(record.ending, run):
            self._take_ending(record, replace(main, run=run, began=None, exit_code=None, oom_killed=False))

    def _take_ending(self, record: ChunkRecord, ended: Container) -> None:
        """Keep how a run ended, and read what it printed last; until that is known, what was known before stays."""
        before = record.ending if record.ending is not None and record.ending.container == ended.id else None
        record.ending = Ending(
            ended.run,
            ended.exit_code,
            ended.oom_killed,
            container=ended.id,
            finished=ended.finished,
            restarts=ended.restarts,
            earlier=(before.output or before.earlier) if before is not None else "",
        )
        # Where ends in between were not seen, it is not known when the run just before this one ended.
        follows = before is not None and ended.restarts in (0, before.restarts, before.restarts + 1)
        last = before.finished if before is not None and follows else None
        # No other run of it can have printed anything before its first.
        self._read_output(record.id, ended, 0.0 if ended.run == record.first_run else last)

    def _began(self, record: ChunkRecord, main: Container) -> float:
        """When a run began. One that was there when we first looked (or looked again) has run for as long as the engine
        says; of others we saw the beginning, whatever the engine's clock says."""
        now = self._state.clock.monotonic()
        if main.began is None or record.health.run or main.run == record.started_run:
            return now
        return now - max(0.0, self._state.clock.now().timestamp() - main.began)

    def _since(self, record: ChunkRecord, main: Container) -> float:
        """Since when a new run counts. What the engine starts again by itself (its restart policy) before it was ever
        up is no new attempt: otherwise one that crashes again and again would never reach its deadline."""
        before = record.health
        again = before.container == main.id and main.run != record.started_run
        if again and record.memory.proven_run != before.run and not record.memory.looping:
            return before.since
        return self._state.clock.monotonic()

    def _as_reached(self, chunk: Chunk, main: Container) -> Container:
        """The container with the addresses under which it is reached: it may share those of another, which may do the
        same."""
        at, seen = main, {main.id}
        name = containers_shared(chunk.container.settings).get(_NETWORK)
        while name is not None:
            other = self._state.world.named(name)
            if other is None or other.id in seen:
                break
            at = other
            seen.add(other.id)
            its = self._state.desired(other.owner) if other.owner is not None else None
            name = containers_shared(its.container.settings).get(_NETWORK) if its is not None else None
        return main if at is main else replace(main, networks=at.networks, published=at.published)

    def _take_dockers_word(self, record: ChunkRecord, main: Container) -> None:
        """Docker has counted already; its word is taken as it is, when its event comes."""
        said = main.health or "none"
        tv = {"healthy": TV.Y, "unhealthy": TV.N}.get(said, TV.U)
        text = WITHOUT_HEALTHCHECK if said == "none" else f"Docker says: {said}"
        if tv is not TV.Y and main.health_output:
            text = advised(
                f"{text}; its check printed: {main.health_output}",
                "correct what its check found, or the `healthcheck` itself",
            )
        if record.health.tv is not tv or record.health.message != text:
            before, now = record.health, self._state.clock.monotonic()
            after = replace(
                before,
                tv=tv,
                message=text,
                last_error="" if tv is TV.Y else text,
                failures=0 if tv is not TV.N else 1,
                last_at=now,
            )
            record.health = judged(before, after, now)

    def probed(self, probed: Probed) -> None:
        """A probe has answered."""
        record = self._state.chunks.get(probed.id)
        chunk = self._state.desired(probed.id)
        if record is None or chunk is None or chunk.health is None or record.health.run != probed.run:
            return
        before, now, result = record.health, self._state.clock.monotonic(), probed.result
        if not result.ok and probed.asked < before.anew_at:
            return
        if result.ok:
            before = replace(before, good_at=probed.asked)
        if result.is_known:
            record.health = fold(
                before, chunk.health, ok=result.ok, message=result.message, now=now, counts=probed.counts
            )
        else:
            record.health = unanswered(before, result.message, now)
        record.health = without_lost(judged(before, record.health, now), probed.lost, now)
        if record.health.tv is not before.tv:
            self._prober.is_up(probed.id, _needs_no_haste(record))
            self._state.mark(probed.id)
        elif record.health.message != before.message or record.state != State.COMPLETED:
            self._state.mark(probed.id)

    def output_read(self, read: OutputRead) -> None:
        """What a container said last was read."""
        if read.id in self._being_read:
            self._being_read.discard(read.id)
            self._state.mark(read.id)
        record = self._state.chunks.get(read.id)
        if record is None or record.ending is None or record.ending.container != read.container or read.output is None:
            return
        text, printed_at = read.output.text, read.output.printed_at
        if printed_at is not None and (record.ending.finished is None or record.ending.finished < printed_at):
            record.ending = replace(record.ending, finished=printed_at)
        is_its_own = read.output.is_its_own and record.ending.run == read.run
        if is_its_own:
            record.ending = replace(record.ending, output=text)
        else:
            # The next run may have ended before what this one printed was read.
            record.ending = replace(record.ending, earlier=text or record.ending.earlier)
        said = gist(text)
        if said and _SAID not in record.memory.last_error:
            self._tell_said(record, read, said, is_its_own)
        self._state.mark(read.id)

    def _tell_said(self, record: ChunkRecord, read: OutputRead, said: str, is_its_own: bool) -> None:
        """An end that is told of is told with what was printed; so is one that nobody saw, with what is known of it."""
        m = record.memory
        is_counted = is_its_own and m.counted_run == read.run
        is_unseen = m.runs_of == read.container and bool(m.runs) and m.runs[-1].code is None
        is_doubtful = not is_its_own and m.counted_run == read.run  # when the run before it ended was not seen
        if not is_counted and not is_unseen and not is_doubtful:
            return
        whose = "it" if is_its_own else "one of its runs"
        self._state.recorder.journal(kind="output", chunk=record.id, message=f"{whose} said last: {said}")
        if is_counted or (is_its_own and m.last_error):
            text, failure = f"{m.last_error}{_SAID}{said}", m.failure
            if failure is not None and (is_counted or failure.message == m.last_error):
                failure = replace(failure, message=text)
            record.memory = replace(m, failure=failure, last_error=text)

    def is_reading(self, id: ChunkId) -> bool:
        """Whether the last output of a container of the chunk is being read: with the container it would be gone."""
        return id in self._being_read

    def read_own(self, record: ChunkRecord) -> None:
        chunk = self._state.desired(record.id)
        if self._runtime is None or chunk is None or chunk.facts is FactsMode.NONE:
            return
        said = self._runtime.read(record.id)
        strange = sorted(key for key in said.answers if key not in chunk.flowout)[:_MOST_STRANGE]
        problems = (*said.problems, *(f"{key} is not one of the chunk's flowout facts; ignored" for key in strange))
        if problems != record.own_problems:
            record.own_problems = problems
            for problem in problems:
                self._state.recorder.journal(kind="facts", chunk=record.id, message=problem)
        record.own = {key: fact for key, fact in said.answers.items() if key in chunk.flowout}
        if chunk.health is not None and chunk.health.type == FACT_CHECK:
            good = self.answered_all(record, chunk)
            bad = not good and all(key in record.own for key in chunk.flowout)
            tv = TV.Y if good else TV.N if bad else TV.U
            if record.health.tv is not tv and (tv is not TV.U or record.health.tv is TV.Y):
                text = "the container says so" if good else "the container says otherwise"
                before, now = record.health, self._state.clock.monotonic()
                after = replace(
                    before,
                    tv=tv,
                    message=text,
                    last_error="" if good else text,
                    failures=1 if bad else 0,
                    last_at=now,
                )
                record.health = judged(before, after, now)

    def answered_all(self, record: ChunkRecord, chunk: Chunk) -> bool:
        if chunk.facts is FactsMode.NONE or not chunk.flowout:
            return False
        return all(key in record.own and record.own[key].tv is declared.tv for key, declared in chunk.flowout.items())

    def _read_output(self, id: ChunkId, container: Container, after: float | None) -> None:
        """Read what the run that ended printed last, and nothing of the runs before: those ended ``after`` (Unix time;
        None: not known)."""

        async def read() -> None:
            output = None
            try:
                output = await self._engine.output_of_run(container, after, MOST_OUTPUT_BYTES)
                output = replace(output, text="\n".join(output.text.splitlines()[-MOST_OUTPUT_LINES:]))
            except EngineError as error:
                log.debug("the last output of %s can't be read: %s", container.name, error)
            self._post(OutputRead(id, container.id, container.run, output))

        self._being_read.add(id)
        task = asyncio.get_running_loop().create_task(read())
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)


def _is_read(ending: Ending | None, run: str) -> bool:
    """Whether what a run left behind is known, or on its way; what was restored may lack it."""
    return ending is not None and ending.run == run and bool(ending.container or ending.output is not None)


def _needs_no_haste(record: ChunkRecord) -> bool:
    """Whether it is up and stays so as far as anybody knows; one in a crash loop has to answer well until it is."""
    return record.health.tv is TV.Y and not record.memory.looping
