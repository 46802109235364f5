"""Judges the files of the domains directory again and again, for the daemon: only what changed is loaded again.

What a file refers to (secrets, files of variables) is read in threads, before the file is judged: a disk or a key
service that hangs holds up nobody else. :meth:`FileJudge.look_again` notices when something of it has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from reconciler.daemon import intake
from reconciler.daemon.owners import Owners
from reconciler.intent.check_types import CheckType
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain
from reconciler.policy import Judge
from reconciler.sources.contents import LocalContents

T = TypeVar("T")

THREADS = 4


class FileJudge:
    """See :class:`reconciler.controller.protocols.Judge`. ``refers`` is set while some file refers to something;
    ``owners`` is told whose the names of domains are."""

    def __init__(
        self,
        *,
        base_dir: str,
        env: Mapping[str, str],
        allowed_env: Collection[str],
        check_types: Mapping[str, CheckType],
        contents: LocalContents,
        policy: Judge | None = None,
        owners: Owners | None = None,
    ) -> None:
        self.refers = asyncio.Event()
        self.news = asyncio.Event()  # never: all are waited for
        self._owners = owners or Owners()
        self._contents = contents
        self._loading = intake.Loading(base_dir, env, allowed_env, check_types, contents, policy)
        self._cache = intake.LoadCache()
        self._judging = asyncio.Lock()
        self._threads = ThreadPoolExecutor(THREADS, "pnr-load")

    async def start(self) -> None:
        """Nothing is to be started."""

    def recall(self, stored: Sequence[intake.Stored]) -> Mapping[str, Domain]:
        """What stored texts mean, by the domain's name."""
        self._owners.recalled(stored)
        return intake.recall(self._loading, stored, self._cache)

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> intake.Judged:
        """Judge files by their names, beside what is in force."""
        await self._have((name, file.data) for name, file in files.items() if file.data is not None)
        async with self._judging:
            judged = await self._in_thread(
                lambda: intake.judge(self._loading, files, in_force=in_force, cache=self._cache)
            )
        self._owners.judged(judged, in_force)
        used = {source for entry in self._cache.loaded.values() for source in entry.stamps}
        self._contents.forget_others(used)
        if used or any(entry.looked or entry.net for entry in self._cache.loaded.values()):
            self.refers.set()
        else:
            self.refers.clear()
        return judged

    async def prepare(self, stored: Sequence[intake.Stored]) -> None:
        """Load stored texts, to be recalled. Several may be of one file, which declared another domain before."""
        await self._have((one.file, one.data) for one in stored)

    async def _have(self, texts: Iterable[tuple[str, bytes]]) -> None:
        """Load, in threads, those that are not loaded yet."""
        wanted = {(name, hashlib.sha256(data).digest()): data for name, data in texts}
        new = {key: data for key, data in wanted.items() if key not in self._cache.loaded}
        self._cache.loaded.update(await self._loaded(new.items()))

    async def look_again(self) -> bool:
        """Load again those of which something that they refer to has changed; whether they now mean something else."""
        entries = {key: one for key, one in self._cache.loaded.items() if one.stamps or one.looked or one.net}
        stale = await self._in_thread(lambda: self._stale(entries))
        again = await self._loaded((key, entries[key].data) for key in stale)
        changed = False
        async with self._judging:
            for key, entry in again.items():
                # Unless it was replaced meanwhile.
                if self._cache.loaded.get(key) is entries[key]:
                    self._cache.loaded[key] = entry
                    before = entries[key]
                    changed = changed or (entry.loaded, entry.refused) != (before.loaded, before.refused)
        return changed

    def _stale(self, entries: Mapping[intake.Key, intake.Entry]) -> list[intake.Key]:
        contents = intake.glance(self._contents)
        return [key for key, one in entries.items() if self._loading.seems_stale(key[0], one, contents)]

    async def close(self) -> None:
        """Wait for nothing that is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _loaded(self, texts: Iterable[tuple[intake.Key, bytes]]) -> dict[intake.Key, intake.Entry]:
        keys, calls = [], []
        for key, data in texts:
            keys.append(key)
            calls.append(self._in_thread(lambda name=key[0], data=data: self._loading.load(name, data)))  # type: ignore[misc]
        return dict(zip(keys, await asyncio.gather(*calls), strict=True))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
