"""What keeps a work tree from being pulled: files in it that are not as git has them, told without running git.

git refuses a repository of another user, and obeys what is configured in it. Reads gitformat-index(5) of the versions 2
to 4. Whoever writes the repository need not be trusted: sizes and numbers are bounded, and whatever can't be read
counts as not known. Blocking.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.sources.git import WorkTree

LARGEST_INDEX = 64 << 20
LARGEST_FILE = 4 << 20
MOST_FILES = 50_000
MOST_BYTES = 64 << 20
"""So much is read for one answer."""
MOST_TOLD = 5
_LARGEST_TEXT = 4 << 20
_ENTRY = struct.Struct(">10I20sH")
_FETCHED = re.compile(r"^([0-9a-f]{40})\t\t", re.MULTILINE)
_SKIPPED, _EXTENDED = 0x4000, 0x4000
_REGULAR, _LINK = 0o100000, 0o120000


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    mode: int
    size: int
    modified: tuple[int, int]
    object_id: str


def not_taken_up(tree: WorkTree) -> tuple[str, tuple[str, ...]] | None:
    """The commit that was fetched and that the work tree has not come to since files in it are not as git has them, and
    those files; None where there is no such thing, or nobody can tell."""
    text = _text(tree.git_dir / "FETCH_HEAD")
    fetched, here = _FETCHED.search(text), tree.commit()
    if fetched is None or here is None or fetched[1] == here or fetched[1] in _text(tree.git_dir / "logs" / "HEAD"):
        return None  # it is there, or was before
    try:
        changed = tuple(_changed(tree))
    except (OSError, ValueError, struct.error, IndexError):
        return None
    return (fetched[1], changed) if changed else None


def told(tree: WorkTree) -> str:
    """The same for people; "" for nothing."""
    found = not_taken_up(tree)
    if found is None:
        return ""
    commit, files = found
    named = ", ".join(files[:MOST_TOLD]) + (f" and {len(files) - MOST_TOLD} more" if len(files) > MOST_TOLD else "")
    return (
        f"{tree.root} was not brought to the commit {commit[:12]} that was fetched: {named} was changed there by a"
        " container, or by hand, and git does not overwrite that; put it back (git checkout -- FILE) or commit it, and"
        " pull again"
    )


def _changed(tree: WorkTree) -> Iterator[str]:
    left = MOST_BYTES
    for entry in _entries(tree.git_dir / "index"):
        path = os.path.join(tree.root, entry.path)
        try:
            at = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            yield entry.path
            continue
        if (at.st_size & 0xFFFFFFFF, divmod(at.st_mtime_ns, 10**9)) == (entry.size, entry.modified):
            continue
        if stat.S_IFMT(at.st_mode) != stat.S_IFMT(entry.mode):
            yield entry.path
        elif at.st_size <= min(LARGEST_FILE, left):
            left -= at.st_size
            if entry.object_id not in _object_ids(path, entry.mode):
                yield entry.path


def _object_ids(path: str, mode: int) -> set[str]:
    """What git would call what is there, with the ends of lines as they are and as they are kept."""
    content = os.readlink(os.fsencode(path)) if stat.S_IFMT(mode) == _LINK else _content(path)
    return {
        hashlib.sha1(b"blob %d\0" % len(one) + one, usedforsecurity=False).hexdigest()
        for one in (content, content.replace(b"\r\n", b"\n"))
    }


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(LARGEST_FILE)
    finally:
        os.close(descriptor)


def _entries(index: Path) -> Iterator[_Entry]:
    """The files in the index. Raises ValueError, struct.error or IndexError for one of another form."""
    with open(index, "rb") as file:
        data = file.read(LARGEST_INDEX + 1)
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3, 4) or count > MOST_FILES or len(data) > LARGEST_INDEX:
        raise ValueError("no index that is read here")
    at, before = 12, b""
    for _ in range(count):
        begins = at
        fields = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        flags, more = fields[11], 0
        if version >= 3 and flags & _EXTENDED:
            (more,) = struct.unpack_from(">H", data, at)
            at += 2
        if version == 4:
            cut, at = _number(data, at)
            end = data.index(b"\0", at)
            name = before[: len(before) - cut] + data[at:end]
            at = end + 1
        else:
            end = data.index(b"\0", at)
            name = data[at:end]
            at = begins + ((end - begins) // 8 + 1) * 8
        before = name
        mode, is_here = fields[6], not more & _SKIPPED and not flags & 0x8000
        parts = name.split(b"/")
        if is_here and stat.S_IFMT(mode) in (_REGULAR, _LINK) and b".." not in parts and parts[0]:
            path = os.fsdecode(name)
            yield _Entry(path, mode, fields[9], (fields[2], fields[3]), fields[10].hex())


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, as in offsets of packs; and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""
