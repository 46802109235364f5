"""The daemon's side of a process that judges files: starts it, asks it, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import reconciler
from reconciler.daemon.judging_messages import LENGTH, Answer, Logged, Setup, packed, unpacked
from reconciler.errors import PnrError

log = logging.getLogger("pnr.judging")

START_SECONDS = 300.0
END_SECONDS = 5.0
LARGE = 64 * 1024
"""A message that is larger is taken apart in a thread."""


class ProcessEnded(Exception):
    """The process ended before it answered. ``why`` says how, in words; ``was_alone``: it was at nothing else."""

    def __init__(self, why: str, *, was_alone: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.was_alone = was_alone


class CantStart(PnrError):
    """The process that judges files can't be started; without it no file is judged."""

    code: ClassVar[str] = "JudgingCantStart"


class Failed(Exception):
    """The process could not do what it was asked, and lives; the text is the name of what was raised."""


class Process:
    """One process, from :meth:`start` to its end."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._next = 0
        self._why = ""
        self.engine_folders: tuple[str, ...] = ()  # what it was told of them

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._child is not None and not self._why

    async def start(self, setup: Setup) -> None:
        """Start it. Raises CantStart."""
        # Never with the current directory on its path: that may be one in which others write.
        package = os.path.dirname(os.path.dirname(os.path.abspath(reconciler.__file__)))
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH", "")])])
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "reconciler.daemon.judging_child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
        except OSError as error:
            raise CantStart(f"the process that judges files can't be started: {error.strerror or error}") from error
        self._reading = asyncio.create_task(self._read(), name="answers of who judges files")
        ready = self._expect(0)
        try:
            self.tell(setup)
            async with asyncio.timeout(START_SECONDS):
                await ready
        except (ProcessEnded, TimeoutError) as error:
            await self.end()
            raise CantStart(f"the process that judges files does not start ({error}); check the machine") from error

    def tell(self, message: object) -> None:
        """Send a message."""
        assert self._child is not None
        assert self._child.stdin is not None
        if not self._why:
            self._child.stdin.write(packed(message))

    async def send(self, message: object) -> None:
        """The same of one that may be large, and of which there may be many: no more of them wait here than one."""
        data = await asyncio.to_thread(packed, message)
        assert self._child is not None
        assert self._child.stdin is not None
        if not self._why:
            self._child.stdin.write(data)
            with contextlib.suppress(OSError):  # it has ended: who reads its answers finds out how
                await self._child.stdin.drain()

    async def ask(self, request: Callable[[int], object]) -> Any:
        """Send the request made with this number; its answer. Raises ProcessEnded, Failed."""
        if not self.is_alive:
            raise ProcessEnded(self._why or "it was not started")
        self._next += 1
        number = self._next
        answer = self._expect(number)
        try:
            self.tell(request(number))
            return await answer
        finally:
            self._asked.pop(number, None)

    async def end(self) -> None:
        """End it at once, with all that it is at."""
        if self._child is not None and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
        if self._reading is not None:
            # One that hangs in the kernel is not waited for.
            await asyncio.wait({self._reading}, timeout=END_SECONDS)

    def _expect(self, number: int) -> asyncio.Future[Any]:
        self._asked[number] = asyncio.get_running_loop().create_future()
        return self._asked[number]

    async def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        try:
            while True:
                head = await self._child.stdout.readexactly(LENGTH.size)
                body = await self._child.stdout.readexactly(LENGTH.unpack(head)[0])
                is_large = len(body) > LARGE
                self._take(await asyncio.to_thread(unpacked, body) if is_large else unpacked(body))
        except (asyncio.IncompleteReadError, OSError):
            self._why = _how(await self._child.wait())
        except Exception as error:
            log.exception("what the process that judges files says can't be understood")
            self._why = f"it said what can't be understood ({type(error).__name__})"
        finally:
            self._why = self._why or "it was ended"
            left = [waiting for waiting in self._asked.values() if not waiting.done()]
            for waiting in left:
                waiting.set_exception(ProcessEnded(self._why, was_alone=len(left) == 1))
                waiting.exception()  # it may be that nobody waits any more

    def _take(self, message: object) -> None:
        match message:
            case Logged(level, name, text):
                logging.getLogger(name).log(level, "%s", text)
            case Answer(id, value, error):
                waiting = self._asked.get(id)
                if waiting is not None and not waiting.done():
                    waiting.set_exception(Failed(error)) if error else waiting.set_result(value)


def _how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    if code == -getattr(signal, "SIGXCPU", 0):
        return "its processor time is used up"
    if code == -getattr(signal, "SIGKILL", 0):
        return "it was killed: the memory of the machine may be used up"
    return f"signal {-code}"
