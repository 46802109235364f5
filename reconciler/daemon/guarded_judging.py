"""Judges files for the daemon in a process of its own, with a budget of time and memory.

Whoever may write a domain file may write one that takes for ever to be judged, or all memory. Such a file is told to be
too costly; what is in force of it stays, and all others are judged. Files are loaded several at a time. Where that ends
the process, those that were being loaded are loaded again, each alone in a fresh process and with a larger budget: who
ends that one is too costly. Where files can only be judged together at too high a cost, those are found beside which
the others can be judged.

What a file refers to may be slow to be read. The others do not wait for it: until then its file is told to be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.daemon import intake
from reconciler.daemon.intake import Entry, Judged, Key
from reconciler.daemon.judging_messages import (
    EngineFolders,
    Forget,
    Keep,
    Load,
    Put,
    Ref,
    Setup,
    Stale,
    Together,
    Verdict,
)
from reconciler.daemon.judging_process import Failed, Process, ProcessEnded
from reconciler.daemon.owners import Owners
from reconciler.daemon.unjudged import being_read, failed_there, too_costly
from reconciler.intent.contents import Source
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain, Loaded, Problem
from reconciler.intent.said_names import said_names

AT_ONCE = 16
CPU_SECONDS = 3
"""Of processor time, for files that are loaded together; each that comes renews it."""
CPU_SECONDS_ALONE = 60
CPU_SECONDS_TOGETHER = 30
WALL_SECONDS = 300.0
"""A file that is not loaded by then is too costly, whatever it waits for."""
PATIENCE_SECONDS = 10.0
"""So long all files wait for those that are slow to be loaded."""
MOST_SAID_BYTES = 4096
"""So much of a file that could not be judged is looked at for the names in it."""
RETRY_SECONDS = 600.0
"""A file that was too costly is tried again after so long: it may have waited for something."""


class GuardedJudge:
    """See :class:`reconciler.controller.protocols.Judge`. ``refers`` is set while there is something to look at again.
    ``on_judged`` is called in a thread with the sources that the files refer to now, ``owners`` is told whose the names
    of domains are."""

    def __init__(
        self,
        setup: Setup,
        *,
        on_judged: Callable[[Collection[Source]], object] | None = None,
        owners: Owners | None = None,
    ) -> None:
        self.refers = asyncio.Event()
        self._setup = setup
        self._on_judged = on_judged
        self._owners = owners or Owners()
        self._process = Process()
        self._alone = Process()
        self._starting = asyncio.Lock()
        self._one_alone = asyncio.Lock()
        self._judging = asyncio.Lock()
        self._seats = asyncio.Semaphore(AT_ONCE)
        self._entries: dict[Key, Entry] = {}
        self._there: set[Key] = set()  # those that the process knows
        self._numbers: dict[int, tuple[Domain, int]] = {}  # domains that it knows by a number, by identity
        self._next_number = 0
        self._loads: dict[Key, asyncio.Task[None]] = {}
        self._late: set[Key] = set()  # those that nobody waits for any more
        self._again_at: dict[Key, float] = {}
        self._is_changed = False

    async def start(self) -> None:
        """Start the process. Raises CantStart."""
        await self._alive()

    def recall(self, stored: Sequence[intake.Stored]) -> Mapping[str, Domain]:
        """What stored texts mean, by the domain's name: of those that were prepared."""
        self._owners.recalled(stored)
        return intake.recall(_Unprepared(), stored, self._cache())

    async def prepare(self, files: Mapping[str, Any], *, patience_seconds: float | None = None) -> None:
        """Load those that are not loaded yet, and wait for them; so long at most. Raises CantStart."""
        wanted = await asyncio.to_thread(_keys, files)
        for key, data in wanted.items():
            if key not in self._entries and key not in self._loads:
                self._loads[key] = asyncio.create_task(self._load(key, data), name=f"load {key[0]}")
        waits = [self._loads[key] for key in wanted if key in self._loads]
        if not waits:
            return
        self._late -= wanted.keys()
        await asyncio.wait(waits, timeout=patience_seconds)
        self._late |= wanted.keys() & self._loads.keys()
        for task in waits:
            if task.done():
                task.result()

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> Judged:
        """Judge files by their names, beside what is in force. Raises CantStart."""
        await self._alive()
        await self.prepare(files, patience_seconds=PATIENCE_SECONDS)
        async with self._judging:
            keys = {key[0]: key for key in await asyncio.to_thread(_keys, files)}
            wanted = {name: self._what(name, file, keys.get(name)) for name, file in files.items()}
            try:
                judged = await self._together(wanted, in_force)
            except ProcessEnded:
                judged = await self._without_costly(wanted, in_force)
        self._owners.judged(judged, in_force)
        self._forget({what for what in wanted.values() if isinstance(what, tuple)}, in_force)
        used = {source for entry in self._entries.values() for source in entry.stamps}
        if self._on_judged is not None:
            await asyncio.to_thread(self._on_judged, used)
        has_more = self._late or self._again_at or any(entry.looked or entry.net for entry in self._entries.values())
        self.refers.set() if used or has_more else self.refers.clear()
        return judged

    async def look_again(self) -> bool:
        """Load again what may have changed; whether some file now means something else."""
        try:
            stale = await (await self._alive()).ask(lambda id: Stale(id, CPU_SECONDS_ALONE))
        except (ProcessEnded, Failed):
            stale = []
        now = time.monotonic()
        stale += [key for key, at in self._again_at.items() if at <= now]
        before = {key: self._entries[key] for key in stale if key in self._entries and key not in self._loads}
        for key, entry in before.items():
            self._loads[key] = asyncio.create_task(self._load(key, entry.data), name=f"load {key[0]} again")
        if before:
            await asyncio.wait([self._loads[key] for key in before if key in self._loads], timeout=PATIENCE_SECONDS)
        self._late |= before.keys() & self._loads.keys()
        changed = any(
            (new.loaded, new.refused) != (old.loaded, old.refused)
            for key, old in before.items()
            if (new := self._entries.get(key)) is not None
        )
        was_changed, self._is_changed = self._is_changed, False
        return changed or was_changed

    async def close(self) -> None:
        """End all that is under way."""
        tasks = list(self._loads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(self._process.end(), self._alone.end())

    # --- loading --------------------------------------------------------------------------------------------------

    async def _load(self, key: Key, data: bytes) -> None:
        try:
            async with asyncio.timeout(WALL_SECONDS):
                entry = await self._loaded(key, data)
        except TimeoutError:
            entry = _failed(key, data, too_costly(key[0], f"it takes more than {WALL_SECONDS:.0f} s"))
        finally:
            self._loads.pop(key, None)
        self._again_at.pop(key, None)
        if entry.loaded.problems and not entry.stamps and entry.loaded.problems[0].code == "TooCostly":
            self._again_at[key] = time.monotonic() + RETRY_SECONDS
        self._entries[key] = entry
        if key in self._late:
            self._late.discard(key)
            self._is_changed = True

    async def _loaded(self, key: Key, data: bytes) -> Entry:
        async with self._seats:
            with contextlib.suppress(ProcessEnded):  # another file may have ended it
                process = await self._alive()
                try:
                    entry: Entry = await process.ask(lambda id: Load(id, CPU_SECONDS, key, data))
                except Failed as failed:
                    entry = _failed(key, data, failed_there(key[0], str(failed)))
                else:
                    self._there.add(key)
                if not _is_costly(entry):
                    return entry
        self._there.discard(key)  # what it means now comes from elsewhere
        async with self._one_alone:
            try:
                if not self._alone.is_alive:
                    self._alone = Process()
                    await self._alone.start(self._setup)
                self._tell_engine(self._alone)
                found: Entry = await self._alone.ask(lambda id: Load(id, CPU_SECONDS_ALONE, key, data))
                return found
            except Failed as failed:
                return _failed(key, data, failed_there(key[0], str(failed)))
            except ProcessEnded as ended:
                return _failed(key, data, too_costly(key[0], ended.why))
            finally:
                if self._one_alone.locked() and not self._loads.keys() - {key}:
                    await self._alone.end()  # nobody else waits for it

    async def _alive(self) -> Process:
        async with self._starting:
            if not self._process.is_alive:
                self._process = Process()
                self._there.clear()
                self._numbers.clear()
                await self._process.start(self._setup)
            self._tell_engine(self._process)
            return self._process

    def _tell_engine(self, process: Process) -> None:
        """What is known by now of where the engine keeps its data."""
        policy = self._setup.policy
        folders = tuple(policy.places.engine) if policy is not None else ()
        if folders != process.engine_folders:
            process.tell(EngineFolders(folders))
            process.engine_folders = folders

    # --- judging together -----------------------------------------------------------------------------------------

    def _what(self, name: str, file: Any, key: Key | None) -> Key | Problem:
        if file.problem is not None or key is None:
            return file.problem or being_read(name)
        return key if key in self._entries else being_read(name)

    async def _together(self, wanted: Mapping[str, Key | Problem], in_force: Sequence[InForce]) -> Judged:
        """Raises ProcessEnded."""
        process = await self._alive()
        for what in wanted.values():
            if isinstance(what, tuple):
                await self._put(process, what)
        by_id = {
            id(entry.loaded.domain): key for key, entry in self._entries.items() if entry.loaded.domain is not None
        }
        refs = [None if one.domain is None else await self._ref(process, one.domain, by_id) for one in in_force]
        said = tuple((one.name, one.file, ref, one.gone, one.absent) for one, ref in zip(in_force, refs, strict=True))
        try:
            verdict: Verdict = await process.ask(lambda id: Together(id, CPU_SECONDS_TOGETHER, wanted, said))
        except Failed as failed:
            raise ProcessEnded(str(failed)) from failed
        return replace(
            verdict.judged,
            domains={name: self._domain(ref) for name, ref in verdict.domains.items()},
            readable={name: self._domain(ref) for name, ref in verdict.readable.items()},
        )

    async def _without_costly(self, wanted: dict[str, Key | Problem], in_force: Sequence[InForce]) -> Judged:
        """Find the files at whose cost the others can't be judged, and judge the others."""
        known = {one.domain.digest for one in in_force if one.domain is not None}
        sound: dict[str, Key | Problem] = {name: what for name, what in wanted.items() if isinstance(what, Problem)}
        costly: dict[str, Problem] = {}

        async def add(names: list[str]) -> None:
            try:
                await self._together({**sound, **{name: wanted[name] for name in names}}, in_force)
            except ProcessEnded as ended:
                if len(names) == 1:
                    costly[names[0]] = too_costly(names[0], f"beside the others, {ended.why}")
                    return
                await add(names[: len(names) // 2])
                await add(names[len(names) // 2 :])
            else:
                sound.update({name: wanted[name] for name in names})

        new = [name for name, what in wanted.items() if isinstance(what, tuple) and what[1].hex() not in known]
        old = [name for name, what in wanted.items() if isinstance(what, tuple) and what[1].hex() in known]
        for names in (old, new):
            if names:
                await add(names)
        for name, problem in costly.items():
            key = wanted[name]
            assert isinstance(key, tuple)
            self._entries[key] = _failed(key, self._entries[key].data, problem)
            self._there.discard(key)
            self._again_at[key] = time.monotonic() + RETRY_SECONDS
            wanted[name] = key
        return await self._together(wanted, in_force)

    async def _put(self, process: Process, key: Key) -> None:
        if key not in self._there:
            self._there.add(key)
            await process.send(Put(key, self._entries[key]))

    async def _ref(self, process: Process, domain: Domain, by_id: Mapping[int, Key]) -> Ref:
        key = by_id.get(id(domain))
        if key is not None:
            await self._put(process, key)
            return key
        found = self._numbers.get(id(domain))
        if found is None:
            self._next_number += 1
            found = self._numbers[id(domain)] = (domain, self._next_number)
            await process.send(Keep(self._next_number, domain))
        return found[1]

    def _domain(self, ref: Ref) -> Domain:
        if isinstance(ref, int):
            return next(domain for domain, number in self._numbers.values() if number == ref)
        domain = self._entries[ref].loaded.domain
        assert domain is not None
        return domain

    def _forget(self, wanted: set[Key], in_force: Sequence[InForce]) -> None:
        """Only what the files say now is kept, and what of the rest is in force."""
        kept = {id(one.domain) for one in in_force if one.domain is not None}
        gone = {
            key for key, entry in self._entries.items() if key not in wanted and id(entry.loaded.domain) not in kept
        }
        numbers = {at: number for at, (_, number) in self._numbers.items() if at not in kept}
        for key in gone:
            del self._entries[key]
            self._again_at.pop(key, None)
        for at in numbers:
            del self._numbers[at]
        if self._process.is_alive and (gone or numbers):
            self._process.tell(Forget(tuple(gone & self._there), tuple(numbers.values())))
        self._there -= gone

    def _cache(self) -> intake.LoadCache:
        cache = intake.LoadCache()
        cache.loaded = self._entries
        return cache


class _Unprepared:
    """Loads nothing."""

    def load(self, name: str, data: bytes) -> Entry:
        return _failed(_key(name, data), data, being_read(name))


def _keys(files: Mapping[str, Any]) -> dict[Key, bytes]:
    return {_key(name, file.data): file.data for name, file in files.items() if file.data is not None}


def _key(name: str, data: bytes) -> Key:
    return (name, hashlib.sha256(data).digest())


def _failed(key: Key, data: bytes, problem: Problem) -> Entry:
    return Entry(Loaded(key[0], None, (problem,)), data, {}, said=said_names(data[:MOST_SAID_BYTES]))


def _is_costly(entry: Entry) -> bool:
    return any(problem.code == "TooCostly" for problem in entry.loaded.problems)
