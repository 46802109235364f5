"""What a source of intent gives: the whole directory at one moment, each time it has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.intent.model import Problem


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file as it was read. ``data`` is None where it could not be, and ``problem`` then says why."""

    name: str
    data: bytes | None
    problem: Problem | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """All files of the directory. ``commit`` is that of the git work tree that it is part of, or None."""

    files: Mapping[str, FileSeen] = field(default_factory=dict)
    root_missing: bool = False
    commit: str | None = None


class Source(Protocol):
    """Where intent comes from."""

    def scans(self) -> AsyncIterator[Scan]:
        """A scan at once, then one after each change, for ever."""
        ...

    async def look_now(self) -> None:
        """Let a scan be given soon, even if nothing has changed."""
        ...

    async def close(self) -> None:
        """Stop watching."""
        ...
