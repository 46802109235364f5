"""Short forms put into long ones, and the defaults that Compose writes out. Pure.

``canonical`` runs on each file as it is merged, so that the next one meets long forms; ``with_defaults`` runs once.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.compose.mounts import clean, short_device, short_mount, short_ports
from reconciler.compose.node import Node, wrap
from reconciler.compose.patterns import Patterns
from reconciler.compose.scalars import shown_as_text
from reconciler.diagnostics import Diagnostics

_Step = Callable[[Node, Diagnostics], Node]


def canonical(root: Node, report: Diagnostics) -> Node:
    """``root`` with its short forms made long. What can't be read is recorded and stays as it is."""
    return _walk(root, _LONG, report)


def with_defaults(root: Node, report: Diagnostics) -> Node:
    """``root`` with the defaults of ports, secrets, devices and builds."""
    return _walk(root, _DEFAULTS, report)


def _walk(node: Node, rules: Patterns[_Step] | None, report: Diagnostics) -> Node:
    if rules is None:
        return node
    made = node
    if rules.found is not None:
        try:
            made = rules.found(node, report)
        except ValueError as error:
            report.error((), "BadValue", str(error), node.place)
    if isinstance(made.value, dict):
        return made.having({key: _walk(part, rules.below(key), report.at(key)) for key, part in made.value.items()})
    if isinstance(made.value, list):
        return made.having([_walk(part, rules.below(i), report.at(i)) for i, part in enumerate(made.value)])
    return made


def _one_as_list(node: Node, _report: Diagnostics) -> Node:
    return node.having([node]) if isinstance(node.value, str) else node


def _names_as_mapping(node: Node, _report: Diagnostics) -> Node:
    if isinstance(node.value, list):
        return node.having({str(item.value): item.having(None) for item in node.value})
    return node


def _as_text(node: Node, _report: Diagnostics) -> Node:
    return node if isinstance(node.value, str) else node.having(shown_as_text(node.value))


def _pairs(node: Node, report: Diagnostics) -> Node:
    if not isinstance(node.value, list):
        return node
    found = {}
    for index, item in enumerate(node.value):
        key, sign, value = str(item.value).partition("=")
        if not sign:
            report.error((index,), "BadValue", f"expected key=value, found {key!r}", item.place)
        found[key] = item.having(value)
    return node.having(found)


def _depends_on(node: Node, _report: Diagnostics) -> Node:
    started = {"condition": "service_started", "required": True}
    if isinstance(node.value, list):
        return node.having({str(item.value): wrap(started, item.place) for item in node.value})
    found = {}
    for key, part in node.entries.items():
        found[key] = part.having({**wrap(started, part.place).entries, **part.entries})
    return node.having(found)


def _env_files(node: Node, _report: Diagnostics) -> Node:
    found = []
    for item in [node] if isinstance(node.value, str) else node.items:
        entries = {"path": item} if isinstance(item.value, str) else item.entries
        found.append(item.having({"required": item.having(True), **entries}))
    return node.having(found)


def _extends(node: Node, _report: Diagnostics) -> Node:
    return node.having({"service": node}) if isinstance(node.value, str) else node


def _gpus(node: Node, _report: Diagnostics) -> Node:
    return node.having([wrap({"count": "all"}, node.place)]) if isinstance(node.value, str) else node


def _volume(node: Node, _report: Diagnostics) -> Node:
    if not isinstance(node.value, str):
        return node
    mount = short_mount(node.value)
    return wrap({**mount, "target": clean(mount["target"])}, node.place)


def _device(node: Node, _report: Diagnostics) -> Node:
    return wrap(short_device(node.value), node.place) if isinstance(node.value, str) else node


def _file_use(node: Node, _report: Diagnostics) -> Node:
    return node.having({"source": node}) if isinstance(node.value, str) else node


def _ports(node: Node, report: Diagnostics) -> Node:
    found: list[Node] = []
    for index, item in enumerate(node.items):
        if isinstance(item.value, dict):
            found.append(item)
            continue
        if isinstance(item.value, float):
            report.error((index,), "WrongType", "a port must be text or a whole number", item.place)
            continue
        try:
            found.extend(wrap(port, item.place) for port in short_ports(str(item.value)))
        except ValueError as error:
            report.error((index,), "BadPort", str(error), item.place)
    return node.having(found)


