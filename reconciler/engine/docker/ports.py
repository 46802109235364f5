"""Who holds a host port: a container that publishes it or, on Linux (procfs), a process of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reconciler.engine.docker.failures import TakenPort

PROXY = "docker-proxy "
"""How a process is called that an engine runs for each port that it publishes."""

_LISTENING = {"tcp": ("tcp", "tcp6", "0A"), "udp": ("udp", "udp6", "07")}
_ANY = frozenset({"", "0.0.0.0", "::", "[::]"})  # noqa: S104 - as the engine says it


def holding_container(taken: TakenPort, summaries: Iterable[Mapping[str, Any]], own_id: str) -> str | None:
    """The container among those of a list that publishes the port on that address; None where there is none."""
    for summary in summaries:
        if summary["Id"] == own_id:
            continue
        for port in summary.get("Ports") or ():
            same = port.get("PublicPort") == taken.port and taken.protocol in (None, port.get("Type", "tcp"))
            if same and _meet(str(port.get("IP", "")), taken.ip):
                name = str((summary.get("Names") or ["/?"])[0]).lstrip("/")
                return f"container {name} ({str(summary['Id'])[:12]}, {summary.get('Image')})"
    return None


def _meet(one: str, other: str) -> bool:
    return one == other or one in _ANY or other in _ANY


def holding_process(taken: TakenPort) -> str | None:
    """A process that listens on the port, as ``nginx (pid 42)``; None where none is found or may be seen."""
    inodes = _listening_inodes(taken.port, taken.protocol or "tcp")
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, wanted):
            return f"{_name(process)} (pid {process.name})"
    return None


def _listening_inodes(port: int, protocol: str) -> set[str]:
    *tables, listening = _LISTENING[protocol]
    found: set[str] = set()
    for table in tables:
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == listening and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(fields[9])
    return found


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        descriptors = os.listdir(process / "fd")
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            if os.readlink(process / "fd" / descriptor) in wanted:
                return True
        except OSError:
            continue
    return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
