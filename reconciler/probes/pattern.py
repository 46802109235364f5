"""Regular expressions that can't hold up the daemon.

Python's engine backtracks: an innocent ``^(\\w+ ?)+ready`` takes years on the wrong line, and neither a thread nor a
deadline can end it, since the search never lets go of the interpreter. So a search whose cost is bounded by its form
is done at once, and any other in a child process, which is killed when the deadline comes (20 ms of CPU a search).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from reconciler.errors import PnrError

LONGEST_PATTERN = 1000

# About 30 ms at the worst. Real patterns and lines need a thousandth of it.
_MOST_STEPS = 5_000_000

_QUANTIFIER = re.compile(r"[*+{]")
_CHOICE = re.compile(r"[?|]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?P=")

_SEARCH = """
import json, re, sys
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
        self._compiled = re.compile(text, re.MULTILINE)
        self._is_bounded = _is_bounded(self._compiled)
        self._degree = 1 + len(_QUANTIFIER.findall(text))
        self._choices = len(_CHOICE.findall(text))

    def is_quick(self, parts: Sequence[str]) -> bool:
        """True when the search is certain to be short whatever the parts contain.

        Judged by the characters of the pattern alone, on the safe side: each quantifier multiplies the ways to
        match by the length of the text, each ``?`` and ``|`` by two.
        """
        if not self._is_bounded or self._choices > 32 or self._degree > 8:
            return False
        steps: int = sum((len(part) + 1) ** self._degree for part in parts)
        return steps << self._choices <= _MOST_STEPS

    async def found_in(self, parts: Sequence[str]) -> bool:
        """True when one of the parts has a match. May be cancelled at any time. Raises SearchFailed."""
        if self.is_quick(parts):
            return any(self._compiled.search(part) for part in parts)
        return await self._found_by_child(parts)

    async def _found_by_child(self, parts: Sequence[str]) -> bool:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", "-c", _SEARCH),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await child.communicate(json.dumps([self._text, list(parts)]).encode("ascii"))
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if child.returncode not in {0, _NOT_FOUND}:
            raise SearchFailed(f"the search for {self._text} ended with {child.returncode}")
        return child.returncode == 0


def _is_bounded(compiled: re.Pattern[str]) -> bool:
    """False where the ways to match may multiply without bound: a quantifier over a group, a back reference, or
    the verbose form, in which blanks can hide either."""
    text = compiled.pattern
    return not (_REPEATED_GROUP.search(text) or _BACK_REFERENCE.search(text) or compiled.flags & re.VERBOSE)
