"""Follows what a chunk prints: through restarts of its container, and from one container to the next.

No line comes twice and none is left out, as far as the engine keeps them: a stream that ends (the container ended, the
connection was cut) is asked for again from a little before its last line, and what was told already is known by the
engine's own time and by the text.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from reconciler.controller.loop import Controller
from reconciler.engine.protocol import Engine, EngineError, NotFound, Printed
from reconciler.intent.model import ChunkId
from reconciler.planner.observed import Condition, Container

AGAIN_SECONDS = 0.3
LOOK_SECONDS = 0.5
MOST_LINES_AT_ONCE = 500
OVERLAP_NS = 1_000_000_000
_ALIVE = (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING)

Item = tuple[Container, ChunkId, str]


class Told:
    """What was told already of one container's output, as far back as a stream that is asked for again goes. ``since``:
    nothing from before that time (in nanoseconds) is wanted; 0: all is."""

    def __init__(self, since: int = 0) -> None:
        self._newest = since + OVERLAP_NS if since else 0
        self._recent: deque[tuple[int, str]] = deque()
        self._again: Counter[tuple[int, str]] = Counter()

    def begin(self) -> int | None:
        """A stream begins; from which time (in nanoseconds) it is to be asked for, None: from the first line."""
        self._again = Counter(self._recent)
        return max(self._newest - OVERLAP_NS, 1) if self._newest else None

    def is_new(self, line: Printed) -> bool:
        """Whether a line of the stream was not told before."""
        key = (line.at, line.text)
        if self._again[key] > 0:
            self._again[key] -= 1
            return False
        self._newest = max(self._newest, line.at)
        self._recent.append(key)
        while self._recent and self._recent[0][0] < self._newest - OVERLAP_NS:
            self._recent.popleft()
        return True


class LogFollower:
    """See the module's text. ``copies`` are those of the chunk that are asked for; () stands for all that it has, now
    and later. ``tail``: so many lines to begin with."""

    def __init__(self, controller: Controller, engine: Engine, chunk: ChunkId, copies: Sequence[ChunkId], tail: int):
        self._controller = controller
        self._engine = engine
        self._chunk = chunk
        self._copies = tuple(copies)
        self._tail = tail
        self._queue: asyncio.Queue[Item] = asyncio.Queue(MOST_LINES_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def answers(self) -> AsyncIterator[dict[str, Any]]:
        """Lines as ``text``, and words of our own as ``note``; ends when the chunk is gone."""
        told_down = False
        try:
            is_first = True
            while True:
                ids = self._ids()
                for note in self._begin(ids, is_first=is_first):
                    yield {"note": note}
                is_first = False
                text = await self._some(several=len(ids) > 1)
                if text:
                    yield {"text": text}
                    continue
                if all(task.done() for task in self._tasks.values()) and self._queue.empty():
                    if not self._ids():
                        yield {"note": f"{self._name()} is gone: nothing more will come of it"}
                        return
                    domain = self._controller.known.domains.get(self._chunk.domain)
                    is_down = domain is not None and domain.down
                    if is_down and not told_down:
                        yield {
                            "note": f"{self._name()} was taken down: `pnr apply` brings it back, and its output goes on"
                        }
                    told_down = is_down
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _name(self) -> str:
        return f"{self._chunk.domain}/{self._chunk.cpux}/{self._chunk.chunk}"

    def _ids(self) -> list[ChunkId]:
        """The copies that there are, or that are still to go."""
        if self._copies:
            return [id for id in self._copies if id in self._controller.known.chunks]
        one = (self._chunk.cpux, self._chunk.chunk)
        return sorted(id for id in self._controller.known.chunks_of(self._chunk.domain) if (id.cpux, id.chunk) == one)

    def _begin(self, ids: Sequence[ChunkId], *, is_first: bool) -> list[str]:
        """Follow those containers that are not followed yet; words about them."""
        notes = []
        for id in ids:
            there = [c for c in self._controller.known.world.of(id) if c.run]
            newest = max(there, key=lambda c: c.run, default=None)
            for container in there:
                if container.id in self._tasks:
                    continue
                # At first of the newest the end, and of those that it replaces what is still to come; then all.
                tail = (self._tail if container is newest else 0) if is_first else None
                self._tasks[container.id] = asyncio.create_task(self._follow(container, id, tail))
                if not is_first:
                    notes.append(f"{id} has another container: {container.id[:12]}")
        return notes

    async def _some(self, *, several: bool) -> str:
        """The lines that are there, or the first that comes soon."""
        items = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                items.append(await self._queue.get())
        while not self._queue.empty() and len(items) < MOST_LINES_AT_ONCE:
            items.append(self._queue.get_nowait())
        return "".join(f"{id.unit} | {text}\n" if several else f"{text}\n" for _, id, text in items)

    async def _follow(self, container: Container, id: ChunkId, tail: int | None) -> None:
        """Hand on all that a container prints, in as many runs as it has, until it is gone."""
        told = Told(time.time_ns() if tail == 0 else 0)
        while True:
            begin = told.begin()
            try:
                async with contextlib.aclosing(self._engine.follow(container.id, begin, tail or None)) as lines:
                    async for line in lines:
                        if told.is_new(line):
                            await self._queue.put((container, id, line.text))
                tail = None  # from now on all of it is new
            except NotFound:
                return
            except EngineError:
                tail = None if told.begin() is not None else tail
            while True:
                await asyncio.sleep(AGAIN_SECONDS)
                now = self._controller.known.world.containers.get(container.id)
                if now is None:
                    return
                if now.condition in _ALIVE:
                    break
