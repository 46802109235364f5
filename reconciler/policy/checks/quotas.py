"""How much all containers of a domain may use together, how many objects it may have, and what a container has that
declares nothing. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.diagnostics import Path
from reconciler.intent.model import Chunk, Domain
from reconciler.policy.checks.case import Case, Object, number, objects, table
from reconciler.policy.checks.limits import USUAL_PERIOD
from reconciler.policy.refusal import Refusal
from reconciler.policy.rule import COUNT, NUMBER, SIZE, Rule
from reconciler.quantities import port_ranges, sizes

ROWS = (
    Rule(
        "quotas.memory",
        SIZE,
        "The most memory of all containers of a domain together, copies among them; one without a limit counts as more"
        " than there is. Swap of as much again is not counted; what is more counts as memory.",
        "none",
        "none",
        "none",
    ),
    Rule("quotas.cpus", NUMBER, "The maximum processors of all its containers together.", "none", "none", "none"),
    Rule(
        "quotas.pids", COUNT, "The maximum number of processes of all its containers together.", "none", "none", "none"
    ),
    Rule(
        "quotas.containers",
        COUNT,
        "The maximum number of containers of a domain, replicas included.",
        "none",
        "none",
        "none",
    ),
    Rule("quotas.volumes", COUNT, "The maximum number of volumes that pnr may make for it.", "none", "none", "none"),
    Rule(
        "quotas.networks",
        COUNT,
        "The maximum number of networks that pnr may make for it, its default network included.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "quotas.ports",
        COUNT,
        "The maximum number of host ports that it may publish; each port of a range counts, and each protocol.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "quotas.logs",
        SIZE,
        "The maximum size of the logs of all its containers on the disk (max-size times max-file, of json-file and"
        " local; cache-max-size times cache-max-file, 100m where left out, of drivers that send logs away); one without"
        " a limit counts as more than there is.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "defaults.memory",
        SIZE,
        "The limit of memory of a container that declares none. Where a default changes, running containers are given"
        " it as after an edit of their file.",
        "none",
        "none",
        "none",
    ),
    Rule("defaults.cpus", NUMBER, "The processors of a container that declares none.", "none", "none", "none"),
    Rule(
        "defaults.pids",
        COUNT,
        "The maximum number of processes of a container that declares none.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "defaults.logs",
        SIZE,
        "How much the logs of a container that declares no `logging` may hold on the disk, in three files (json-file).",
        "none",
        "none",
        "none",
    ),
)

Placed = Iterator[tuple[Path, Refusal]]
_FILES = re.compile(r"[0-9]{1,9}", re.ASCII)
_ROTATING = ("json-file", "local")
_LOCAL_SIZE, _LOCAL_FILES = 20 << 20, 5
_ELSEWHERE = ("awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "splunk")
"""They send logs away, and the engine keeps a copy, which it shows as `docker logs`."""
_TRUE = ("1", "t", "T", "true", "True", "TRUE")


@dataclass(frozen=True, slots=True)
class Used:
    """One container of a domain: its place in the file, and ``HostConfig`` of the body that makes it."""

    chunk: Chunk
    path: Path
    host: Object


@dataclass(frozen=True, slots=True)
class _Sum:
    rule: str
    field: str
    what: str
    of: Callable[[Object], float]


def _memory(host: Object) -> float:
    """Memory; swap of as much again goes with it, as the engine gives it, and what is more counts as memory."""
    memory, with_swap = number(host.get("Memory")), number(host.get("MemorySwap"))
    return max(memory, with_swap - memory) if memory and with_swap >= 0 else math.inf


def _cpus(host: Object) -> float:
    quota = number(host.get("CpuQuota"))
    period = number(host.get("CpuPeriod")) or USUAL_PERIOD
    return number(host.get("NanoCpus")) / 1e9 or (quota / period if quota > 0 else math.inf)


def _pids(host: Object) -> float:
    pids = number(host.get("PidsLimit"))
    return pids if pids > 0 else math.inf


def _logs(host: Object) -> float:
    log = table(host.get("LogConfig"))
    driver = str(log.get("Type") or "")
    options = table(log.get("Config"))
    if driver == "none":
        return 0.0
    if driver in _ELSEWHERE:
        return 0.0 if str(options.get("cache-disabled")) in _TRUE else _copy(options)
    if driver not in _ROTATING:
        return math.inf  # what the engine takes where nothing is said, and journals, which nobody bounds for one
    usual_size, usual_files = (_LOCAL_SIZE, _LOCAL_FILES) if driver == "local" else (math.inf, 1)
    return _bytes(options.get("max-size"), usual_size) * _files(options.get("max-file"), usual_files)


def _copy(options: Object) -> float:
    return _bytes(options.get("cache-max-size"), _LOCAL_SIZE) * _files(options.get("cache-max-file"), _LOCAL_FILES)


# What can't be understood here may be understood by the engine: it counts as without a limit.
def _bytes(value: Any, usual: float) -> float:
    if value is None:
        return usual
    try:
        return sizes.read_as_go(str(value)) or math.inf
    except ValueError:
        return math.inf


def _files(value: Any, usual: float) -> float:
    if value is None:
        return usual
    return max(int(str(value)), 1) if _FILES.fullmatch(str(value)) else math.inf


_SUMS = (
    _Sum("quotas.memory", "HostConfig.Memory", "bytes of memory", _memory),
    _Sum("quotas.cpus", "HostConfig.NanoCpus", "processors", _cpus),
    _Sum("quotas.pids", "HostConfig.PidsLimit", "processes", _pids),
    _Sum("quotas.logs", "HostConfig.LogConfig", "bytes of logs", _logs),
)


def quotas(make: Callable[[], Case], domain: Domain, used: Iterable[Used]) -> Placed:
    """What the quotas refuse of a domain, each with its place: at the first container with which it is too much."""
    containers = list(used)
    for one in _SUMS:
        yield from _sum(make(), one, containers)
    bindings = (binding for one in containers for binding in _bindings(one.host))
    ports = sum(port_ranges.length(str(binding.get("HostPort") or "")) for binding in bindings)
    yield from _count(make(), "quotas.containers", "containers", len(containers), ("cpuxs",))
    yield from _count(make(), "quotas.ports", "ports of the host", ports, ("cpuxs",))
    named = sum(not volume.external for volume in domain.volumes)
    unnamed = sum(map(_unnamed_volumes, (one.host for one in containers)))
    yield from _count(make(), "quotas.volumes", "volumes", named + unnamed, ("volumes",))
    networks = sum(not network.external for network in domain.networks)
    yield from _count(make(), "quotas.networks", "networks", networks, ("networks",))


def _sum(case: Case, one: _Sum, containers: list[Used]) -> Placed:
    ceiling = case.policy.ceiling(one.rule)
    if ceiling is None:
        return
    total = 0.0
    for used in containers:
        amount = one.of(used.host)
        total += amount
        if total > ceiling:
            if math.isinf(amount):
                said = f"a container without a limit where all of its domain may have {ceiling:.12g} {one.what}"
            else:
                said = f"more than {ceiling:.12g} {one.what} in all of its domain, with this container {total:.12g}"
            case.refuse(one.rule, one.field, said)
            yield from (((*used.path, "container"), refusal) for refusal in case.refused)
            return


def _count(case: Case, rule: str, what: str, number: int, path: Path) -> Placed:
    ceiling = case.policy.ceiling(rule)
    if ceiling is not None and number > ceiling:
        case.refuse(rule, rule.partition(".")[2], f"{number} {what} in all of its domain (at most {ceiling:.0f})")
        yield from ((path, refusal) for refusal in case.refused)


def _bindings(host: Object) -> Iterator[Object]:
    for bindings in table(host.get("PortBindings")).values():
        yield from objects(bindings) or [{}]


def _unnamed_volumes(host: Object) -> int:
    return sum(mount.get("Type") == "volume" and not mount.get("Source") for mount in objects(host.get("Mounts")))
