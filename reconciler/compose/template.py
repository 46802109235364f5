"""Variables in strings, put in as Compose puts them in. Pure.

``$NAME``, ``${NAME}``, ``${NAME:-default}`` and its kin (``-``, ``:+``, ``+``, ``:?``, ``?``), nested to any depth, and
``$$`` for a dollar sign. A dollar sign that begins none of these stays as it is, and a variable that is not set is an
empty text with a warning: this is Compose's way, and not that of pnr's own files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from reconciler.errors import PnrError

MAX_NESTING = 32
MAX_OUTPUT = 1024 * 1024
"""How long one string may get."""
MAX_VARIABLES = 5000
"""How many variables one string may have."""

# Compose looks for the last closing brace of the line, and only then for the one that belongs to the opening one.
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<name>[_a-z][_a-z0-9]*)"
    r"|\{(?:(?P<braced>[_a-z][_a-z0-9]*(?::?[-+?].*)?)\}|(?P<bad>)))",
    re.IGNORECASE | re.ASCII,
)
_OPERATORS = (":?", "?", ":-", "-", ":+", "+")

Lookup = Callable[[str], str | None]


class BadTemplate(PnrError):
    """A string whose variables can't be put in. The message holds no variable's value."""

    code: ClassVar[str] = "BadInterpolation"


@dataclass(frozen=True, slots=True)
class Variables:
    """Where values come from; ``unset`` is told each name that is used without a value or default."""

    lookup: Lookup
    unset: Callable[[str], None]


def substitute(text: str, variables: Variables, depth: int = 0) -> str:
    """``text`` with its variables put in. Raises BadTemplate."""
    if "$" not in text:
        return text
    if depth > MAX_NESTING:
        raise BadTemplate(f"defaults are nested deeper than {MAX_NESTING} levels")
    made: list[str] = []
    size = count = 0
    waiting = [text]
    while waiting:
        part = waiting.pop()
        match = _VARIABLE.search(part)
        if match is None:
            made.append(part)
        else:
            value, rest = _replacement(match, variables, depth)
            made += (part[: match.start()], value)
            waiting += (part[match.end() :], rest)
            count += 1
        size += sum(map(len, made[-2:]))
        if size > MAX_OUTPUT or count > MAX_VARIABLES:
            raise BadTemplate(f"the text has more than {MAX_VARIABLES} variables or {MAX_OUTPUT} characters")
    return "".join(made)


def _replacement(match: re.Match[str], variables: Variables, depth: int) -> tuple[str, str]:
    """What stands for a variable, and what of the match is left to be looked at."""
    if match["dollar"]:
        return "$", ""
    if match["name"]:
        return _value(match["name"], variables), ""
    found = match.group()
    end = _closing_brace(found)
    rest = found[end + 1 :] if end >= 0 else ""
    braced = _VARIABLE.fullmatch(found[: end + 1] if end >= 0 else found)
    if braced is None or not braced["braced"]:
        raise BadTemplate("a ${ is not followed by a variable's name and a closing }: write $$ for a dollar sign")
    inside = braced["braced"]
    # The operator that stands first: in the default of one there may be others.
    places = [(inside.find(operator), operator) for operator in _OPERATORS if operator in inside]
    if not places:
        return _value(inside, variables), rest
    operator = min(places, key=lambda place: place[0])[1]
    name, _, other = inside.partition(operator)
    return _with_operator(name, operator, other, variables, depth), rest


def _with_operator(name: str, operator: str, other: str, variables: Variables, depth: int) -> str:
    # Variables in what is not used are looked up as well, and warned of: so does Compose.
    reason, other = other, substitute(other, variables, depth + 1)
    value = variables.lookup(name)
    there = value is not None and (value != "" or not operator.startswith(":"))
    match operator[-1]:
        case "-":
            return (value or "") if there else other
        case "+":
            return other if there else value or ""
    if not there:
        raise BadTemplate(f"the variable {name} is required and has no value" + (f": {reason}" if reason else ""))
    return value or ""


def _value(name: str, variables: Variables) -> str:
    value = variables.lookup(name)
    if value is None:
        variables.unset(name)
    return value or ""


def _closing_brace(text: str) -> int:
    """Where the first brace of ``text`` is closed; -1 if never. What directly follows a brace is skipped."""
    depth, at = 0, 0
    while at < len(text):
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        elif text[at] == "{":
            depth += 1
            at += 1
        at += 1
    return -1
