"""Restarts for ill health come a few at a time: where many chunks fall ill together it is most often the machine, and
to restart them all would be what brings it down."""

from __future__ import annotations

from reconciler.controller.loop_state import LoopState
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import StartContainer, StopContainer, Work
from reconciler.planner.observed import Condition
from reconciler.planner.situation import ChunkInput, roles
from reconciler.states import State

MOST_AT_ONCE = 4
LONGEST_SECONDS = 60.0
"""Who is not up again after this time makes room for the next."""


class RestartBudget:
    """Who is being restarted for ill health, and who waits for that. Owned by the loop."""

    def __init__(self, known: LoopState) -> None:
        self._state = known
        self._restarting: dict[ChunkId, float] = {}
        self._waiting: dict[ChunkId, None] = {}

    def before(self, id: ChunkId) -> str:
        """Why a chunk must not be restarted for ill health now; "" where it may."""
        now = self._state.clock.monotonic()
        for other in [other for other, at in self._restarting.items() if now >= at + LONGEST_SECONDS]:
            del self._restarting[other]
        if id in self._restarting or len(self._restarting) < MOST_AT_ONCE:
            return ""
        return f"{len(self._restarting)} other chunks are being restarted, and no more are at a time"

    def waits(self, id: ChunkId) -> float:
        """A chunk waits for its turn; when it is to be decided about again at the latest."""
        self._waiting[id] = None
        first = min(self._restarting.values(), default=self._state.clock.monotonic())
        return first + LONGEST_SECONDS

    def begins(self, i: ChunkInput, work: Work) -> None:
        """Work on a chunk begins."""
        main = roles(i).main if i.chunk is not None else None
        if main is None or main.condition is not Condition.RUNNING or i.memory.counted_run != main.run:
            return
        names = {action.name for action, _ in work.steps if isinstance(action, StopContainer)}
        if names & {action.name for action, _ in work.steps if isinstance(action, StartContainer)}:
            self._restarting[i.id] = self._state.clock.monotonic()
            self._waiting.pop(i.id, None)

    def stands(self, id: ChunkId, state: State | None) -> None:
        """How a chunk stands when nothing is being done about it; None: it is gone."""
        if state is State.EXECUTING:
            return
        self._waiting.pop(id, None)
        if self._restarting.pop(id, None) is not None:
            for other in list(self._waiting)[: MOST_AT_ONCE - len(self._restarting)]:
                self._state.mark(other)
