"""Where in a file what is told of it stands: whoever judges a document knows the path, and line and column are looked
for last. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Path, Place, cut_off
from reconciler.facts import resolve
from reconciler.intent.positions import KEY, locate, without_key

MOST_CONSIDERED = 2000
"""So many of one file are looked for in its text."""
_LONGEST_MESSAGE = 600
_OF_FACTS = (("gatekeeper",), ("flowout",), ("flowin",))


def in_order(report: Iterable[Diagnostic], text: str, more: int = 0) -> tuple[Diagnostic, ...]:
    """What was reported of one file, in the order of its text, and no more of it than people read. ``more`` counts
    what was not reported any more."""
    everything = tuple(report)
    found = sorted(located(everything[:MOST_CONSIDERED], text), key=lambda one: (one.place.line, one.place.column))
    return cut_off([_shortened(one) for one in found], more=more + max(0, len(everything) - MOST_CONSIDERED))


def _shortened(one: Diagnostic) -> Diagnostic:
    if len(one.message) <= _LONGEST_MESSAGE:
        return one
    return replace(one, message=one.message[: _LONGEST_MESSAGE - 1] + "…")


def located(diagnostics: Iterable[Diagnostic], text: str, domain: str = "") -> list[Diagnostic]:
    """The same with line and column. ``domain`` is the name of the domain that they are about, where it could be read.

    A path may end in KEY: then the place is the key's. So it is of facts, of which only the name can be wrong once the
    domain could be read. A gatekeeper's fact stands in the path under its shortest name (``key``, ``cpux/key``,
    ``domain/cpux/key``), and is found under the longer ones too.
    """
    given = tuple(diagnostics)
    candidates = [_candidates(one.path, domain) for one in given]
    positions = locate(text, {path for paths in candidates for path in paths})
    found = []
    for one, paths in zip(given, candidates, strict=True):
        path = next((path for path in paths if path in positions), paths[0])
        is_key = len(path) == len(paths[0]) and (one.path[-1:] == (KEY,) or (domain and path[-2:-1] in _OF_FACTS))
        line, column = (positions.get((*path, KEY)) if is_key else None) or positions.get(path, (0, 0))
        found.append(replace(one, path=path, place=Place(one.place.file, line, column)))
    return found


def _candidates(path: Path, domain: str) -> list[Path]:
    """The paths under which something may stand in the file, the best first. Where it is not there, its nearest
    surrounding counts."""
    path = without_key(path)
    candidates = [path]
    if domain and len(path) > 2 and path[-2] == "gatekeeper":
        ref = resolve(str(path[-1]), domain=domain, cpux=str(path[1]))
        candidates += [(*path[:-1], f"{ref.cpux}/{ref.key}"), (*path[:-1], str(ref))]
    return candidates + [path[:length] for length in range(len(path) - 1, -1, -1)]


Text = tuple[bytes, str]
"""What a file holds, and the name of its domain."""


class Locator:
    """Remembers what the judgement before this one has found. In one judgement so many bytes of text are looked through
    at most (None: all), short ones first; what is told of the others says its file, and not its line yet."""

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._before: dict[tuple[Diagnostic, ...], tuple[Text, tuple[Diagnostic, ...]]] = {}
        self._now: dict[tuple[Diagnostic, ...], tuple[Text, tuple[Diagnostic, ...]]] = {}
        self._left = most_bytes

    def begin(self) -> None:
        """Another judgement begins."""
        self._before, self._now = self._now, {}
        self._left = self._most_bytes

    def places(self, diagnostics: Iterable[Diagnostic], texts: Mapping[str, Text]) -> dict[str, tuple[Diagnostic, ...]]:
        """Those of each file, by its name: as many as people read. ``texts`` are those of the files."""
        by_file: dict[str, list[Diagnostic]] = {}
        for one in diagnostics:
            by_file.setdefault(one.place.file, []).append(one)
        found = {
            file: self._of(cut_off(by_file[file]), texts[file])
            for file in sorted(by_file, key=lambda file: len(texts[file][0]))
        }
        return {file: found[file] for file in by_file}

    def _of(self, diagnostics: tuple[Diagnostic, ...], text: Text) -> tuple[Diagnostic, ...]:
        known = self._before.get(diagnostics)
        if known is None or known[0] != text:
            data, domain = text
            if self._left is not None:
                if len(data) > self._left:
                    return diagnostics
                self._left -= len(data)
            known = text, tuple(located(diagnostics, data.decode("utf-8", "replace"), domain))
        self._now[diagnostics] = known
        return known[1]
