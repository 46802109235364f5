"""What is told of files that were never a valid domain, and how much of what is wrong is told at once.

There may be a thousand of them, each with a hundred errors, and whoever asks is to be answered at once: so the
document of each is made once, and encoded once, for as long as it is judged to be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.controller.lasting_document import LastingDocument
from reconciler.diagnostics import Diagnostic, cut_off

MOST_ERRORS = 3000
"""Of all files together. Where there are more, each is told with the first of its own."""
FEWEST_ERRORS = 5
MOST_NAMES = 20_000
FEWEST_NAMES = 20


_Told = tuple[tuple[Diagnostic, ...], tuple[str, ...], tuple[int, int], LastingDocument]


class FilesTold:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._documents: dict[str, _Told] = {}

    def documents(
        self, errors: Mapping[str, tuple[Diagnostic, ...]], said: Mapping[str, tuple[str, ...]], most: int
    ) -> list[dict[str, Any]]:
        """In the order of their names; ``most`` errors of each."""
        names = MOST_NAMES if sum(map(len, said.values())) <= MOST_NAMES else FEWEST_NAMES
        found: dict[str, _Told] = {}
        for file in sorted(errors):
            told, own = errors[file], said.get(file, ())
            before = self._documents.get(file)
            if before is not None and before[0] is told and before[1] is own and before[2] == (most, names):
                found[file] = before
            else:
                found[file] = told, own, (most, names), _document(file, told, own[:names], most)
        self._documents = found
        return [document for *_, document in found.values()]


def most_errors(everything: Sequence[tuple[Diagnostic, ...]]) -> int:
    """How many errors of each file are told."""
    if sum(map(len, everything)) <= MOST_ERRORS:
        return MOST_ERRORS
    return FEWEST_ERRORS


def as_documents(errors: tuple[Diagnostic, ...], most: int) -> list[dict[str, Any]]:
    """The errors of a file as documents show them, so many at most."""
    return [error.as_dict() for error in cut_off(errors, most, rest="more, which `pnr validate` tells")]


def _document(file: str, errors: tuple[Diagnostic, ...], said: tuple[str, ...], most: int) -> LastingDocument:
    return LastingDocument(
        name=errors[0].place.file,
        file=file,
        generation=0,
        digest=None,
        commit=None,
        settled=False,
        stalled=False,
        suspended=False,
        errors=as_documents(errors, most),
        said=list(said),
        warnings=[],
        notes=[],
        held="",
        held_reason="",
        held_since=None,
        vanished=False,
        unknown=False,
        removing=False,
        leaving=False,
        asking_registries=False,
        arranging=False,
        cpuxs=[],
    )
