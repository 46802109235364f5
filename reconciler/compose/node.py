"""Values of Compose files that know where they were written. Pure.

A mapping's entry stands at its key, a list's item at itself. Nodes are never changed: what merges or rewrites them
makes new ones, so that an anchor's value may stand in many places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.diagnostics import Path, Place


@dataclass(frozen=True, slots=True)
class Node:
    """``value`` is None, a bool, a number, a string, a date, a ``dict[str, Node]`` or a ``list[Node]``."""

    value: Any
    place: Place

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; none where it is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; none where it is no list."""
        return self.value if isinstance(self.value, list) else []

    def get(self, *keys: str) -> Node | None:
        """What stands below ``keys``, if anything does."""
        found: Node | None = self
        for key in keys:
            found = found.entries.get(key) if found is not None else None
        return found

    def having(self, value: Any) -> Node:
        """Another value in the same place."""
        return Node(value, self.place)

    def adding(self, /, **entries: Node) -> Node:
        """A mapping with ``entries`` added or replaced."""
        return Node({**self.entries, **entries}, self.place)

    def without(self, *keys: str) -> Node:
        """A mapping without ``keys``."""
        return Node({key: node for key, node in self.entries.items() if key not in keys}, self.place)


def wrap(value: Any, place: Place) -> Node:
    """A plain tree as nodes that all stand in one place."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return Node({key: wrap(part, place) for key, part in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node([wrap(part, place) for part in value], place)
    return Node(value, place)


def plain(node: Node) -> Any:
    """The tree without its places."""
    if isinstance(node.value, dict):
        return {key: plain(part) for key, part in node.value.items()}
    if isinstance(node.value, list):
        return [plain(part) for part in node.value]
    return node.value


def placed(node: Node, path: Path = ()) -> Iterator[tuple[Path, Place]]:
    """The place of every node that a file has, with its path in this tree."""
    if path and node.place.line:
        yield path, node.place
    if isinstance(node.value, dict):
        for key, part in node.value.items():
            yield from placed(part, (*path, key))
    elif isinstance(node.value, list):
        for index, part in enumerate(node.value):
            yield from placed(part, (*path, index))


def matches(path: Path, pattern: Path) -> bool:
    """Whether ``path`` is one that ``pattern`` means; ``*`` stands for any key or index."""
    return len(path) == len(pattern) and all(p in ("*", key) for key, p in zip(path, pattern, strict=True))
