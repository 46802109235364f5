"""Patterns of paths on a host: what one covers, and what lies above it. Pure.

A pattern is an absolute path whose parts may hold ``*``, ``?`` and ``[…]``, none of which goes beyond its part; it
covers what it names and everything below. ``**/NAME`` covers every NAME, wherever it lies, and what is below it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

ANYWHERE = "**/"


@lru_cache(maxsize=4096)
def parts_of(path: str) -> tuple[str, ...]:
    """The parts of an absolute path; a Windows path begins with its drive."""
    return tuple(part for part in path.replace("\\", "/").split("/") if part) if _is_windows(path) else _plain(path)


def _plain(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _is_windows(path: str) -> bool:
    return len(path) > 2 and path[1] == ":" and path[0].isalpha() and path[2] in "/\\"


def is_absolute(path: str) -> bool:
    """Whether it names a place without a directory to start from."""
    return path.startswith("/") or _is_windows(path)


def normal(path: str) -> str:
    """The path without ``.``, ``..``, double and trailing slashes, as text alone can tell."""
    if _is_windows(path):
        return posixpath.normpath(path.replace("\\", "/"))
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else posixpath.normpath(path)


def _is_like(part: str, pattern: str) -> bool:
    return part == pattern or fnmatchcase(part, pattern)


def covers(pattern: str, path: str) -> bool:
    """Whether ``path`` is what ``pattern`` names, or lies below it."""
    if pattern.startswith(ANYWHERE):
        name = pattern.removeprefix(ANYWHERE)
        return any(_is_like(part, name) for part in parts_of(path))
    wanted, given = parts_of(pattern), parts_of(path)
    return len(given) >= len(wanted) and all(map(_is_like, given, wanted))


def is_above(pattern: str, path: str) -> bool:
    """Whether something that ``pattern`` names may lie below ``path``."""
    if pattern.startswith(ANYWHERE):
        return False
    wanted, given = parts_of(pattern), parts_of(path)
    return len(given) < len(wanted) and all(map(_is_like, given, wanted))


def covering(patterns: Iterable[str], path: str) -> str | None:
    """The first pattern that covers ``path``."""
    return next((pattern for pattern in patterns if covers(pattern, path)), None)


def below(patterns: Iterable[str], path: str) -> str | None:
    """The first pattern of something that may lie below ``path``."""
    return next((pattern for pattern in patterns if is_above(pattern, path)), None)
