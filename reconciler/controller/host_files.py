"""Keeps looking at files of the host that containers have mounted one by one: were they replaced by others since?

Level-triggered like everything else: every second or so what containers have is compared with what is there now, less
often where that costs much. A look is one ``stat`` a mount while nothing has changed. Watching the folders would notice
no sooner what counts (what was written just now is not yet acted upon), and would not see all of it: links that lead
elsewhere, network drives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import FilesSeen, Message
from reconciler.engine.protocol import Engine, EngineError
from reconciler.intent.model import Kind
from reconciler.planner.mounts import FileChange, News, single_mounts
from reconciler.planner.observed import Container

LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
LOOKING_SHARE = 0.05
"""Looking takes this share of the time at most."""
LONG_SECONDS = 60.0
"""What is missing for so long was not just put aside by an editor."""
SETTLING_SECONDS = 10.0
LONGEST_LOOK_SECONDS = 30.0

Changed = Callable[[int], Awaitable[int]]


class HostFiles:
    """The task that looks. ``changed`` returns when something of what is known has changed (see Controller.changed)."""

    def __init__(self, *, known: LoopState, engine: Engine, post: Callable[[Message], None], changed: Changed) -> None:
        self._state = known
        self._engine = engine
        self._post = post
        self._changed = changed
        self._missing_since: dict[tuple[str, str], float] = {}
        self._told: News | None = None

    async def run(self) -> None:
        """Look until cancelled; wait while nothing is mounted that could be replaced."""
        seen = -1
        while True:
            if not self._state.engine_up or not any(self._containers()):
                if self._state.engine_up and self._state.world.complete:
                    self._tell({})
                seen = await self._changed(seen)
                await asyncio.sleep(LOOK_SECONDS)  # who has what mounted is gone through once, whatever comes in a row
                continue
            begun = self._state.clock.monotonic()
            await self.look()
            spent = self._state.clock.monotonic() - begun
            await asyncio.sleep(min(max(LOOK_SECONDS, spent / LOOKING_SHARE), LONGEST_PAUSE_SECONDS))

    async def look(self) -> bool:
        """Look once, and tell; whether something has to be looked at again before it can be told."""
        try:
            async with asyncio.timeout(LONGEST_LOOK_SECONDS):
                found, unsettled = await self._engine.file_news(list(self._containers()))
        except (EngineError, TimeoutError):
            # It is looked at again; that the engine is lost, or a disk does not answer, is others' to tell.
            self._tell(self._told or {})
            return False
        self._tell(self._lasting(found))
        return unsettled

    async def settle(self) -> None:
        """Look until what was written just now is told as well: a person asks for it."""
        unsettled = await self.look()
        for _ in range(int(SETTLING_SECONDS / LOOK_SECONDS)):
            if not unsettled:
                return
            await asyncio.sleep(LOOK_SECONDS)
            unsettled = await self.look()

    def _containers(self) -> Iterator[Container]:
        """Those of services that have been started and have something mounted of the host."""
        for id in self._state.chunks:
            chunk = self._state.desired(id)
            for container in self._state.world.of(id) if chunk is not None and chunk.kind is Kind.SERVICE else ():
                if container.run and any(single_mounts(container)):
                    yield container

    def _lasting(self, found: News) -> News:
        """Without what is missing for a moment only: whoever replaces a file may remove the old one first."""
        now, before = self._state.clock.monotonic(), self._missing_since
        self._missing_since = {
            (id, one.target): before.get((id, one.target), now)
            for id, news in found.items()
            for one in news
            if one.change in (FileChange.MISSING, FileChange.NO_FILE)
        }
        short = {key for key, since in self._missing_since.items() if now - since < LONG_SECONDS}
        lasting = {id: tuple(one for one in news if (id, one.target) not in short) for id, news in found.items()}
        return {id: news for id, news in lasting.items() if news}

    def _tell(self, news: News) -> None:
        if news != self._told:
            self._told = news
            self._post(FilesSeen(news))
