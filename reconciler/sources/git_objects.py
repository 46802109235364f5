"""Which files a commit has in a directory, read from a repository's objects without running git.

git itself refuses a repository of another user, and obeys what is configured in it. Reads gitrepository-layout(5) and
gitformat-pack(5): loose objects, packs with an index of version 2, deltas, alternates. Whoever writes the repository
need not be trusted: sizes and depths are bounded, and whatever can't be read counts as not known.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from reconciler.sources.git import WorkTree

LARGEST_OBJECT = 32 << 20
MOST_BYTES = 256 << 20
"""For one question: of deltas that build upon one another each may be small, and their sum is not."""
DEEPEST_CHAIN = 4096
MOST_JUMPS = 64
"""From a delta to a base that is named, and looked for from the start; most bases are in the same pack."""
MOST_KEPT = 16

_COMMIT, _TREE, _OFS_DELTA, _REF_DELTA = 1, 2, 6, 7
_KINDS = {b"commit": _COMMIT, b"tree": _TREE}
_TREE_LINE = re.compile(rb"tree ([0-9a-f]{40}|[0-9a-f]{64})\n")
_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_AT, _NAMES_AT = 8, 8 + 256 * 4


class _Unreadable(Exception):
    """The object is not there, or not of a form that is read here."""


class NamesIn:
    """Remembers what commits had: they do not change."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], frozenset[str]] = {}

    def of(self, tree: WorkTree, folder: str, commit: str) -> frozenset[str] | None:
        """The names of the files that ``commit`` has in ``folder`` (relative to the work tree); None where that can't
        be told."""
        key = (str(tree.common_dir), folder, commit)
        if key not in self._known:
            try:
                found = _Objects(tree.common_dir / "objects").names(commit, folder)
            except (_Unreadable, OSError, ValueError, struct.error, zlib.error, IndexError):
                return None
            if len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return self._known[key]


