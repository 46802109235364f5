"""Files of variables (``.env``, ``--env-file``), read as Compose reads them for its own variables. Pure.

The reader of pnr's own ``env_file`` is stricter (:mod:`reconciler.intent.envfile`): there a variable without a value is
an error. Here it is an empty text and a warning, since this is what the stack has been running with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from reconciler.compose.template import BadTemplate, Variables, substitute
from reconciler.diagnostics import Diagnostics, Place

MAX_BYTES = 1024 * 1024
UNSET = "UnsetVariable"

_BLANK = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(r"export\s+")
_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0[0-9]{0,3})")
_PLAIN_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


class _Stop(Exception):
    """The rest of the file can't be read; the problem is recorded."""


def read(
    content: bytes,
    file: str,
    around: Mapping[str, str],
    report: Diagnostics,
    before: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The variables of a file. Those of ``around`` are used in its values before its own, those of ``before`` (files
    that were read before) after them; a name without ``=`` takes its value from ``around``, and is left out where there
    is none.
    """
    if len(content) > MAX_BYTES:
        report.error((), "TooLarge", f"the file is larger than {MAX_BYTES // 1024} KiB", Place(file))
        return {}
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        where = Place(file, content.count(b"\n", 0, error.start) + 1, 1)
        report.error((), "BadEncoding", "the file is not UTF-8", where)
        return {}
    reader = _Reader(text, file, around, report, before)
    try:
        reader.read()
    except _Stop:
        return {}
    return reader.found


class _Reader:
    def __init__(
        self, text: str, file: str, around: Mapping[str, str], report: Diagnostics, before: Mapping[str, str]
    ) -> None:
        self.text, self.file, self.around, self.report, self.before = text, file, around, report, before
        self.at = 0
        self.found: dict[str, str] = {}

    def read(self) -> None:
        text = self.text
        while True:
            while self.at < len(text) and text[self.at].isspace():
                self.at += 1
            if self.at >= len(text):
                return
            if text[self.at] == "#":
                self.at = self._end_of_line(self.at)
                continue
            begin = self.at
            name, inherits = self._name()
            if " " in name:
                self._stop(begin, "a name can't have a blank in it")
            if inherits:
                value = self.around.get(name)
                if name and value is not None:
                    self.found[name] = value
            else:
                self.found[name] = self._value(begin)

    def _name(self) -> tuple[str, bool]:
        exported = _EXPORT.match(self.text, self.at)
        start = exported.end() if exported else self.at
        at = start
        while at < len(self.text):
            character = self.text[at]
            if character in "=:\n":
                break
            if not (character in _BLANK or character in "_.-[]" or character.isalnum()):
                self._stop(at, f"{character!r} can't stand in a variable's name")
            at += 1
        if at >= len(self.text):
            # A bare name at the very end of a file stands for nothing.
            self.at = at
            return "", True
        self.at = at + 1
        while self.at < len(self.text) and self.text[self.at] in _BLANK:
            self.at += 1
        return self.text[start:at].rstrip(), self.text[at] == "\n"

    def _value(self, begin: int) -> str:
        quote = self.text[self.at : self.at + 1]
        if quote in ("'", '"') and quote:
            return self._quoted(quote, begin)
        end = self._end_of_line(self.at)
        line = self.text[self.at : end].partition(" #")[0].rstrip()
        self.at = end + 1
        return self._substituted(line, begin)

    def _quoted(self, quote: str, begin: int) -> str:
        inside: list[str] = []
        at = self.at + 1
        while at < len(self.text):
            character = self.text[at]
            if character == quote:
                self.at = at + 1
                value = "".join(inside)
                return self._substituted(_ESCAPE.sub(_unescaped, value), begin) if quote == '"' else value
            if character == "\\" and at + 1 < len(self.text):
                following = self.text[at + 1]
                inside.append(following if following == quote else "\\" + following)
                at += 1
            elif character != "\\":
                inside.append(character)
            at += 1
        return self._stop(begin, f"the quote {quote} is never closed")

    def _substituted(self, value: str, begin: int) -> str:
        try:
            return substitute(value, Variables(self._lookup, self._unset))
        except BadTemplate as error:
            return self._stop(begin, str(error))

    def _lookup(self, name: str) -> str | None:
        value = self.around.get(name)
        return value if value is not None else self.found.get(name, self.before.get(name))

    def _unset(self, name: str) -> None:
        self.report.warning((), UNSET, unset(name))

    def _end_of_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return end if end >= 0 else len(self.text)

    def _stop(self, at: int, message: str) -> str:
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        self.report.error((), "BadEnvFile", message, Place(self.file, line, column))
        raise _Stop


def _unescaped(match: re.Match[str]) -> str:
    written = match.group()[1:]
    if written == "$":
        return "$$"
    if written.startswith("0") and re.fullmatch("0[0-7]{3}", written) and int(written, 8) < 256:
        return chr(int(written, 8))
    return _PLAIN_ESCAPES.get(written, match.group())


def unset(name: str) -> str:
    """The sentence with which Compose tells of a variable without a value."""
    return f'The "{name}" variable is not set. Defaulting to a blank string.'
