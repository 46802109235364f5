"""The journal: who changed what, when and why. Append-only, one JSON object a line, rotated by size.

Reading needs neither the daemon nor anything but the standard library, so that ``pnr events`` starts quickly.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.state.files import StateWriteFailed

NAME = "events.jsonl"


class Journal:
    """Appends to ``path``; when it grows over ``max_bytes`` it becomes ``events.1.jsonl``, and so on up to ``keep``."""

    def __init__(self, path: Path, *, max_bytes: int = 10 << 20, keep: int = 5) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._repaired = False

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add entries in one write. Raises StateWriteFailed; the entries are then not in the journal."""
        if not entries:
            return
        data = "".join(json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "\n" for entry in entries).encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._rotate(len(data))
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(self._path, flags, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                if not self._repaired:
                    size = self._repair(descriptor, size)
                self._write(descriptor, data, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._repaired = False
            raise StateWriteFailed(
                f"{self._path} can't be written: {error.strerror or error}; check the disk and the rights of"
                f" {self._path.parent}; pnr tries again"
            ) from error

    def _repair(self, descriptor: int, size: int) -> int:
        """End a last line that a crash has torn, so that the next entry stands on a line of its own."""
        self._repaired = True
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                size += os.write(descriptor, b"\n")
        return size

    @staticmethod
    def _write(descriptor: int, data: bytes, size: int) -> None:
        try:
            written = os.write(descriptor, data)
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except OSError:
            # Half a batch would be half a truth, and be written twice when it is tried again.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise

    def _rotate(self, coming: int) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size == 0 or size + coming <= self._max_bytes:
            return
        older = [rotated(self._path, number) for number in range(1, self._keep + 1)]
        for younger, elder in reversed(list(zip([self._path, *older], older, strict=False))):
            if younger.exists():
                younger.replace(elder)


def rotated(path: Path, number: int) -> Path:
    """The name of an older part: ``events.1.jsonl`` is the newest of them."""
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _parts(path: Path) -> list[Path]:
    """The journal and its older parts, newest first. A crash amid a rotation may have left a gap in the numbers."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.([1-9][0-9]*){re.escape(path.suffix)}")
    try:
        names = os.listdir(path.parent)
    except OSError:
        return [path]
    numbers = sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))
    return [path, *(rotated(path, number) for number in numbers)]


def _newest(path: Path, limit: int | None) -> list[dict[str, Any]]:
    """The newest entries of one part, the newest first. What is older than them is not even parsed."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    found: list[dict[str, Any]] = []
    for line in reversed(lines):
        if limit is not None and len(found) >= limit:
            break
        entry = _entry(line)
        if entry is not None:
            found.append(entry)
    return found


def _entry(line: bytes) -> dict[str, Any] | None:
    if not line:
        return None
    try:
        entry = json.loads(line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def read(path: Path, *, limit: int | None = None) -> list[dict[str, Any]]:
    """The newest ``limit`` entries (all, where it is None), oldest first, older parts included. A torn line is left
    out."""
    found: list[dict[str, Any]] = []
    for part in _parts(path):
        left = None if limit is None else limit - len(found)
        if left is not None and left <= 0:
            break
        found.extend(_newest(part, left))
    found.reverse()
    return found


def follow(path: Path, *, pause_seconds: float = 0.2) -> Iterator[dict[str, Any]]:
    """Entries that are added from now on, for ever; goes on across rotation."""
    position, inode = _end(path)
    rest = b""
    while True:
        time.sleep(pause_seconds)
        try:
            with path.open("rb") as file:
                at = os.fstat(file.fileno())
                if at.st_ino != inode or at.st_size < position:
                    yield from _missed(path, inode, position)
                    position, inode, rest = 0, at.st_ino, b""
                file.seek(position)
                data = file.read()
        except FileNotFoundError:
            continue
        position += len(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            entry = _entry(line)
            if entry is not None:
                yield entry


def _missed(path: Path, inode: int | None, position: int) -> Iterator[dict[str, Any]]:
    """What was added to the part that was followed before it was rotated away."""
    older = rotated(path, 1)
    try:
        with older.open("rb") as file:
            if os.fstat(file.fileno()).st_ino != inode:
                return
            file.seek(position)
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        entry = _entry(line)
        if entry is not None:
            yield entry


def _end(path: Path) -> tuple[int, int | None]:
    try:
        at = path.stat()
    except FileNotFoundError:
        return 0, None
    return at.st_size, at.st_ino
