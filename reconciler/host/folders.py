"""Whether others can write to a folder: root, this process's user and, under sudo, who called it are no others.

This module owns the difference between platforms: without owners of files nothing can be told, and nobody is another.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator

from reconciler import links

_HAS_OWNERS = hasattr(os, "geteuid")
_MACOS_ADMIN = 80
"""The group of those who may become root, which owns folders such as /usr/local of Homebrew."""


def others_can_write(path: str) -> str:
    """Who else can write to a folder, or put another one in its place, in words; "" where nobody can.

    Of a folder that is not there yet the way to it counts. Raises OSError where it can't be looked at.
    """
    if not _HAS_OWNERS:
        return ""
    real = links.follow(os.path.abspath(path))
    ways = [os.path.abspath(path)] if real != os.path.abspath(path) else []
    for way in (*ways, real):
        why = _on_the_way(way)
        if why:
            return why
    return ""


def _on_the_way(path: str) -> str:
    trusted = _trusted()
    under_sticky = False
    for part in _steps(path):
        try:
            at = os.lstat(part)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        is_link = stat.S_ISLNK(at.st_mode)
        # What lies in a folder like /tmp, and a link anywhere, can be exchanged by who owns it.
        if at.st_uid not in trusted and (not is_link or under_sticky):
            return f"{part} belongs to uid {at.st_uid}"
        is_last = part == path
        is_sticky = bool(at.st_mode & stat.S_ISVTX) and not is_last
        if not is_link and not is_sticky:
            if at.st_mode & stat.S_IWOTH:
                return f"any user may write to {part}"
            if at.st_mode & stat.S_IWGRP and not _is_own_group(at.st_gid, trusted):
                return f"the group {_group(at.st_gid)} may write to {part}"
        under_sticky = bool(at.st_mode & stat.S_ISVTX) and not is_link
    return ""


def _steps(path: str) -> Iterator[str]:
    at = os.sep
    yield at
    for part in path.split(os.sep):
        if part:
            at = os.path.join(at, part)
            yield at


def _trusted() -> frozenset[int]:
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return frozenset({0, os.geteuid(), *([int(caller)] if caller.isdecimal() else [])})


def _is_own_group(gid: int, trusted: frozenset[int]) -> bool:
    """Whether only users that are no others are in a group: root's, or the one that many systems give each user."""
    if gid == 0 or (gid == _MACOS_ADMIN and sys.platform == "darwin"):
        return True
    import grp
    import pwd

    try:
        names = {pwd.getpwuid(uid).pw_name for uid in trusted if pwd.getpwuid(uid).pw_gid == gid}
        return bool(names) and set(grp.getgrgid(gid).gr_mem) <= names
    except KeyError:
        return False


def _group(gid: int) -> str:
    import grp

    try:
        return f"{grp.getgrgid(gid).gr_name} ({gid})"
    except KeyError:
        return str(gid)
