"""The domains directory as a source: notices changes at once, gives the whole picture each time.

An event (watchdog) only means *look*; a rescan on a timer catches what no event told, since the kernel's queue can
overflow and watchers can die without a word. What was written is given at once, for a half-written file is simply not
valid yet. Only what looks like a passing moment is held for ``settle_seconds``: a file that vanished (an editor is
about to put the new one in its place), one that is suddenly empty, or one that does not end as JSON does.

In a git work tree nothing is given while git holds its locks, so that a pull is one change and never half a tree.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.intent.model import Place, Problem
from reconciler.sources import git, safe_read
from reconciler.sources.protocol import FileSeen, Scan
from reconciler.sources.watching import Watching

log = logging.getLogger("pnr.sources")

LARGEST_FILE = 1 << 20
POLL_SECONDS = 0.5
MISSING_POLL_SECONDS = 1.0
LOCK_POLL_SECONDS = 0.02


@dataclass(slots=True)
class _Entry:
    """A file as it was last given (None: not yet), and since when it looks as if it were about to change.

    The signature of a file that has vanished is empty.
    """

    seen: FileSeen | None
    signature: tuple[int, ...]
    held_since: float | None = None


class DirectorySource:
    """See the module's text; :class:`reconciler.sources.protocol.Source`."""

    def __init__(
        self,
        root: Path,
        *,
        polling: bool = False,
        rescan_seconds: float = 30.0,
        settle_seconds: float = 0.08,
    ) -> None:
        self._root = root
        self._rescan = POLL_SECONDS if polling else rescan_seconds
        self._settle = settle_seconds
        self._wake = asyncio.Event()
        self._forced = False
        self._entries: dict[str, _Entry] = {}
        self._watching = None if polling else Watching(root)
        self._event_at = 0.0
        self._closed = False

    async def look_now(self) -> None:
        """Give a scan soon, whether or not something has changed."""
        self._forced = True
        self._wake.set()

    async def close(self) -> None:
        """Stop watching."""
        self._closed = True
        if self._watching is not None:
            await asyncio.to_thread(self._watching.stop)

    async def scans(self) -> AsyncIterator[Scan]:
        """The first scan at once, then one after each change."""
        loop = asyncio.get_running_loop()
        last: Scan | None = None
        while not self._closed:
            self._wake.clear()
            missing = not self._root.is_dir()
            watched = self._watch(loop)
            tree = git.find(self._root) if not missing else None
            wait = self._rescan if watched else POLL_SECONDS
            if missing:
                scan: Scan | None = Scan(root_missing=True)
                wait = MISSING_POLL_SECONDS
                self._entries.clear()
            elif tree is not None and self._git_at_work(tree, loop.time(), first=last is None):
                scan = None
                wait = LOCK_POLL_SECONDS
            else:
                scan, soon = self._scan(loop.time(), tree.commit() if tree is not None else None)
                wait = min(wait, soon)
                if tree is not None and tree.is_busy():
                    # Git began while we were looking: what was read may be half a tree.
                    scan, wait = None, LOCK_POLL_SECONDS
            if scan is not None and (self._forced or last is None or _differ(scan, last)):
                self._forced = False
                last = scan
                yield scan
                continue
            await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        handle = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            handle.cancel()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> bool:
        def hint() -> None:
            self._event_at = loop.time()
            self._wake.set()

        def from_thread() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(hint)

        return self._watching is not None and self._watching.ensure(from_thread)

    def _git_at_work(self, tree: git.WorkTree, now: float, *, first: bool) -> bool:
        """Whether to wait for git, or for the tree to be quiet after it."""
        if tree.is_busy():
            self._event_at = now
            return True
        return not first and self._event_at > 0.0 and now - self._event_at < self._settle

    def _scan(self, now: float, commit: str | None) -> tuple[Scan, float]:
        """The whole picture, and in how many seconds to look again at what is not settled."""
        soon = self._rescan
        entries: dict[str, _Entry] = {}
        found = self._list()
        for name in sorted(found.keys() | self._entries.keys()):
            signature = found.get(name, ())
            before = self._entries.get(name)
            if before is not None and before.signature == signature and before.held_since is None:
                entries[name] = before
                continue
            seen = self._read(name) if signature else None
            if seen is None or _looks_unfinished(seen):
                since = before.held_since if before is not None and before.held_since is not None else now
                left = since + self._settle - now
                if left > 0:
                    soon = min(soon, left)
                    entries[name] = _Entry(before.seen if before is not None else None, signature, since)
                    continue
                if seen is None:
                    continue
            known = before.seen if before is not None else None
            if known is not None and (known.digest, known.problem) == (seen.digest, seen.problem):
                seen = known
            entries[name] = _Entry(seen, signature)
        self._entries = entries
        files = {name: entry.seen for name, entry in entries.items() if entry.seen is not None}
        return Scan(files, False, commit), max(soon, 0.001)

    def _list(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        try:
            with os.scandir(self._root) as listing:
                names = [entry.name for entry in listing]
        except OSError as error:
            log.warning("%s can't be listed: %s", self._root, error)
            return {name: entry.signature for name, entry in self._entries.items() if entry.signature}
        for name in names:
            if not name.endswith(".json") or name.startswith("."):
                continue
            try:
                found[name] = safe_read.signature(os.path.join(self._root, name))
            except OSError:
                continue
        return found

    def _read(self, name: str) -> FileSeen | None:
        try:
            data = safe_read.read(os.path.join(self._root, name), LARGEST_FILE)
        except safe_read.Refused as refused:
            if refused.code == "Gone":
                return None
            return FileSeen(name, None, Problem(Place(name), refused.code, refused.message), refused.code)
        return FileSeen(name, data, None, hashlib.sha256(data).hexdigest())


def _looks_unfinished(seen: FileSeen) -> bool:
    """Whether a file looks as if it were being written: empty, or not ending as JSON does."""
    return seen.data is not None and not seen.data.rstrip().endswith(b"}")


def _differ(a: Scan, b: Scan) -> bool:
    if a.root_missing != b.root_missing or a.commit != b.commit or a.files.keys() != b.files.keys():
        return True
    return any(a.files[name] is not b.files[name] for name in a.files)
