"""What people are told of a conversion: what has no counterpart (a loss), and what is not quite the same (a note)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.diagnostics import Diagnostic, Diagnostics, Path, Place

NO_COUNTERPART = "NoCounterpart"
NOT_WRITTEN = "NotWritten"
NOT_THERE = "NotThere"
"""The code of a loss that is there only because of another one."""


class Remarks(Diagnostics):
    """Remarks about the paths of a project's model; ``places`` says where these were written."""

    def __init__(self, places: Mapping[Path, Place]) -> None:
        super().__init__()
        self._places = places

    def loss(self, path: Path, code: str, message: str) -> None:
        """Something that is not in the domain file, and why."""
        self.report("loss", path, code, message)

    def question(self, path: Path, code: str, message: str) -> None:
        """Something that a person has to say."""
        self.report("question", path, code, message)

    def place_of(self, path: Path) -> Place:
        """Where the path was written, or the nearest thing around it; a path that no file has is in all of them."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._places:
                return self._places[path[:end]]
        first = min(self._places.values(), key=lambda place: place.line, default=Place("compose.yaml"))
        return Place(first.file)


def subject(remark: Diagnostic) -> str:
    """The service (or the network, the volume, …) that a remark is about."""
    return str(remark.path[1]) if len(remark.path) > 1 else ""
