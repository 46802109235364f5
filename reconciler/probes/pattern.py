"""Regular expressions that can't hold up the daemon.

Python's engine backtracks: an innocent ``^(\\w+ ?)+ready`` takes years on the wrong line, and neither a thread nor a
deadline can end it, since the search never lets go of the interpreter. So a search whose cost is bounded by its form
is done at once, and any other in a child process, which is killed when the deadline comes (20 ms of CPU a search).
Few of these run at once, so that many patterns of that kind wait for one another and for nobody else.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar
from weakref import WeakKeyDictionary

from reconciler.errors import PnrError
from reconciler.intent import regexes

# About 30 ms at the worst. Real patterns and lines need a thousandth of it.
_MOST_STEPS = 5_000_000

_MOST_PARTS_AT_ONCE = 4000
"""More parts than that are searched beside the loop, however quick each of them is."""

_MOST_CHILDREN = 4
_CHILD_CPU_SECONDS = 60
_CHILD_BYTES = 512 << 20

# Its own limits end it where nobody is left who would.
_SEARCH = f"""
import json, re, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, ({_CHILD_CPU_SECONDS}, {_CHILD_CPU_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({_CHILD_BYTES}, {_CHILD_BYTES}))
except (ImportError, AttributeError, OSError, ValueError):
    pass
text, parts = json.load(sys.stdin)
pattern = re.compile(text, re.MULTILINE)
sys.exit(0 if any(pattern.search(part) for part in parts) else 3)
"""
_NOT_FOUND = 3


class SearchFailed(PnrError):
    """The child process that searches could not do its work."""

    code: ClassVar[str] = "SearchFailed"


class Pattern:
    """A compiled regular expression (``re.MULTILINE``). Raises re.error where ``text`` is none."""

    def __init__(self, text: str) -> None:
        self._text = text
        cost = regexes.cost(text, re.MULTILINE)
        self._is_bounded = cost.is_bounded
        self._degree = 1 + cost.repeats
        self._choices = cost.choices
        self._compiled = re.compile(text, re.MULTILINE) if cost.is_cheap else None

    def is_quick(self, parts: Sequence[str]) -> bool:
        """True when the search is certain to be short whatever the parts contain.

        Judged by its parse tree, on the safe side: each repeat multiplies the ways to match by the length of the text,
        each choice by two.
        """
        if not self._is_bounded or self._choices > 32 or self._degree > 8:
            return False
        steps: int = sum((len(part) + 1) ** self._degree for part in parts)
        return steps << self._choices <= _MOST_STEPS

    async def found_in(self, parts: Sequence[str]) -> bool:
        """True when one of the parts has a match. May be cancelled at any time. Raises SearchFailed."""
        is_many = len(parts) > _MOST_PARTS_AT_ONCE
        found = await asyncio.to_thread(self._found_at_once, parts) if is_many else self._found_at_once(parts)
        if found is not None:
            return found
        async with _seats():
            return await self._found_by_child(parts)

    def _found_at_once(self, parts: Sequence[str]) -> bool | None:
        """None where the search may take long."""
        if self._compiled is None or not self.is_quick(parts):
            return None
        return any(self._compiled.search(part) for part in parts)

    async def _found_by_child(self, parts: Sequence[str]) -> bool:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", "-c", _SEARCH),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            is_many = len(parts) > _MOST_PARTS_AT_ONCE
            asked = await asyncio.to_thread(self._question, parts) if is_many else self._question(parts)
            await child.communicate(asked)
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if child.returncode not in {0, _NOT_FOUND}:
            raise SearchFailed(f"the search for {self._text} ended with {child.returncode}")
        return child.returncode == 0

    def _question(self, parts: Sequence[str]) -> bytes:
        return json.dumps([self._text, list(parts)]).encode("ascii")


def _seats() -> asyncio.Semaphore:
    """The places for children of the loop that runs."""
    return _SEATS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_MOST_CHILDREN))


_SEATS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
