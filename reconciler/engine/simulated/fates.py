"""What a simulated container has besides what is seen of it: its fate, its ports, how it is. Plain values."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.model import Chunk, HealthCheck, Kind
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.ports import addresses
from reconciler.planner.mounts import Node
from reconciler.planner.observed import HostPort


@dataclass(slots=True)
class Fate:
    """What becomes of containers of an image: when they are ready, and whether and how they end by themselves.

    ``missing``: the image can't be pulled. A job ends with 0 after a second unless ``exit_code`` says otherwise.
    ``restarts``: what ends by itself is started again by the engine after so many seconds, as by a restart policy.
    ``stops_after``: how long it takes to end when it is told to, if it is not killed before; None: as its engine likes.
    ``impossible``: what it is to run is not in the image, so that it can never be started. ``lacks``: the paths, the
    commands or the ports that health checks ask for and that it does not have. ``unchecked``: the image has no
    HEALTHCHECK. ``says``: what each run prints.
    """

    ready_after: float = 0.05
    exit_code: int | None = None
    exit_after: float = 0.0
    missing: bool = False
    unchangeable: bool = False
    restarts: bool = False
    impossible: bool = False
    restarts_after: float = 0.5
    stops_after: float | None = None
    lacks: Collection[str] = ()
    unchecked: bool = False
    says: str = ""


def asked_for(check: HealthCheck) -> str:
    """What a health check wants to have in a container."""
    command = check.options.get("command")
    return str(check.options.get("path") or (command if isinstance(command, str) else "") or check.port_key)


@dataclass(slots=True)
class Hidden:
    """One container's hidden side. ``ready``, ``ill`` and ``timers`` are of its present run; ``ports`` are those that
    it publishes while it runs; ``delay`` is how long its engine waited last before it started it again."""

    chunk: Chunk | None
    ports: Mapping[str, tuple[HostPort, ...]]
    asked: Mapping[str, Any] = field(default_factory=dict)
    ready: bool = False
    ill: bool = False
    delay: float = 0.05
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    files: dict[str, Node] = field(default_factory=dict)  # by target: what its present run has of the host

    @property
    def is_job(self) -> bool:
        """Whether it is to end by itself."""
        return self.chunk is not None and self.chunk.kind is Kind.JOB

    def cancel_timers(self) -> None:
        """Its run is over: nothing becomes of it any more."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


def read_back(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as an engine shows them: what was declared, and what it fills in itself."""
    undeclared = {name: row.undeclared for name, row in SETTINGS.items() if row.live}
    return {**undeclared, **declared}


def published(settings: Mapping[str, Any], *, free: int) -> dict[str, tuple[HostPort, ...]]:
    """Where the declared ports are published; ``free`` stands in for "any free one"."""
    found: dict[str, tuple[HostPort, ...]] = {}
    for entry in settings.get("ports") or ():
        key = str(entry["target"])
        number = int(entry["published"] or free)
        found[key] = (*found.get(key, ()), *(HostPort(ip, number) for ip in addresses(str(entry["host_ip"]))))
    return found


_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - as an engine says it


def clash(one: Mapping[str, tuple[HostPort, ...]], other: Mapping[str, tuple[HostPort, ...]]) -> int | None:
    """The lowest port of the host that both publish: of one protocol, on one address or on all of them."""
    found = {
        mine.port
        for key, ports in one.items()
        for mine in ports
        for there, theirs in other.items()
        for its in theirs
        if mine.port == its.port
        and key.partition("/")[2] == there.partition("/")[2]
        and (mine.ip == its.ip or mine.ip in _ANY_ADDRESS or its.ip in _ANY_ADDRESS)
    }
    return min(found, default=None)
