"""How lists and mappings of the canonical model are put together from codecs of their parts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.compose.codecs import Codec
from reconciler.compose.node import Node, wrap
from reconciler.diagnostics import Diagnostics


def record(codecs: Mapping[str, Codec], always: Mapping[str, object] | None = None) -> Codec:
    """A mapping with known keys. What is in ``always`` is printed even if nothing says it."""

    def form(node: Node, report: Diagnostics) -> Node | None:
        if node.value is None:
            return None
        if not isinstance(node.value, dict):
            raise ValueError("expected a mapping")
        found = {key: wrap(value, node.place) for key, value in (always or {}).items()}
        for key, codec in codecs.items():
            part = node.value.get(key)
            if part is None:
                continue
            made = apply(codec, part, report.at(key))
            if made is not None:
                found[key] = made
        return node.having(found)

    return form


def renamed(codec: Codec, names: Mapping[str, str]) -> Codec:
    """Keys that Compose prints with another name (its own slip)."""

    def form(node: Node, report: Diagnostics) -> Node | None:
        made = codec(node, report)
        if made is None:
            return None
        return made.having({names.get(key, key): part for key, part in made.entries.items()})

    return form


def each(codec: Codec) -> Codec:
    """A list of what ``codec`` reads; an empty one is nothing."""

    def form(node: Node, report: Diagnostics) -> Node | None:
        found = []
        for index, item in enumerate(node.items):
            made = apply(codec, item, report.at(index))
            if made is not None:
                found.append(made)
        return node.having(found) if found else None

    return form


def named_by(codec: Codec, *, nulls: bool = False) -> Codec:
    """A mapping of names to what ``codec`` reads; an empty one is nothing."""

    def form(node: Node, report: Diagnostics) -> Node | None:
        found = {}
        for key, part in node.entries.items():
            made = apply(codec, part, report.at(key))
            if made is not None or nulls:
                found[key] = made if made is not None else part.having(None)
        return node.having(found) if found else None

    return form


def apply(codec: Codec, node: Node, report: Diagnostics) -> Node | None:
    """What ``codec`` makes of ``node``; None with a recorded problem where it can't read it."""
    try:
        return codec(node, report)
    except ValueError as error:
        report.error((), "BadValue", str(error), node.place)
        return None
