"""How single values are written in the canonical model. Pure.

Each function gives a node's canonical form, or None where Compose leaves the key out (empty texts, zeros, false, empty
lists and mappings, unless zero has a meaning of its own). Each raises ValueError with a sentence for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from reconciler.compose.interpolation import truth
from reconciler.compose.node import Node
from reconciler.compose.scalars import shown_as_text, single
from reconciler.diagnostics import Diagnostics
from reconciler.quantities import command_lines, durations, sizes

Codec = Callable[[Node, Diagnostics], Node | None]

_INTEGER = re.compile(r"[-+]?[0-9]+")


def text(node: Node, _report: Diagnostics) -> Node | None:
    found = _text(node)
    return node.having(found) if found else None


def _text(node: Node) -> str:
    if node.value is None:
        return ""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return str(node.value)
    raise ValueError("expected text")


def kept_flag(node: Node, report: Diagnostics) -> Node | None:
    """``false`` means something else than nothing."""
    if node.value is None:
        return None
    if isinstance(node.value, str):
        return node.having(truth(node.value, report))
    if not isinstance(node.value, bool):
        raise ValueError("expected true or false")
    return node


def flag(node: Node, report: Diagnostics) -> Node | None:
    found = kept_flag(node, report)
    return found if found is not None and found.value else None


def kept_whole(node: Node, _report: Diagnostics) -> Node | None:
    """Zero means something else than nothing."""
    value = node.value
    if value is None:
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return node.having(int(value))
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        raise ValueError("expected a whole number")
    return node.having(int(value))


def whole(node: Node, report: Diagnostics) -> Node | None:
    found = kept_whole(node, report)
    return found if found is not None and found.value else None


def count_or_all(node: Node, report: Diagnostics) -> Node | None:
    """All is -1."""
    if isinstance(node.value, str) and node.value.lower() == "all":
        return node.having(-1)
    return whole(node, report)


def kept_unsigned(node: Node, report: Diagnostics) -> Node | None:
    """Not below zero, and not in quotes."""
    if isinstance(node.value, str):
        raise ValueError("expected a whole number that is not in quotes")
    found = kept_whole(node, report)
    if found is not None and found.value < 0:
        raise ValueError("must be 0 or more")
    return found


def unsigned(node: Node, report: Diagnostics) -> Node | None:
    found = kept_unsigned(node, report)
    return found if found is not None and found.value else None


def number(node: Node, _report: Diagnostics) -> Node | None:
    if node.value is None:
        return None
    try:
        value = float(node.value)
    except (TypeError, ValueError):
        raise ValueError("expected a number") from None
    return node.having(single(value)) if value else None


def size(node: Node, _report: Diagnostics) -> Node | None:
    """In bytes, as text. A number with a point is nothing to Compose."""
    count = 0
    if isinstance(node.value, str):
        count = sizes.read_as_go(node.value)
    elif isinstance(node.value, int) and not isinstance(node.value, bool):
        count = node.value
    return node.having(str(count)) if count else None


def kept_duration(node: Node, _report: Diagnostics) -> Node | None:
    if node.value is None:
        return None
    return node.having(durations.as_go(durations.read_as_compose(shown_as_text(node.value))))


def duration(node: Node, report: Diagnostics) -> Node | None:
    found = kept_duration(node, report)
    return found if found is not None and found.value != "0s" else None


def texts(node: Node, report: Diagnostics) -> Node | None:
    """A list of texts, or one."""
    if node.value is None or node.value == []:
        return None
    if not isinstance(node.value, list):
        return node.having([node.having(_text(node))])
    found = []
    for index, item in enumerate(node.value):
        try:
            found.append(item.having(_text(item)))
        except ValueError as error:
            report.error((index,), "WrongType", str(error), item.place)
    return node.having(found)


def texts_or_numbers(node: Node, _report: Diagnostics) -> Node | None:
    items = node.items if isinstance(node.value, list) else [node]
    found = [item.having(shown_as_text(item.value)) for item in items if node.value is not None]
    return node.having(found) if found else None


def command(node: Node, report: Diagnostics) -> Node | None:
    """A list of words or null; a text is split."""
    if isinstance(node.value, str):
        words, dropped = command_lines.read_as_compose(node.value)
        if dropped:
            report.warning(
                (),
                "NoShell",
                f"{node.place.file}:{node.place.line}: no shell runs the command, so Compose drops the part of it that"
                ' begins at the first ; & | < or >; write ["sh", "-c", "…"] to have a shell',
            )
        return node.having([node.having(word) for word in words])
    if node.value is None:
        return node
    return texts(node, report) or node.having([])


def health_test(node: Node, report: Diagnostics) -> Node | None:
    if isinstance(node.value, str):
        return node.having([node.having("CMD-SHELL"), node])
    return texts(node, report)


def file_mode(node: Node, _report: Diagnostics) -> Node | None:
    """Octal, as text. A text is octal already; a number is what YAML made of it."""
    if node.value is None:
        return None
    if isinstance(node.value, str):
        if not re.fullmatch("[0-7]+", node.value):
            raise ValueError("expected octal digits such as 0440")
        return node.having(f"0{int(node.value, 8):o}")
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise ValueError("expected octal digits such as 0440")
    return node.having(f"0{node.value:o}")


def labels(node: Node, _report: Diagnostics) -> Node | None:
    """A mapping to texts; what has no value has an empty one."""
    found = {}
    for key, item in _pairs(node):
        found[key] = item.having("" if item.value is None else shown_as_text(item.value))
    return node.having(found) if found else None


def variables(node: Node, report: Diagnostics) -> Node | None:
    """A mapping to texts and nulls."""
    found = {}
    for key, item in _pairs(node):
        if key[-1:].isspace() and isinstance(node.value, list):
            report.error((), "BadValue", f"the variable {key!r} has a blank behind its name", item.place)
        found[key] = item if item.value is None else item.having(shown_as_text(item.value))
    return node.having(found) if found else None


def keys_of_ssh(node: Node, _report: Diagnostics) -> Node | None:
    """``config`` fails to print these as JSON; here they are ``default`` or ``name=path``."""
    found = [p.having(key if p.value is None else f"{key}={p.value}") for key, p in sorted(node.entries.items())]
    return node.having(found) if found else None


def options(node: Node, report: Diagnostics) -> Node | None:
    return labels(node, report)


def _pairs(node: Node) -> list[tuple[str, Node]]:
    if not isinstance(node.value, list):
        return list(node.entries.items())
    found = []
    for item in node.value:
        key, sign, value = shown_as_text(item.value).partition("=")
        found.append((key, item.having(value if sign else None)))
    return found


def hosts(node: Node, report: Diagnostics) -> Node | None:
    """A sorted list of ``host=address``."""
    if node.value is None:
        return None
    found: list[Node] = []
    for host, address in _hosts(node, report):
        if not host or ":" in host or "=" in host:
            report.error((), "BadValue", f"{host!r} is not a host name", address.place)
        bare = str(address.value)
        if len(bare) > 2 and bare.startswith("[") and bare.endswith("]"):
            bare = bare[1:-1]
        found.append(address.having(f"{host}={bare}"))
    return node.having(sorted(found, key=lambda item: str(item.value))) if found else None


def _hosts(node: Node, report: Diagnostics) -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    if isinstance(node.value, list):
        for index, item in enumerate(node.value):
            written = shown_as_text(item.value)
            sign = "=" if "=" in written else ":"
            host, given, addresses = written.partition(sign)
            if not given:
                said = "expected a host and its address, as in host=10.0.0.1"
                report.error((index,), "BadValue", said, item.place)
            found.extend((host, item.having(address)) for address in addresses.split(","))
        return found
    for host, item in node.entries.items():
        for address in item.items if isinstance(item.value, list) else [item]:
            found.append((host, address.having("" if address.value is None else shown_as_text(address.value))))
    return found


def anything(node: Node, _report: Diagnostics) -> Node:
    """An extension, as it is; dates become text."""
    if isinstance(node.value, dict):
        return node.having({key: anything(part, _report) for key, part in node.value.items()})
    if isinstance(node.value, list):
        return node.having([anything(part, _report) for part in node.value])
    value: Any = node.value
    if isinstance(value, datetime):
        fraction = f"{value.microsecond:06d}".rstrip("0")
        zone = value.strftime("%z")
        ending = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
        return node.having(value.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + ending)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**21:
        return node.having(int(value))
    return node
