"""What is wrong with the files, gathered until it is worth stopping. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.compose.node import Node, Path, dotted
from reconciler.compose.project import ComposeError
from reconciler.intent.model import Place, Problem


@dataclass(slots=True)
class Troubles:
    """Problems and warnings of one reading, in the order in which they were found, each once."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, where: Node | Place, path: Path, code: str, message: str) -> None:
        """``message`` about what stands at ``path``, written ``where``."""
        place = where.place if isinstance(where, Node) else where
        problem = Problem(replace(place, path=dotted(path)) if path else place, code, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def warn(self, message: str) -> None:
        """A sentence that Compose would warn with."""
        if message not in self.warnings:
            self.warnings.append(message)

    def throw(self) -> None:
        """Raises ComposeError if there are problems."""
        if self.problems:
            raise ComposeError(self.problems)
