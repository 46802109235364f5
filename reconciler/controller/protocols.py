"""What the controller needs of the rooms around it. It knows these shapes, never the implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from reconciler.diagnostics import Diagnostic
from reconciler.facts import Pnr
from reconciler.intent.judgement import InForce
from reconciler.intent.model import ChunkId, Domain, HealthCheck
from reconciler.probes.protocol import Inside, Probe


class Scan(Protocol):
    """The whole domains directory at one moment; see :class:`reconciler.sources.protocol.Scan`."""

    @property
    def files(self) -> Mapping[str, Any]: ...
    @property
    def root_missing(self) -> bool: ...
    @property
    def commit(self) -> str | None: ...
    @property
    def place(self) -> str: ...
    @property
    def unfinished(self) -> bool: ...
    @property
    def waits(self) -> str: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...
    def names_in(self, commit: str) -> frozenset[str] | None: ...


class Source(Protocol):
    """Where intent comes from."""

    def scans(self) -> AsyncIterator[Any]: ...
    def stirred_at(self) -> float: ...
    async def look_now(self) -> None: ...
    async def close(self) -> None: ...


class Judged(Protocol):
    """What the files of a scan come to mean: what is to be in force of them, by name; by file the errors, and what
    only looks wrong, and the names that such a file speaks of; and the file that stands for each domain in force, where
    one does."""

    @property
    def domains(self) -> Mapping[str, Domain]: ...
    @property
    def errors(self) -> Mapping[str, tuple[Diagnostic, ...]]: ...
    @property
    def warnings(self) -> Mapping[str, tuple[Diagnostic, ...]]: ...
    @property
    def speaks(self) -> Mapping[str, str]: ...
    @property
    def said(self) -> Mapping[str, tuple[str, ...]]: ...


class Judge(Protocol):
    """Turns files into domains and errors. ``files`` maps names to what was read; ``in_force`` is what was accepted
    before. That may take long, and is awaited beside the loop. ``recall`` gives what the stored texts mean, by the
    domain's name."""

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> Judged: ...
    def recall(self, stored: Sequence[StoredIntent]) -> Mapping[str, Domain]: ...


class Leases(Protocol):
    """One pnr a domain of an engine: ``take`` gives "" where the lease is ours now, else who has it."""

    def take(self, engine: str, domain: str) -> str: ...
    def is_free(self, engine: str, domain: str) -> bool: ...
    def release(self, engine: str, domain: str) -> None: ...


class Answers(Protocol):
    """What a container wrote about itself."""

    @property
    def answers(self) -> Mapping[str, Pnr]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class RuntimeReader(Protocol):
    """The answers that containers give in their ``/runtime`` directories."""

    def read(self, chunk: ChunkId) -> Answers: ...
    def changes(self) -> AsyncIterator[ChunkId]: ...
    def forget(self, chunk: ChunkId) -> None: ...


class Snapshots(Protocol):
    """One document a domain; blocking."""

    def save(self, domain: str, document: Mapping[str, Any]) -> None: ...
    def load_all(self) -> tuple[dict[str, dict[str, Any]], list[str]]: ...
    def set_aside(self, domain: str, unknown: Sequence[str]) -> str: ...
    def remove(self, domain: str) -> None: ...


class StoredIntent(Protocol):
    """The last good text of a domain's file."""

    @property
    def domain(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class Intents(Protocol):
    """The last good text of every domain; blocking."""

    def save(self, domain: str, file: str, data: bytes) -> None: ...
    def load_all(self) -> Sequence[StoredIntent]: ...
    @property
    def problems(self) -> Sequence[str]: ...
    def remove(self, domain: str) -> None: ...


class FolderRecord(Protocol):
    """What is kept of the domains directory itself; blocking."""

    def save(self, document: Mapping[str, Any]) -> None: ...
    def load(self) -> Mapping[str, Any]: ...


class JournalWriter(Protocol):
    """The append-only journal; blocking."""

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None: ...


ProbeMaker = Callable[[HealthCheck, Inside], Probe]
Offload = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs a blocking function without holding up the loop (``asyncio.to_thread``; directly in virtual time)."""
