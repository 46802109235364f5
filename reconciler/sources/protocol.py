"""What a source of intent gives: the whole directory at one moment, each time it has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file as it was read. ``data`` is None where it could not be, and ``error`` then says why."""

    name: str
    data: bytes | None
    error: Diagnostic | None = None
    digest: str = ""


def _no_names(commit: str) -> None:
    """Outside git nobody can tell."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All files of the directory.

    ``commit`` is that of the git work tree that it is part of, or None; ``names_in`` gives the names of the files that
    a commit has in this directory, or None where that can't be told. ``unfinished``: git is in the middle of something
    (a rebase), and not all that it removed is meant to stay so. ``place`` is the identity of the directory: another one
    in its place has another; "" where it is missing.

    ``waits`` says, for people, what has to be waited for before anything can be taken from the directory: then nothing
    else in the scan means anything. ``remarks`` are what people should know of the directory besides.
    """

    files: Mapping[str, FileSeen] = field(default_factory=dict)
    root_missing: bool = False
    commit: str | None = None
    place: str = ""
    unfinished: bool = False
    names_in: Callable[[str], frozenset[str] | None] = field(default=_no_names, compare=False)
    waits: str = ""
    remarks: tuple[str, ...] = ()


class Source(Protocol):
    """Where intent comes from."""

    def scans(self) -> AsyncIterator[Scan]:
        """A scan at once, then one after each change, for ever."""
        ...

    def stirred_at(self) -> float:
        """When something in the directory was last seen to change, on the scale of the running event loop."""
        ...

    async def look_now(self) -> None:
        """Let a scan be given soon, even if nothing has changed."""
        ...

    async def close(self) -> None:
        """Stop watching."""
        ...