def _build(node: Node, _report: Diagnostics) -> Node:
    return node.having({"context": node}) if isinstance(node.value, str) else node


def _keys_of_ssh(node: Node, report: Diagnostics) -> Node:
    if not isinstance(node.value, list):
        return node
    found = {}
    for index, item in enumerate(node.value):
        key, sign, value = str(item.value).partition("=")
        if not sign and key != "default":
            report.error((index,), "BadValue", "expected default, or a name with =, as in key=path", item.place)
        found[key] = item.having(value if sign else None)
    return node.having(found)


def _ulimit(node: Node, _report: Diagnostics) -> Node:
    if isinstance(node.value, str):
        raise ValueError("a limit must be a whole number")
    return node


def _maybe_external(node: Node, report: Diagnostics) -> Node:
    external = node.get("external")
    if external is None or not isinstance(external.value, dict):
        return node
    found = {**node.entries, "external": external.having(True)}
    name, old_name = node.get("name"), external.get("name")
    if old_name is not None:
        said = f"{'.'.join(map(str, report.path))}: external.name is deprecated. Please set name and external: true"
        report.warning((), "DeprecatedKey", said)
        if name is not None and name.value != old_name.value:
            raise ValueError("name and external.name say different names: keep only name")
        found["name"] = old_name
    return node.having(found)


def _without_empty(node: Node, _report: Diagnostics) -> Node:
    """An empty server of names is none: ``dns: ["${DNS2:-}"]``."""
    node = _one_as_list(node, _report)
    return node.having([item for item in node.items if item.value not in (None, "")]) if node.items else node


def _build_defaults(node: Node, _report: Diagnostics) -> Node:
    if isinstance(node.value, dict) and "context" not in node.value:
        return node.adding(context=node.having("."))
    return node


def _secret_defaults(node: Node, _report: Diagnostics) -> Node:
    source = node.get("source")
    if isinstance(node.value, dict) and "target" not in node.value:
        return node.adding(target=node.having(f"/run/secrets/{source.value if source is not None else '<nil>'}"))
    return node


def _port_defaults(node: Node, _report: Diagnostics) -> Node:
    if isinstance(node.value, dict):
        return node.having({"protocol": node.having("tcp"), "mode": node.having("ingress"), **node.entries})
    return node


def _device_defaults(node: Node, _report: Diagnostics) -> Node:
    if isinstance(node.value, dict) and "count" not in node.value and "device_ids" not in node.value:
        return node.adding(count=node.having("all"))
    return node


_LONG: Patterns[_Step] = Patterns(
    {
        "services.*.build.secrets.*": _file_use,
        "services.*.build.provenance": _as_text,
        "services.*.build.sbom": _as_text,
        "services.*.build.additional_contexts": _pairs,
        "services.*.depends_on": _depends_on,
        "services.*.env_file": _env_files,
        "services.*.label_file": _one_as_list,
        "services.*.extends": _extends,
        "services.*.gpus": _gpus,
        "services.*.networks": _names_as_mapping,
        "services.*.models": _names_as_mapping,
        "services.*.volumes.*": _volume,
        "services.*.dns": _without_empty,
        "services.*.devices.*": _device,
        "services.*.secrets.*": _file_use,
        "services.*.configs.*": _file_use,
        "services.*.ports": _ports,
        "services.*.build": _build,
        "services.*.build.ssh": _keys_of_ssh,
        "services.*.ulimits.*": _ulimit,
        "services.*.build.ulimits.*": _ulimit,
        "services.*.develop.watch.*.ignore": _one_as_list,
        "services.*.develop.watch.*.include": _one_as_list,
        "volumes.*": _maybe_external,
        "networks.*": _maybe_external,
        "secrets.*": _maybe_external,
        "configs.*": _maybe_external,
    }.items()
)
_DEFAULTS: Patterns[_Step] = Patterns(
    {
        "services.*.build": _build_defaults,
        "services.*.secrets.*": _secret_defaults,
        "services.*.ports.*": _port_defaults,
        "services.*.deploy.resources.reservations.devices.*": _device_defaults,
        "services.*.gpus.*": _device_defaults,
    }.items()
)
