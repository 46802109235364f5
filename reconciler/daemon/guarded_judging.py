"""Judges files for the daemon in processes of their own, with budgets of time and memory.

Whoever may write a domain file may write one that takes for ever to be judged, or all memory. Such a file is told to be
too costly; what is in force of it stays, and all others are judged. So files are loaded in lanes:

* Small ones several at a time. Where that ends the process, those that were being loaded go on to the next lane.
* There it is one at a time; large ones begin here. Who ends this process goes on to the last lane, as those do that
  were alone in the first one.
* There the budget is larger. Who ends this process too is too costly.

What a file came to mean is remembered by its content: a file that comes later costs only its own judging. What is valid
is then judged together (see :mod:`reconciler.daemon.judging_together`).

What a file refers to may be slow to be read. The others do not wait for it: until then its file is told to be read.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.daemon import intake
from reconciler.daemon.intake import Entry, Judged, Key
from reconciler.daemon.judging_lanes import Lane, NotWanted, TooSlow
from reconciler.daemon.judging_messages import EngineFolders, Setup, Stale
from reconciler.daemon.judging_process import Failed, Process, ProcessEnded
from reconciler.daemon.judging_together import JudgingTogether
from reconciler.daemon.owners import Owners
from reconciler.daemon.unjudged import being_read, failed_there, too_costly
from reconciler.diagnostics import Diagnostic
from reconciler.intent.contents import Source
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain, Loaded
from reconciler.intent.named_in_file import said_names

AT_ONCE = 16
LARGE_BYTES = 64 * 1024
"""A file that is larger may take a while: it is not loaded beside small ones."""
CPU_SECONDS = 3
"""Of processor time, for files that are loaded together; each that comes renews it."""
CPU_SECONDS_ALONE = 60
CPU_SECONDS_TOGETHER = 30
WALL_SECONDS = 300.0
"""A file that is not loaded by then is too costly, whatever it waits for."""
PATIENCE_SECONDS = 10.0
"""So long all files wait for those that are slow to be loaded."""
PATIENCE_SECONDS_CROWD = 2.0
"""So long where there are more than are loaded at once."""
MOST_SAID_BYTES = 4096
"""So much of a file that could not be judged is looked at for the names in it."""
RETRY_SECONDS = 600.0
"""A file that was too costly is tried again after so long: it may have waited for something."""
NEWS_SECONDS = 1.0
JUDGING_SHARE = 0.3
"""Of the time at most, for judging again for the sake of files that are late."""


class GuardedJudge:
    """See :class:`reconciler.controller.protocols.Judge`. ``refers`` is set while there is something to look at again,
    ``news`` when a file that nobody waited for any more has been loaded.
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
        self.news = asyncio.Event()
        self._setup = setup
        self._on_judged = on_judged
        self._owners = owners or Owners()
        self._small = Lane(self._prepared, at_once=AT_ONCE, lasting=True)
        self._one_by_one = Lane(self._prepared, at_once=1)
        self._last = Lane(self._prepared, at_once=1)
        self._judging = asyncio.Lock()
        self._entries: dict[Key, Entry] = {}
        self._beside = JudgingTogether(self._small, self._entries, self._fail)
        self._loads: dict[Key, asyncio.Task[None]] = {}
        self._late: set[Key] = set()  # those that nobody waits for any more
        self._unwanted: set[Key] = set()  # those that are gone before it was their turn
        self._again_at: dict[Key, float] = {}
        self._is_changed = False
        self._news_timer: asyncio.TimerHandle | None = None
        self._took = 0.0  # seconds, to judge all together
        self._told: Mapping[str, tuple[Diagnostic, ...]] = {}
        self._keys: dict[str, tuple[bytes, Key]] = {}

    async def start(self) -> None:
        """Start the process that lasts. Raises CantStart."""
        await self._small.alive()

    def recall(self, stored: Sequence[intake.Stored]) -> Mapping[str, Domain]:
        """What stored texts mean, by the domain's name: of those that were prepared."""
        self._owners.recalled(stored)
        return intake.recall(_Unprepared(), stored, self._cache())

    async def prepare(self, stored: Sequence[intake.Stored]) -> None:
        """Load stored texts, to be recalled. Several may be of one file, which declared another domain before. Raises
        CantStart."""
        await self._have({_key(one.file, one.data): one.data for one in stored})

    async def _have(self, wanted: Mapping[Key, bytes], *, patience_seconds: float | None = None) -> None:
        """Load those that are not loaded yet, and wait for them; so long at most. Raises CantStart."""
        for key, data in wanted.items():
            if key not in self._entries and key not in self._loads:
                self._loads[key] = asyncio.create_task(self._load(key, data), name=f"load {key[0]}")
        waits = {key: self._loads[key] for key in wanted if key in self._loads}
        if patience_seconds is not None:
            waits = {key: task for key, task in waits.items() if key not in self._late}
        if patience_seconds is not None and len(waits) > AT_ONCE:
            patience_seconds = min(patience_seconds, PATIENCE_SECONDS_CROWD)
        if waits:
            await asyncio.wait(waits.values(), timeout=patience_seconds)
        self._late |= wanted.keys() & self._loads.keys()
        for task in waits.values():
            if task.done():
                task.result()

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> Judged:
        """Judge files by their names, beside what is in force. Raises CantStart."""
        await self._small.alive()
        keys = await asyncio.to_thread(self._keys_of, files)
        self._unwanted = self._loads.keys() - keys.keys() - self._entries.keys()
        await self._have(keys, patience_seconds=PATIENCE_SECONDS)
        async with self._judging:
            self._is_changed = False
            by_name = {key[0]: key for key in keys}
            wanted = {name: self._what(name, file, by_name.get(name)) for name, file in files.items()}
            begun = time.monotonic()
            judged = await self._beside.judge(wanted, in_force, cpu_seconds=CPU_SECONDS_TOGETHER)
            self._took = time.monotonic() - begun
            # What is told as before is the same as before, so that others find that at a glance.
            told = {name: self._told.get(name) or () for name in judged.errors}
            same = {name: told[name] for name, errors in judged.errors.items() if told[name] == errors}
            judged = replace(judged, errors={**judged.errors, **same})
            self._told = judged.errors
        self._owners.judged(judged, in_force)
        self._forget(set(keys), in_force)  # also what has been loaded meanwhile
        used = {source for entry in self._entries.values() for source in entry.stamps}
        if self._on_judged is not None:
            await asyncio.to_thread(self._on_judged, used)
        has_more = self._late or self._again_at or any(entry.refers for entry in self._entries.values())
        self.refers.set() if used or has_more else self.refers.clear()
        return judged

    async def look_again(self) -> bool:
        """Load again what may have changed; whether some file now means something else."""
        try:
            stale = await (await self._small.alive()).ask(lambda id: Stale(id, CPU_SECONDS_ALONE))
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
        pairs = [(old, new) for key, old in before.items() if (new := self._entries.get(key)) is not None]
        changed = await asyncio.to_thread(_differ, pairs)
        was_changed, self._is_changed = self._is_changed, False
        return changed or was_changed

    async def close(self) -> None:
        """End all that is under way."""
        if self._news_timer is not None:
            self._news_timer.cancel()
        tasks = list(self._loads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(lane.process.end() for lane in (self._small, self._one_by_one, self._last)))

    # --- loading --------------------------------------------------------------------------------------------------

    async def _load(self, key: Key, data: bytes) -> None:
        was_late = False
        try:
            entry = await self._loaded(key, data)
        except NotWanted:
            return
        finally:
            self._loads.pop(key, None)
            was_late = key in self._late
            self._late.discard(key)
        self._again_at.pop(key, None)
        if entry.loaded.errors and not entry.stamps and entry.loaded.errors[0].code == "TooCostly":
            self._again_at[key] = time.monotonic() + RETRY_SECONDS
        self._entries[key] = entry
        if was_late:
            self._is_changed = True
            self._tell_news()
        if not self._loads:
            await asyncio.gather(self._one_by_one.rest(), self._last.rest())

    def _tell_news(self) -> None:
        """Soon, and not so often that nothing else would be done."""
        if self._news_timer is None:
            pause = max(NEWS_SECONDS, self._took / JUDGING_SHARE)
            self._news_timer = asyncio.get_running_loop().call_later(pause, self._have_news)

    def _have_news(self) -> None:
        self._news_timer = None
        if self._is_changed:
            self.news.set()

    async def _loaded(self, key: Key, data: bytes) -> Entry:
        lanes = [
            (self._small, CPU_SECONDS, PATIENCE_SECONDS),
            (self._one_by_one, CPU_SECONDS, PATIENCE_SECONDS),
            (self._last, CPU_SECONDS_ALONE, WALL_SECONDS),
        ]
        why, is_known = "", False
        self._beside.knows(key, None)  # what it means may come from elsewhere
        for lane, cpu_seconds, patience in lanes[len(data) > LARGE_BYTES :]:
            if is_known and lane is self._one_by_one:
                continue
            try:
                entry, process = await lane.load(
                    key,
                    data,
                    cpu_seconds=cpu_seconds,
                    wall_seconds=WALL_SECONDS,
                    patience=patience,
                    is_wanted=lambda: key not in self._unwanted,
                )
            except Failed as failed:
                entry = _failed(key, data, failed_there(key[0], str(failed)))
            except TooSlow as slow:
                return _failed(key, data, too_costly(key[0], slow.why))
            except ProcessEnded as ended:
                why, is_known = ended.why, ended.was_alone  # else another file may have ended it
                continue
            else:
                self._beside.knows(key, process)
            if not _is_costly(entry):
                return entry
            why = ""
        return _failed(key, data, too_costly(key[0], why)) if why else entry

    async def _prepared(self, process: Process) -> None:
        """Start it where it does not live, and tell it what is known by now of where the engine keeps its data."""
        if not process.is_alive:
            await process.start(self._setup)
        policy = self._setup.policy
        folders = tuple(policy.places.engine) if policy is not None else ()
        if folders != process.engine_folders:
            process.tell(EngineFolders(folders))
            process.engine_folders = folders

    def _what(self, name: str, file: Any, key: Key | None) -> Key | Diagnostic:
        if file.error is not None or key is None:
            return file.error or being_read(name)
        return key if key in self._entries else being_read(name)

    def _fail(self, key: Key, error: Diagnostic) -> None:
        """It is too costly beside the others."""
        self._entries[key] = _failed(key, self._entries[key].data, error)
        self._beside.knows(key, None)
        self._again_at[key] = time.monotonic() + RETRY_SECONDS

    def _forget(self, wanted: set[Key], in_force: Sequence[InForce]) -> None:
        """Only what the files say now is kept, and what of the rest is in force."""
        kept = {id(one.domain) for one in in_force if one.domain is not None}
        gone = {
            key for key, entry in self._entries.items() if key not in wanted and id(entry.loaded.domain) not in kept
        }
        for key in gone:
            del self._entries[key]
            self._again_at.pop(key, None)
        self._beside.forget(gone, in_force)

    def _keys_of(self, files: Mapping[str, Any]) -> dict[Key, bytes]:
        """The files that could be read. Of what is the same bytes as before the key is known."""
        found: dict[str, tuple[bytes, Key]] = {}
        for name, file in files.items():
            if file.data is not None:
                before = self._keys.get(name)
                is_same = before is not None and before[0] is file.data
                found[name] = before if is_same and before is not None else (file.data, _key(name, file.data))
        self._keys = found
        return {key: data for data, key in found.values()}

    def _cache(self) -> intake.LoadCache:
        cache = intake.LoadCache()
        cache.loaded = self._entries
        return cache


class _Unprepared:
    """Loads nothing."""

    def load(self, name: str, data: bytes) -> Entry:
        return _failed(_key(name, data), data, being_read(name))


def _key(name: str, data: bytes) -> Key:
    return (name, hashlib.sha256(data).digest())


def _failed(key: Key, data: bytes, error: Diagnostic) -> Entry:
    return Entry(Loaded(key[0], None, (error,)), data, {}, said=said_names(data[:MOST_SAID_BYTES]))


def _differ(pairs: Sequence[tuple[Entry, Entry]]) -> bool:
    return any((new.loaded, new.refused) != (old.loaded, old.refused) for old, new in pairs)


def _is_costly(entry: Entry) -> bool:
    return any(error.code == "TooCostly" for error in entry.loaded.errors)
