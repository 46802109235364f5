"""What must be known of a git work tree without running git: is git at work in it, and which commit is it at.

Reads gitrepository-layout(5): ``.git`` as a folder or a file that points to one (worktrees, submodules), ``HEAD``,
loose and packed refs.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

LEVELS = 3
STALE_LOCK_SECONDS = 600.0
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class WorkTree:
    """``git_dir`` belongs to this work tree, ``common_dir`` is shared by all work trees of the repository."""

    git_dir: Path
    common_dir: Path

    def is_busy(self) -> bool:
        """Whether git holds its index or HEAD. A lock that is ten minutes old was left behind by a crash."""
        for name in ("index.lock", "HEAD.lock"):
            try:
                age = time.time() - os.stat(self.git_dir / name).st_mtime
            except OSError:
                continue
            if age < STALE_LOCK_SECONDS:
                return True
        return False

    def commit(self) -> str | None:
        """The commit that HEAD is at; None before the first one."""
        head = _text(self.git_dir / "HEAD")
        if head is None:
            return None
        if not head.startswith("ref:"):
            return head if _COMMIT.fullmatch(head) else None
        ref = head.removeprefix("ref:").strip()
        for folder in (self.git_dir, self.common_dir):
            value = _text(folder / ref)
            if value is not None and _COMMIT.fullmatch(value):
                return value
        for line in (_text(self.common_dir / "packed-refs") or "").splitlines():
            value, _, name = line.partition(" ")
            if name == ref and _COMMIT.fullmatch(value):
                return value
        return None


def find(root: Path) -> WorkTree | None:
    """The work tree that a directory is in, looked for a few levels up; None where there is none."""
    folder = root.absolute()
    for _ in range(LEVELS + 1):
        dot = folder / ".git"
        if dot.is_dir() and (dot / "HEAD").is_file():
            return WorkTree(dot, dot)
        if dot.is_file():
            return _pointed_to(dot)
        if folder.parent == folder:
            return None
        folder = folder.parent
    return None


def _pointed_to(dot: Path) -> WorkTree | None:
    text = _text(dot)
    if text is None or not text.startswith("gitdir:"):
        return None
    git_dir = (dot.parent / text.removeprefix("gitdir:").strip()).resolve()
    common = _text(git_dir / "commondir")
    return WorkTree(git_dir, (git_dir / common).resolve() if common else git_dir)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
