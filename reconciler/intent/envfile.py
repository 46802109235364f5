"""Files of variables (``env_file``, ``label_file``), read as Docker Compose reads them. Pure.

One ``NAME=value`` a line, with comments, quotes, values of several lines in quotes, ``export`` before a name, and
variables in what is not in single quotes. Two differences from Compose, on purpose: a variable without a value is an
error and no empty text, and so is text behind a closing quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from reconciler.errors import PnrError
from reconciler.intent.characters import bad_character
from reconciler.intent.interpolation import InterpolationError, Variables, interpolate

_BYTE_ORDER_MARK = "\ufeff"
_BLANK = re.compile(r"(?:\s+|#[^\n]*)+")
_NAME = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z0-9_./\[\]-]+)[ \t]*(?:(?P<sign>[=:])[ \t]*|(?=\r?\n|\r?\Z))")
_RAW_NAME = re.compile(r"[^\s=]+")
_QUOTED = {
    '"': re.compile(r'"(?P<text>(?:[^"\\]++|\\.)*+)"', re.DOTALL),
    "'": re.compile(r"'(?P<text>(?:[^'\\]++|\\.)*+)'", re.DOTALL),
}
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?=\n|\Z)")
_LINE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"\s#.*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


class BadEnvFile(PnrError):
    """A file of variables that can't be read; the message names the line and shows no value."""

    code: ClassVar[str] = "BadEnvFile"


@dataclass(frozen=True, slots=True)
class _WithEarlier(Variables):
    """The variables from outside; then the container's own; then those above in the file; then the files before."""

    own: Mapping[str, str] = field(default_factory=dict)
    earlier: dict[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        value = Variables.lookup(self, name)
        if value is not None:
            return value
        return next((one[name] for one in (self.own, self.earlier, self.before) if name in one), None)


def parse(
    content: bytes,
    variables: Variables,
    *,
    raw: bool = False,
    own: Mapping[str, str] = MappingProxyType({}),
    before: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The variables of a file, the last of each name. A name without ``=`` takes its value from ``variables``, and is
    left out where there is none. ``raw``: everything behind ``=`` is the value as it is. A ``$NAME`` is also looked for
    in ``own``, what the container's ``environment`` sets, in the lines above, and in ``before``, the files before, in
    this order, as Compose does. Raises BadEnvFile.
    """
    try:
        text = content.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise BadEnvFile(f"line {content.count(10, 0, error.start) + 1}: it is not UTF-8") from None
    if "\0" in text:
        raise BadEnvFile(f"line {_line(text, text.index(chr(0)))}: a NUL character can't be handed to a container")
    found: dict[str, str] = {}
    around = _WithEarlier(variables.domain, variables.environment, variables.allowed, own, found, before)
    if raw:
        _read_raw(text, around, found)
    else:
        _read(text, around, found)
    return found


def _read(text: str, variables: Variables, found: dict[str, str]) -> None:
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if at >= len(text):
            return
        begin = at
        name = _NAME.match(text, at)
        if name is None:
            raise BadEnvFile(f"line {_line(text, at)}: expected NAME=value, a name without blanks before the =")
        at = name.end()
        try:
            if name["sign"] is None:
                value = variables.lookup(name["name"])
            else:
                value, at = _value(text, at, variables)
        except InterpolationError:
            raise _unknown_variable(_line(text, begin), name["name"]) from None
        if value is not None:
            found[name["name"]] = str(value)


def _value(text: str, at: int, variables: Variables) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote not in _QUOTED:
        line = _LINE.match(text, at)
        assert line is not None
        return interpolate(_COMMENT.sub("", line.group()).strip(), variables), line.end()
    quoted = _QUOTED[quote].match(text, at)
    if quoted is None:
        raise BadEnvFile(f"line {_line(text, at)}: the quote {quote} is never closed")
    rest = _REST.match(text, quoted.end())
    if rest is None:
        where = _line(text, quoted.end())
        raise BadEnvFile(f"line {where}: there is text behind the closing quote; escape quotes in a value with \\")
    inside = quoted["text"]
    if quote == "'":
        return inside.replace("\\'", "'"), rest.end()
    return interpolate(_ESCAPE.sub(_unescaped, inside), variables), rest.end()


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[0])


def _read_raw(text: str, variables: Variables, found: dict[str, str]) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        written = line.removesuffix("\r").lstrip()
        if not written or written.startswith("#"):
            continue
        name, sign, value = written.partition("=")
        if not _RAW_NAME.fullmatch(name):
            raise BadEnvFile(f"line {number}: expected NAME=value, a name without blanks before the =")
        if odd := bad_character(name, is_name=True):
            raise BadEnvFile(f"line {number}: {odd} in the name: take it out")
        try:
            given = value if sign else variables.lookup(name)
        except InterpolationError:
            raise _unknown_variable(number, name) from None
        if given is not None:
            found[name] = str(given)


def _unknown_variable(line: int, name: str) -> BadEnvFile:
    # Not which one: behind a dollar sign in a password stands a part of the password.
    return BadEnvFile(
        f"line {line}: a $ in the value of {name} stands for a variable that has no value, or is not complete; write $$"
        " for a dollar sign, or put the value in single quotes"
    )


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
