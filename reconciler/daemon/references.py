"""The domains directory together with what its files refer to: a change of either is a reason to look.

What is referred to may lie anywhere, behind links and on network drives, so it is looked at on a timer: once a second,
less often where looking costs much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

from reconciler.sources.protocol import Scan, Source

LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LOOKING_SHARE = 0.005
"""Looking takes this share of the time at most."""


class Looking(Protocol):
    """A judge of files: ``refers`` is set while they refer to something, and :meth:`look_again` says whether that now
    makes them mean something else. ``news`` is set when that is so anyway."""

    refers: asyncio.Event
    news: asyncio.Event

    async def look_again(self) -> bool: ...
    async def close(self) -> None: ...


class WithReferences:
    """See :class:`reconciler.sources.protocol.Source`: that of the directory, with what ``judge`` finds to be referred
    to by its files."""

    def __init__(self, source: Source, judge: Looking) -> None:
        self._source = source
        self._judge = judge

    def stirred_at(self) -> float:
        """When something in the directory was last seen to change."""
        return self._source.stirred_at()

    async def look_now(self) -> None:
        """Look at the directory and at all that is referred to."""
        await self._judge.look_again()
        await self._source.look_now()

    async def close(self) -> None:
        """Stop watching."""
        await self._source.close()
        await self._judge.close()

    async def scans(self) -> AsyncIterator[Scan]:
        """The first scan at once, then one after each change."""
        scans = self._source.scans()
        watching = asyncio.create_task(self._watch())
        hearing = asyncio.create_task(self._hear())
        following: asyncio.Future[Scan | None] | None = None
        try:
            while True:
                following = asyncio.ensure_future(anext(scans, None))
                await asyncio.wait({following, watching, hearing}, return_when=asyncio.FIRST_COMPLETED)
                for work in (watching, hearing):
                    if work.done():
                        work.result()
                scan = await following
                if scan is None:
                    return
                yield scan
        finally:
            tasks = [task for task in (watching, hearing, following) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self) -> None:
        while True:
            await self._judge.news.wait()
            self._judge.news.clear()
            await self._source.look_now()

    async def _watch(self) -> None:
        pause = LOOK_SECONDS
        while True:
            await self._judge.refers.wait()
            await asyncio.sleep(pause)
            begun = time.perf_counter()
            if await self._judge.look_again():
                await self._source.look_now()
            pause = min(max(LOOK_SECONDS, (time.perf_counter() - begun) / LOOKING_SHARE), LONGEST_PAUSE_SECONDS)
