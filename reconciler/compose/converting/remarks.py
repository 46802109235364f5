"""What people are told of a conversion: what has no counterpart (a loss), and what is not quite the same (a note)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.model import Place, Problem
from reconciler.intent.positions import Path, render

NO_COUNTERPART = "NoCounterpart"
NOT_WRITTEN = "NotWritten"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to tell. ``loss``: something that Compose does is not in the domain file; ``question``: something that
    only a person knows, and on which it hangs what the file should say."""

    problem: Problem
    loss: bool
    question: bool = False
    subject: str = ""
    """The service (or the network, the volume, …) that it is about."""

    @property
    def severity(self) -> str:
        """In one word."""
        return "loss" if self.loss else "question" if self.question else "note"

    def as_dict(self) -> dict[str, Any]:
        """The shape of it in ``pnr import --json``: that of an error, with its ``severity``."""
        return {**self.problem.as_dict(), "severity": self.severity}

    def __str__(self) -> str:
        return str(self.problem) if self.loss else f"{self.severity}: {self.problem}"


@dataclass
class Remarks:
    """Collects remarks about the paths of a project's model; ``places`` says where these were written."""

    places: Mapping[Path, Place]
    found: list[Remark] = field(default_factory=list)
    lost: list[tuple[Path, str]] = field(default_factory=list)
    """The path and the reason of each loss, in the order in which they were found."""

    def loss(self, path: Path, message: str, code: str = NO_COUNTERPART) -> None:
        """Something that is not in the domain file, and why."""
        self.lost.append((path, message))
        self._add(path, code, message, loss=True)

    def follows(self, path: Path, message: str, code: str) -> None:
        """Something that is not there because of another loss."""
        self._add(path, code, message, loss=True)

    def note(self, path: Path, message: str, code: str) -> None:
        """Something that means a little different there."""
        self._add(path, code, message, loss=False)

    def ask(self, path: Path, message: str, code: str) -> None:
        """Something that a person has to say."""
        self._add(path, code, message, question=True)

    def _add(self, path: Path, code: str, message: str, *, loss: bool = False, question: bool = False) -> None:
        subject = str(path[1]) if len(path) > 1 else ""
        remark = Remark(Problem(self._place(path), code, message), loss, question, subject)
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
