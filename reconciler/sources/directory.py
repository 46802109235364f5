"""The domains directory as a source: notices changes at once, gives the whole picture each time.

An event (watchdog) only means *look*; a rescan on a timer catches what no event told, since the kernel's queue can
overflow and watchers can die without a word. What a look makes of the files is in :mod:`reconciler.sources.files`.

In a git work tree nothing is given while git holds its locks and until the tree is quiet after it, so that a pull is
one change and never half a tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import math
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from reconciler.sources import git, git_objects, watching
from reconciler.sources.files import Files, same
from reconciler.sources.git_quiet import GitQuiet
from reconciler.sources.protocol import Scan
from reconciler.sources.watching import Watching

log = logging.getLogger("pnr.sources")

POLL_SECONDS = 0.5
MISSING_POLL_SECONDS = 1.0
# What git has left behind, or not finished, may end without a change of any file that is watched.
GIT_STATE_SECONDS = 1.0
# What stands in the directory's place (another mount, a link that leads elsewhere) makes no event in it.
PLACE_CHECK_SECONDS = 5.0
# Somebody may write there without pause: then looking takes a tenth of the time at most, and waits no longer than this.
LOOKING_SHARE = 0.1
LOOKING_AT_ONCE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.05


class DirectorySource:
    """See the module's text; :class:`reconciler.sources.protocol.Source`. Times in seconds."""

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
        self._files = Files(str(root), settle_seconds)
        self._place = ""
        self._stirred_at = -math.inf
        self._watching = None if polling else Watching(root)
        self._wake = asyncio.Event()
        self._hinted = False
        self._event_at = -math.inf
        self._git = GitQuiet()
        self._names = git_objects.NamesIn()
        self._forced = False
        self._closed = False
        self._trouble = ""

    def stirred_at(self) -> float:
        """When something in the directory was last seen to change, or told to have changed, on the loop's clock."""
        return max(self._stirred_at, self._event_at)

    async def look_now(self) -> None:
        """Give a scan soon, whether or not something has changed."""
        self._forced = True
        self._wake.set()

    async def close(self) -> None:
        """Stop watching; :meth:`scans` ends."""
        self._closed = True
        self._wake.set()
        if self._watching is not None:
            await asyncio.to_thread(self._watching.stop)

    async def scans(self) -> AsyncIterator[Scan]:
        """The first scan at once, then one after each change."""
        loop = asyncio.get_running_loop()
        last: Scan | None = None
        spent, since = 0.0, time.perf_counter()
        while not self._closed:
            self._wake.clear()
            watched = self._watch(loop)
            begun = time.perf_counter()
            # Beside the loop: there may be a thousand files, and a disk may take its time.
            scan, wait = await asyncio.to_thread(self._look, loop.time())
            done = time.perf_counter()
            spent, since = max(0.0, spent - (begun - since) * LOOKING_SHARE) + done - begun, done
            differs = scan is not None and (last is None or _differ(scan, last))
            if differs and scan is not None and not scan.waits:
                self._stirred_at = loop.time()
            # A scan that says only that git is waited for is no answer to who wants one.
            forced = self._forced and scan is not None and not scan.waits
            if scan is not None and (forced or differs):
                self._forced = self._forced and bool(scan.waits)
                last = scan
                yield scan
            await self._rest(min(wait, self._rescan if watched else POLL_SECONDS))
            if spent > LOOKING_AT_ONCE_SECONDS:
                await asyncio.sleep(min((spent - LOOKING_AT_ONCE_SECONDS) / LOOKING_SHARE, LONGEST_PAUSE_SECONDS))

    def _look(self, now: float) -> tuple[Scan | None, float]:
        """A scan, or None where it is too early for one; and in how many seconds to look again at the latest."""
        tree = git.find(self._root)
        if tree is not None and self._git.busy(tree, now, self._event_at, self._settle):
            return self._waiting(), self._git.pause
        try:
            place = watching.place(self._root)
            moved = place != self._place
            if moved:
                self._files.forget()
            # At first, and after git, the whole is given as it is: what were held back would look as if it were gone.
            files, soon = self._files.look(now, hold=not moved and not self._git.was_at_work)
        except OSError as error:
            return self._missing(error), MISSING_POLL_SECONDS
        if tree is not None and self._git.interfered(tree, now):
            return self._waiting(), self._git.pause
        self._trouble = ""
        self._place = place
        self._git.was_at_work = False
        if tree is None:
            return Scan(files, place=place), soon
        folder = os.path.relpath(os.path.realpath(self._root), tree.root)
        names = functools.partial(self._names.of, tree, folder)
        seen = Scan(files, False, tree.commit(), place, tree.is_unfinished(), names, remarks=self._git.remarks)
        return seen, min(soon, GIT_STATE_SECONDS) if self._git.is_open else soon

    def _waiting(self) -> Scan | None:
        """What there is to say while nothing is taken from the files; None where nothing is, yet."""
        return Scan(waits=self._git.waits, remarks=self._git.remarks) if self._git.waits else None

    def _missing(self, error: OSError) -> Scan:
        reason = error.strerror or str(error)
        if reason != self._trouble:
            log.warning("the domains directory %s can't be read: %s", self._root, reason)
            self._trouble = reason
        self._place = ""
        return Scan(root_missing=True)

    async def _rest(self, seconds: float) -> None:
        """Until an event, at most ``seconds``; cut short when what is watched is no longer what is there."""
        loop = asyncio.get_running_loop()
        end = loop.time() + max(seconds, 0.001)
        while (left := end - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, PLACE_CHECK_SECONDS)):
                    await self._wake.wait()
                return
            if self._watching is not None and self._watching.lost():
                return

    def _watch(self, loop: asyncio.AbstractEventLoop) -> bool:
        self._hinted = False

        def hint() -> None:
            self._event_at = loop.time()
            self._wake.set()

        def from_thread() -> None:
            if self._hinted:
                return
            self._hinted = True
            try:
                loop.call_soon_threadsafe(hint)
            except RuntimeError:
                # The loop has ended meanwhile: nobody looks any more.
                return

        return self._watching is not None and self._watching.ensure(from_thread)


def _differ(a: Scan, b: Scan) -> bool:
    if (a.waits, a.remarks) != (b.waits, b.remarks):
        return True
    if (a.root_missing, a.commit, a.place, a.unfinished) != (b.root_missing, b.commit, b.place, b.unfinished):
        return True
    if a.files.keys() != b.files.keys():
        return True
    return not all(same(a.files[name], b.files[name]) for name in a.files)
