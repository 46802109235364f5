"""What is wrong with a file that somebody wrote, or looks wrong: a domain file, a policy, a Compose file. Pure.

Whoever judges a file reports to one :class:`Diagnostics`, and goes on: so all that is wrong with a file is told at
once. What can't be told as a place in a file (an engine's refusal, a lost connection) is an error of its own instead:
see :mod:`reconciler.errors`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, Self

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a document to a value in it."""

Severity = Literal["error", "warning", "note", "loss", "question"]
"""``error``: the file can't be used. ``warning``: it can, and looks wrong. ``note``: it can, and this is good to know.
Of an import besides, ``loss``: something that has no counterpart; ``question``: something that only a person knows."""

MOST_TOLD = 100
"""So many of one file are told: more than anybody reads."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_$-]+")
_SHOWN_KEY_LENGTH = 60
_MAX_SHOWN_PARTS = 40
_LONGEST_WORD = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file. ``line`` and ``column`` count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(map(str, (self.file, *(number for number in (self.line, self.column) if number))))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell of a file. ``path`` leads to it in the document, ``place`` is where that stands in the text;
    ``code`` is CamelCase and stable, ``message`` for people."""

    path: Path
    code: str
    message: str
    severity: Severity = "error"
    place: Place = Place("")

    @classmethod
    def of_file(cls, file: str, code: str, message: str) -> Diagnostic:
        """An error of a whole file."""
        return cls((), code, message, place=Place(file))

    @property
    def where(self) -> str:
        """The path for people."""
        return render(self.path)

    @property
    def sentence(self) -> str:
        """``file:line:column: path: message``, as far as there are such."""
        return ": ".join(part for part in (str(self.place), self.where, self.message) if part)

    @property
    def brief(self) -> str:
        """``file:line: message``, of files whose messages name the key themselves."""
        return ": ".join(part for part in (str(self.place), self.message) if part)

    def as_dict(self) -> dict[str, Any]:
        """Its shape in ``pnr status --json`` and ``pnr validate --json``."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "path": self.where,
            "code": self.code,
            "message": self.message,
        }

    def __str__(self) -> str:
        prefix = "" if self.severity in ("error", "loss") else f"{self.severity}: "
        return f"{prefix}{self.sentence} [{self.code}]"


class Diagnostics:
    """Collects diagnostics, each once, in the order in which they are found.

    :meth:`at` gives the same collector for a part of the document, to which ``path`` leads: what is reported to it is
    at paths in that part, and who judges the part need not know where it is.
    """

    def __init__(self, file: str = "") -> None:
        self._file = file
        self.path: Path = ()
        self._found: dict[Diagnostic, None] = {}
        self._hints = iter(range(MOST_TOLD))

    def at(self, *parts: str | int) -> Self:
        """The same collector for what stands at ``parts`` from here."""
        inner = object.__new__(type(self))  # quickly: of a large document there are many parts
        inner.__dict__ = {**self.__dict__, "path": (*self.path, *parts)}
        return inner

    def apart(self) -> Self:
        """Another collector for the same part: for what may come to nothing."""
        other = copy(self)
        other._found = {}
        return other

    def error(self, path: Path, code: str, message: str, place: Place | None = None) -> None:
        """The file can't be used: ``path`` leads to what is wrong."""
        self.report("error", path, code, message, place)

    def warning(self, path: Path, code: str, message: str, place: Place | None = None) -> None:
        """The file can be used, and looks wrong."""
        self.report("warning", path, code, message, place)

    def note(self, path: Path, code: str, message: str, place: Place | None = None) -> None:
        """The file can be used, and this is good to know."""
        self.report("note", path, code, message, place)

    def report(self, severity: Severity, path: Path, code: str, message: str, place: Place | None = None) -> None:
        """One more; where there is no ``place``, it is that of the path."""
        path = (*self.path, *path)
        self.add(Diagnostic(path, code, message, severity, place or self.place_of(path)))

    def place_of(self, path: Path) -> Place:
        """Where a path stands, as far as that is known: somewhere in the file."""
        return Place(self._file)

    def add(self, *diagnostics: Diagnostic) -> None:
        """What was found elsewhere, as it is."""
        self._found.update(dict.fromkeys(diagnostics))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(tuple(self._found))

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """A hint at what may be meant, for a message. To look for it among thousands takes a while, so that of very
        many errors the last have none."""
        return "" if next(self._hints, None) is None else nearest(word, known)

    def of(self, severity: Severity) -> tuple[Diagnostic, ...]:
        """Those of one severity."""
        return tuple(one for one in self if one.severity == severity)

    def raise_if_any(self, error: Callable[[Sequence[Diagnostic]], Exception]) -> None:
        """Raise ``error`` of all errors, where there are any."""
        if errors := self.of("error"):
            raise error(errors)


def cut_off(
    diagnostics: Sequence[Diagnostic], most: int = MOST_TOLD, *, more: int = 0, rest: str = "more problems"
) -> tuple[Diagnostic, ...]:
    """As many of a file as people read. ``more`` counts those that were not even looked at, ``rest`` says what those
    are that are not told."""
    told, more = tuple(diagnostics[:most]), more + max(0, len(diagnostics) - most)
    if not more:
        return told
    return (*told, Diagnostic.of_file(told[0].place.file, "MoreProblems", f"… and {more} {rest}"))


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'retries'?`` where something known looks alike, else nothing."""
    close = get_close_matches(word[:_LONGEST_WORD], list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def render(path: Path) -> str:
    """A path for people: ``cpuxs.shop.design_chunks[0].labels["io.pnr"]``."""
    parts: list[str] = []
    for part in path[:_MAX_SHOWN_PARTS]:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        elif _PLAIN_KEY.fullmatch(part) and len(part) <= _SHOWN_KEY_LENGTH:
            parts.append(f".{part}" if parts else part)
        else:
            parts.append(f'["{escaped(part)}"]')
    return "".join(parts) + ("…" if len(path) > _MAX_SHOWN_PARTS else "")


def escaped(text: str, limit: int = _SHOWN_KEY_LENGTH) -> str:
    """``text`` for a message: control characters and surrogates escaped, shortened to ``limit`` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else _escape(c) for c in cut)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
