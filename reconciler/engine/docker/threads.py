"""Threads for calls that block: so many at once, none of which holds up the end of the process.

A pool of the standard library is joined when the interpreter ends, so that one call to an engine that hangs would keep
the whole daemon from ending. These threads are left behind then: what they wait for changes nothing of ours.

A thread that is done waits a while for the next call: to start one costs the loop's thread more than most calls do.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

IDLE_SECONDS = 10.0
"""So long a thread waits for the next call."""

_Job = Callable[[], Callable[[], None]]
"""A call; what it gives tells how it ended."""
_Jobs = queue.SimpleQueue[_Job]


class Threads:
    """At most ``limit`` calls at once; the others wait in the order in which they came."""

    def __init__(self, limit: int, name: str) -> None:
        self._free = asyncio.Semaphore(limit)
        self._name = name
        self._idle: list[_Jobs] = []  # the newest last: it is taken first, so that the others may end
        self._changing = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """Run ``call`` in a thread; its result, or what it raises. Cancelling stops the waiting, not the call."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            # The place is free again when the call has ended, not when somebody stopped waiting for it.
            self._free.release()
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def job() -> Callable[[], None]:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = call()
            except BaseException as caught:  # noqa: BLE001 - it is raised again where it is awaited
                error = caught

            def tell() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    loop.call_soon_threadsafe(settle, result, error)

            return tell

        try:
            self._put(job)
        except RuntimeError:
            self._free.release()
            raise
        return await future

    def _put(self, job: _Job) -> None:
        """Give a call to a thread that waits for one, or else to a new one. Raises RuntimeError where there can be no
        more threads."""
        with self._changing:
            jobs = self._idle.pop() if self._idle else None
        if jobs is None:
            jobs = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(jobs,), name=self._name, daemon=True).start()
        jobs.put(job)

    def _work(self, jobs: _Jobs) -> None:
        """Do the calls that are put there, until none has come for a while."""
        while True:
            try:
                job = jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._changing:
                    if jobs in self._idle:
                        self._idle.remove(jobs)
                        return
                continue  # one is being put there
            tell = job()
            with self._changing:
                self._idle.append(jobs)  # before it is told, or the next call would be given to a new thread
            tell()
            del job, tell  # what they hold is not kept while nothing is to be done
