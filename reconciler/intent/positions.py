"""Where things stand in a JSON text: line and column of every value and key.

The parser of the standard library is fast and tells no places. This scanner is slow and tells all of them, so it
runs only when there is something to report. It never fails: text that is not JSON is scanned as far as it makes
sense, so that an error in the middle of a truncated file still gets its path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.diagnostics import Path

KEY = -1
"""Ends the path under which :func:`locate` keeps the place of a key rather than that of its value. (No key of a file
and no index in it is -1.)"""

STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_TOKEN = re.compile(STRING + r'|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A key, a value that is no container, or the bracket that opens one.

    ``path`` is the scanner's own list: copy it. ``again`` says that the key stood in the same object before.
    """

    path: list[str | int]
    start: int
    raw: str
    is_key: bool
    again: bool = False


def decode_key(raw: str) -> str:
    """The text of a string token; as it stands where it is no valid string."""
    if "\\" not in raw and raw.endswith('"'):
        return raw[1:-1]
    try:
        return str(json.loads(raw, strict=False))
    except ValueError:
        return raw.strip('"')


def tokens(text: str) -> Iterator[Token]:
    """All keys and values of ``text`` in order, with their paths."""
    path: list[str | int] = []
    seen: list[set[str] | None] = []  # for each open container: the keys so far, None for a list
    expect_key = False
    for match in _TOKEN.finditer(text):
        raw, start = match.group(), match.start()
        match raw[0]:
            case "{" | "[":
                yield Token(path, start, raw, False)
                expect_key = raw == "{"
                seen.append(set() if expect_key else None)
                path.append("" if expect_key else 0)
            case "}" | "]":
                if seen:
                    seen.pop()
                    path.pop()
                expect_key = False
            case ",":
                expect_key = bool(seen) and seen[-1] is not None
                if seen:
                    index = path[-1]
                    path[-1] = index + 1 if isinstance(index, int) else ""
            case ":":
                expect_key = False
            case '"' if expect_key and seen and (keys := seen[-1]) is not None:
                key = decode_key(raw)
                path[-1] = key
                yield Token(path, start, raw, True, key in keys)
                keys.add(key)
                expect_key = False
            case _:
                yield Token(path, start, raw, False)


def path_at(text: str, offset: int) -> Path:
    """The path of what stands at ``offset``, or of what it stands in."""
    path: list[str | int] = []
    for token in tokens(text[:offset]):
        path = token.path  # the scanner's own list: at the end it is where the scanner is
    return tuple(path[:-1] if path[-1:] == [""] else path)


def without_key(path: Path) -> Path:
    """The path of the value, also of one that means the key."""
    return path[:-1] if path[-1:] == (KEY,) else path


class LineIndex:
    """Turns offsets in a text into lines and columns (from 1, in characters)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._start, self._offset = 1, 0, 0

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of ``offset``. Quick when the offsets asked for grow."""
        if offset < self._offset:
            self._line, self._start, self._offset = 1, 0, 0
        newlines = self._text.count("\n", self._offset, offset)
        if newlines:
            self._line += newlines
            self._start = self._text.rfind("\n", self._offset, offset) + 1
        self._offset = offset
        return self._line, offset - self._start + 1


def locate(text: str, wanted: Collection[Path]) -> Mapping[Path, tuple[int, int]]:
    """Line and column of the values at these paths (under the path) and of their keys (under ``path + (KEY,)``), in
    little memory however large the text is."""
    places: dict[Path, tuple[int, int]] = {}
    index = LineIndex(text)
    trie = _trie(wanted)
    missing = len(set(wanted))
    for token in tokens(text):
        if missing == 0:
            break
        if not _is_wanted(trie, token.path):
            continue
        path = (*token.path, KEY) if token.is_key else tuple(token.path)
        if path not in places:
            places[path] = index.place(token.start)
            missing -= not token.is_key
    return places


def _trie(wanted: Collection[Path]) -> dict[Any, Any]:
    root: dict[Any, Any] = {}
    for path in wanted:
        node = root
        for part in path:
            node = node.setdefault(part, {})
        node[_END] = True
    return root


_END = object()


def _is_wanted(trie: dict[Any, Any], path: list[str | int]) -> bool:
    node: Any = trie
    for part in path:
        node = node.get(part)
        if node is None:
            return False
    return _END in node
