"""What the grammar can't say about the merged document: keys that exclude each other, addresses. Pure."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.compose.mounts import is_address
from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.diagnostics import Diagnostics, Path

_Check = Callable[[Node, Path, Diagnostics], None]


def validate(root: Node, report: Diagnostics) -> None:
    """Records what is wrong."""

    def walk(node: Node, path: Path, rules: Patterns[_Check] | None) -> None:
        if rules is None:
            return
        if rules.found is not None:
            rules.found(node, path, report)
            return
        for key, part in node.entries.items():
            walk(part, (*path, key), rules.below(key))
        for index, item in enumerate(node.items):
            walk(item, (*path, index), rules.below(index))

    walk(root, (), _CHECKS)


def _volume(node: Node, path: Path, report: Diagnostics) -> None:
    external = node.get("external")
    if external is None or external.value is not True:
        return
    for key, part in node.entries.items():
        if key not in ("name", "external") and not key.startswith("x-"):
            said = f"external says that it is made elsewhere, so {key} can't be set here"
            report.error((*path, key), "Conflict", said, part.place)


def _one_source(node: Node, path: Path, report: Diagnostics, keys: tuple[str, ...]) -> None:
    given = [key for key in keys if key in node.entries]
    if len(given) > 1:
        report.error(path, "Conflict", f"{' and '.join(given)} exclude each other", node.place)
    if not given and "driver" not in node.entries and "external" not in node.entries:
        report.error(path, "MissingKey", f"one of {', '.join(keys)} must be set (or external: true)", node.place)


def _config(node: Node, path: Path, report: Diagnostics) -> None:
    _one_source(node, path, report, ("file", "environment", "content"))


def _secret(node: Node, path: Path, report: Diagnostics) -> None:
    _one_source(node, path, report, ("file", "environment"))


def _port(node: Node, path: Path, report: Diagnostics) -> None:
    address = node.get("host_ip")
    if address is not None and not is_address(str(address.value)):
        report.error((*path, "host_ip"), "BadPort", "this is no IP address", address.place)


def _watched(node: Node, path: Path, report: Diagnostics) -> None:
    if node.value == "":
        report.error(path, "BadValue", "the path of what is watched is empty", node.place)


def _device(node: Node, path: Path, report: Diagnostics) -> None:
    if "count" in node.entries and "device_ids" in node.entries:
        report.error(path, "Conflict", "count and device_ids exclude each other", node.place)


_RULES: list[tuple[str, _Check]] = [
    ("volumes.*", _volume),
    ("configs.*", _config),
    ("secrets.*", _secret),
    ("services.*.ports.*", _port),
    ("services.*.develop.watch.*.path", _watched),
    ("services.*.deploy.resources.reservations.devices.*", _device),
    ("services.*.gpus.*", _device),
]
_CHECKS = Patterns(_RULES)
