"""Lanes in which files are loaded, each with a process of its own: who is costly in one holds up nobody in another.

Whose turn is next in a lane is, in turn, the smallest that waits and the newest. So a file that comes later does not
wait for all that were there before, however many they are; and none waits for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from reconciler.daemon.intake import Entry, Key
from reconciler.daemon.judging_messages import Load
from reconciler.daemon.judging_process import Process, ProcessEnded

MOST_SLOW = 24
"""So many that wait for something else leave their seats to others."""


class TooSlow(ProcessEnded):
    """The process lives, and has not answered."""


class NotWanted(Exception):
    """Nobody wants the file any more, now that it is its turn."""


class Seats:
    """So many at once."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._slow = 0
        self._waiting: dict[int, tuple[int, asyncio.Future[None]]] = {}
        self._number = 0
        self._by_size = True

    @property
    def are_wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    @contextlib.asynccontextmanager
    async def taken(self, size: int, patience_seconds: float) -> AsyncIterator[None]:
        """Have a seat, as soon as there is one. Who keeps it for longer than that leaves it to another, and goes on."""
        await self._take(size)
        left = False

        def leave() -> None:
            nonlocal left
            if self._slow < MOST_SLOW:
                left = True
                self._slow += 1
                self._give()

        timer = asyncio.get_running_loop().call_later(patience_seconds, leave)
        try:
            yield
        finally:
            timer.cancel()
            if left:
                self._slow -= 1
            else:
                self._give()

    async def _take(self, size: int) -> None:
        if self._free:
            self._free -= 1
            return
        self._number += 1
        number, turn = self._number, asyncio.get_running_loop().create_future()
        self._waiting[number] = size, turn
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()
            raise
        finally:
            self._waiting.pop(number, None)

    def _give(self) -> None:
        waiting = {number: size for number, (size, turn) in self._waiting.items() if not turn.done()}
        if not waiting:
            self._free += 1
            return
        number = min(waiting, key=lambda number: (waiting[number], -number)) if self._by_size else max(waiting)
        self._by_size = not self._by_size
        self._waiting[number][1].set_result(None)


class Lane:
    """One of them. ``prepare`` starts a process, where it does not live yet, and tells it what it is to know. A lane
    that is not ``lasting`` ends its process when nothing is to be done."""

    def __init__(self, prepare: Callable[[Process], Awaitable[None]], *, at_once: int, lasting: bool = False) -> None:
        self.process = Process()
        self._prepare = prepare
        self._seats = Seats(at_once)
        self._lasting = lasting
        self._starting = asyncio.Lock()
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._at_work = 0

    async def alive(self) -> Process:
        """Its process, a new one where that has ended. Raises CantStart."""
        async with self._starting:
            if not self.process.is_alive:
                self.process = Process()
            await self._prepare(self.process)
            return self.process

    async def load(
        self,
        key: Key,
        data: bytes,
        *,
        cpu_seconds: int,
        wall_seconds: float,
        patience: float,
        is_wanted: Callable[[], bool],
    ) -> tuple[Entry, Process]:
        """Load a file, when it is its turn; what it means, and the process that knows that. Raises ProcessEnded,
        Failed, NotWanted, CantStart."""
        async with self._seats.taken(len(data), patience):
            await self._open.wait()
            if not is_wanted():
                raise NotWanted
            self._at_work += 1
            self._idle.clear()
            try:
                process = await self.alive()
                async with asyncio.timeout(wall_seconds):
                    entry: Entry = await process.ask(lambda id: Load(id, cpu_seconds, key, data))
            except TimeoutError as error:
                raise TooSlow(f"it takes more than {wall_seconds:.0f} s") from error
            finally:
                self._at_work -= 1
                if not self._at_work:
                    self._idle.set()
            return replace(entry, data=data), process

    async def rest(self) -> None:
        """End the process where nobody needs it."""
        async with self._starting:
            if not (self._lasting or self._at_work or self._seats.are_wanted):
                ended, self.process = self.process, Process()
                await ended.end()

    @contextlib.asynccontextmanager
    async def undisturbed(self, patience_seconds: float) -> AsyncIterator[Process]:
        """Its process, in which nothing begins to be loaded meanwhile. What has begun is waited for so long at most.
        Raises CantStart."""
        self._open.clear()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_seconds):
                    await self._idle.wait()
            yield await self.alive()
        finally:
            self._open.set()
