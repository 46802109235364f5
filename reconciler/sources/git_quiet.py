"""Whether git is at work in a tree, from one look to the next: then nothing is taken from it, so that a pull is one
change and never half a tree.

Git says that it is at work by lock files. One that is left behind by a git that was killed would say so for ever: it is
told of once it is a minute old and nobody holds it, and passed over when git has been quiet for five minutes.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.sources import git_changes, lock_holder
from reconciler.sources.git import Lock, WorkTree
from reconciler.sources.lock_holder import Holder

log = logging.getLogger("pnr.sources")

# Others may write in the tree without end; git's own files came before it ended.
LONGEST_QUIET_SECONDS = 2.0
LOCK_POLL_SECONDS = 0.02
LONG_LOCK_POLL_SECONDS = 0.25
TOLD_AFTER_SECONDS = 1.0
LONG_LOCK_SECONDS = 5.0
OLD_SECONDS = 60.0
PASSED_OVER_SECONDS = 300.0
# Where nobody can be sure that no process holds it.
PASSED_OVER_UNSURE_SECONDS = 600.0
LOOK_FOR_HOLDER_SECONDS = 5.0
LOOK_FOR_CHANGES_SECONDS = 5.0

FindHolder = Callable[[Path, Path], Holder]
Run = Callable[[Callable[[], None]], None]


def _in_thread(call: Callable[[], None]) -> None:
    threading.Thread(target=call, name="pnr-git-lock", daemon=True).start()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a lock means. ``waits``: nothing is taken while it is there. ``until_quiet``: in so many seconds it is
    over; None: not while it is held."""

    waits: bool
    is_old: bool = False
    until_quiet: float | None = None


def judge(age: float, quiet: float, holder: Holder | None) -> Judged:
    """What a lock of this age means, where git has changed nothing for ``quiet`` seconds. ``holder`` is None where
    nobody has looked for one. Pure."""
    if age < OLD_SECONDS or holder is None:
        return Judged(waits=True)
    if holder.who:
        return Judged(waits=True, is_old=True)
    left = _limit(holder) - min(age, quiet)
    return Judged(waits=left > 0, is_old=True, until_quiet=max(left, 0.0))


def _limit(holder: Holder) -> float:
    return PASSED_OVER_SECONDS if holder.is_sure else PASSED_OVER_UNSURE_SECONDS


