"""How much may stand in a domain file, besides its bytes: more than anybody means, and no more than can be decided
about in one turn of the daemon's loop, in which nobody else is seen to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent.chunks import chunks_of_tree, cpuxs_of_tree
from reconciler.intent.lenient import list_in, object_in
from reconciler.quantities import port_ranges

MAX_ENTRIES = 10_000
"""How many entries one object or list may have, and all of those in one chunk together."""
MAX_CHUNKS = 10_000
"""How many chunks a domain may have; equal copies of one count each."""
MAX_FACTS = 1000
"""How many facts a chunk may name, and a CPUX may begin with."""
MAX_FACTS_OF_DOMAIN = 20_000
"""How many facts a domain may have: those that hold from the start, and those that chunks answer, with all copies."""
MAX_RESPONSES = 100
"""How many responses a fact may have."""
MAX_JOINED = 1000
"""How many networks and volumes a container may have, and how many addresses a network may keep."""
MAX_LINKS = 100
"""To how many others a container may be linked: it is so in each of its networks."""
MAX_NETWORKS = 250
"""How many networks a domain may declare."""
MAX_SUBNETS = 500
"""How many subnets all networks of a domain may have."""
MAX_PORTS_OF_DOMAIN = 100_000
"""How many ports all chunks of a domain may publish and expose: a range of a few characters stands for thousands."""
MAX_LINES_READ = 100_000
"""How many lines all files of variables and labels of a domain may have, each counted as often as it is used."""
MAX_BYTES_READ = 8 << 20
"""The same in bytes."""

_FACTS = ("gatekeeper", "flowin", "flowout")
_JOINED = {
    **dict.fromkeys(("networks", "volumes"), MAX_JOINED),
    **dict.fromkeys(("volumes_from", "links", "external_links"), MAX_LINKS),
}

Object = Mapping[str, Any]


def check(tree: Object, report: Diagnostics) -> None:
    """Tell what has more parts than anybody could have meant. To go on with it would take long and tell nothing."""
    _check_places(tree, (), report)
    if any(report):
        return
    chunks = sum(len(declared) for _, declared in cpuxs_of_tree(tree) if isinstance(declared, list))
    if chunks > MAX_CHUNKS:
        report.error(("cpuxs",), "TooMany", f"{chunks} chunks; a domain may have at most {MAX_CHUNKS}: split it")
    _at_most(MAX_NETWORKS, tree.get("networks"), "networks; a domain", report.at("networks"))
    pools = {
        name: list_in(object_in(network, "ipam"), "config") for name, network in object_in(tree, "networks").items()
    }
    _at_most(MAX_SUBNETS, list(chain(*pools.values())), "subnets in all networks; a domain", report.at("networks"))
    for name, declared in pools.items():
        kept = [one for pool in declared for one in object_in(pool, "aux_addresses")]
        _at_most(MAX_JOINED, kept, "aux_addresses; a network", report.at("networks", name, "ipam", "config"))
    for name, cpux in object_in(tree, "cpuxs").items():
        here, given = report.at("cpuxs", name, "rt_state"), object_in(cpux, "rt_state")
        _at_most(MAX_FACTS, given, "facts that hold from the start; a CPUX", here)
        _check_facts(given, here)
    for chunk, path in chunks_of_tree(tree):
        _check_chunk(chunk, report.at(*path))


def check_ports(tree: Object, report: Diagnostics) -> None:
    """The same of ports, which may stand in variables: ``tree`` is the file with their values in it."""
    containers = [object_in(chunk, "container") for chunk, _ in chunks_of_tree(tree)]
    ports = sum(_ports(container.get(key)) for container in containers for key in ("ports", "expose"))
    if ports > MAX_PORTS_OF_DOMAIN:
        said = (
            f"{ports} ports in all chunks; a domain may have at most {MAX_PORTS_OF_DOMAIN}: shorten ranges, or split it"
        )
        report.error(("cpuxs",), "TooMany", said)


def check_copies(copies: Collection[tuple[int, int]], given: int, report: Diagnostics) -> None:
    """The same of equal copies. ``copies`` has, for each chunk, how many there are and how many facts each answers;
    ``given`` are the facts that hold from the start."""
    every = sum(number for number, _ in copies)
    if every > MAX_CHUNKS:
        said = f"{every} containers, replicas included; a domain may have at most {MAX_CHUNKS}"
        report.error(("cpuxs",), "TooMany", f"{said}: fewer replicas, or split it")
    facts = given + sum(number * answered for number, answered in copies)
    if facts > MAX_FACTS_OF_DOMAIN:
        said = f"{facts} facts, those of each replica included; a domain may have at most {MAX_FACTS_OF_DOMAIN}"
        report.error(("cpuxs",), "TooMany", f"{said}: fewer facts or replicas, or split it")


def check_read(lines: int, size: int, report: Diagnostics) -> bool:
    """The same of what files of variables hold, so far. Whether more of them may be read."""
    for found, most, what in ((lines, MAX_LINES_READ, "lines"), (size, MAX_BYTES_READ, "bytes")):
        if found > most:
            said = f"{found} {what} in this and the files before, each counted as often as it is used"
            report.error((), "TooMany", f"{said}; a domain may have at most {most}: shorten them, or split it")
            return False
    return True


def _check_places(node: Any, path: Path, report: Diagnostics) -> None:
    if len(node) > MAX_ENTRIES:
        report.error(path, "TooMany", f"{len(node)} entries; at most {MAX_ENTRIES} can stand in one place")
        return
    for key, part in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(part, dict | list):
            _check_places(part, (*path, key), report)


def _check_chunk(chunk: Object, report: Diagnostics) -> None:
    entries = _entries(chunk)
    if entries > MAX_ENTRIES:
        said = f"{entries} entries in all of it; a chunk may have at most {MAX_ENTRIES}: split it"
        report.error((), "TooMany", said)
    facts = sum(len(object_in(chunk, key)) for key in _FACTS)
    if facts > MAX_FACTS:
        most = max(_FACTS, key=lambda key: len(object_in(chunk, key)))
        said = f"{facts} facts in {', '.join(_FACTS)}; a chunk may name at most {MAX_FACTS}: split it"
        report.error((most,), "TooMany", said)
    for key in _FACTS:
        _check_facts(object_in(chunk, key), report.at(key))
    mapping = object_in(object_in(chunk, "health_check"), "status_mapping")
    for side, answers in mapping.items():
        here = report.at("health_check", "status_mapping", side)
        if isinstance(answers, list):
            _check_facts(dict(enumerate(answers)), here)
        else:
            _check_fact(answers, here)
    container = object_in(chunk, "container")
    for key, bound in _JOINED.items():
        _at_most(bound, container.get(key), f"{key}; a container", report.at("container", key))


def _check_facts(facts: Mapping[Any, Any], report: Diagnostics) -> None:
    for key, fact in facts.items():
        _check_fact(fact, report.at(key))


def _check_fact(fact: Any, report: Diagnostics) -> None:
    _at_most(MAX_RESPONSES, list_in(fact, "response"), "responses; a fact", report.at("response"))


def _ports(declared: Any) -> int:
    items = declared if isinstance(declared, dict | list) else ()
    targets = (item.get("target") if isinstance(item, dict) else item for item in items)
    lengths = (port_ranges.length(str(target).rpartition(":")[2].partition("/")[0]) for target in targets)
    return sum(min(max(length, 1), port_ranges.HIGHEST) for length in lengths)


def _at_most(most: int, declared: Any, what: str, report: Diagnostics) -> None:
    if isinstance(declared, dict | list) and len(declared) > most:
        report.error((), "TooMany", f"{len(declared)} {what} may have at most {most}: leave some out, or split it")


def _entries(node: Any) -> int:
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return len(parts) + sum(_entries(part) for part in parts if isinstance(part, dict | list))
