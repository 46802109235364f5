"""What stands in for the domains directory, the judge of files and the state directory while nothing may change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.controller.protocols import Judged, StoredIntent
from reconciler.daemon.rehearsal.ground import Ground
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain
from reconciler.sources.protocol import Scan


class OneScan:
    """A domains directory in which nothing changes. ``first`` is called before it is read for the first time."""

    def __init__(self, ground: Ground, first: Callable[[], None]) -> None:
        self._ground = ground
        self._first = first
        self._again = asyncio.Event()

    async def scans(self) -> AsyncIterator[Scan]:
        """The same scan whenever somebody looks."""
        self._first()
        while True:
            self._again.clear()
            yield replace(self._ground.scan)  # a look of its own, that finds the same
            await self._again.wait()

    def stirred_at(self) -> float:
        """When something changed last."""
        return self._ground.stirred_at

    async def look_now(self) -> None:
        """Give the scan again."""
        self._again.set()

    async def close(self) -> None:
        """Nothing to close."""


class OneVerdict:
    """A judge that has judged already."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> Judged:
        """What the files mean."""
        return self._ground.judged

    def recall(self, stored: Sequence[StoredIntent]) -> Mapping[str, Domain]:
        """What stored texts mean."""
        last = self._ground.last
        return {one.domain: last[one.domain] for one in stored if one.domain in last}


class Unwritten:
    """A state directory that is read and never written: snapshots."""

    def __init__(self, ground: Ground) -> None:
        self._documents = ground.restored.documents

    def load_all(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What there is."""
        return {name: dict(document) for name, document in self._documents.items()}, []

    def set_aside(self, domain: str, unknown: Sequence[str]) -> str:
        """Leave it where it is."""
        return f"{domain}.toml: {'; '.join(unknown)}"

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        """Write nothing."""

    def remove(self, domain: str) -> None:
        """Remove nothing."""


class UnwrittenIntents:
    """The same for the last good texts."""

    problems: Sequence[str] = ()

    def __init__(self, ground: Ground) -> None:
        self._intents = ground.restored.intents

    def load_all(self) -> Sequence[StoredIntent]:
        """What there is."""
        return self._intents

    def save(self, domain: str, file: str, data: bytes) -> None:
        """Write nothing."""

    def remove(self, domain: str) -> None:
        """Remove nothing."""


class UnwrittenFolder:
    """The same for what is kept of the domains directory, and for the journal."""

    def __init__(self, ground: Ground) -> None:
        self._folder = ground.restored.folder

    def load(self) -> Mapping[str, Any]:
        """What there is."""
        return self._folder

    def save(self, document: Mapping[str, Any]) -> None:
        """Write nothing."""

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Write nothing."""