class GitQuiet:
    """See the module's text. ``waits`` says what is waited for, for people; "" where nothing is. ``remarks`` say what
    git has left behind. ``is_open``: git is at something, or has left something behind, whose end may change no file
    that is watched; or it is being looked for what keeps the tree from being pulled."""

    def __init__(self, find_holder: FindHolder = lock_holder.find, run: Run = _in_thread) -> None:
        self.was_at_work = False
        self.waits = ""
        self.remarks: tuple[str, ...] = ()
        self.pause = LOCK_POLL_SECONDS
        self.is_open = False
        self._find_holder = find_holder
        self._run = run
        self._asked_at: dict[Path, float] = {}
        self._holders: dict[Path, Holder] = {}  # filled by other threads
        self._stamp: tuple[object, ...] | None = None
        self._stamp_changed_at: float | None = None
        self._changed_time = 0.0  # the same by the clock on the wall
        self._worked_at = 0.0
        self._locked_since: float | None = None
        self._logged: str = ""
        self._changes = ""  # filled by another thread
        self._changes_asked_at = -math.inf
        self._changes_asked_of: object = None
        self._is_asking = False
        self._is_answered = True

    def busy(self, tree: WorkTree, now: float, event_at: float, settle: float) -> bool:
        """Whether to wait: for git to end, or for the tree to be quiet after it."""
        if self.interfered(tree, now):
            return True
        if not self.was_at_work:
            return False
        quiet_since = max(self._worked_at, min(event_at, self._worked_at + LONGEST_QUIET_SECONDS))
        return now - quiet_since < settle

    def interfered(self, tree: WorkTree, now: float) -> bool:
        """Whether git is at work, or was since the last call."""
        locks, stamp = tree.locks(), tree.stamp()
        changed = self._stamp is not None and stamp != self._stamp
        if changed:
            self._stamp_changed_at, self._changed_time = now, time.time()
        self._stamp = stamp
        judged = [(lock, self._judge(lock, tree, now)) for lock in locks]
        held = next(((lock, what) for lock, what in judged if lock.blocks and what.waits), None)
        self._tell(tree, judged, held, now)
        if held is None and not changed:
            return False
        self.was_at_work = True
        self._worked_at = now
        return True

    def _judge(self, lock: Lock, tree: WorkTree, now: float) -> Judged:
        age = abs(time.time() - lock.since)  # it may be from the future, by a wrong clock
        quiet = age if self._stamp_changed_at is None else min(age, now - self._stamp_changed_at)
        return judge(age, quiet, self._holder(lock, tree, now) if age >= OLD_SECONDS else None)

    def _holder(self, lock: Lock, tree: WorkTree, now: float) -> Holder | None:
        """Who was found last to hold it; to look at all processes takes a while, so that is done elsewhere."""
        asked_at = self._asked_at.get(lock.path)
        if asked_at is None or now - asked_at >= LOOK_FOR_HOLDER_SECONDS:
            self._asked_at[lock.path] = now

            def look() -> None:
                self._holders[lock.path] = self._find_holder(lock.path, tree.root)

            self._run(look)
        return self._holders.get(lock.path)

    def _tell(
        self, tree: WorkTree, judged: list[tuple[Lock, Judged]], held: tuple[Lock, Judged] | None, now: float
    ) -> None:
        there = {lock.path for lock, _ in judged}
        for path in self._asked_at.keys() - there:
            del self._asked_at[path]
            self._holders.pop(path, None)
        left = [lock for lock, what in judged if what.is_old and what.until_quiet is not None and lock is not _of(held)]
        remarks = [
            f"{lock.path} was left behind by a git that ended early, most likely; "
            + ("it is passed over, but git " if lock.blocks else "git ")
            + "can't work here before it is removed"
            for lock in left
        ]
        unfinished = tree.under_way()
        if unfinished:
            remarks.append(f"a {unfinished} is not finished in {tree.root}: the files are taken as they stand")
        remarks += [said] if (said := self._kept_back(tree, now)) else []
        self.remarks = tuple(remarks)
        self.is_open = bool(judged or unfinished or not self._is_answered)
        if held is None:
            self._locked_since, self.waits, self.pause = None, "", LOCK_POLL_SECONDS
        else:
            self._locked_since = now if self._locked_since is None else self._locked_since
            lasts = max(now - self._locked_since, 0.0)
            self.pause = LOCK_POLL_SECONDS if lasts < LONG_LOCK_SECONDS else LONG_LOCK_POLL_SECONDS
            self.waits = self._words(*held) if lasts >= TOLD_AFTER_SECONDS else ""
        self._log(lasting=held is None or now - (self._locked_since or now) >= LONG_LOCK_SECONDS)

    def _kept_back(self, tree: WorkTree, now: float) -> str:
        """What keeps the tree from being pulled, as it was found last; to look for it is done elsewhere."""
        state = (self._stamp, tree.fetched())
        if now - self._changes_asked_at >= LOOK_FOR_CHANGES_SECONDS:
            self._changes_asked_at, self._changes_asked_of, self._is_asking = now, state, True

            def look() -> None:
                self._changes = git_changes.told(tree)
                self._is_asking = False

            self._run(look)
        self._is_answered = not self._is_asking and self._changes_asked_of == state
        return self._changes

    def _words(self, lock: Lock, what: Judged) -> str:
        since = _clock(lock.since)
        if not what.is_old:
            return f"git holds {lock.path} since {since}: no change of the files is taken up until it is gone"
        if what.until_quiet is None:
            who = self._holders[lock.path].who
            return f"{who} holds {lock.path} since {since}: no change of the files is taken up until it is gone"
        # From times that stay as they are, so that the words do so while nothing changes.
        until = _clock(max(lock.since, self._changed_time) + _limit(self._holders[lock.path]))
        return (
            f"{lock.path} is there since {since}, and no process holds it: most likely a git that ended early has left"
            f" it behind. No change of the files is taken up before {until}, unless it is removed"
        )

    def _log(self, *, lasting: bool) -> None:
        said = self.waits if self.waits and lasting else "; ".join(self.remarks)
        if said and said != self._logged:
            log.warning("%s", said)
        if not self.waits or lasting:
            self._logged = said


def _of(held: tuple[Lock, Judged] | None) -> Lock | None:
    return held[0] if held is not None else None


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")
