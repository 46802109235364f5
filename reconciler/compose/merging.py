"""One file laid over another, by Compose's rules. Pure.

Mappings are merged key by key, lists are put one behind the other, anything else is replaced; a null changes nothing.
The table has the exceptions. What a list then says twice about one thing is made single in :mod:`.unity`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.compose.scalars import shown_as_text
from reconciler.diagnostics import Diagnostics

_Merge = Callable[[Node, Node, Diagnostics], Node]


def merge(base: Node, over: Node, report: Diagnostics) -> Node:
    """``over`` laid over ``base``, which stand where ``report`` is."""
    rules = _SPECIAL.along(report.path)
    if rules is not None and rules.found is not None:
        return rules.found(base, over, report)
    return _merge_plainly(base, over, report)


def _merge_plainly(base: Node, over: Node, report: Diagnostics) -> Node:
    if over.value is None:
        return base
    if isinstance(base.value, dict | list) and type(base.value) is not type(over.value):
        was = "a mapping" if isinstance(base.value, dict) else "a list"
        report.error((), "CannotOverride", f"{was} can't be overridden by something else (see {_at(base)})", over.place)
        return base
    if isinstance(base.value, dict):
        return _merge_entries(base, over, report)
    if isinstance(base.value, list):
        return over.having(base.items + over.items)
    return over


def _merge_entries(base: Node, over: Node, report: Diagnostics) -> Node:
    found = dict(base.entries)
    for key, node in over.entries.items():
        found[key] = merge(found[key], node, report.at(key)) if key in found else node
    return over.having(found)


def _at(node: Node) -> str:
    return f"{node.place.file}:{node.place.line}"


def _replace(_base: Node, over: Node, _report: Diagnostics) -> Node:
    return over


def _as_sequences(base: Node, over: Node, report: Diagnostics) -> Node:
    for key, part in (*base.entries.items(), *over.entries.items()):
        if isinstance(part.value, dict):
            report.error((key,), "WrongType", "expected text or a number, found a mapping", part.place)
    return over.having(_sequence(base) + _sequence(over))


def _hosts(base: Node, over: Node, _report: Diagnostics) -> Node:
    before = _sequence(base)
    known = [node.value for node in before]
    return over.having(before + [node for node in _sequence(over) if node.value not in known])


def _sequence(node: Node) -> list[Node]:
    """Items as they are; a mapping as ``key=value`` in the keys' order; a string as a list of one."""
    if isinstance(node.value, list):
        return node.items
    if isinstance(node.value, str):
        return [node]
    found: list[Node] = []
    for key, part in node.entries.items():
        if part.value is None:
            found.append(part.having(key))
        else:
            values = part.items if isinstance(part.value, list) else [part]
            found.extend(value.having(f"{key}={shown_as_text(value.value)}") for value in values)
    return sorted(found, key=lambda item: str(item.value))


def _as_mappings(base: Node, over: Node, report: Diagnostics, *, default: dict[str, Any] | None) -> Node:
    return _merge_entries(_mapping(base, default), _mapping(over, default), report)


def _mapping(node: Node, default: dict[str, Any] | None) -> Node:
    """A mapping as it is; of a list a mapping of its strings to ``default``."""
    if isinstance(node.value, dict):
        return node
    value = {
        str(item.value): item.having({key: item.having(part) for key, part in default.items()} if default else None)
        for item in node.items
    }
    return node.having(value)


def _build(base: Node, over: Node, report: Diagnostics) -> Node:
    return _merge_entries(_context(base), _context(over), report)


def _context(node: Node) -> Node:
    return node.having({"context": node}) if isinstance(node.value, str) else node


def _logging(base: Node, over: Node, report: Diagnostics) -> Node:
    """Options belong to a driver: those of another one are dropped."""
    one, other = base.get("driver"), over.get("driver")
    if one is None or other is None or one.value == other.value:
        return _merge_plainly(base, over, report)
    return over


def _address_pools(base: Node, over: Node, report: Diagnostics) -> Node:
    """Pools of one subnet are merged, others put beside each other."""
    if not isinstance(base.value, list) or not isinstance(over.value, list):
        return _merge_plainly(base, over, report)
    pools: list[Node] = []
    for original in base.items:
        merged = original
        for override in over.items:
            if _subnet(merged) != _subnet(override) and not any(_subnet(p) == _subnet(override) for p in pools):
                pools.append(override)
                continue
            merged = _merge_entries(merged, override, report)
            same = next((i for i, pool in enumerate(pools) if _subnet(pool) == _subnet(merged)), None)
            if same is None:
                pools.append(merged)
            else:
                pools[same] = merged
    return over.having(pools)


def _subnet(pool: Node) -> Any:
    subnet = pool.get("subnet")
    return subnet.value if subnet is not None else None


_STARTED = {"condition": "service_started", "required": True}

_RULES: list[tuple[str, _Merge]] = [
    *(
        (path, _as_sequences)
        for path in (
            "networks.*.labels",
            "volumes.*.labels",
            "services.*.annotations",
            "services.*.build.args",
            "services.*.build.additional_contexts",
            "services.*.build.labels",
            "services.*.deploy.labels",
            "services.*.dns",
            "services.*.dns_opt",
            "services.*.dns_search",
            "services.*.env_file",
            "services.*.label_file",
            "services.*.environment",
            "services.*.labels",
            "services.*.sysctls",
            "services.*.tmpfs",
        )
    ),
    ("services.*.build", _build),
    ("services.*.build.extra_hosts", _hosts),
    ("services.*.extra_hosts", _hosts),
    ("services.*.command", _replace),
    ("services.*.entrypoint", _replace),
    ("services.*.healthcheck.test", _replace),
    ("services.*.ulimits.*", _replace),
    ("services.*.logging", _logging),
    ("services.*.depends_on", partial(_as_mappings, default=_STARTED)),
    ("services.*.networks", partial(_as_mappings, default=None)),
    ("services.*.models", partial(_as_mappings, default=None)),
    ("networks.*.ipam.config", _address_pools),
]
_SPECIAL = Patterns(_RULES)
