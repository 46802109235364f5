"""What a person asks for becomes known: to look now and try again, and to take down."""

from __future__ import annotations

from reconciler.controller import network_memory
from reconciler.controller.desired_state import DesiredState
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord, ImagesSeen, RegistrySaid
from reconciler.controller.watcher import Watcher
from reconciler.controller.work import Steps
from reconciler.intent.model import Chunk, Domain
from reconciler.planner import following
from reconciler.planner.retry_state import asked_anew, next_making
from reconciler.states import State


class Commands:
    """Takes ``pnr apply`` and ``pnr down``."""

    def __init__(self, *, known: LoopState, adoption: DesiredState, images: Images, watcher: Watcher) -> None:
        self._state = known
        self._desired = adoption
        self._images = images
        self._watcher = watcher

    def bring_up(self, only: tuple[str, ...]) -> Steps:
        """Want again what was taken down; ``only`` these domains. To be done before :meth:`look_now`."""
        down = []
        for name, record in self._state.domains.items():
            # What was taken down and has no file any more is on its way out.
            if (name in only or not only) and record.down and record.missed_at is None:
                record.down = False
                record.volumes_too = False
                down.append(name)
        return self._desired.in_steps(dict.fromkeys(down))

    def look_now(self, only: tuple[str, ...]) -> None:
        """Look at everything, and try what had failed again; ``only`` in these domains."""
        for name, record in self._state.domains.items():
            if only and name not in only:
                continue
            network_memory.try_anew(self._state, record.wanted)
            for id, chunk in self._state.chunks_of(name).items():
                # A person's word counts like a changed intent: setbacks and rolled-back updates are tried again.
                held = chunk.memory.not_before is not None or next_making(chunk.memory) is not None
                asked_for = chunk.state == State.FAILED or held
                wanted = self._state.desired(id)
                if wanted is not None and following.rejected_image(chunk.memory) and self._images.question(wanted):
                    continue  # a rejected image is tried again when it is known that there is no newer one
                if asked_for and chunk.busy is None:
                    chunk.memory = asked_anew(chunk.memory)
                if wanted is not None:
                    self._count_moved(chunk, wanted)
        self._images.ask_now(only)
        self._watcher.look_everywhere()
        self._state.mark_all()

    def images_seen(self, seen: ImagesSeen) -> None:
        """The engine's images were looked at. Where a person waits for it, a tag that has moved counts."""
        asked_for = self._images.asked_for
        self._images.seen(seen)
        if asked_for is None or self._images.asked_for is not None:
            return
        for name in self._state.domains:
            for id, record in self._state.chunks_of(name).items() if not asked_for or name in asked_for else ():
                wanted = self._state.desired(id)
                if wanted is not None and record.busy is None:
                    self._count_moved(record, wanted)
                    self._state.mark(id)

    def _count_moved(self, record: ChunkRecord, wanted: Chunk) -> None:
        own = self._state.world.of(record.id)
        record.memory = following.by_request(wanted, record.memory, self._images.news(wanted), own)

    def registry_said(self, said: RegistrySaid) -> None:
        """A registry has answered. Where a person waits for it and there is nothing newer than what was rejected, that
        is tried again."""
        for id in self._images.registry_said(said):
            record, chunk = self._state.chunks.get(id), self._state.desired(id)
            if record is None or chunk is None or record.busy is not None:
                continue
            if following.rejected_image(record.memory) and not following.newer(chunk, self._images.news(chunk)):
                record.memory = asked_anew(record.memory)

    def take_down(self, only: tuple[str, ...], volumes: bool) -> tuple[list[str], Steps]:
        """Remove what domains have made; with ``volumes`` these as well. Gives those whose removal was held (with this
        word a person confirms it), and what is to be done before anything is decided."""
        held = []
        changes: dict[str, Domain | None] = {}
        for name, record in list(self._state.domains.items()):
            if only and name not in only:
                continue
            self._state.recorder.journal(kind="intent", domain=name, message="taken down by a person")
            old = record.wanted
            record.down = True
            if record.hold is not None:
                held.append(name)
            record.volumes_too = volumes
            changes[name] = old
        return held, self._desired.in_steps(changes)
