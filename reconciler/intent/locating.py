"""Where in a file what is told of it stands: whoever judges a document knows the path, and line and column are looked
for last. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Path, Place, cut_off
from reconciler.facts import resolve
from reconciler.intent.positions import KEY, locate

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
    path = path[:-1] if path[-1:] == (KEY,) else path
    candidates = [path]
    if domain and len(path) > 2 and path[-2] == "gatekeeper":
        ref = resolve(str(path[-1]), domain=domain, cpux=str(path[1]))
        candidates += [(*path[:-1], f"{ref.cpux}/{ref.key}"), (*path[:-1], str(ref))]
    return candidates + [path[:length] for length in range(len(path) - 1, -1, -1)]
