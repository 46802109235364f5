"""Keeps looking at the engine: connects, looks at everything, then looks wherever a hint points.

Hints are only hints: each leads to a look, and the look is what counts. A resync every minute catches what no hint
told. An event stream that ends, or a look that fails, does not mean that the engine is lost: that it is when a ping
fails too. Until the stream is back everything is looked at again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reconciler.controller.clock import Clock
from reconciler.controller.records import EngineLost, EngineUp, Message, SeenAll, SeenOne, StreamDropped
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable, Glimpse
from reconciler.planner.back_off import RECONNECTS
from reconciler.planner.observed import Observed

RESYNC_SECONDS = 60.0
LOOKS_AT_ONCE = 8
GATHER_SECONDS = 0.25
PING_SECONDS = 5.0
# A stream that held for so long, or a look that worked, makes the next failure a new one.
LASTING_SECONDS = 30.0
# An engine that answers pings, and shows what it has no longer, can't be asked either.
BLIND_SECONDS = 60.0


class Watcher:
    """The task that looks.

    ``steps_done`` tells how many steps of ours are done (see :mod:`reconciler.controller.observed_state`).
    ``put_off`` takes a hint and says whether to look later: our own work makes events too, and ends with a look of
    its own. ``told_to_end`` is told of containers that somebody ends. ``images_changed`` is told of hints at the
    engine's images, which somebody else looks at.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        post: Callable[[Message], None],
        steps_done: Callable[[], int],
        put_off: Callable[[Glimpse], bool],
        images_changed: Callable[[], None],
        told_to_end: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._put_off = put_off
        self._images_changed = images_changed
        self._told_to_end = told_to_end
        self._soon: asyncio.TimerHandle | None = None
        self._steps_done = steps_done
        self._clock = clock
        self._post = post
        self._wanted: dict[str, None] = {}
        self._everything = False
        self._wake = asyncio.Event()
        self._is_blind = True  # nothing was seen yet, or not for long
        self.looks_begun = 0

    def look_everywhere(self) -> None:
        """Look at everything soon."""
        self._everything = True
        self._wake.set()

    def look_at(self, container_id: str) -> None:
        """Look at one container soon."""
        self._wanted[container_id] = None
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        failures = 0
        while True:
            try:
                info = await self._engine.connect()
                self._post(EngineUp(info))
                await self._watch()
            except EngineError as error:
                self._post(EngineLost(str(error)))
            failures += 1
            await asyncio.sleep(RECONNECTS.after(failures))
            try:
                await self._engine.ping()
                failures = 0
            except EngineError:
                continue

    async def _watch(self) -> None:
        """Look and listen until the engine is lost: raises what tells so."""
        hints = asyncio.get_running_loop().create_task(self._listen())
        looks = asyncio.get_running_loop().create_task(self._look())
        try:
            done, _ = await asyncio.wait({hints, looks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (hints, looks):
                task.cancel()
            await asyncio.gather(hints, looks, return_exceptions=True)

    async def _listen(self) -> None:
        """Take hints; where their stream ends, ask for another one, less and less often, and look meanwhile. Raises
        EngineError where the engine does not answer a ping either."""
        drops = 0
        while True:
            begun = self._clock.monotonic()
            try:
                await self._take_hints()
                why = "the engine's event stream ended"
            except EngineError as error:
                why = str(error)
            await self._make_sure(why)
            drops = 1 if self._clock.monotonic() - begun >= LASTING_SECONDS else drops + 1
            self._post(StreamDropped(why))
            self.look_everywhere()
            await asyncio.sleep(RECONNECTS.after(drops))
            self._post(EngineUp(await self._engine.connect()))

    async def _make_sure(self, why: str) -> None:
        """Return where the engine answers. Raises EngineUnavailable, which then says ``why`` it was asked."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._engine.ping()
        except TimeoutError:
            raise EngineUnavailable(f"{why}; and it answers no ping within {PING_SECONDS:g} s") from None
        except EngineError as error:
            raise EngineUnavailable(str(error)) from error

    async def _take_hints(self) -> None:
        first = True
        async for hint in self._engine.glimpses():
            if hint.images or first:
                self._images_changed()
            if hint.images:
                continue
            if hint.is_told_to_end and hint.container_id is not None:
                self._told_to_end(hint.container_id)
                continue
            if hint.container_id is not None:
                if not self._put_off(hint):
                    self.look_at(hint.container_id)
            elif first:
                self.look_everywhere()
            elif self._soon is None:
                # A look at everything costs; what asks for one (a network, a volume) comes in groups, often by us.
                self._soon = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._look_soon)
            first = False

    def _look_soon(self) -> None:
        self._soon = None
        self.look_everywhere()

    async def _look(self) -> None:
        last = self._clock.monotonic()
        while True:
            wait = last + RESYNC_SECONDS - self._clock.monotonic()
            if wait > 0 and not self._wake.is_set():
                timer = asyncio.get_running_loop().call_later(wait, self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
            self._wake.clear()
            now = self._clock.monotonic()
            if self._everything or now - last >= RESYNC_SECONDS:
                self._everything = False
                self._wanted.clear()
                last = now
                asked = self._steps_done()
                self.looks_begun += 1
                number = self.looks_begun
                seen = await self._seen()
                self._post(SeenAll(seen, asked, number, now))
                continue
            wanted = list(self._wanted)[:LOOKS_AT_ONCE]
            for container_id in wanted:
                del self._wanted[container_id]
            if self._wanted:
                self._wake.set()
            try:
                await asyncio.gather(*(self._look_at(container_id) for container_id in wanted))
            except EngineError as error:
                await self._make_sure(str(error))
                self.look_everywhere()

    async def _seen(self) -> Observed:
        """Everything, tried again for a while where it can't be shown. Raises EngineError."""
        begun, failures = self._clock.monotonic(), 0
        while True:
            try:
                seen = await self._engine.observe()
                self._is_blind = False
                return seen
            except EngineError as error:
                await self._make_sure(str(error))
                if self._is_blind or self._clock.monotonic() - begun >= BLIND_SECONDS:
                    self._is_blind = True
                    raise
                failures += 1
                await asyncio.sleep(RECONNECTS.after(failures))

    async def _look_at(self, container_id: str) -> None:
        asked, at = self._steps_done(), self._clock.monotonic()
        container = await self._engine.look(container_id)
        self._post(SeenOne(container_id, container, asked, at))
