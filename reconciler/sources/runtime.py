"""What containers say of themselves: JSON files that they write to ``/runtime``, a directory of each chunk's own.

Who writes there is not trusted: nothing is followed, only regular files of bounded size and number are read, anything
that is not a fact is reported and ignored, and a container that writes without pause is looked at now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.facts import TV, Pnr
from reconciler.intent.model import ChunkId
from reconciler.intent.strict_json import BadJson, parse
from reconciler.sources import safe_read
from reconciler.sources.watching import Watching

MOST_FILES = 16
LARGEST_FILE = 64 << 10
LONGEST_TEXT = 4096
RESCAN_SECONDS = 2.0
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_KEY = 63


@dataclass(frozen=True, slots=True)
class RuntimeAnswers:
    """The facts that a chunk's container has written, and what else was found there."""

    answers: Mapping[str, Pnr] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class RuntimeFacts:
    """The directories ``ROOT/DOMAIN/CPUX/CHUNK``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._watching = Watching(root, recursive=True)
        self._signatures: dict[ChunkId, object] = {}

    def path_of(self, chunk: ChunkId) -> Path:
        """Where a chunk's directory is."""
        return self._root / chunk.domain / chunk.cpux / chunk.chunk

    def read(self, chunk: ChunkId) -> RuntimeAnswers:
        """What is written there now; of two files that answer one fact the later name counts."""
        folder = str(self.path_of(chunk))
        answers: dict[str, Pnr] = {}
        problems: list[str] = []
        names = self._names(folder)
        if len(names) > MOST_FILES:
            problems.append(f"/runtime holds {len(names)} files; only the first {MOST_FILES} are read")
        for name in names[:MOST_FILES]:
            where = f"/runtime/{name!a}"
            try:
                document = parse(safe_read.read(os.path.join(folder, name), LARGEST_FILE), name)
            except safe_read.Refused as refused:
                problems.append(f"{where}: {refused.message}")
                continue
            except BadJson as bad:
                problems.append(f"{where}: {bad}")
                continue
            if not isinstance(document, dict):
                problems.append(f"{where}: expected an object of facts")
                continue
            for key, value in document.items():
                fact = _fact(value)
                if fact is None or len(key) > LONGEST_KEY:
                    problems.append(f'{where}: {key[:80]!a} is no fact; expected {{"prompt", "response", "tv"}}')
                else:
                    answers[key] = fact
        return RuntimeAnswers(answers, tuple(problems[:20]))

    def _names(self, folder: str) -> list[str]:
        try:
            if os.path.islink(folder):
                return []
            with os.scandir(folder) as listing:
                return sorted(entry.name for entry in listing if entry.name.endswith(".json"))
        except OSError:
            return []

    def forget(self, chunk: ChunkId) -> None:
        """Remove a chunk's directory: the chunk is gone."""
        self._signatures.pop(chunk, None)
        folder = self.path_of(chunk)
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
        for parent in (folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):
                parent.rmdir()

    async def changes(self) -> AsyncIterator[ChunkId]:
        """The chunks whose files have changed, for ever; each at most twenty times a second."""
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        try:
            while True:
                wake.clear()
                await asyncio.to_thread(self._root.mkdir, 0o700, True, True)
                self._watching.ensure(lambda: _safely(loop, wake.set))
                for chunk in self._changed():
                    yield chunk
                await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
                handle = loop.call_later(RESCAN_SECONDS, wake.set)
                try:
                    await wake.wait()
                finally:
                    handle.cancel()
        finally:
            self._watching.stop()

    def _changed(self) -> list[ChunkId]:
        found: dict[ChunkId, object] = {}
        for domain in _folders(str(self._root)):
            for cpux in _folders(os.path.join(self._root, domain)):
                for chunk in _folders(os.path.join(self._root, domain, cpux)):
                    id = ChunkId(domain, cpux, chunk)
                    found[id] = self._signature(str(self.path_of(id)))
        changed = [id for id, signature in found.items() if self._signatures.get(id) != signature]
        changed.extend(id for id in self._signatures if id not in found)
        self._signatures = found
        return changed

    def _signature(self, folder: str) -> object:
        signatures = []
        for name in self._names(folder)[:MOST_FILES]:
            with contextlib.suppress(OSError):
                signatures.append((name, safe_read.signature(os.path.join(folder, name))))
        return tuple(signatures)


def _safely(loop: asyncio.AbstractEventLoop, call: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return [entry.name for entry in listing if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _fact(value: Any) -> Pnr | None:
    if not isinstance(value, dict) or not set(value) <= {"prompt", "response", "tv"}:
        return None
    prompt, response, tv = value.get("prompt", ""), value.get("response", []), value.get("tv", "Y")
    if isinstance(response, str):
        response = [response]
    if not isinstance(prompt, str) or not isinstance(tv, str) or not isinstance(response, list):
        return None
    if not all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in (prompt, *response)):
        return None
    try:
        return Pnr(prompt, tuple(response), TV.parse(tv))
    except ValueError:
        return None
