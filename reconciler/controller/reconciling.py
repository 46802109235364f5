"""Decides about everyone who is marked, begins what is to be done, and tells. The only one who moves machines."""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf

from reconciler.controller import network_memory
from reconciler.controller.executor import Executor
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.monitoring import Monitor
from reconciler.controller.preconditions import Preconditions
from reconciler.controller.prober import Prober
from reconciler.controller.protocols import RuntimeReader
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.controller.restart_budget import RestartBudget
from reconciler.controller.situations import Situations, with_drift
from reconciler.controller.stalls import waits_for_a_change
from reconciler.controller.still_wanted import chunk_is_wanted, object_is_wanted
from reconciler.controller.work import ENTRIES_A_CHUNK, MOST_AT_ONCE, work_of
from reconciler.engine.protocol import EngineError
from reconciler.facts import TV
from reconciler.intent.model import Chunk, ChunkId, Domain
from reconciler.lifecycle import advance
from reconciler.planner import networks_and_volumes
from reconciler.planner.actions import (
    Action,
    CreateVolume,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StopContainer,
    Work,
)
from reconciler.planner.answers import answers, combined
from reconciler.planner.capabilities import arrangements
from reconciler.planner.criteria import in_use
from reconciler.planner.decide import decide
from reconciler.planner.health import Health, given_time
from reconciler.planner.observed import Condition
from reconciler.planner.ports import Exchange
from reconciler.planner.retry_state import RetryState, check_changed, intent_changed
from reconciler.planner.rolling import Stage, stage
from reconciler.planner.situation import ChunkInput, criteria_for, is_renewal, roles
from reconciler.planner.standing import is_to_be_seen
from reconciler.planner.steps import Decision
from reconciler.planner.tracking import notice
from reconciler.planner.working import mending, work_begins
from reconciler.states import Reason, State

CALLS_END_SECONDS = 15.0
"""What a program that was killed had asked its engine for is carried out by then, or never."""

MOST_PUT_OFF = 4
"""For so many portions the networks and volumes of domains wait for chunks that are to be decided about."""


