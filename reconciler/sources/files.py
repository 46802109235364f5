"""The files of the domains directory as they stand, with what only looks like a passing moment held back.

What was written is taken at once, for a half-written file is simply not valid yet. Held for a moment are: a file that
vanished (an editor is about to put the new one in its place), one that is suddenly empty, and one that does not end as
JSON does. Then it is given as it is.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic
from reconciler.sources import safe_read
from reconciler.sources.protocol import FileSeen

LARGEST_FILE = 1 << 20
# The times of a file come from a clock that ticks every 1 to 10 ms: a second write in the same tick that leaves the
# size as it is can't be told from the first one, so what changed just now is read once more.
SECOND_LOOK_SECONDS = 0.05
_JUST_NOW_NS = 2_000_000_000

Signature = tuple[int, ...]
_GONE: Signature = ()
_BAD_NAME: Signature = (-1,)
_HIDING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Ends a line, rules a terminal, or turns text around: in a message it would pass for somebody else's words."""


@dataclass(slots=True)
class _Entry:
    """A file as it was last given (None: not yet), and since when it looks as if it were about to change."""

    seen: FileSeen | None
    signature: Signature
    held_since: float | None = None
    look_again_at: float = math.inf


class Files:
    """The ``*.json`` files that stand directly in a directory. Times are those of a monotonic clock, in seconds."""

    def __init__(self, root: str, settle_seconds: float) -> None:
        self._root = root
        self._settle = settle_seconds
        self._entries: dict[str, _Entry] = {}

    def forget(self) -> None:
        """Start over: nothing is known of any file."""
        self._entries = {}

    def look(self, now: float, *, hold: bool) -> tuple[Mapping[str, FileSeen], float]:
        """All files, and in how many seconds to look again at what is not settled.

        With ``hold`` off everything is given as it is. Files that did not change are the same objects as before.
        Raises OSError where the directory can't be listed.
        """
        found = self._list()
        before = self._entries
        entries: dict[str, _Entry] = {}
        for name in sorted(found):
            entry = self._entry(name, found[name], before.get(name), now, hold=hold)
            if entry is not None:
                entries[name] = entry
        arrived = {_content(entry) for name, entry in entries.items() if name not in before} - {None}
        for name in before.keys() - entries.keys() if hold else ():
            vanished = before[name]
            # A renamed file is no vanished one: held, it would stand there twice.
            if vanished.seen is None or _content(vanished) in arrived:
                continue
            since = now if vanished.held_since is None else vanished.held_since
            if now - since < self._settle:
                entries[name] = _Entry(vanished.seen, _GONE, since)
        self._entries = entries
        soon = min((self._due(entry, now) for entry in entries.values()), default=math.inf)
        return {name: entry.seen for name, entry in sorted(entries.items()) if entry.seen is not None}, soon

    def _entry(
        self, name: str, signature: Signature, before: _Entry | None, now: float, *, hold: bool
    ) -> _Entry | None:
        if before is not None and self._still_good(before, signature, now):
            return before
        try:
            seen, passing = self._read(name, signature)
        except FileNotFoundError:
            return None
        known = before.seen if before is not None else None
        if hold and passing:
            since = now if before is None or before.held_since is None else before.held_since
            if now - since < self._settle:
                return _Entry(known, signature, since)
        if known is not None and same(known, seen):
            seen = known
        changed = before is None or before.signature != signature
        just_now = len(signature) > 2 and time.time_ns() - safe_read.changed_at_ns(signature) < _JUST_NOW_NS
        return _Entry(seen, signature, look_again_at=now + SECOND_LOOK_SECONDS if changed and just_now else math.inf)

    @staticmethod
    def _still_good(entry: _Entry, signature: Signature, now: float) -> bool:
        if entry.signature != signature or entry.held_since is not None or now >= entry.look_again_at:
            return False
        # Why it could not be read may have gone without a trace in the file (too many open files, a network's failure).
        error = entry.seen.error if entry.seen is not None else None
        return error is None or error.code != "Unreadable"

    def _due(self, entry: _Entry, now: float) -> float:
        held = math.inf if entry.held_since is None else entry.held_since + self._settle
        return max(min(held, entry.look_again_at) - now, 0.001)

    def _list(self) -> dict[str, Signature]:
        found: dict[str, Signature] = {}
        with os.scandir(self._root) as listing:
            names = [entry.name for entry in listing]
        for name in names:
            if not name.endswith(".json") or name.startswith("."):
                continue
            try:
                name.encode()
            except UnicodeEncodeError:
                found.setdefault(os.fsencode(name).decode("utf-8", "replace"), _BAD_NAME)
                continue
            if _HIDING.search(name):
                found.setdefault(name.encode("unicode_escape").decode(), _BAD_NAME)
                continue
            try:
                found[name] = safe_read.signature(os.path.join(self._root, name))
            except FileNotFoundError:
                continue
            except OSError as error:
                # It is there; that it can't be looked at must not pass for its removal.
                found[name] = (-2, error.errno or 0)
        return found

    def _read(self, name: str, signature: Signature) -> tuple[FileSeen, bool]:
        """The file, and whether it looks as if it were being written. Raises FileNotFoundError."""
        if signature == _BAD_NAME:
            return _problem(
                name, "BadFileName", "its name is not UTF-8, or has characters that do not show: rename it"
            ), False
        try:
            data = safe_read.read(os.path.join(self._root, name), LARGEST_FILE)
        except safe_read.Refused as refused:
            if refused.code == "Gone":
                raise FileNotFoundError(name) from refused
            return _problem(name, refused.code, refused.message), refused.passing
        return FileSeen(name, data, None, hashlib.sha256(data).hexdigest()), not data.rstrip().endswith(b"}")


def same(a: FileSeen, b: FileSeen) -> bool:
    """Whether two looks at a file saw the same."""
    return a is b or (a.name, a.digest, a.error) == (b.name, b.digest, b.error)


def _content(entry: _Entry) -> str | None:
    return entry.seen.digest if entry.seen is not None and entry.seen.data is not None else None


def _problem(name: str, code: str, message: str) -> FileSeen:
    return FileSeen(name, None, Diagnostic.of_file(name, code, message), code)
