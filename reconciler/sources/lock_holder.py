"""Who holds a lock file of git: a process that has it open, or a git that works in the same tree. Blocking.

Read from ``/proc``; where there is none, or a git of another user can't be looked at, nobody can be sure. This module
owns that difference between platforms.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_PROC = "/proc"


@dataclass(frozen=True, slots=True)
class Holder:
    """``who`` holds it, for people; "" where nobody was found. ``is_sure``: all that could be the
    one could be looked at."""

    who: str = ""
    is_sure: bool = False


def find(lock: Path, tree: Path) -> Holder:
    """Look for the holder of ``lock``, which is of the work tree ``tree``."""
    try:
        processes = [name for name in os.listdir(_PROC) if name.isdecimal()]
    except OSError:
        return Holder()
    if not processes:
        return Holder()
    wanted, folders = os.path.realpath(lock), (os.path.realpath(tree), os.path.realpath(lock.parent))
    is_sure = True
    for process in processes:
        place, name = f"{_PROC}/{process}", ""
        try:
            name = Path(place, "comm").read_text(encoding="utf-8", errors="replace").strip()
            if name.startswith("git") and _is_in(os.readlink(f"{place}/cwd"), folders):
                return Holder(f"{name} (process {process})", is_sure=True)
            if _has_open(place, wanted):
                return Holder(f"{name} (process {process})", is_sure=True)
        except PermissionError:
            # One of another user. Only a git among those could hold it: who it is can be seen of all.
            is_sure = is_sure and "git" not in name
        except OSError:
            continue  # it has ended meanwhile
    return Holder(is_sure=is_sure)


def _has_open(place: str, wanted: str) -> bool:
    for descriptor in os.listdir(f"{place}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"{place}/fd/{descriptor}") == wanted:
                return True
    return False


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)
