"""What is seen of the engine becomes known: everything at a look, single containers by hints, and whether it answers.

News may have been on its way while our own work changed what it is about: such news is asked for again.
"""

from __future__ import annotations

from reconciler.controller import networks_and_volumes
from reconciler.controller.executor import Executor
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.prober import Prober
from reconciler.controller.records import SeenAll, SeenOne
from reconciler.controller.watcher import Watcher
from reconciler.engine.protocol import Glimpse
from reconciler.facts import SYSTEM_READY, TV, Pnr
from reconciler.intent.model import ChunkId
from reconciler.planner.health import Health
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import ENDED
from reconciler.states import State

MOST_NAMES = 10

DROPS_TOLD_SECONDS = 600.0
"""A stream that drops again and again is told no more often."""


class Observations:
    """Takes what the watcher saw. ``newest`` is the number of the last look at everything."""

    def __init__(self, *, known: LoopState, executor: Executor, prober: Prober, images: Images) -> None:
        self._state = known
        self._executor = executor
        self._prober = prober
        self._images = images
        self.newest = 0
        self._dropped_at: float | None = None

    def engine_lost(self, text: str) -> None:
        """The engine does not answer: what was known of health is known no longer."""
        self._state.engine_asked = True
        self._state.engine_message = text
        if self._state.engine_up or self._state.facts.state(SYSTEM_READY) is None:
            self._state.recorder.journal(kind="engine", message=f"lost: {text}")
        self._state.engine_up = False
        self._state.answer(SYSTEM_READY, Pnr("is system ready?", ("no",), TV.N), by="pnr")
        self._prober.drop_all()
        for record in self._state.chunks.values():
            record.health = Health()
        self._state.mark_all()

    def stream_dropped(self, text: str) -> None:
        """No hints come for a while. That is no news of anything that is known; the engine answers."""
        now = self._state.clock.monotonic()
        if self._dropped_at is None or now - self._dropped_at >= DROPS_TOLD_SECONDS:
            self._dropped_at = now
            message = f"{text}; it answers, and is looked at without its events until they come again"
            self._state.recorder.journal(kind="engine", message=message)

    def _engine_is_up(self) -> None:
        if not self._state.engine_up:
            self._state.engine_up = True
            self._state.engine_message = ""
            self._images.look_soon()
            self._state.recorder.journal(kind="engine", message=f"{self._state.engine_info} answers")
            self._state.answer(SYSTEM_READY, Pnr("is system ready?", ("yes",), TV.Y), by="pnr")
            self._state.mark_all()

    def all(self, seen: SeenAll, watcher: Watcher) -> None:
        """A look at everything."""

        kept = set()

        def keep(container: Container) -> bool:
            stale = self._is_stale(container.owner, seen.asked)
            if stale:
                watcher.look_at(container.id)
                kept.add(container.id)
            return stale

        self.newest = seen.number
        world = self._state.world
        ran = [c for c in world.containers.values() if c.owner is not None and c.condition is Condition.RUNNING]
        before = (world.networks, world.volumes)
        for container in world.replace(seen.observed, keep):
            self._state.concerns(container)
        world.looked_at.update(dict.fromkeys(seen.observed.looked_at & world.containers.keys() - kept, seen.at))
        if networks_and_volumes.keep_touched(self._state, seen.asked, *before):
            watcher.look_everywhere()
        if world.networks.keys() ^ before[0].keys() or world.volumes.keys() ^ before[1].keys():
            self._state.mark_all()
        world.all_seen_at = seen.at
        self._state.engine_asked = True
        if not self._state.engine_up:
            world.ended_unseen = frozenset(
                c.run for c in world.containers.values() if c.condition in ENDED and c.run and c.owner is not None
            )
            self._engine_is_up()
            self._tell_of_absence(ran)
        for id, record in self._state.chunks.items():
            if record.state != State.COMPLETED:
                self._state.mark(id)
        for name in self._state.domains:
            self._state.mark_domain(name)

    def _tell_of_absence(self, ran: list[Container]) -> None:
        """What became of the containers that ran when the engine was seen last."""
        ended, now = [], self._state.clock.now()
        for before in ran:
            container = self._state.world.containers.get(before.id)
            if container is None or container.run != before.run or container.condition in ENDED:
                ended.append(before.name)
                record = self._state.chunks.get(before.owner) if before.owner is not None else None
                if record is not None:
                    record.ended_away = now
        if ended:
            names = ", ".join([*sorted(ended)[:MOST_NAMES], *(["…"] if len(ended) > MOST_NAMES else [])])
            text = f"of the {len(ran)} containers that ran before, these ended while it was away: {names}"
        else:
            text = f"all containers that ran before ({len(ran)}) ran on while it was away"
        if ran:
            self._state.recorder.journal(kind="engine", message=text)

    def one(self, seen: SeenOne, watcher: Watcher) -> None:
        """A look at one container."""
        known = self._state.world.containers.get(seen.container_id)
        either = seen.container or known
        owner = either.owner if either is not None else None
        if self._is_stale(owner, seen.asked):
            watcher.look_at(seen.container_id)
            return
        if seen.container is None:
            gone = self._state.world.drop(seen.container_id)
            if gone is not None:
                self._state.concerns(gone)
        else:
            self._state.put(seen.container)
            self._state.world.looked_at[seen.container_id] = seen.at
            record = self._state.chunks.get(owner) if owner is not None else None
            if record is not None and record.state != State.COMPLETED:
                self._state.mark(record.id)  # that nothing has changed may be the news

    def told_to_end(self, container_id: str) -> None:
        """Somebody has told a container to end: its run as it is known ends by that, if it ends now. That of one that
        is being started for the first time is not known yet."""
        container = self._state.world.containers.get(container_id)
        record = self._state.chunks.get(container.owner) if container is not None and container.owner else None
        if record is None or container is None:
            return
        record.told_at = self._state.clock.monotonic()
        if container.run:
            record.told_run = container.run
        else:
            record.told_run, record.told_first = "", container.id

    def is_put_off(self, hint: Glimpse) -> bool:
        """Whether a hint is about what our own work is doing just now; it is looked at when that is done."""
        owner = hint.owner
        if owner is None and hint.container_id in self._state.world.containers:
            owner = self._state.world.containers[hint.container_id].owner
        record = self._state.chunks.get(owner) if owner is not None else None
        if record is None or record.busy is None or self._executor.is_fetching(record.id):
            return False
        record.put_off.add(str(hint.container_id))
        return True

    def _is_stale(self, owner: ChunkId | None, asked: int) -> bool:
        """Whether news may be from before our own last step on the chunk. It is then asked for again."""
        record = self._state.chunks.get(owner) if owner is not None else None
        return record is not None and record.touched > asked
