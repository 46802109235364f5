"""What must be known of a git work tree without running git: is git at work in it, and which commit is it at.

Reads gitrepository-layout(5): ``.git`` as a folder or a file that points to one (worktrees, submodules), ``HEAD``,
loose and packed refs. What can't be read counts as not there: the repository may belong to another user.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

LEVELS = 3
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_UNFINISHED = ("rebase-merge", "rebase-apply")
# While git holds one of these it changes the files of the work tree, or is about to.
_BLOCKING = ("index.lock", "HEAD.lock")
_OTHERS = ("config.lock", "packed-refs.lock", "shallow.lock")
_UNDER_WAY = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file of git, and since when (Unix seconds) it is there. ``blocks``: who holds it changes files."""

    path: Path
    since: float
    blocks: bool


@dataclass(frozen=True, slots=True)
class WorkTree:
    """``git_dir`` belongs to this work tree, ``common_dir`` is shared by all work trees of the repository; ``root`` is
    where its files are."""

    git_dir: Path
    common_dir: Path
    root: Path

    def locks(self) -> list[Lock]:
        """The lock files that are there, held or left behind; those that block first."""
        places = [(self.git_dir / name, True) for name in _BLOCKING]
        places += [(self.common_dir / name, False) for name in _OTHERS]
        ref = self._ref()
        if ref:
            places.append((self.common_dir / f"{ref}.lock", False))
        found = []
        for path, blocks in places:
            try:
                found.append(Lock(path, os.stat(path).st_mtime, blocks))
            except OSError:
                continue
        return found

    def under_way(self) -> str:
        """What git was told to do and waits to be told to go on with: ``merge``, ``rebase``; "" for nothing."""
        return next((what for name, what in _UNDER_WAY if os.path.exists(self.git_dir / name)), "")

    def _ref(self) -> str:
        head = _text(self.git_dir / "HEAD") or ""
        return head.removeprefix("ref:").strip() if head.startswith("ref:") else ""

    def stamp(self) -> tuple[object, ...]:
        """Differs when git has changed its index or HEAD in between, however quickly."""
        try:
            at = os.stat(self.git_dir / "index")
        except OSError:
            return (None, self.commit())
        return (at.st_ino, at.st_size, at.st_mtime_ns, self.commit())

    def fetched(self) -> object:
        """Differs when git has fetched something in between, or has found nothing new."""
        try:
            at = os.stat(self.git_dir / "FETCH_HEAD")
        except OSError:
            return None
        return (at.st_ino, at.st_size, at.st_mtime_ns)

    def is_unfinished(self) -> bool:
        """Whether git is in the middle of putting commits upon others, and will go on when it is told to: until then
        the tree lacks what comes with the rest of them."""
        return any((self.git_dir / name).exists() for name in _UNFINISHED)

    def commit(self) -> str | None:
        """The commit that HEAD is at; None before the first one."""
        head = _text(self.git_dir / "HEAD")
        if head is None:
            return None
        if not head.startswith("ref:"):
            return head if _COMMIT.fullmatch(head) else None
        ref = head.removeprefix("ref:").strip()
        for folder in dict.fromkeys((self.git_dir, self.common_dir)):
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
    folder = os.path.realpath(root)
    for _ in range(LEVELS + 1):
        dot = os.path.join(folder, ".git")
        if os.path.isfile(os.path.join(dot, "HEAD")):
            return WorkTree(Path(dot), Path(dot), Path(folder))
        if os.path.isfile(dot):
            return _pointed_to(Path(dot))
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return None


def _pointed_to(dot: Path) -> WorkTree | None:
    text = _text(dot)
    if text is None or not text.startswith("gitdir:"):
        return None
    git_dir = Path(os.path.realpath(dot.parent / text.removeprefix("gitdir:").strip()))
    common = _text(git_dir / "commondir")
    return WorkTree(git_dir, Path(os.path.realpath(git_dir / common)) if common else git_dir, dot.parent)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return None