class _Objects:
    def __init__(self, folder: Path) -> None:
        self._folders = [folder, *_alternates(folder)]
        self._left = MOST_BYTES
        self._jumps = MOST_JUMPS

    def names(self, commit: str, folder: str) -> frozenset[str]:
        line = _TREE_LINE.match(self._read(bytes.fromhex(commit), _COMMIT))
        if line is None:
            raise _Unreadable(commit)
        tree = bytes.fromhex(line[1].decode())
        for part in [part for part in Path(folder).parts if part != os.curdir]:
            below = next((id for mode, name, id in self._entries(tree) if name == part and mode == b"40000"), None)
            if below is None:
                return frozenset()
            tree = below
        return frozenset(name for mode, name, _ in self._entries(tree) if mode.startswith(b"100"))

    def _entries(self, tree: bytes) -> Iterator[tuple[bytes, str, bytes]]:
        data, at, size = self._read(tree, _TREE), 0, len(tree)
        while at < len(data):
            space = data.index(b" ", at)
            end = data.index(b"\0", space)
            id = data[end + 1 : end + 1 + size]
            if len(id) != size:
                raise _Unreadable("a tree that is cut short")
            yield data[at:space], os.fsdecode(data[space + 1 : end]), id
            at = end + 1 + size

    def _read(self, id: bytes, wanted: int) -> bytes:
        kind, data = self._object(id)
        if kind != wanted:
            raise _Unreadable(id.hex())
        return data

    def _object(self, id: bytes) -> tuple[int, bytes]:
        for folder in self._folders:
            name = id.hex()
            try:
                with (folder / name[:2] / name[2:]).open("rb") as file:
                    return self._loose(file)
            except FileNotFoundError:
                pass
            for index in sorted((folder / "pack").glob("*.idx")):
                offset = _find(index, id)
                if offset is not None:
                    with index.with_suffix(".pack").open("rb") as pack:
                        return self._packed(pack, offset, len(id))
        raise _Unreadable(id.hex())

    def _loose(self, file: IO[bytes]) -> tuple[int, bytes]:
        head, _, data = self._inflate(file, LARGEST_OBJECT).partition(b"\0")
        word, _, size = head.partition(b" ")
        if word not in _KINDS or int(size) != len(data):
            raise _Unreadable(head.decode("ascii", "replace"))
        return _KINDS[word], data

    def _packed(self, pack: IO[bytes], offset: int, id_size: int) -> tuple[int, bytes]:
        deltas: list[bytes] = []
        while len(deltas) <= DEEPEST_CHAIN:
            pack.seek(offset)
            kind, size = _entry_head(pack)
            if size > LARGEST_OBJECT:
                raise _Unreadable("an object that is too large")
            if kind == _OFS_DELTA:
                base = offset - _distance(pack)
                deltas.append(self._inflate(pack, size))
                if not 0 < base < offset:
                    raise _Unreadable("a delta upon nothing")
                offset = base
                continue
            if kind == _REF_DELTA:
                self._jumps -= 1
                if self._jumps < 0:
                    raise _Unreadable("too many deltas")
                id = pack.read(id_size)
                deltas.append(self._inflate(pack, size))
                kind, data = self._object(id)
            else:
                data = self._inflate(pack, size)
            for delta in reversed(deltas):
                data = self._apply(data, delta)
            return kind, data
        raise _Unreadable("too many deltas")

    def _inflate(self, file: IO[bytes], limit: int) -> bytes:
        """What is compressed from here on: at most ``limit`` bytes of it."""
        stream, parts, room = zlib.decompressobj(), [], limit
        while not stream.eof and room >= 0:
            packed = stream.unconsumed_tail or file.read(1 << 14)
            if not packed:
                raise _Unreadable("an object that is cut short")
            part = stream.decompress(packed, room + 1)
            room -= len(part)
            parts.append(part)
        if room < 0:
            raise _Unreadable("an object that is larger than it says")
        return self._spend(b"".join(parts))

    def _apply(self, base: bytes, delta: bytes) -> bytes:
        size, at = _varint(delta, 0)
        wanted, at = _varint(delta, at)
        if size != len(base) or wanted > LARGEST_OBJECT:
            raise _Unreadable("a delta that does not fit")
        parts, length = [], 0
        while at < len(delta):
            op = delta[at]
            at += 1
            if op & 0x80:
                start, at = _bytes_of(delta, at, op, 4)
                count, at = _bytes_of(delta, at, op >> 4, 3)
                part = base[start : start + (count or 0x10000)]
            elif op:
                part = delta[at : at + op]
                at += op
            else:
                raise _Unreadable("a delta of an unknown kind")
            length += len(part)
            if length > wanted:
                raise _Unreadable("a delta that gives more than it says")
            parts.append(part)
        if length != wanted:
            raise _Unreadable("a delta that gives less than it says")
        return self._spend(b"".join(parts))

    def _spend(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise _Unreadable("too much to read")
        return data


def _alternates(folder: Path) -> list[Path]:
    try:
        lines = (folder / "info" / "alternates").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [folder / line for line in lines if line and not line.startswith("#")]


def _find(index: Path, id: bytes) -> int | None:
    """Where in its pack an object is; None where it is not in there."""
    with index.open("rb") as file:
        if file.read(len(_INDEX_MAGIC)) != _INDEX_MAGIC:
            return None
        low = _number(file, _FANOUT_AT + (id[0] - 1) * 4) if id[0] else 0
        high, count = _number(file, _FANOUT_AT + id[0] * 4), _number(file, _FANOUT_AT + 255 * 4)
        while low < high:
            middle = (low + high) // 2
            file.seek(_NAMES_AT + middle * len(id))
            found = file.read(len(id))
            if found == id:
                offsets = _NAMES_AT + count * (len(id) + 4)
                offset = _number(file, offsets + middle * 4)
                if offset & 0x80000000:
                    file.seek(offsets + count * 4 + (offset & 0x7FFFFFFF) * 8)
                    return int(struct.unpack(">Q", file.read(8))[0])
                return offset
            low, high = (middle + 1, high) if found < id else (low, middle)
    return None


def _number(file: IO[bytes], at: int) -> int:
    file.seek(at)
    return int(struct.unpack(">I", file.read(4))[0])


def _entry_head(pack: IO[bytes]) -> tuple[int, int]:
    """The kind of an entry and the size that it has when it is inflated."""
    byte = pack.read(1)[0]
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80 and shift < 64:
        byte = pack.read(1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size


def _distance(pack: IO[bytes]) -> int:
    """How far before a delta its base begins."""
    byte = pack.read(1)[0]
    found = byte & 0x7F
    while byte & 0x80 and found < 1 << 62:
        byte = pack.read(1)[0]
        found = ((found + 1) << 7) | (byte & 0x7F)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found, shift = 0, 0
    while shift < 64:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return found, at
    raise _Unreadable("a number that does not end")


def _bytes_of(delta: bytes, at: int, present: int, count: int) -> tuple[int, int]:
    found = 0
    for n in range(count):
        if present & (1 << n):
            found |= delta[at] << (8 * n)
            at += 1
    return found, at
