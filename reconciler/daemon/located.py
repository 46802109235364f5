"""Where in their files diagnostics stand: looked for once, since files are judged again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic, cut_off
from reconciler.intent.locating import located

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
