"""Fingerprints of build contexts.

A file is read again only when its size, times or inode have changed, so that looking at a thousand files costs a
thousand ``stat``. Images that are built from one directory, each with a Dockerfile of its own, share what is read of it
and, in one glance, the walk through it.
"""

from __future__ import annotations

import copy
import hashlib
import os
import stat as modes
import time
from collections.abc import Hashable

from reconciler.intent.contents import ContentsError
from reconciler.sources.build_context import Context, Entry, Stamp, open_file, read_text, unreadable

_CHUNK = 1 << 20
# A second write in the same tick of the file system's clock that keeps the size makes no other stamp: what has just
# changed is read once more.
_JUST_NOW_NS = 2_000_000_000


class BuildContexts:
    """Fingerprints of contexts, remembering those of their files. May be called from several threads, but for what
    :meth:`glance` gives."""

    def __init__(self) -> None:
        self._files: dict[Hashable, dict[str, tuple[Stamp, bytes]]] = {}
        self._what: dict[tuple[str, str | None], Hashable] = {}
        self._hashed: dict[Hashable, hashlib._Hash] | None = None  # only in a glance
        self._stamped: dict[Hashable, tuple[hashlib._Hash, bool]] | None = None

    def glance(self) -> BuildContexts:
        """The same for one look, in which nothing is taken to change: each directory is walked through once for its
        stamp, and once for its fingerprint."""
        if self._hashed is not None:
            return self
        made = copy.copy(self)
        made._hashed, made._stamped = {}, {}
        return made

    def fingerprint(self, folder: str, dockerfile: str | None) -> str:
        """A hash (hex) over names, permissions, contents and targets of links, and over the Dockerfile.

        Where the directory lies does not count. Raises ContentsError.
        """
        context = Context(folder, dockerfile)
        self._what[folder, dockerfile] = context.what
        whole = self._hashed.get(context.what) if self._hashed is not None else None
        if whole is None:
            whole = self._hash(context)
            if self._hashed is not None:
                self._hashed[context.what] = whole
        whole = whole.copy()
        if context.dockerfile is not None:
            _add(whole, "", "Dockerfile", read_text(context.dockerfile).encode())
        return whole.hexdigest()

    def _hash(self, context: Context) -> hashlib._Hash:
        before = self._files.get(context.what, {})
        kept: dict[str, tuple[Stamp, bytes]] = {}
        whole = hashlib.sha256()
        for entry in context.entries():
            content = b""
            if entry.is_file:
                known = before.get(entry.path)
                try:
                    content = known[1] if known is not None and known[0] == entry.stamp else _hash_of(entry)
                except FileNotFoundError:
                    continue  # it has gone meanwhile
                if not _is_fresh(entry.at):
                    kept[entry.path] = (entry.stamp, content)
            elif entry.target is not None:
                content = os.fsencode(entry.target)
            _add(whole, entry.path, f"{modes.S_IFMT(entry.at.st_mode):o} {entry.mode:o}", content)
        self._files[context.what] = kept
        return whole

    def stamp(self, folder: str, dockerfile: str | None) -> Hashable:
        """Changes when the fingerprint may; reads no file but ``.dockerignore``."""
        try:
            context = Context(folder, dockerfile)
            whole, fresh = self._stamp(context)
            whole = whole.copy()
            if context.dockerfile is not None:
                at = os.stat(context.dockerfile)
                _add(whole, "", repr((at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_ino)), b"")
                fresh = fresh or _is_fresh(at)
        except (ContentsError, OSError) as error:
            return ("error", type(error).__name__, str(error))
        return (whole.hexdigest(), fresh)

    def _stamp(self, context: Context) -> tuple[hashlib._Hash, bool]:
        """Of the entries, and whether one of them has just changed."""
        if self._stamped is not None and context.what in self._stamped:
            return self._stamped[context.what]
        whole = hashlib.sha256()
        fresh = False
        for entry in context.entries():
            _add(whole, entry.path, repr(entry.stamp), b"")
            fresh = fresh or _is_fresh(entry.at)
        if self._stamped is not None:
            self._stamped[context.what] = (whole, fresh)
        return whole, fresh

    def forget_others(self, used: set[tuple[str, str | None]]) -> None:
        """Remember only what belongs to these."""
        for key in [key for key in list(self._what) if key not in used]:
            self._what.pop(key, None)
        kept = set(self._what.values())
        for what in [what for what in list(self._files) if what not in kept]:
            self._files.pop(what, None)


def _is_fresh(at: os.stat_result) -> bool:
    return time.time_ns() - max(at.st_mtime_ns, at.st_ctime_ns) < _JUST_NOW_NS


def _hash_of(entry: Entry) -> bytes:
    digest = hashlib.sha256()
    with open_file(entry) as file:
        try:
            while part := file.read(_CHUNK):
                digest.update(part)
        except OSError as error:
            raise unreadable(entry.full, error) from error
    return digest.digest()


def _add(whole: hashlib._Hash, path: str, kind: str, content: bytes) -> None:
    for part in (os.fsencode(path), kind.encode(), content):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
