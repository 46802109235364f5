"""Looks whether a container that pnr did not start has mounted what was judged. Blocking; changes nothing.

Where the engine's processes can be looked at (Linux, by root), the kernel tells what a container has. Elsewhere all
that can be done is to judge once more what leads where now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.policy.mounted import Mount, Other, Wanted, mounts, not_as_wanted

Body = Mapping[str, Any]


def differing(body: Body, volumes: Mapping[str, Body]) -> tuple[Other, ...]:
    """What of the host a container of this engine has otherwise than it was to have. ``volumes`` are those that it
    uses, by name."""
    pid = int((body.get("State") or {}).get("Pid") or 0)
    there = _mounts_of(pid, str(body["Id"]))
    host = mounts(_text("/proc/self/mountinfo"))
    if there is None or not host:
        return ()
    return not_as_wanted(_wanted(body, volumes), there, host)


def _wanted(body: Body, volumes: Mapping[str, Body]) -> Iterator[Wanted]:
    for mount in body.get("Mounts") or ():
        source, read_only, through = str(mount.get("Source") or ""), mount.get("RW") is False, ""
        if mount.get("Type") == "volume":
            options = (volumes.get(str(mount.get("Name"))) or {}).get("Options") or {}
            source, through = str(options.get("device") or ""), source
        elif mount.get("Type") != "bind":
            continue
        if source.startswith("/"):
            yield Wanted(os.path.realpath(source), str(mount.get("Destination")), read_only, through)


def _mounts_of(pid: int, container_id: str) -> tuple[Mount, ...] | None:
    if pid <= 0 or container_id not in _text(f"/proc/{pid}/cgroup"):
        return None
    return mounts(_text(f"/proc/{pid}/mountinfo")) or None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
