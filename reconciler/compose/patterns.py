"""What belongs to which paths of a document. Pure.

Rules of Compose are said for paths such as ``services.*.ports``. A document is walked with the branch of the rules that
its path has reached, so that nothing is looked at where no rule can apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Patterns(Generic[T]):
    """A tree of rules; ``*`` stands for any key or index, and gives way to a key that is named."""

    __slots__ = ("_branches", "found")

    def __init__(self, rules: Iterable[tuple[str, T]] = ()) -> None:
        self._branches: dict[str, Patterns[T]] = {}
        self.found: T | None = None
        """What belongs to the path that leads here."""
        for path, rule in rules:
            branch = self
            for part in path.split("."):
                branch = branch._branches.setdefault(part, Patterns())
            branch.found = rule

    def below(self, key: str | int) -> Patterns[T] | None:
        """The rules for what stands at ``key``; None where there are none."""
        branch = self._branches.get(key) if isinstance(key, str) else None
        return branch if branch is not None else self._branches.get("*")

    def along(self, path: Iterable[str | int]) -> Patterns[T] | None:
        """The rules for what stands at the end of ``path``."""
        branch: Patterns[T] | None = self
        for key in path:
            branch = branch.below(key) if branch is not None else None
        return branch
