"""Asks the probes when they are due, many at one tick.

A chunk that starts is asked at once and then in quick succession (5, 10, 20 … ms) until its first regular look is
due, so that readiness is seen when it comes and not up to a second later. These early looks can only succeed: their
failures count for nothing. After that it is asked every second until it is up, and every ``interval_seconds`` then.

Regular looks are aligned to a common grid, because a hundred timers cost far more than one that asks a hundred.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from reconciler.controller.clock import Clock
from reconciler.controller.lateness import MOST_LATE_SECONDS, Lateness, is_too_late
from reconciler.controller.protocols import ProbeMaker
from reconciler.controller.records import Message, Probed
from reconciler.engine.protocol import EngineError
from reconciler.intent.model import ChunkId, HealthCheck
from reconciler.planner.observed import Container
from reconciler.probes.ask import ask
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target
from reconciler.probes.reach import OfHost, of_host
from reconciler.probes.target import resolve
from reconciler.sentences import framed, taken_apart

STARTING_INTERVAL_SECONDS = 1.0
FIRST_EARLY_LOOK_SECONDS = 0.005
GRID_SECONDS = 0.25

PING_SECONDS = 1.0


@dataclass(slots=True)
class _Watch:
    container: Container
    check: HealthCheck
    probe: Probe
    serial: int
    early: float | None  # the next early delay; None once looks are regular
    first_regular: float
    up: bool = False
    asking: bool = False


class Prober:
    """Watches containers; every answer goes to the loop as a message. ``ping`` returns when the engine answers."""

    def __init__(
        self,
        *,
        inside: Inside,
        ping: Callable[[], Awaitable[None]],
        make: ProbeMaker,
        clock: Clock,
        post: Callable[[Message], None],
        is_of_host: OfHost = of_host,
    ) -> None:
        self._inside = inside
        self._is_of_host = is_of_host
        self._ping = ping
        self._make = make
        self._clock = clock
        self._post = post
        self._lateness = Lateness(clock)
        self._watched: dict[ChunkId, _Watch] = {}
        self._due: list[tuple[float, int, ChunkId]] = []
        self._serial = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._asked: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def watch(self, id: ChunkId, container: Container, check: HealthCheck) -> None:
        """Ask about this run of the container from now on; another run or check starts over."""
        known = self._watched.get(id)
        if known is not None and known.container.run == container.run and known.check == check:
            known.container = container
            return
        self.drop(id)
        self._serial += 1
        now = self._clock.monotonic()
        # One look is cheap enough for a quick succession; a command in a container costs 50 ms of CPU.
        eager = check.asks_from_outside
        self._watched[id] = _Watch(
            container=container,
            check=check,
            probe=self._make(check, self._inside),
            serial=self._serial,
            early=FIRST_EARLY_LOOK_SECONDS if eager else None,
            first_regular=now + self._interval(check, up=False),
        )
        self._schedule(now, id, self._serial)

    def ask_now(self, id: ChunkId) -> None:
        """Ask about a chunk at once, if nobody is at it."""
        watch = self._watched.get(id)
        if watch is not None and not watch.asking:
            self._serial += 1
            watch.serial = self._serial
            self._schedule(self._clock.monotonic(), id, self._serial)

    def is_up(self, id: ChunkId, up: bool) -> None:
        """Tell whether the chunk counts as up, which decides how often it is asked."""
        watch = self._watched.get(id)
        if watch is not None:
            watch.up = up

    def drop(self, id: ChunkId) -> None:
        """Ask no more about this chunk."""
        watch = self._watched.pop(id, None)
        if watch is not None:
            task = asyncio.get_running_loop().create_task(watch.probe.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def drop_all(self) -> None:
        """Ask nobody any more: the engine can't be asked, so what is known of containers is not sure."""
        for id in list(self._watched):
            self.drop(id)

    async def close(self) -> None:
        """Stop asking."""
        self.drop_all()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, *self._closing, return_exceptions=True)

    @staticmethod
    def _interval(check: HealthCheck, *, up: bool) -> float:
        if up:
            return check.interval_seconds
        return min(STARTING_INTERVAL_SECONDS, check.interval_seconds)

    def _schedule(self, at: float, id: ChunkId, serial: int) -> None:
        heapq.heappush(self._due, (at, serial, id))
        if at < self._timer_at:
            self._arm(at)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        delay = max(0.0, at - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self._timer = None
        self._timer_at = math.inf
        while self._due and self._due[0][0] <= now + 0.001:
            due, serial, id = heapq.heappop(self._due)
            watch = self._watched.get(id)
            if watch is not None and watch.serial == serial and not watch.asking:
                watch.asking = True
                task = asyncio.get_running_loop().create_task(self._ask(id, watch, due))
                self._asked.add(task)
                task.add_done_callback(self._asked.discard)
        while self._due and not self._is_current(self._due[0]):
            heapq.heappop(self._due)
        if self._due:
            self._arm(self._due[0][0])

    def _is_current(self, entry: tuple[float, int, ChunkId]) -> bool:
        watch = self._watched.get(entry[2])
        return watch is not None and watch.serial == entry[1]

    async def _ask(self, id: ChunkId, watch: _Watch, due: float) -> None:
        began = self._clock.monotonic()
        target = resolve(watch.check, watch.container, self._is_of_host)
        lost = began - due
        if isinstance(target, ProbeResult):
            result = target
        else:
            result, while_open = await self._ask_in_time(watch, target)
            lost += while_open
            if not result.ok and result.is_known and not watch.check.asks_from_outside:
                result = await self._if_engine_answers(result)
        watch.asking = False
        if self._watched.get(id) is not watch:
            return
        counts = result.ok or watch.early is None or began >= watch.first_regular
        lost = lost if lost > MOST_LATE_SECONDS else 0.0
        self._post(Probed(id, watch.container.run, result, counts, began, lost))
        if result.ok:
            watch.early = None
        self._schedule(self._next(watch, began), id, watch.serial)

    async def _ask_in_time(self, watch: _Watch, target: Target) -> tuple[ProbeResult, float]:
        """The answer, and for how long we had no turn meanwhile. Where that is why there is none, it is no result."""
        began, before = self._clock.monotonic(), self._lateness.begin()
        lost = 0.0
        try:
            result = await ask(watch.probe, target, watch.check.timeout_seconds)
        finally:
            lost = self._lateness.end(before)
        elapsed = self._clock.monotonic() - began
        if result.ok or not is_too_late(lost, elapsed, watch.check.timeout_seconds):
            return result, lost
        text = framed(result.message, after="; not counted, since this machine is too busy to ask in time")
        return replace(result, message=text, is_known=False), lost

    async def _if_engine_answers(self, bad: ProbeResult) -> ProbeResult:
        """A bad result that came through the engine: where that does not answer at once, it may be the engine's."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._ping()
        except (TimeoutError, EngineError):
            cause, _ = taken_apart(bad.message)
            return replace(bad, message=f"{cause}; and the engine does not answer either", is_known=False)
        return bad

    def _next(self, watch: _Watch, began: float) -> float:
        now = self._clock.monotonic()
        if watch.early is not None:
            early = now + watch.early
            watch.early *= 2
            if early < watch.first_regular:
                return early
            watch.early = None
            return max(now, watch.first_regular)
        interval = self._interval(watch.check, up=watch.up)
        at = began + interval
        if interval >= STARTING_INTERVAL_SECONDS:
            at = round(at / GRID_SECONDS) * GRID_SECONDS
        return max(at, now)
