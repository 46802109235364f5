"""What people are told of a conversion: what has no counterpart (a loss), and what is not quite the same (a note)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.model import Place, Problem
from reconciler.intent.positions import Path, render

NO_COUNTERPART = "NoCounterpart"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to tell. ``loss``: something that Compose does is not in the domain file."""

    problem: Problem
    loss: bool

    def as_dict(self) -> dict[str, Any]:
        """The shape of it in ``pnr import --json``: that of an error, with its ``severity``."""
        return {**self.problem.as_dict(), "severity": "loss" if self.loss else "note"}

    def __str__(self) -> str:
        return str(self.problem) if self.loss else f"note: {self.problem}"


@dataclass
class Remarks:
    """Collects remarks about the paths of a project's model; ``places`` says where these were written."""

    places: Mapping[Path, Place]
    found: list[Remark] = field(default_factory=list)

    def loss(self, path: Path, message: str, code: str = NO_COUNTERPART) -> None:
        """Something that is not in the domain file, and why."""
        self._add(path, code, message, loss=True)

    def note(self, path: Path, message: str, code: str) -> None:
        """Something that means a little different there."""
        self._add(path, code, message, loss=False)

    def _add(self, path: Path, code: str, message: str, *, loss: bool) -> None:
        remark = Remark(Problem(self._place(path), code, message), loss)
        if remark not in self.found:
            self.found.append(remark)

    def _place(self, path: Path) -> Place:
        """Where the path was written, or the nearest thing around it; a path that no file has is in all of them."""
        for end in range(len(path), 0, -1):
            place = self.places.get(path[:end])
            if place is not None:
                return Place(place.file, place.line, place.column, render(path))
        first = min(self.places.values(), key=lambda place: place.line, default=Place("compose.yaml"))
        return Place(first.file, path=render(path))
