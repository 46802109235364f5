"""Looks into a file's tree that may be wrong in every way: what has another shape than is expected counts as nothing,
since that is told where it is read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def object_in(node: Any, key: str) -> Mapping[str, Any]:
    """The object below a key; an empty one where there is none."""
    inner = node.get(key) if isinstance(node, dict) else None
    return inner if isinstance(inner, dict) else {}


def list_in(node: Any, key: str) -> list[Any]:
    """The list below a key; an empty one where there is none."""
    inner = node.get(key) if isinstance(node, dict) else None
    return inner if isinstance(inner, list) else []


def parsed(parse: Callable[[Any], Any], value: Any) -> Any:
    """What ``parse`` makes of a value; None where there is none, or it can't be read."""
    try:
        return parse(value) if value is not None else None
    except ValueError:
        return None
