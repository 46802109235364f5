"""The process that judges files, beside the daemon: ended with all that it was at when a file takes too much.

It reads messages from standard input and answers on standard output; it ends where its input ends. Each request renews
its budget of processor time, which the kernel keeps: nothing that holds the interpreter can put that off.

This module owns the difference between platforms: where there are no resource limits (Windows) the daemon's own clock
has to do.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import IO, Any

from reconciler.daemon import intake
from reconciler.daemon.judging_messages import (
    Answer,
    EngineFolders,
    Forget,
    Keep,
    Load,
    Logged,
    Put,
    Ref,
    Setup,
    Stale,
    Together,
    Verdict,
    packed,
    read,
)
from reconciler.daemon.reading_contents import contents_of
from reconciler.daemon.sparing import spared
from reconciler.intent.judgement import InForce
from reconciler.intent.locating import Locator
from reconciler.intent.model import Domain
from reconciler.probes import registry

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

THREADS = 48
"""What a file refers to may lie on a slow disk or behind a slow key service: others are loaded meanwhile."""
MOST_LOCATED_BYTES = 4 << 20
"""So much of the files is looked through for the lines of what is wrong each time that they are judged."""
NICENESS = 10


class Child:
    """Answers what the daemon asks."""

    def __init__(self, setup: Setup, out: IO[bytes]) -> None:
        self._out = out
        self._writing = threading.Lock()
        self._contents = contents_of(setup.state, setup.allowed_env, setup.policy, make_key=True)
        self._loading = intake.Loading(
            setup.base_dir, setup.env, setup.allowed_env, registry.known_types(), self._contents, setup.policy
        )
        self._entries: dict[intake.Key, intake.Entry] = {}
        self._kept: dict[int, Domain] = {}
        self._locator = Locator(MOST_LOCATED_BYTES)
        self._budgets = Budgets()
        self._threads = ThreadPoolExecutor(THREADS, "pnr-judge")

    def serve(self, source: IO[bytes]) -> None:
        """Until the input ends."""
        self.say(Answer(0))
        while (message := read(source)) is not None:
            match message:
                case Load(id, cpu_seconds, key, data):
                    self._work(id, cpu_seconds, lambda key=key, data=data: self._load(key, data))  # type: ignore[misc]
                case Stale(id, cpu_seconds):
                    self._work(id, cpu_seconds, self._stale)
                case Together(id, cpu_seconds):
                    self._work(id, cpu_seconds, lambda message=message: self._together(message))  # type: ignore[misc]
                case Put(key, entry):
                    self._entries[key] = entry
                case Keep(number, domain):
                    self._kept[number] = domain
                case EngineFolders(folders):
                    self._protect(folders)
                case Forget(keys, numbers):
                    self._forget(keys, numbers)

    def say(self, message: object) -> None:
        """Write a message, whole."""
        data = packed(message)
        with self._writing:
            self._out.write(data)
            self._out.flush()

    def _work(self, id: int, cpu_seconds: int, call: Callable[[], Any]) -> None:
        self._budgets.begin(id, cpu_seconds)

        def work() -> None:
            try:
                answer = Answer(id, call())
            except BaseException as error:  # noqa: BLE001 - it is told to who asked
                answer = Answer(id, error=type(error).__name__)
            self._budgets.end(id)
            self.say(answer)

        self._threads.submit(work)

    def _load(self, key: intake.Key, data: bytes) -> intake.Entry:
        entry = spared(self._loading.load(key[0], data))
        # What means nothing is only looked at again for what it refers to.
        self._entries[key] = entry if entry.loaded.domain is not None else replace(entry, data=b"")
        return replace(entry, data=b"")

    def _stale(self) -> list[intake.Key]:
        contents = intake.glance(self._contents)
        entries = {key: entry for key, entry in self._entries.copy().items() if entry.refers}
        return [key for key, entry in entries.items() if self._loading.seems_stale(key[0], entry, contents)]

    def _together(self, asked: Together) -> Verdict:
        refs = {id(domain): ref for ref, domain in self._domains().items()}
        in_force = [
            InForce(name, file, None if ref is None else self._domain(ref), gone, absent)
            for name, file, ref, gone, absent in asked.in_force
        ]
        entries = {name: self._entries[key] for name, key in asked.files.items()}
        judged = intake.judge_loaded(entries, broken=asked.broken, in_force=in_force, locator=self._locator)
        return Verdict(
            {name: refs[id(domain)] for name, domain in judged.domains.items()},
            {name: refs[id(domain)] for name, domain in judged.readable.items()},
            replace(judged, domains={}, readable={}),
        )

    def _domains(self) -> dict[Ref, Domain]:
        loaded = {key: entry.loaded.domain for key, entry in self._entries.copy().items()}
        found: dict[Ref, Domain] = {key: domain for key, domain in loaded.items() if domain is not None}
        return found | dict(self._kept.items())

    def _domain(self, ref: Ref) -> Domain | None:
        return self._kept[ref] if isinstance(ref, int) else self._entries[ref].loaded.domain

    def _protect(self, folders: tuple[str, ...]) -> None:
        if self._loading.policy is not None:
            for folder in folders:
                self._loading.policy.protect(folder)

    def _forget(self, keys: tuple[intake.Key, ...], numbers: tuple[int, ...]) -> None:
        for key in keys:
            self._entries.pop(key, None)
        for number in numbers:
            self._kept.pop(number, None)
        self._contents.forget_others({source for entry in self._entries.copy().values() for source in entry.stamps})


class _ToDaemon(logging.Handler):
    def __init__(self, child: Child) -> None:
        super().__init__()
        self._child = child

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._child.say(Logged(record.levelno, record.name, record.getMessage()))


class Budgets:
    """Processor time for all that is under way: when it is used up, the kernel ends the process. It is counted again
    whenever something begins or ends."""

    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}
        self._changing = threading.Lock()

    def begin(self, id: int, seconds: int) -> None:
        """Something begins, for which there is so much."""
        with self._changing:
            self._seconds[id] = seconds
            self._count()

    def end(self, id: int) -> None:
        """It has ended."""
        with self._changing:
            self._seconds.pop(id, None)
            self._count()

    def _count(self) -> None:
        if resource is not None and self._seconds:
            used = resource.getrusage(resource.RUSAGE_SELF)
            _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + sum(self._seconds.values()))


def _lower(which: int, value: int) -> None:
    """Set the soft limit, never above the hard one."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(which)
        resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    """The process."""
    for name in ("SIGINT", "SIGTERM"):  # the daemon ends it
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Whatever prints (a plug-in does as it is imported) must not write between the answers.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    setup = read(sys.stdin.buffer)
    if not isinstance(setup, Setup):
        return
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    child = Child(setup, out)
    if resource is not None:
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_AS, setup.memory_bytes)
    logging.getLogger().addHandler(_ToDaemon(child))
    with contextlib.suppress(BrokenPipeError):
        child.serve(sys.stdin.buffer)
    os._exit(0)  # threads may hang in what they read


if __name__ == "__main__":
    main()
