"""Looks at a path on this machine part by part: where it leads, through which links, and who may change that. Blocking.

What is told holds for the moment of the look. Whoever acts on it looks again right before, and sees to it
(``binds.others_may_write``) that nobody else can change the way where that matters.

This module owns the difference between platforms: without owners of files, all that can be told is where a path leads.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import replace

from reconciler import links
from reconciler.intent.file_names import ENDING
from reconciler.policy.world import Look, Seen

_HAS_OWNERS = hasattr(os, "geteuid")
_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISBLK, "block"),
    (stat.S_ISCHR, "char"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "pipe"),
)
_PRIVATE = "systemd-private"
_MOUNTS = "/proc/self/mountinfo"


def look(path: str) -> Seen:
    """See :data:`reconciler.policy.world.Look`. Never raises: what stands in the way is in ``trouble``."""
    real = path
    try:
        real = links.follow(path)
        link = _first_link(path)
        return _walk(real, link, _others(path) if link is not None else None)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Seen(real, exists=False, trouble=reason or type(error).__name__)


def unseen(path: str) -> Seen:
    """The look at a path of another machine: there is none."""
    return Seen(posixpath.normpath(path), hidden="the engine is on another machine")


def by_name(path: str) -> Seen:
    """The look at a path of which nothing counts but its name: as if it were there, and no link on the way to it."""
    return Seen(posixpath.normpath(path), kind="folder")


def by_name_but_in(folder: str) -> Look:
    """The same, but for what stands in a folder itself: that is here, to be put there as it is."""

    def look(path: str) -> Seen:
        seen = by_name(path)
        if posixpath.dirname(seen.real) != folder.replace(os.sep, "/"):
            return seen
        is_there = os.path.lexists(seen.real)
        is_file = is_there and not os.path.isdir(seen.real)
        # A folder that nobody has put into the repository may be made on the machine; a domain file comes from there.
        return replace(seen, kind="file" if is_file else seen.kind, exists=is_there or not path.endswith(ENDING))

    return look


def resolved(path: str) -> str:
    """The absolute path without links of what is there, or would be."""
    return os.path.realpath(os.path.abspath(path))


def _first_link(path: str) -> str | None:
    """The first part of a path that is a symbolic link; parts after one that is missing lead nowhere."""
    for part in _prefixes(path):
        try:
            at = os.lstat(part)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(at.st_mode):
            return part
    return None


def _prefixes(path: str) -> Iterator[str]:
    """``/a``, ``/a/b``, … of ``/a/b/…``; ``..`` goes up, as it does where no part is a link."""
    drive, rest = os.path.splitdrive(os.path.abspath(path) if not path.startswith(os.sep) else path)
    at = drive + os.sep
    for part in rest.replace("\\", "/").split("/") if os.name == "nt" else rest.split("/"):
        if part in ("", "."):
            continue
        at = os.path.dirname(at) if part == ".." else os.path.join(at, part)
        yield at


def _walk(real: str, link: str | None, others: str | None) -> Seen:
    ids: list[tuple[int, int]] = []
    kind, exists = "", True
    owner: int | None = None
    for part in _steps(real):
        try:
            at = os.lstat(part)
        except (FileNotFoundError, NotADirectoryError):
            exists = False
            break
        ids.append((at.st_dev, at.st_ino))
        owner = at.st_uid if _HAS_OWNERS else None
        kind = next((name for is_kind, name in _KINDS if is_kind(at.st_mode)), "")
    what = kind if exists else ""
    return Seen(real, exists, link, what, others or _others(real), tuple(ids), _hidden(real), owner=owner)


def _steps(path: str) -> list[str]:
    return [os.path.splitdrive(path)[0] + os.sep, *_prefixes(path)]


def _others(path: str) -> str | None:
    """The first part of the way that others than root and this process's user may exchange."""
    if not _HAS_OWNERS:
        return None
    steps = _steps(path)
    is_sticky = False
    for number, part in enumerate(steps):
        try:
            at = os.lstat(part)
        except (FileNotFoundError, NotADirectoryError):
            return None
        is_last = number == len(steps) - 1
        # Who owns the last part may change what is in it, but not exchange it; in a folder like /tmp he may.
        if (not is_last or is_sticky) and at.st_uid not in (0, os.geteuid()):
            return part
        if not is_last and not stat.S_ISLNK(at.st_mode) and _is_shared(at):
            return part
        is_sticky = bool(at.st_mode & stat.S_ISVTX) and not stat.S_ISLNK(at.st_mode)
    return None


def _is_shared(at: os.stat_result) -> bool:
    by_group = at.st_mode & stat.S_IWGRP and at.st_gid not in (0, os.getegid())
    return bool((at.st_mode & stat.S_IWOTH or by_group) and not at.st_mode & stat.S_ISVTX)


def _hidden(path: str) -> str:
    """systemd's PrivateTmp= gives this process another /tmp than the engine's."""
    if not path.startswith(("/tmp", "/var/tmp")):  # noqa: S108 - no file of ours
        return ""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            fields = [line.split() for line in mounts]
    except OSError:
        return ""  # no Linux: nothing of that kind there
    for field in fields:
        root, point = field[3], field[4]
        if _PRIVATE in root and (path == point or path.startswith(f"{point}/")):
            return f"pnr's own {point} (PrivateTmp= of its unit) is not the engine's"
    return ""
