"""Words for whoever waits: what for, as soon as that is known, when it changes, and now and then while it does not.

Nobody is to sit before a command that says nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.daemon.verdict import chosen_domains, is_done
from reconciler.daemon.viewing import chunks

FIRST_WORD_SECONDS = 10.0
NEXT_WORD_SECONDS = 30.0
_MOST_NAMED = 3
_AT_WORK = (
    ("removing", "is being removed"),
    ("vanished", "waits until the domains directory has been quiet for a moment, since its file is gone"),
    ("leaving", "is losing what it no longer declares"),
    ("asking_registries", "waits to be told which images there are now"),
    ("arranging", "waits for its networks or volumes"),
)


class Patience:
    """Says when to say a word. Times are those of a monotonic clock, in seconds. ``limit``: how long to wait at most
    (None: as long as it takes)."""

    def __init__(self, now: float, limit: float | None = None) -> None:
        self._end = None if limit is None else now + limit
        self._told = ""
        self._next = now + FIRST_WORD_SECONDS

    def is_over(self, now: float) -> bool:
        """Whether nobody wants to wait any longer."""
        return self._end is not None and now >= self._end

    def word(self, now: float, view: Mapping[str, Any], only: Sequence[str] = ()) -> str:
        """What to say now; "" for nothing."""
        files = str(view["daemon"].get("files_wait") or "")
        if files and files != self._told:
            self._told, self._next = files, now + NEXT_WORD_SECONDS
            return files
        if now < self._next:
            return ""
        self._told, self._next = files or self._told, now + NEXT_WORD_SECONDS
        return files or f"waiting: {waited_for(view, only)}"


def waited_for(view: Mapping[str, Any], only: Sequence[str] = ()) -> str:
    """What a view is waited for, in a sentence."""
    daemon = view["daemon"]
    if not daemon.get("engine_up", True):
        return f"the engine does not answer: {daemon.get('message', '')}"
    if not daemon["ready"]:
        return "pnr has not looked at the domain files and the engine yet"
    found: list[str] = []
    for domain in chosen_domains(view, only):
        found.extend(f"{domain['name']} {words}" for key, words in _AT_WORK if domain.get(key))
        for each in chunks([domain]):
            if not is_done(each.chunk):
                said = f": {each.message}" if each.message else ""
                found.append(f"{each.name} is {each.state} ({each.reason}){said}")
    more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ("; ".join(found[:_MOST_NAMED]) + more) or "pnr looks at what was asked for"
