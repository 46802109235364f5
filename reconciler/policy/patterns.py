"""Patterns of domain files in a policy: which files one means, and which of several is the most exact. Pure.

A pattern is the path of a domain file in the domains directory, its parts divided by slashes. ``*`` stands for any
characters of one part, ``?`` for one of them; neither stands for a slash. The ending ``.json``, which every domain file
has, may be left out after a ``*``: ``shop-*`` and ``shop-*.json`` are one pattern.

The most exact of several patterns that mean a file is, in this order:

1. one without ``*`` and ``?`` (it means this file alone);
2. the one with more characters before its first ``*`` or ``?``;
3. the one with more characters besides ``*`` and ``?``;
4. the one with fewer ``*``, then with more ``?``.

Where two are equal in all of that and may mean the same file, they must not say different things of one rule: a policy
in which they do is not valid.
"""

from __future__ import annotations

import re
from functools import lru_cache

from reconciler.intent.file_names import ENDING, stem
from reconciler.policy.values import BadValue

_LONGEST = 1024
_WILD = frozenset("*?")

Exactness = tuple[bool, int, int, int, int]


def parse(text: str) -> str:
    """The normal form of a pattern: without its ending. Raises BadValue."""
    shown = repr(text) if len(text) <= 60 else repr(text[:59] + "…")
    if not text or not text.isprintable() or len(text) > _LONGEST:
        raise BadValue(f"expected the path of a domain file, or a pattern of such paths, found {shown}")
    if "\\" in text or set("[]{}") & set(text):
        raise BadValue(f"in a pattern of files only * and ? stand for others: {shown}")
    if "**" in text:
        raise BadValue(f"** means no more than * in a pattern of files, and * stands for no slash: {shown}")
    parts = text.split("/")
    if text.startswith("/"):
        raise BadValue(f"a pattern of files begins in the domains directory: write it without the first slash: {shown}")
    if any(part in ("", ".", "..") for part in parts):
        raise BadValue(f"a pattern of files has no empty part, no . and no ..: {shown}")
    if any(part.startswith(".") for part in parts):
        raise BadValue(f"a file whose name begins with a dot is not a domain file: {shown}")
    if text.endswith(ENDING) and parts[-1] != ENDING:
        return text.removesuffix(ENDING)
    if not text.endswith("*"):
        raise BadValue(f"the name of every domain file ends with {ENDING}: write {text + ENDING!r}")
    return text


def means(pattern: str, path: str) -> bool:
    """Whether a pattern (its normal form) means a domain file."""
    return _compiled(pattern).fullmatch(stem(path)) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Several * in a row are one, so that no pattern makes the search long.
    pieces = (
        re.escape(piece) if piece[0] not in _WILD else "[^/]" if piece == "?" else "[^/]*"
        for piece in re.findall(r"\*+|\?|[^*?]+", pattern)
    )
    return re.compile("".join(pieces), re.DOTALL)


def exactness(pattern: str) -> Exactness:
    """Greater is more exact; see the module's text."""
    first = next((index for index, sign in enumerate(pattern) if sign in _WILD), len(pattern))
    stars, marks = pattern.count("*"), pattern.count("?")
    return (first == len(pattern), first, len(pattern) - stars - marks, -stars, marks)


def may_mean_one(a: str, b: str) -> bool:
    """Whether there may be a file that both patterns mean."""
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(a) and j == len(b):
            return True
        for step in _steps(a[i : i + 1], b[j : j + 1]):
            at = (i + step[0], j + step[1])
            if at not in reached:
                reached.add(at)
                todo.append(at)
    return False


def _steps(one: str, other: str) -> list[tuple[int, int]]:
    """How far two patterns may go on together from a sign of each; "" is the end."""
    steps: list[tuple[int, int]] = []
    if one == "*":
        steps.append((1, 0))
    if other == "*":
        steps.append((0, 1))
    if one == "*" and other not in ("", "*", "/"):
        steps.append((0, 1))
    if other == "*" and one not in ("", "*", "/"):
        steps.append((1, 0))
    if one and other and "*" not in (one, other):
        is_one = one == other or (one == "?" and other != "/") or (other == "?" and one != "/")
        if is_one:
            steps.append((1, 1))
    return steps
