"""A domain file's text, for people: what fits on a line stands on one. Pure."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 120
_ALWAYS_OPEN = frozenset({"cpuxs", "design_chunks", "container", "networks", "volumes", "secrets", "configs"})
"""Keys whose objects are read entry by entry. (Lists under them that fit stay on their line.)"""


def encoded(tree: Any) -> bytes:
    """The text of a domain file, in UTF-8."""
    return (_text(tree, 0, open_=True) + "\n").encode()


def _text(node: Any, indent: int, *, open_: bool = False, used: int = 0) -> str:
    flat = json.dumps(node, ensure_ascii=False)
    nested = isinstance(node, dict | list) and bool(node)
    if not nested or (not open_ and indent + used + len(flat) <= WIDTH):
        return flat
    inner = indent + 2
    parts = []
    for key, part in node.items() if isinstance(node, dict) else ((None, part) for part in node):
        label = f"{json.dumps(key, ensure_ascii=False)}: " if key is not None else ""
        opened = (key in _ALWAYS_OPEN and isinstance(part, dict)) or key == "design_chunks" or _is_chunk(part)
        parts.append(" " * inner + label + _text(part, inner, open_=opened, used=len(label) + 1))
    opening, closing = ("{", "}") if isinstance(node, dict) else ("[", "]")
    return f"{opening}\n" + ",\n".join(parts) + f"\n{' ' * indent}{closing}"


def _is_chunk(part: Any) -> bool:
    return isinstance(part, dict) and "container" in part