class Reconciler:
    """See the module's text. ``timers`` is a heap of when to decide about a chunk again; ``situations`` gather what is
    decided from."""

    def __init__(
        self,
        *,
        known: LoopState,
        executor: Executor,
        attention: Monitor,
        prober: Prober,
        images: Images,
        runtime: RuntimeReader | None,
        seed: int | None,
        on_forgotten: Callable[[], None],
    ) -> None:
        self.timers: list[tuple[float, ChunkId]] = []
        self.object_busy: dict[str, str] = {}  # the domain, by the key of the work
        self._object_work: dict[str, Work] = {}
        self._in_hand: Counter[tuple[str, str]] = Counter()  # the networks and volumes that work under way is about
        self.object_retry: dict[str, float] = {}  # work that failed is not begun again before
        self.object_due: dict[str, float] = {}  # when to decide about it again
        self._settles: dict[str, float] = {}  # by domain, until when calls of the program before may have an effect
        self._round: deque[ChunkId] = deque()  # those who were marked when it began, in their order
        self._put_off = 0  # for so many portions no domain has had its turn
        self._state = known
        self._executor = executor
        self._monitor = attention
        self._images = images
        self._runtime = runtime
        self._on_forgotten = on_forgotten
        self._restarts = RestartBudget(known)
        self._preconditions = Preconditions(known, prober)
        self.situations = Situations(
            known=known,
            attention=attention,
            images=images,
            crowd=self._restarts,
            doubts=self._preconditions,
            source=random.Random(seed),  # noqa: S311 - spreads waits
        )

    def converge(self, most: int = MOST_AT_ONCE) -> bool:
        """Decide about those who are marked, as long as that is no more work than so much, so that nobody else has to
        wait; whether some are left."""
        left = most
        while self._state.dirty or self._state.dirty_domains:
            while self._state.dirty and self._put_off < MOST_PUT_OFF:
                if left <= 0:
                    self._put_off += 1
                    return True
                id = self._next()
                if id is not None:
                    left -= work_of(self._state.desired(id))
                    self._decide(id)
            self._put_off = 0
            while self._state.dirty_domains:
                if left <= 0:
                    return True
                name = next(iter(self._state.dirty_domains))
                left -= self._work_of_domain(name)
                del self._state.dirty_domains[name]
                self._decide_domain(name)
        return False

    def _next(self) -> ChunkId | None:
        """Who is decided about next; None where that was done meanwhile. All that were marked have had their turn
        before anybody has another: there may be news of some without end."""
        if not self._round:
            self._round.extend(self._state.in_order())
        id = self._round.popleft()
        if id not in self._state.dirty:
            return None
        del self._state.dirty[id]
        return id

    def _work_of_domain(self, name: str) -> int:
        record = self._state.domains.get(name)
        wanted = record.wanted if record is not None else None
        objects = len(wanted.networks) + len(wanted.volumes) if wanted is not None else 0
        return 1 + (objects + len(self._state.chunks_of(name))) // ENTRIES_A_CHUNK

    def ring(self, id: ChunkId) -> None:
        """A timer of a chunk is over: decide about it again, and set it again where that was a blink too early."""
        record = self._state.chunks.get(id)
        if record is not None:
            record.wake_at = None
        self._state.mark(id)

    def _decide(self, id: ChunkId) -> None:
        record = self._state.chunks.get(id)
        domain = self._state.domains.get(id.domain)
        if domain is None or domain.unknown:
            return
        if record is None and self._state.desired(id) is None and not self._state.world.of(id):
            return
        if record is None:
            record = self._state.chunk_record(id)
        if self._is_unsure_of_files(record):
            return
        wanted = self._state.desired(id)
        if wanted is not None:
            self._images.follow(wanted)
        else:
            self._images.forget(id)
        i = self.situations.of(record)
        if i.chunk is None and not self._state.world.complete:
            return
        if i.chunk is None:
            self._monitor.forget(id)
        elif i.engine_up and i.busy is None:
            chunk, i = i.chunk, self._judged_as_declared(record, i)
            self._monitor.attend(record, chunk, roles(i))
            check = record.judged_as(chunk).health
            if record.was_shut and i.gate_open and check is not None:
                record.health = given_time(record.health, check, i.now)
            record.was_shut = not i.gate_open
            answered = self._monitor.answered_all(record, chunk)
            memory = with_drift(record.memory, chunk, i.image, i.containers)
            if (memory, record.health, answered) != (i.memory, i.health, i.answered_all):
                i = replace(i, memory=memory, health=record.health, answered_all=answered)
        memory = notice(i)
        if memory is not record.memory:
            is_other = memory.kept != i.memory.kept
            self._remember(record, memory)
            i = self.situations.of(record) if is_other else replace(i, memory=memory)
        if i.chunk is not None:
            self._answer(record, i, i.chunk)
        if i.chunk is None and not i.containers and record.busy is None:
            self._gone(record)
            return
        decision = decide(i)
        main = roles(i).main
        # While work is under way its outcome is waited for: a look would change nothing, and be asked for again.
        is_open = i.busy is None and decision.state is not State.COMPLETED
        if i.chunk is not None and is_open and main is not None and is_to_be_seen(i, main):
            self._state.changed_unseen.update((main.id, *self._state.sharing(i.chunk)))
        self._show(record, decision)
        if i.busy is None and decision.work is None:
            self._restarts.stands(id, decision.state)
            record.as_declared = record.as_declared or decision.state is State.COMPLETED
        if i.crowd and decision.reason is Reason.UNHEALTHY and decision.wake_at is None:
            decision = replace(decision, wake_at=self._restarts.waits(id))
        if main is not None and main.run == i.memory.stopped_run and not i.stop_is_over:
            over_at = self.situations.stop_is_over_at(record)
            decision = replace(decision, wake_at=min(over_at, decision.wake_at or inf))
        if i.doubted and i.engine_up:
            decision = replace(
                decision, wake_at=min(self._preconditions.settle(record, i.doubted), decision.wake_at or inf)
            )
        if decision.wake_at is not None and decision.wake_at != record.wake_at and decision.wake_at > i.now:
            record.wake_at = decision.wake_at
            heapq.heappush(self.timers, (decision.wake_at, id))
        if decision.work is not None and self._state.engine_up and not self._would_lose_output(id, decision.work):
            self._begin(record, i, decision.work)
        if i.chunk is not None and i.busy is None and i.engine_up:
            self._images.want(id, decision.fetch)
        if i.chunk is not None and i.chunk.replicas > 1:
            self._tell_siblings(record, i)
        if i.busy is None:
            self._tell_whether_it_renews(record, i, decision)

    def _judged_as_declared(self, record: ChunkRecord, i: ChunkInput) -> ChunkInput:
        """Find out by what the container that counts is judged. Where that has changed for a container that is not made
        anew, what was found of it counts no more."""
        memory, before, main = record.memory, record.judged, roles(i).main
        left = in_use(memory.criteria, i.containers)
        if left is not memory.criteria and self._state.world.complete:
            memory = replace(memory, criteria=left)
        if main is not None:
            now = criteria_for(i, main)
            record.judged = now if now != before else before
            if before is not None and now is not None and now.is_of_same(before) and now.health != before.health:
                record.health = Health()
                self._monitor.forget(record.id)
                memory = check_changed(memory, (main.run,) if main.condition is Condition.RUNNING else ())
        if memory is record.memory:
            return i
        self._remember(record, memory)
        return replace(i, memory=with_drift(memory, i.chunk, i.image, i.containers), health=record.health)

    def _is_unsure_of_files(self, record: ChunkRecord) -> bool:
        """Whether an update for the sake of a replaced file was given up, and nobody has looked yet whether it is still
        that file: until then it stays given up."""
        m = record.memory
        return bool(m.files and (m.rejected or m.paused)) and self._state.engine_up and not self._state.files_looked

    def _would_lose_output(self, id: ChunkId, work: Work) -> bool:
        """Whether the work may remove a container whose last output is being read; it is decided again then."""
        return self._monitor.is_reading(id) and any(isinstance(one, RemoveContainer) for one, _ in work.steps)

    def _tell_whether_it_renews(self, record: ChunkRecord, i: ChunkInput, decision: Decision) -> None:
        """Only what goes on by itself, and comes to an end, keeps others waiting: work, what is probed after it, and
        what waits for such in its turn; not what waits for a gate, a port, or for its back-off."""
        before, record.renews = record.renews, False
        if decision.state in (State.READY, State.EXECUTING):
            parts = roles(i)
            waits_for_port = i.exchange in (Exchange.BEHIND, Exchange.OFF)
            is_probed = parts.current is not None and decision.state is State.EXECUTING and not waits_for_port
            waits = bool(i.comes_after) and parts.current is None and i.gate_open
            record.renews = is_renewal(i, parts) and bool(decision.work or is_probed or waits)
        if before != record.renews:
            for id in self._state.dependents.get(record.id, ()):
                self._state.mark(id)

    def _tell_siblings(self, record: ChunkRecord, i: ChunkInput) -> None:
        """Where a copy has come further, the turn of another may have come."""
        before, record.stage = record.stage, stage(i)
        if record.stage is not before:
            self._state.mark_waiting_copies(record.id, all=Stage.FAILED in (before, record.stage))

    def _answer(self, record: ChunkRecord, i: ChunkInput, chunk: Chunk) -> None:
        """Put what the chunk answers into the table: where it has equal copies, what they answer together."""
        alone = chunk.replicas == 1
        own = {chunk.flowout_ref(key): fact for key, fact in record.answers.items()}
        found = answers(i, roles(i), record.own, self._state.facts if alone else own)
        record.answers = {ref.key: fact for ref, fact in found.items()}
        copies = [] if alone else [self._state.chunks.get(id) for id in record.id.copies(chunk.replicas)]
        for ref, one in found.items():
            fact = one
            if not alone:
                said = [copy.answers.get(ref.key) if copy is not None else None for copy in copies]
                fact = combined(chunk.flowout[ref.key], chunk.min_ready, said)
            before = self._state.facts.state(ref)
            if before is not None and (before.fact is fact or before.fact == fact):
                continue
            given = before is not None and before.by == "rt_state" and fact.tv is TV.U
            if not given:
                self._state.answer(ref, fact, by=record.id.chunk)

    def _begin(self, record: ChunkRecord, i: ChunkInput, work: Work) -> None:
        self._restarts.begins(i, work)
        record.memory = work_begins(i, work)
        record.recovers = work.label == Reason.RECOVERING
        mended = mending(work) if work.label == Reason.RECOVERING else ""
        if mended and record.as_declared:
            record.mended = (self._state.clock.now(), mended)
        record.attempts_total += 1
        if any(isinstance(action, StopContainer) for action, _ in work.steps):
            # Once it has stopped, its address may be another's.
            self._monitor.forget(record.id)
        record.busy = (Reason(work.label), work.steps[0][1])
        record.busy_since = self._state.clock.monotonic()
        causes = "; ".join(dict.fromkeys(cause for _, cause in work.steps))
        self._state.recorder.journal(kind="work", chunk=record.id, reason=work.label, message=causes)
        record.under_way = (i, work)
        self._executor.start(work, chunk_is_wanted(self._state, record))

    def _remember(self, record: ChunkRecord, memory: RetryState) -> None:
        failed = memory.attempts > record.memory.attempts or memory.restarted > record.memory.restarted
        record.restarts += memory.restarted - record.memory.restarted
        record.memory = memory
        self._state.recorder.touch(record.id.domain)
        if failed:
            self._state.recorder.journal(kind="setback", chunk=record.id, message=memory.last_error)

    def _show(self, record: ChunkRecord, decision: Decision) -> None:
        """Move the machine to the verdict, and tell."""
        domain = self._state.domains[record.id.domain]
        reason, message, state = decision.reason, decision.message, decision.state
        if not self._state.engine_asked:
            return
        if not self._state.engine_up:
            reason, message, state = Reason.ENGINE_UNAVAILABLE, self._state.engine_message, State(record.state)
        if domain.down and not self._state.world.of(record.id) and record.busy is None:
            state, reason = State.READY, Reason.SUSPENDED
            message = "taken down by a person; `pnr apply` brings it back"
        moved = State(record.state) is not state
        if moved:

            def step(trigger: str, source: State, destination: State) -> None:
                said = message if destination is state else ""
                self._state.recorder.transition(record.id, trigger, source, destination, reason, said)

            advance(record, state, step)
            record.since = self._state.clock.now()
        if moved or record.reason is not reason:
            self._state.mark_neighbours_of_ports(record.id)
        if moved or record.reason is not reason or record.message != message:
            record.reason = reason
            record.message = message
            self._state.recorder.touch(record.id.domain)
        record.is_new = False
        stands = (record.state, waits_for_a_change(record))
        if stands != record.stood:
            record.stood = stands
            self._state.has_news(record.id.domain)

    def _gone(self, record: ChunkRecord) -> None:
        """Nothing of a chunk is left that was to go."""
        domain = self._state.domains[record.id.domain]
        declared = domain.domain is not None and record.id in domain.domain.by_id
        stays = domain.down and declared and not domain.gone
        memory = intent_changed(replace(record.memory, proven_run="", job_generation=0))
        if stays and record.reason is Reason.SUSPENDED and memory == record.memory:
            return  # its domain is not told again, which may have asked for this look
        self._state.mark_domain(domain.name)
        for need in self._state.needs_told(record.id):
            self._state.mark(need)
        self._monitor.forget(record.id)
        self._restarts.stands(record.id, None)
        if stays:
            record.memory = memory
            self._show(record, Decision(State.READY, Reason.SUSPENDED, ""))
            return
        if self._runtime is not None:
            self._runtime.forget(record.id)
        self._state.forget(record.id)
        self._state.recorder.touch(domain.name)

    def _decide_domain(self, name: str) -> None:
        """A domain's own objects: make the networks and volumes it needs, remove what it left."""
        record = self._state.domains.get(name)
        if record is not None and record.elsewhere and record.gone:
            # Nothing of it is ours to remove.
            for id in list(self._state.chunks_of(name)):
                self._monitor.forget(id)
                self._state.forget(id)
            self._forget_domain(record)
            return
        if record is None or record.unknown or not self._state.engine_up or not self._state.world.complete:
            return
        for id in self._state.world.owners(name):
            if id not in self._state.chunks:
                self._state.mark(id)
            if record.missed_at is not None:
                self._state.mark_neighbours_of_ports(id)
        wanted = record.wanted
        seen = self._state.world.observed()
        if wanted is not None:
            network_memory.settle(self._state, wanted)
            now, changes = self._state.clock.monotonic(), self._state.network_changes
            for work in arrangements(wanted, seen, self.situations.connected, changes, now):
                self._begin_object(name, work)
            self._wake_for_networks(wanted)
        elif self._state.world.has_owners(name) or self._anyone_busy(name):
            return
        left = networks_and_volumes.leftovers(name, wanted, record.domain, seen, volumes_too=record.volumes_too)
        if left.work and not self._anyone_busy(name):
            for work in left.work:
                self._begin_object(name, work)
        nothing_left = not (left.work or left.missing or name in self.object_busy.values())
        if wanted is None and record.gone and nothing_left and not self._may_still_come(name):
            self._forget_domain(record)

    def begun_before(self, domains: Iterable[str]) -> None:
        """The program ended while it was at these domains. Where it was killed, its engine may carry out for a while
        what it had asked for: what is to go is gone only once it was looked for after that."""
        self._settles.update(dict.fromkeys(domains, self._state.clock.monotonic() + CALLS_END_SECONDS))

    def _may_still_come(self, domain: str) -> bool:
        """Whether something of a domain may be made yet by what the program before has asked for."""
        settles = self._settles.get(domain)
        if settles is None or self._state.world.all_seen_at >= settles:
            self._settles.pop(domain, None)
            return False
        if self._state.clock.monotonic() < settles:
            self.object_due[f"settles:{domain}"] = settles
        else:
            self._state.all_unseen = True
        return True

    def _anyone_busy(self, domain: str, network: str = "") -> bool:
        """Whether work on a chunk of the domain is under way; of those that use the network, where one is given, and
        that are not just fetching an image."""
        return any(
            record.busy is not None
            and not (network and self._executor.is_fetching(id))
            and (not network or (record.last is not None and network in record.last.container.networks))
            for id, record in self._state.chunks_of(domain).items()
        )

    def _begin_object(self, domain: str, work: Work) -> None:
        key = str(work.key)
        if self.object_retry.get(key, 0.0) > self._state.clock.monotonic():
            return
        if key in self._object_work or any(self._in_hand[self._object(action)] for action, _ in work.steps):
            return
        taken = network_memory.taken_away(work)
        if any(self._anyone_busy(domain, name) for name in taken):
            return  # it is decided again when that is done
        self.object_busy[key] = domain
        self._object_work[key] = work
        self._in_hand.update(self._object(action) for action, _ in work.steps)
        is_wanted = object_is_wanted(self._state, domain, work)
        if not network_memory.begins(self._state, work):
            self._executor.start(work, is_wanted)
            return
        cause = next(cause for action, cause in work.steps if isinstance(action, RemoveNetwork) and action.disconnect)
        self._state.recorder.journal(kind="work", domain=domain, message=f"network {taken[-1]}: {cause}")
        self._state.recorder.touch(domain)
        self._executor.start(work, is_wanted, first=self._written)

    def object_done(self, key: str) -> tuple[str, Work | None]:
        """Work on a network or volume has ended: whose it was, and what."""
        work = self._object_work.pop(key, None)
        for action, _ in work.steps if work is not None else ():
            self._in_hand[self._object(action)] -= 1
            if not self._in_hand[self._object(action)]:
                del self._in_hand[self._object(action)]
        return self.object_busy.pop(key, ""), work

    @staticmethod
    def _object(action: Action) -> tuple[str, str]:
        kind = "volume" if isinstance(action, (CreateVolume, RemoveVolume)) else "network"
        return kind, getattr(action, "network", "") or action.object_name

    async def _written(self) -> None:
        """What is about to be taken away must be known to whoever goes on after a crash."""
        if not await self._state.recorder.flush():
            raise EngineError(f"nothing is removed before pnr has recorded it: {self._state.recorder.trouble}")

    def _wake_for_networks(self, wanted: Domain) -> None:
        """When a change of a network that failed is to be tried again."""
        for spec in wanted.networks:
            change = self._state.network_changes.get(spec.name)
            if change is not None and change.was_refused(spec) and change.not_before is not None:
                key, now = f"network:{spec.name}", self._state.clock.monotonic()
                if change.not_before > now and key not in self.object_retry:
                    self.object_due[key] = change.not_before

    def _forget_domain(self, record: DomainRecord) -> None:
        if self._state.chunks_of(record.name):
            return
        for ref in list(self._state.facts.of(record.name)):
            self._state.facts.forget(ref)
            self._state.tell_askers(ref)
        del self._state.domains[record.name]
        self._state.by_domain.pop(record.name, None)
        self._state.stalls.pop(record.name, None)
        network_memory.forget(self._state, record.domain)
        self._state.recorder.forget(record.name)
        self._state.recorder.journal(kind="intent", domain=record.name, message="removed")
        self._on_forgotten()
