"""A domain file in the making, which knows what of the project each of its parts came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import Path

CPUX = "main"
"""A project becomes a domain of one CPUX."""
CHUNKS: Path = ("cpuxs", CPUX, "design_chunks")


@dataclass
class Draft:
    """``tree`` is the document; ``origins`` maps paths in it to paths of the project's model. What has no entry came
    from the same key below the origin of what it is in."""

    tree: dict[str, Any]
    origins: dict[Path, Path] = field(default_factory=dict)

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The chunks that it has."""
        return list(self.at(CHUNKS))

    def origin(self, path: Path) -> Path:
        """What of the model stands at ``path``; () for what the conversion added itself."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return (*self.origins[path[:end]], *path[end:])
        return ()

    def remember_items(self) -> None:
        """Take note of where each item of a list came from: their places change when others are taken out."""

        def walk(node: Any, path: Path) -> None:
            if isinstance(node, list):
                self.origins.update({(*path, index): self.origin((*path, index)) for index in range(len(node))})
            for key, part in node.items() if isinstance(node, dict) else enumerate(node):
                if isinstance(part, dict | list):
                    walk(part, (*path, key))

        walk(self.tree, ())

    def at(self, path: Path) -> Any:
        """What stands at ``path``. Raises KeyError or IndexError where nothing does."""
        node: Any = self.tree
        for part in path:
            node = node[part]
        return node

    def has(self, path: Path) -> bool:
        """Whether something stands at ``path``."""
        try:
            self.at(path)
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def remove(self, path: Path) -> None:
        """Take out what stands at ``path``; what follows it in a list moves up."""
        parent, key = path[:-1], path[-1]
        del self.at(parent)[key]
        end = len(path)
        moved: dict[Path, Path] = {}
        for where, origin in self.origins.items():
            if where[:end] == path:
                continue
            index = where[end - 1] if len(where) >= end else None
            if where[: end - 1] == parent and isinstance(key, int) and isinstance(index, int) and index > key:
                moved[(*parent, index - 1, *where[end:])] = origin
            else:
                moved[where] = origin
        self.origins = moved
