"""Where in their files findings stand. It is looked for once: files are judged again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.diagnostics import Diagnostic
from reconciler.intent.complaints import MAX_PROBLEMS
from reconciler.intent.findings import Finding, locate_findings


class Locator:
    """Remembers what the judgement before this one has found. In one judgement so many bytes of text are looked through
    at most (None: all), short ones first; what is told of the others says its file, and not its line yet."""

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._before: dict[tuple[Finding, ...], tuple[bytes, tuple[Diagnostic, ...]]] = {}
        self._now: dict[tuple[Finding, ...], tuple[bytes, tuple[Diagnostic, ...]]] = {}
        self._left = most_bytes

    def begin(self) -> None:
        """Another judgement begins."""
        self._before, self._now = self._now, {}
        self._left = self._most_bytes

    def places(self, findings: Iterable[Finding], texts: Mapping[str, bytes]) -> dict[str, tuple[Diagnostic, ...]]:
        """The problems of each file, by its name. ``texts`` are the files that findings are of."""
        by_file: dict[str, list[Finding]] = {}
        for finding in findings:
            by_file.setdefault(finding.file, []).append(finding)
        found = {
            file: self._of(tuple(by_file[file]), file, texts[file])
            for file in sorted(by_file, key=lambda file: len(texts[file]))
        }
        return {file: found[file] for file in by_file}

    def _of(self, findings: tuple[Finding, ...], file: str, text: bytes) -> tuple[Diagnostic, ...]:
        known = self._before.get(findings)
        if known is None or known[0] != text:
            shown = {file: text.decode("utf-8", "replace")}
            if self._left is not None:
                if len(text) > self._left:
                    return located(findings, {})
                self._left -= len(text)
            known = text, located(findings, shown)
        self._now[findings] = known
        return known[1]


def located(findings: Sequence[Finding], texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """The findings of one file with their places, cut off at a readable number."""
    problems = tuple(locate_findings(findings[:MAX_PROBLEMS], texts))
    more = len(findings) - MAX_PROBLEMS
    if more <= 0:
        return problems
    return (*problems, Diagnostic.of_file(findings[0].file, "MoreProblems", f"… and {more} more problems"))
