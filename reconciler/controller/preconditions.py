"""Whether what an ill chunk needs is well: where it is not, that is why the chunk is ill, and a restart cures nothing.

Its own probe may be the first that notices. So what its gate needs is asked, and looked at, before it is restarted; for
as long at most as that takes to be known.
"""

from __future__ import annotations

from reconciler.controller.loop_state import LoopState
from reconciler.controller.prober import Prober
from reconciler.controller.records import ChunkRecord
from reconciler.facts import TV
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner.health import is_asked, longest_doubt

ASK_AGAIN_SECONDS = 0.5


class Preconditions:
    """See the module's text."""

    def __init__(self, known: LoopState, prober: Prober) -> None:
        self._state = known
        self._prober = prober

    def of(self, record: ChunkRecord, chunk: Chunk | None) -> tuple[ChunkId, ...]:
        """The chunks that the gate of an ill one needs, and of which nobody knows yet how they are since it is ill."""
        since = record.health.bad_since
        if chunk is None or record.judged_as(chunk).health is None or since is None:
            return ()
        needs = dict.fromkeys(need for entry in chunk.gate for need in self._state.answered_by(entry.ref))
        return tuple(need for need in needs if need != record.id and self._is_doubted(need, since))

    def _is_doubted(self, id: ChunkId, since: float) -> bool:
        record, chunk = self._state.chunks.get(id), self._state.desired(id)
        if record is None or chunk is None or not record.health.run or record.busy is not None:
            return False
        health, check = record.health, record.judged_as(chunk).health
        if self._state.clock.monotonic() >= since + longest_doubt(check):
            return False
        if is_asked(check):
            return health.tv is TV.Y and (health.failures > 0 or health.good_at is None or health.good_at < since)
        return self._state.world.seen_at(health.container) < since

    def settle(self, record: ChunkRecord, doubted: tuple[ChunkId, ...]) -> float:
        """Ask those of whom nobody knows; when to see what became of that."""
        since = record.health.bad_since or 0.0
        for id in doubted:
            health = self._state.chunks[id].health
            self._state.changed_unseen.add(health.container)
            if health.last_at is not None and health.last_at < since:
                self._prober.ask_now(id)
        return self._state.clock.monotonic() + ASK_AGAIN_SECONDS
