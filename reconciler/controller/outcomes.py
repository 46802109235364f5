"""What became of the work on chunks, networks and volumes becomes known: its steps, its end, its failure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.controller import network_memory, networks_and_volumes
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.reconciling import Reconciler
from reconciler.controller.records import StepDone, WorkDone
from reconciler.controller.watcher import Watcher
from reconciler.engine.protocol import EngineError, EngineUnavailable, Milestone, NotFound, OutOfDate, PolicyRefused
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import EnsureImage, RemoveContainer, RemoveNetwork, StartContainer, Work
from reconciler.planner.health import asked_anew
from reconciler.planner.tracking import work_failed, work_out_of_date
from reconciler.planner.working import step_told, work_ended
from reconciler.states import Reason

OBJECT_RETRY_SECONDS = 5.0
OBJECT_REFUSED_SECONDS = 300.0
"""What the policy refused: another intent, or another policy, has it tried at once."""


class Outcomes:
    """Takes what the executor says."""

    def __init__(self, *, known: LoopState, decider: Reconciler, images: Images, watcher: Watcher) -> None:
        self._state = known
        self._decider = decider
        self._images = images
        self._watcher = watcher

    def progress(self, key: ChunkId | str, reason: Reason | None, text: str) -> None:
        """How far the work is."""
        if isinstance(key, ChunkId):
            if isinstance(text, Milestone):
                self._state.recorder.journal(kind="image", chunk=key, message=str(text))
            record = self._state.chunks.get(key)
            if record is not None and record.busy is not None:
                record.busy = (reason or record.busy[0], str(text))
                self._state.mark(key)
                self._state.mark_neighbours(key)

    def step_done(self, done: StepDone) -> None:
        """An action was carried out."""
        key = done.key
        if isinstance(key, ChunkId):
            record = self._state.chunk_record(key)
            self._state.touch(record)
            if done.container is not None and done.container.owner not in (None, key):
                # It has made room for an address.
                self._state.touch(self._state.chunk_record(done.container.owner))
            if done.container is not None:
                if isinstance(done.action, StartContainer):
                    record.started_run = done.container.run
                    if record.told_first == done.container.id:
                        record.told_run, record.told_first = done.container.run, ""
                    seen = self._state.world.containers.get(done.container.id)
                    if seen is not None and not seen.run:
                        record.first_run = done.container.run
                    record.restarts += record.recovers
                elif done.container.run and done.container.run == record.health.run:
                    record.health = asked_anew(record.health, self._state.clock.monotonic())
                self._state.put(done.container)
                record.memory = step_told(record.memory, done.action, done.container)
                for warning in done.container.warnings:
                    self._state.recorder.journal(kind="warning", chunk=key, message=f"the engine warns: {warning}")
            elif isinstance(done.action, RemoveContainer):
                cid = done.action.id or self._state.world.by_name.get(done.action.name)
                gone = self._state.world.drop(cid) if cid is not None else None
                if gone is not None:
                    self._state.concerns(gone)
            if isinstance(done.action, EnsureImage):
                self._images.touched(done.action.image)  # what it did is told by its milestones
            else:
                self._state.recorder.journal(kind="action", chunk=key, message=done.action.done)
            self._state.mark(key)
            self._state.mark_domain(key.domain)
            for need in self._state.needs_told(key):
                self._state.mark(need)
            return
        if done.container is not None:
            self._state.put(done.container)
        domain = networks_and_volumes.step_done(self._state, key, done.action)
        if domain is not None:
            self._state.recorder.journal(kind="action", domain=domain, message=done.action.done)

    def work_done(self, done: WorkDone) -> None:
        """All of it was carried out, or it failed."""
        if isinstance(done.key, str):
            domain, work = self._decider.object_done(done.key)
            if done.error is not None:
                self._object_failed(done.key, work, domain, done.error)
                self._watcher.look_everywhere()
            else:
                self._state.object_trouble.pop(done.key, None)
                if work is not None and any(isinstance(a, RemoveNetwork) and a.disconnect for a, _ in work.steps):
                    self._watcher.look_everywhere()
            for id in self._state.chunks_of(domain):
                self._state.mark(id)
            self._state.mark_domain(domain)
            return
        record = self._state.chunk_record(done.key)
        record.busy = None
        record.worked_at = self._state.clock.monotonic()
        if record.under_way is not None:
            failed = done.error is not None
            record.memory = work_ended(*record.under_way, record.memory, done.begun, failed=failed)
            record.under_way = None
        self._state.touch(record)
        for container_id in record.put_off:
            self._watcher.look_at(container_id)
        record.put_off.clear()
        self._state.mark(done.key)
        self._state.mark_waiting_copies(done.key)
        self._state.mark_neighbours(done.key)
        self._state.mark_domain(done.key.domain)
        if done.error is None and done.cancelled:
            text = "the work under way was stopped: its intent has changed"
            self._state.recorder.journal(kind="work", chunk=done.key, message=text)
        if done.error is None:
            return
        self._watcher.look_everywhere()
        if isinstance(done.error, NotFound | OutOfDate):
            # What we wanted to act on is gone, or another than was known: look, and decide again.
            situation = self._decider.situations.of(record)
            record.memory = work_out_of_date(situation, str(done.error), action=done.action)
            return
        if isinstance(done.error, EngineUnavailable):
            record.memory = replace(record.memory, not_before=self._state.clock.monotonic() + 0.2)
            return
        reason = done.error.code
        situation = self._decider.situations.of(record)
        can_pass = not done.error.permanent
        record.memory = work_failed(situation, reason, str(done.error), action=done.action, can_pass=can_pass)
        self._state.recorder.journal(kind="error", chunk=done.key, reason=reason, message=str(done.error))

    def _object_failed(self, key: str, work: Work | None, domain: str, error: EngineError) -> None:
        record = self._state.domains.get(domain)
        wanted = record.wanted if record is not None else None
        if work is not None and network_memory.fails(self._state, work, wanted, error):
            # What was there before comes back at once.
            self._state.object_trouble.pop(key, None)
            self._state.recorder.journal(kind="error", domain=domain, message=f"{key.replace(':', ' ')}: {error}")
            self._state.recorder.touch(domain)
            return
        self._state.object_trouble[key] = str(error)
        wait = OBJECT_REFUSED_SECONDS if isinstance(error, PolicyRefused) else OBJECT_RETRY_SECONDS
        self._decider.object_retry[key] = self._state.clock.monotonic() + wait
