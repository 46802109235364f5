"""Where engines on this machine keep their data and run, by their settings and by how they were started. Blocking;
looked at once as a program starts. What an engine tells of itself is known only once it was asked, and not all of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.host.root_reads import text_of

_SETTINGS = ("etc/docker/daemon.json", "etc/podman/daemon.json")
_KEYS = ("data-root", "graph", "exec-root")
_ENGINES = ("dockerd", "containerd")
_FLAG = re.compile(r"--(?:data-root|graph|exec-root|root|state)\0?[= ]?\0?(/[^\0\s]+)")


def engine_folders(root: str = "/") -> tuple[str, ...]:
    """The folders, each under the path that is said and the one where it lies."""
    found = [path for path in (*_of_settings(root), *_of_processes(root)) if path.startswith("/") and "\0" not in path]
    ways = (way for path in found for way in (os.path.normpath(path), os.path.realpath(path)))
    return tuple(dict.fromkeys(way for way in ways if way != "/"))


def _of_settings(root: str) -> Iterator[str]:
    for name in _SETTINGS:
        try:
            told = json.loads(text_of(Path(root, name)) or "{}")
        except (ValueError, RecursionError):
            continue
        for key in _KEYS if isinstance(told, dict) else ():
            if isinstance(told.get(key), str):
                yield told[key]


def _of_processes(root: str) -> Iterator[str]:
    try:
        pids = [name for name in os.listdir(Path(root, "proc")) if name.isdigit()]
    except OSError:
        return
    for pid in pids:
        folder = Path(root, "proc", pid)
        if text_of(folder / "comm").strip() in _ENGINES and _is_trusted(folder):
            yield from _FLAG.findall(text_of(folder / "cmdline"))


def _is_trusted(folder: Path) -> bool:
    """Whether a process is root's or this user's: anybody may call one of his own as an engine is called."""
    try:
        return folder.stat().st_uid in (0, os.geteuid())
    except OSError:
        return False
