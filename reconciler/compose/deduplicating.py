"""What a merged list says twice about one thing, said once: the later word, in the place of the earlier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from reconciler.compose.mounts import short_mount
from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.diagnostics import Diagnostics

_Key = Callable[[Node], Hashable]


def made_single(root: Node, report: Diagnostics) -> Node:
    """``root`` with the lists of the table made single."""
    return _walk(root, _LISTS, report)


def _walk(node: Node, rules: Patterns[_Key] | None, report: Diagnostics) -> Node:
    if rules is None:
        return node
    if isinstance(node.value, dict):
        return node.having({key: _walk(part, rules.below(key), report.at(key)) for key, part in node.value.items()})
    if isinstance(node.value, list) and rules.found is not None:
        return node.having(_single(node.value, rules.found, report))
    return node


def _single(items: list[Node], key_of: _Key, report: Diagnostics) -> list[Node]:
    found: dict[Hashable, Node] = {}
    for index, item in enumerate(items):
        try:
            key = key_of(item)
        except _Missing as missing:
            report.error((index,), "MissingKey", str(missing), item.place)
            continue
        found[key] = item
    return list(found.values())


class _Missing(Exception):
    pass


def _name(item: Node) -> Hashable:
    return item.value.partition("=")[0] if isinstance(item.value, str) else id(item)


def _port(item: Node) -> Hashable:
    if not isinstance(item.value, dict):
        return str(item.value)
    target = item.get("target")
    if target is None:
        raise _Missing("target is missing: the port of the container")
    published = item.get("published")
    host = item.get("host_ip")
    protocol = item.get("protocol")
    return (
        host.value if host is not None else "0.0.0.0",  # noqa: S104 - as Compose has it
        # A number and a text are two ports here: so it is in Compose.
        (type(published.value), published.value) if published is not None else None,
        str(target.value),
        protocol.value if protocol is not None else "tcp",
    )


def _mount(item: Node) -> Hashable:
    if isinstance(item.value, dict):
        target = item.get("target")
        if target is None or not isinstance(target.value, str):
            raise _Missing("target is missing: where in the container it is mounted")
        return str(target.value)
    try:
        return str(short_mount(str(item.value))["target"])
    except ValueError:
        return id(item)  # told when it is put into the long form


def _device(item: Node) -> Hashable:
    if isinstance(item.value, dict):
        target = item.get("target")
        if target is None or not isinstance(target.value, str):
            raise _Missing("target is missing: the device's name in the container")
        return target.value
    parts = str(item.value).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _expose(item: Node) -> Hashable:
    return str(item.value)


def _file_use(folder: str) -> _Key:
    def key(item: Node) -> Hashable:
        target, source = item.get("target"), item.get("source")
        if target is not None:
            return str(target.value)
        return f"{folder}/{item.value if not isinstance(item.value, dict) else source.value if source else None}"

    return key


def _env_file(item: Node) -> Hashable:
    path = item.get("path")
    return path.value if path is not None else str(item.value)


_RULES: list[tuple[str, _Key]] = [
    *(
        (path, _name)
        for path in (
            "networks.*.labels",
            "networks.*.ipam.options",
            "services.*.annotations",
            "services.*.build.args",
            "services.*.build.additional_contexts",
            "services.*.build.platform",
            "services.*.build.tags",
            "services.*.build.labels",
            "services.*.cap_add",
            "services.*.cap_drop",
            "services.*.deploy.labels",
            "services.*.dns",
            "services.*.dns_opt",
            "services.*.dns_search",
            "services.*.environment",
            "services.*.labels",
            "services.*.links",
            "services.*.networks.*.aliases",
            "services.*.networks.*.link_local_ips",
            "services.*.profiles",
            "services.*.sysctls",
            "services.*.tmpfs",
        )
    ),
    ("services.*.configs", _file_use("")),
    ("services.*.devices", _device),
    ("services.*.env_file", _env_file),
    ("services.*.expose", _expose),
    ("services.*.ports", _port),
    ("services.*.secrets", _file_use("/run/secrets")),
    ("services.*.volumes", _mount),
]
_LISTS = Patterns(_RULES)
