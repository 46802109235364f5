"""One piece of work an image, however many ask for it: all of them are told how it goes, all get its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from reconciler.engine.docker.images.streams import Stop
from reconciler.engine.docker.threads import Threads
from reconciler.engine.protocol import Milestone, Progress

UNWANTED_SECONDS = 5.0
"""Work that nobody waits for goes on for so long: a changed intent most often wants the same image again."""

Work = Callable[[Progress, Stop], None]


@dataclass(slots=True, eq=False)
class _Shared:
    stop: Stop
    task: asyncio.Task[None] | None = None
    listeners: list[Progress] = field(default_factory=list)


class SharedWork:
    """Runs pieces of work in threads, one a key at a time."""

    def __init__(self, threads: Threads, *, unwanted_seconds: float = UNWANTED_SECONDS) -> None:
        self._threads = threads
        self._unwanted_seconds = unwanted_seconds
        self._under_way: dict[Hashable, _Shared] = {}

    async def run(self, key: Hashable, work: Work, progress: Progress) -> None:
        """Do ``work``, or share what is under way under the same key. Raises what it raises.

        ``progress`` is called on the loop's thread; milestones are told to one listener only.
        """
        shared = self._under_way.get(key)
        if shared is None:
            shared = self._begin(key, work)
        assert shared.task is not None
        shared.listeners.append(progress)
        try:
            await asyncio.shield(shared.task)
        finally:
            shared.listeners.remove(progress)
            if not shared.listeners and not shared.task.done():
                asyncio.get_running_loop().call_later(self._unwanted_seconds, self._stop_unwanted, key, shared)

    async def close(self) -> None:
        """Give up all that is under way."""
        everything = list(self._under_way.values())
        for shared in everything:
            shared.stop()
            if shared.task is not None:
                shared.task.cancel()
        await asyncio.gather(*(s.task for s in everything if s.task is not None), return_exceptions=True)

    def _begin(self, key: Hashable, work: Work) -> _Shared:
        loop = asyncio.get_running_loop()
        shared = _Shared(Stop())

        def on_loop(line: str) -> None:
            told = shared.listeners[:1] if isinstance(line, Milestone) else list(shared.listeners)
            for listener in told:
                listener(line)

        def tell(line: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(on_loop, line)

        shared.task = asyncio.create_task(self._threads.run(lambda: work(tell, shared.stop)))
        self._under_way[key] = shared
        shared.task.add_done_callback(lambda task: self._done(key, shared, task))
        return shared

    def _done(self, key: Hashable, shared: _Shared, task: asyncio.Task[None]) -> None:
        self._forget(key, shared)
        if not task.cancelled():
            # Those who wait for it get the error; where all have gone, nobody needs it.
            task.exception()

    def _stop_unwanted(self, key: Hashable, shared: _Shared) -> None:
        if not shared.listeners:
            # Whoever comes now starts over.
            self._forget(key, shared)
            shared.stop()

    def _forget(self, key: Hashable, shared: _Shared) -> None:
        if self._under_way.get(key) is shared:
            del self._under_way[key]
