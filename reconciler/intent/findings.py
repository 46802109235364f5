"""What is found wrong with domains that are judged together, and where it stands in their files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.facts import resolve
from reconciler.intent.positions import KEY, locate

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that can't work. ``path`` leads to the place in the file ``file`` of the domain ``domain``.

    A gatekeeper's fact stands in ``path`` under its shortest name (``key``, ``cpux/key``, ``domain/cpux/key``);
    :func:`locate_findings` finds the longer ones too. ``code`` is CamelCase and stable, ``message`` for people.
    """

    domain: str
    file: str
    path: Path
    code: str
    message: str
    severity: Severity = "error"


def locate_findings(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[Diagnostic]:
    """The findings with line and column. ``texts`` holds the text of each file by its name."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.file, []).append(finding)
    problems = []
    for file, found in by_file.items():
        candidates = [_candidates(finding) for finding in found]
        wanted = {path for paths in candidates for path in paths}
        positions = locate(texts[file], wanted) if file in texts else {}
        for finding, paths in zip(found, candidates, strict=True):
            path = next((path for path in paths if path in positions), paths[0])
            # What is wrong with a fact is its name, so the place is that of the key.
            of_key = (*path, KEY) if len(path) > 1 and path[-2] in _MAPS_OF_FACTS else path
            place = Place(file, *(positions.get(of_key) or positions.get(path, (0, 0))))
            problems.append(Diagnostic(path, finding.code, finding.message, place=place))
    return problems


_MAPS_OF_FACTS = ("gatekeeper", "flowout", "flowin")


def _candidates(finding: Finding) -> list[Path]:
    """The paths under which the finding's place may stand in the file, the best first.

    A fact may be written in a longer way; and where something is not there, its nearest surrounding counts.
    """
    path = finding.path
    candidates = [path]
    if len(path) > 2 and path[-2] == "gatekeeper":
        ref = resolve(str(path[-1]), domain=finding.domain, cpux=str(path[1]))
        candidates += [(*path[:-1], f"{ref.cpux}/{ref.key}"), (*path[:-1], str(ref))]
    return candidates + [path[:length] for length in range(len(path) - 1, -1, -1)]
