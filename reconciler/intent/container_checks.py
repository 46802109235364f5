"""What takes two values of a file to see: names that must be declared, settings that exclude one another. Pure.

The checks look at the file's tree as it was written, valid or not, and pass over what has another shape than they
expect: so that a typing error in one place does not hide what is wrong in another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics, nearest
from reconciler.intent import engine_names, networks_and_volumes, options
from reconciler.intent.check_types import CheckType
from reconciler.intent.chunk_checks import disagreements
from reconciler.intent.chunks import chunks_of_tree, cpuxs_of_tree
from reconciler.intent.document import HealthCheck
from reconciler.intent.interpolation import found
from reconciler.intent.lenient import object_in, parsed
from reconciler.intent.model import FACT_CHECK
from reconciler.intent.networks import OWN_NETWORK
from reconciler.intent.positions import KEY
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.faults import shown
from reconciler.intent.settings.references import chunks_named

COMMON_CHECK_KEYS = frozenset(HealthCheck.model_fields)


def crosscheck(tree: Mapping[str, Any], check_types: Mapping[str, CheckType], report: Diagnostics) -> None:
    """Everything wrong with ``tree`` that no value alone shows."""
    declared_networks = (OWN_NETWORK, *object_in(tree, "networks"))
    names: dict[Any, dict[str, int]] = defaultdict(dict)
    for chunk, path in chunks_of_tree(tree):
        if isinstance(chunk.get("name"), str):
            names[path[1]].setdefault(chunk["name"], int(path[-1]))
    for chunk, path in chunks_of_tree(tree):
        here = report.at(*path)
        _duplicate(chunk, int(path[-1]), names[path[1]], here)
        _chunk(chunk, here, declared_networks, check_types)
        disagreements(chunk, here)
        _references(chunk, here, names[path[1]])
    any_chunk = any(chunks != [] for _, chunks in cpuxs_of_tree(tree))
    if not any_chunk and isinstance(tree.get("cpuxs"), dict):
        report.error(("cpuxs",), "NothingDeclared", "the domain declares no chunk: add one to a CPUX's design_chunks")
    networks_and_volumes.disagreements(tree, report)
    engine_names.crosscheck(tree, report)


def _duplicate(chunk: Mapping[str, Any], index: int, names: Mapping[str, int], report: Diagnostics) -> None:
    name = chunk.get("name")
    if isinstance(name, str) and names[name] != index:
        message = f"design_chunks[{names[name]}] of this CPUX is called {found(name)} as well: give one another name"
        report.error(("name",), "DuplicateName", message)


def _chunk(
    chunk: Mapping[str, Any],
    report: Diagnostics,
    declared_networks: tuple[str, ...],
    check_types: Mapping[str, CheckType],
) -> None:
    _same_variable(chunk, report)
    _container(object_in(chunk, "container"), report.at("container"), declared_networks)
    check = chunk.get("health_check")
    if isinstance(check, dict):
        _health_check(check, report.at("health_check"), check_types)
        _status_mapping(chunk, check, report.at("health_check", "status_mapping"))
        if check.get("type") == FACT_CHECK and chunk.get("facts") is False:
            message = "the health check's type is fact, for which the container must answer itself: leave this out"
            report.error(("facts",), "Conflict", message)


def _references(chunk: Mapping[str, Any], report: Diagnostics, names: Collection[str]) -> None:
    """Settings that point to a chunk name one of the same CPUX, not the chunk itself."""
    container = object_in(chunk, "container")
    for setting, name in chunks_named(container):
        where = ("container", setting)
        if name == chunk.get("name"):
            report.error(where, "InvalidValue", f"{shown(name)} is this chunk itself")
        elif name not in names:
            message = f"there is no chunk {shown(name)} in this CPUX{nearest(name, names)}"
            report.error(where, "UnknownChunk", message)
    mode = container.get("network_mode")
    if not isinstance(mode, str):
        return
    if container.get("networks"):
        message = "network_mode and networks exclude each other: leave one of them out"
        report.error(("container", "network_mode"), "Conflict", message)
    shares = mode in ("host", "none") or mode.startswith(("service:", "container:"))
    if shares and container.get("ports"):
        message = f"with network_mode {shown(mode)} no port can be published: leave ports out"
        report.error(("container", "ports"), "Conflict", message)
    for setting in ("links", "external_links"):
        if shares and container.get(setting):
            message = f"with network_mode {shown(mode)} a container has no names for others: leave {setting} out"
            report.error(("container", setting), "Conflict", message)


def _same_variable(chunk: Mapping[str, Any], report: Diagnostics) -> None:
    seen: dict[str, str] = {}
    for name in object_in(chunk, "flowin"):
        variable = name.rpartition("/")[2]
        other = seen.setdefault(variable, name)
        if other != name:
            message = f"{shown(other)} is handed over as the variable {shown(variable)} already"
            report.error(("flowin", name, KEY), "Conflict", message)


def _container(container: Mapping[str, Any], report: Diagnostics, declared_networks: tuple[str, ...]) -> None:
    networks = container.get("networks")
    joined: list[tuple[str | int, Any]] = []
    if isinstance(networks, dict):
        joined = [(name, name) for name in networks]
    elif isinstance(networks, list):
        joined = list(enumerate(networks))
    for part, name in joined:
        if isinstance(name, str) and name not in declared_networks:
            message = f"no network {found(name)} in the domain's networks{report.nearest(name, declared_networks)}"
            where = ("networks", part, KEY) if isinstance(networks, dict) else ("networks", part)
            report.error(where, "UnknownNetwork", message)
    parse = SETTINGS["environment"].parse
    first, second = (parsed(parse, container.get(key)) or {} for key in ("environment", "env"))
    for variable in first.keys() & second.keys():
        if first[variable] != second[variable]:
            message = f"environment and env give {shown(variable)} different values: leave one of them out"
            report.error(("env",), "Conflict", message)
    for index, source in _bind_sources(container.get("volumes")):
        if source.startswith("~"):
            message = f"{found(source)}: ~ has no meaning for a service; write the whole path"
            report.error(("volumes", index), "InvalidValue", message)


def _bind_sources(volumes: Any) -> Iterator[tuple[int, str]]:
    for index, entry in enumerate(volumes if isinstance(volumes, list) else ()):
        source = entry.get("source") if isinstance(entry, dict) else entry
        if isinstance(source, str):
            yield index, source


def _health_check(check: Mapping[str, Any], report: Diagnostics, check_types: Mapping[str, CheckType]) -> None:
    kind = check.get("type")
    if not isinstance(kind, str):
        return
    known = {FACT_CHECK: CheckType(), **check_types}
    if kind not in known:
        message = f"no health check of the type {found(kind)} (known: {', '.join(sorted(known))})"
        report.error(("type",), "UnknownCheckType", f"{message}{report.nearest(kind, known)}")
        return
    own = {key: value for key, value in check.items() if key not in COMMON_CHECK_KEYS and not key.startswith("x-")}
    taken_by = f" in a health check of the type {kind}"
    options.read(known[kind].options, own, report, taken_by=taken_by, others=sorted(COMMON_CHECK_KEYS))
    port = check.get("port_key")
    if known[kind].url_scheme and isinstance(port, str) and port.partition("/")[2].lower() not in ("", "tcp"):
        report.error(("port_key",), "InvalidValue", f"{found(port)} is not a TCP port, which {kind} needs")
    if known[kind].needs_port and check.get("port_key") is None:
        report.error((), "MissingKey", f"the key 'port_key' is missing: the container's port that {kind} probes")


def _status_mapping(chunk: Mapping[str, Any], check: Mapping[str, Any], report: Diagnostics) -> None:
    flowout = object_in(chunk, "flowout")
    for side, answers in object_in(check, "status_mapping").items():
        several = isinstance(answers, list)
        seen: set[str] = set()
        for index, answer in enumerate(answers if several else [answers]):
            key = answer.get("key") if isinstance(answer, dict) else None
            where = (side, index, "key") if several else (side, "key")
            if not isinstance(key, str):
                continue
            if key not in flowout:
                message = f"{found(key)} is not in the chunk's flowout{report.nearest(key, flowout)}"
                report.error(where, "NotInFlowout", message)
            elif key in seen:
                report.error(where, "Conflict", f"{found(key)} is answered in this list already")
            seen.add(key)
