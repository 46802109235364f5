"""What the grammar can't say about the merged document: keys that exclude each other, addresses. Pure."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.compose.mounts import is_address
from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.diagnostics import Diagnostics

_Check = Callable[[Node, Diagnostics], None]


def validate(root: Node, report: Diagnostics) -> None:
    """Records what is wrong."""
    _walk(root, _CHECKS, report)


def _walk(node: Node, rules: Patterns[_Check] | None, report: Diagnostics) -> None:
    if rules is None:
        return
    if rules.found is not None:
        rules.found(node, report)
        return
    for key, part in node.entries.items():
        _walk(part, rules.below(key), report.at(key))
    for index, item in enumerate(node.items):
        _walk(item, rules.below(index), report.at(index))


def _volume(node: Node, report: Diagnostics) -> None:
    external = node.get("external")
    if external is None or external.value is not True:
        return
    for key, part in node.entries.items():
        if key not in ("name", "external") and not key.startswith("x-"):
            said = f"external says that it is made elsewhere, so {key} can't be set here"
            report.error((key,), "Conflict", said, part.place)


def _one_source(node: Node, report: Diagnostics, keys: tuple[str, ...]) -> None:
    given = [key for key in keys if key in node.entries]
    if len(given) > 1:
        report.error((), "Conflict", f"{' and '.join(given)} exclude each other", node.place)
    if not given and "driver" not in node.entries and "external" not in node.entries:
        report.error((), "MissingKey", f"one of {', '.join(keys)} must be set (or external: true)", node.place)


def _config(node: Node, report: Diagnostics) -> None:
    _one_source(node, report, ("file", "environment", "content"))


def _secret(node: Node, report: Diagnostics) -> None:
    _one_source(node, report, ("file", "environment"))


def _port(node: Node, report: Diagnostics) -> None:
    address = node.get("host_ip")
    if address is not None and not is_address(str(address.value)):
        report.error(("host_ip",), "BadPort", "this is not an IP address", address.place)


def _watched(node: Node, report: Diagnostics) -> None:
    if node.value == "":
        report.error((), "BadValue", "the path of what is watched is empty", node.place)


def _device(node: Node, report: Diagnostics) -> None:
    if "count" in node.entries and "device_ids" in node.entries:
        report.error((), "Conflict", "count and device_ids exclude each other", node.place)


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
