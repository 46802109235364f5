"""What containers say of themselves: JSON files that they write to ``/runtime``, a directory of each chunk's own.

Who writes there is not trusted: nothing is followed, only regular files of bounded size and number are read, anything
that is not a fact is reported and ignored, and a container that writes without pause is looked at now and then.

The directory lies on the host's disk. What a container may have there is bounded too: one that has more is told of, and
all that is not read of it is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import trees
from reconciler.facts import TV, Pnr
from reconciler.intent.model import ChunkId
from reconciler.intent.strict_json import BadJson, parse_briefly
from reconciler.sources import safe_read
from reconciler.sources.watching import Watching

log = logging.getLogger("pnr.sources")

MOST_FILES = 16
MOST_NAMES = 1000
LARGEST_FILE = 64 << 10
MOST_READ = 128 << 10
"""Of all files of a chunk together, in bytes."""
MOST_ENTRIES = 256
MOST_KEPT = 4 << 20
"""How many entries, folders in folders counted, and how many bytes a chunk may have there, read or not."""
DEEPEST = 8
REMOVED_AT_ONCE = 20_000
GONE = ".gone-"
TOLD_SECONDS = 600.0
"""How long it is told that a directory was emptied, after the last time."""
LONGEST_TEXT = 4096
LONGEST_KEY = 63
MOST_PROBLEMS = 20
RESCAN_SECONDS = 5.0
POLL_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.05
# A chunk that changes without pause: so many hints at once, then so many a second.
HINTS_AT_ONCE = 20.0
HINTS_A_SECOND = 4.0
# To be told of each of so many writes costs more than to look now and then.
FLOOD_EVENTS_A_SECOND = 500
FLOOD_PAUSE_SECONDS = 10.0


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
        self._allowance: dict[ChunkId, tuple[float, float]] = {}
        self._events = 0
        self._trouble = ""
        self._told: dict[ChunkId, tuple[str, float]] = {}

    def path_of(self, chunk: ChunkId) -> Path:
        """Where a chunk's directory is."""
        return self._root / chunk.domain / chunk.cpux / chunk.unit

    def read(self, chunk: ChunkId) -> RuntimeAnswers:
        """What is written there now; of two files that answer one fact the later name counts."""
        answers: dict[str, Pnr] = {}
        problems: list[str] = []
        try:
            with self._folder(chunk) as folder:
                names, too_many = _json_names(folder)
                if too_many:
                    problems.append(f"/runtime holds {too_many} files; only the first {MOST_FILES} are read")
                left = MOST_READ
                for name in names:
                    left -= self._read_file(folder, name, min(left, LARGEST_FILE), answers, problems)
        except FileNotFoundError:
            return RuntimeAnswers()
        except OSError as error:
            problems.append(f"/runtime can't be read: {error.strerror or error}")
        told = [self._told[chunk][0]] if chunk in self._told else []
        return RuntimeAnswers(answers, (*told, *problems[:MOST_PROBLEMS]))

    def _read_file(
        self, folder: safe_read.Folder, name: str, limit: int, answers: dict[str, Pnr], problems: list[str]
    ) -> int:
        """Take a file's facts; how many bytes it has."""
        where = f"/runtime/{name!a}"
        size = 0
        try:
            data = folder.read(name, limit)
            size = len(data)
            document = parse_briefly(data, ascii(name)[1:-1])
        except safe_read.Refused as refused:
            if refused.code != "Gone":
                problems.append(f"{where}: {refused.message}")
            return size
        except BadJson as bad:
            problems.append(f"{where}: {bad}")
            return size
        if not isinstance(document, dict):
            problems.append(f"{where}: expected an object of facts")
            return size
        for key, value in document.items():
            if len(problems) >= MOST_PROBLEMS:
                break
            fact = _fact(value)
            if fact is None or len(key) > LONGEST_KEY:
                problems.append(f'{where}: {key[:80]!a} is not a fact; expected {{"prompt", "response", "tv"}}')
            else:
                answers[key] = fact
        return size

    def _folder(self, chunk: ChunkId) -> contextlib.AbstractContextManager[safe_read.Folder]:
        return safe_read.folder_below(str(self._root), (chunk.domain, chunk.cpux, chunk.unit))

    def forget(self, chunk: ChunkId) -> None:
        """Remove a chunk's directory: the chunk is gone."""
        self._signatures.pop(chunk, None)
        self._allowance.pop(chunk, None)
        self._told.pop(chunk, None)
        folder = self.path_of(chunk)
        if not trees.remove(str(folder), REMOVED_AT_ONCE // 10):
            self._remove_beside(folder)
        for parent in (folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):
                parent.rmdir()

    def _remove_beside(self, folder: Path) -> None:
        """Remove what takes long, out of the way of another chunk of that name and without holding up anybody."""
        aside = self._root / f"{GONE}{secrets.token_hex(8)}"
        with contextlib.suppress(OSError):
            folder.rename(aside)
            threading.Thread(target=trees.remove, args=(str(aside),), daemon=True, name="pnr-remove").start()

    def _remove_left(self) -> None:
        """What an earlier run of the program did not come to remove."""
        for name in _folders(str(self._root)):
            if name.startswith(GONE):
                trees.remove(os.path.join(self._root, name))

    async def changes(self) -> AsyncIterator[ChunkId]:
        """The chunks whose files have changed, for ever; each at most twenty times at once, four times a second."""
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()

        def hint() -> None:
            self._events += 1
            if not wake.is_set():
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(wake.set)

        blind_until = counted_since = loop.time()
        threading.Thread(target=self._remove_left, daemon=True, name="pnr-remove").start()
        try:
            while True:
                wake.clear()
                now = loop.time()
                if now - counted_since >= 1.0:
                    if self._events > FLOOD_EVENTS_A_SECOND * (now - counted_since):
                        blind_until = now + FLOOD_PAUSE_SECONDS
                        await asyncio.to_thread(self._watching.stop)
                    self._events, counted_since = 0, now
                watched = now >= blind_until and await self._made() and self._watching.ensure(hint)
                changed, owed = self._changed(await asyncio.to_thread(self._look), now)
                watched = watched and not self._watching.lost()
                for chunk in changed:
                    yield chunk
                await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
                pause = 1 / HINTS_A_SECOND if owed else RESCAN_SECONDS if watched else POLL_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await wake.wait()
        finally:
            self._watching.stop()

    async def _made(self) -> bool:
        if not self._watching.lost():
            return True
        try:
            await asyncio.to_thread(self._root.mkdir, 0o700, True, True)
        except OSError as error:
            reason = error.strerror or str(error)
            if reason != self._trouble:
                log.warning("%s can't be made, so that no container can answer its facts: %s", self._root, reason)
                self._trouble = reason
            return False
        self._trouble = ""
        return True

    def _look(self) -> dict[ChunkId, object]:
        """What is there of each chunk, in a thread. Where that is too much, it is removed."""
        found: dict[ChunkId, object] = {}
        for domain in _folders(str(self._root)):
            for cpux in _folders(os.path.join(self._root, domain)):
                for chunk in _folders(os.path.join(self._root, domain, cpux)):
                    id = ChunkId.of_unit(domain, cpux, chunk)
                    found[id] = (self._signature(id), self._bounded(id))
        return found

    def _bounded(self, id: ChunkId) -> str:
        """What a chunk had too much of, and has no more; "" where it keeps within bounds."""
        folder = self.path_of(id)
        why = too_much(str(folder))
        if why:
            self._watching.stop()  # it would be told of each entry that goes
            with contextlib.suppress(OSError):
                trees.empty(str(folder), REMOVED_AT_ONCE)
            told = f"/runtime held {why}: it was emptied; write there only what answers the facts"
            self._told[id] = told, time.monotonic() + TOLD_SECONDS
        told, until = self._told.get(id, ("", 0.0))
        if told and time.monotonic() >= until:
            self._told.pop(id, None)
        return told

    def _changed(self, found: dict[ChunkId, object], now: float) -> tuple[list[ChunkId], bool]:
        """The chunks to tell of, and whether some must wait because they have changed too often."""
        changed = [id for id in self._signatures if id not in found]
        owed = False
        for id, signature in found.items():
            if id in self._signatures and self._signatures[id] == signature:
                continue
            if self._may_tell(id, now):
                changed.append(id)
            else:
                found[id] = self._signatures.get(id)
                owed = True
        self._signatures = found
        self._allowance = {id: left for id, left in self._allowance.items() if id in found}
        return changed, owed

    def _may_tell(self, id: ChunkId, now: float) -> bool:
        left, at = self._allowance.get(id, (HINTS_AT_ONCE, now))
        left = min(left + (now - at) * HINTS_A_SECOND, HINTS_AT_ONCE)
        self._allowance[id] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _signature(self, id: ChunkId) -> object:
        signatures = []
        try:
            with self._folder(id) as folder:
                for name in _json_names(folder)[0]:
                    with contextlib.suppress(OSError):
                        signatures.append((name, folder.signature(name)))
        except OSError:
            return None
        return tuple(signatures)


def too_much(folder: str) -> str:
    """What a folder holds more of than a chunk may have, in words; "" where it keeps within bounds. Looks at no more
    than it takes to say so, and follows nothing."""
    entries, size = 0, 0
    todo = [(folder, 0)]
    while todo:
        at, depth = todo.pop()
        try:
            with os.scandir(at) as listing:
                for entry in listing:
                    entries += 1
                    if entries > MOST_ENTRIES:
                        return f"more than {MOST_ENTRIES} files and folders"
                    if entry.is_dir(follow_symlinks=False):
                        if depth >= DEEPEST:
                            return f"folders more than {DEEPEST} deep"
                        todo.append((entry.path, depth + 1))
                        continue
                    size += _size(entry)
                    if size > MOST_KEPT:
                        return f"more than {MOST_KEPT} bytes"
        except OSError:
            continue
    return ""


def _size(entry: os.DirEntry[str]) -> int:
    """What a file takes on the disk, where that can be told: one that is mostly holes only says that it is large."""
    try:
        at = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return at.st_blocks * 512 if hasattr(at, "st_blocks") else at.st_size


def _json_names(folder: safe_read.Folder) -> tuple[list[str], str]:
    """The names that are read, in order; and how many there are, where that is too many. Raises OSError."""
    listed = folder.names(MOST_NAMES + 1)
    names = sorted(name for name in listed if name.endswith(".json"))
    if len(listed) > MOST_NAMES:
        return names[:MOST_FILES], f"more than {MOST_NAMES}"
    return names[:MOST_FILES], str(len(names)) if len(names) > MOST_FILES else ""


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
