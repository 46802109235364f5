"""What the journal of a chunk that is stuck says again and again: written once, then counted. Pure.

A chunk that can't be brought up is tried again for ever, and each try has the same dozen lines. From its first failure
until it is up, a line that was written is only counted; after a minute, two, four … up to an hour it is written again,
with how often it was said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.planner.back_off import REMINDERS

MOST_LINES = 200

Entry = dict[str, Any]
_ID = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,64}\b")
"""Of a container or image: what differs in nothing else was said before."""
_TOLD_AT_THE_END = ("error", "setback")


@dataclass(slots=True)
class _Line:
    due: float
    reminders: int = 1
    count: int = 0


@dataclass(slots=True)
class _Stuck:
    lines: dict[str, tuple[Entry, _Line]] = field(default_factory=dict)


class Repeats:
    """Decides which entries are written. ``now`` is in seconds of a clock that only grows."""

    def __init__(self) -> None:
        self._stuck: dict[tuple[str, str, str], _Stuck] = {}

    def forget(self, domain: str) -> None:
        """A domain is gone."""
        for key in [key for key in self._stuck if key[0] == domain]:
            del self._stuck[key]

    def take(self, entry: Entry, now: float) -> list[Entry]:
        """What is to be written now that this was said."""
        if "chunk" not in entry:
            return [entry]
        key = (str(entry.get("domain")), str(entry.get("cpux")), str(entry["chunk"]))
        if entry.get("to") == "completed":
            stuck = self._stuck.pop(key, None)
            return [*(self._at_the_end(stuck, entry) if stuck is not None else ()), entry]
        if entry["kind"] == "error" or entry.get("to") == "failed":
            self._stuck.setdefault(key, _Stuck())
        known = self._stuck.get(key)
        return [entry] if known is None else self._counted(known, entry, now)

    @staticmethod
    def _counted(stuck: _Stuck, entry: Entry, now: float) -> list[Entry]:
        said = _ID.sub("…", repr(sorted((name, value) for name, value in entry.items() if name != "at")))
        before = stuck.lines.get(said)
        if before is None:
            if len(stuck.lines) < MOST_LINES:
                stuck.lines[said] = (entry, _Line(now + REMINDERS.first))
            return [entry]
        _, line = before
        line.count += 1
        if now < line.due:
            return []
        line.reminders += 1
        line.due = now + REMINDERS.after(line.reminders)
        count, line.count = line.count, 0
        return [{**entry, "repeated": count}]

    @staticmethod
    def _at_the_end(stuck: _Stuck, entry: Mapping[str, Any]) -> list[Entry]:
        """How often the errors were said that nobody has been told of."""
        return [
            {**said, "at": entry["at"], "repeated": line.count}
            for said, line in stuck.lines.values()
            if line.count and said["kind"] in _TOLD_AT_THE_END
        ]
