"""Finds the chunk that a short name means. Pure."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.errors import PnrError


class UnknownChunk(PnrError):
    """A name that no chunk has, or more than one."""

    code = "UnknownChunk"


def can_mean(name: str, full: str) -> bool:
    """Whether ``name`` (chunk, cpux/chunk, domain/chunk or domain/cpux/chunk) can mean the chunk of this full name."""
    parts, whole = name.split("/"), full.split("/")
    return whole[-len(parts) :] == parts or (len(parts) == 2 and [whole[0], whole[-1]] == parts)


def find_chunk(name: str, all: Collection[str], instead: str) -> str:
    """The one of ``all`` full names that ``name`` means. Raises UnknownChunk where there is none (and says what there
    is ``instead``), or more than one."""
    found = [full for full in all if can_mean(name, full)]
    if not found:
        raise UnknownChunk(f"there is no chunk {name}; {instead}")
    if len(found) > 1:
        raise UnknownChunk(f"{name} could be {', '.join(found)}; name one of these")
    return found[0]
