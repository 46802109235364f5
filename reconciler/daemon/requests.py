"""What may be asked of the daemon: a table of the commands and of what each takes. Pure.

A request is checked whole before anything is done for it: a key that means nothing to this daemon may be the very one
that was to keep ``down`` from taking everything down. So unknown keys, wrong kinds and keys that stand twice are
refused, with what would have been understood.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from reconciler.errors import PnrError

MOST_LINES = 10_000
LONGEST_WAIT_SECONDS = 1_000_000_000
LONGEST_SHOWN = 60


class BadRequest(PnrError):
    """A request that can't be understood."""

    code = "BadRequest"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold, in words, and whether a value is that."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a request."""

    kind: Kind
    is_needed: bool = False


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_seconds(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_WAIT_SECONDS


def _is_lines(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_LINES


NAME = Kind("a name", _is_name)
NAMES = Kind("a list of names", lambda value: isinstance(value, list) and all(_is_name(name) for name in value))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
SECONDS = Kind(f"a number of seconds from 0 to {LONGEST_WAIT_SECONDS}, or null", _is_seconds)
LINES = Kind(f"a number of lines from 1 to {MOST_LINES}", _is_lines)

COMMANDS: Mapping[str, Mapping[str, Field]] = {
    "ping": {},
    "status": {"only": Field(NAMES)},
    "watch": {},
    "apply": {"only": Field(NAMES), "wait": Field(FLAG), "timeout": Field(SECONDS)},
    "down": {"only": Field(NAMES), "volumes": Field(FLAG), "wait": Field(FLAG)},
    "volumes": {"only": Field(NAMES)},
    "confirm-removal": {"only": Field(NAMES)},
    "logs": {"chunk": Field(NAME, is_needed=True), "tail": Field(LINES), "follow": Field(FLAG)},
    "images": {"offline": Field(FLAG)},
    "prune": {"ids": Field(NAMES)},
}


def check(request: Mapping[str, Any]) -> None:
    """Raise BadRequest where a request is not of the table."""
    command = request.get("command")
    if not isinstance(command, str) or command not in COMMANDS:
        raise BadRequest(f"unknown command {_shown(command)}; there are {', '.join(COMMANDS)}")
    fields = COMMANDS[command]
    for key, value in request.items():
        if key == "command":
            continue
        field = fields.get(key)
        if field is None:
            takes = f"it takes {', '.join(fields)}" if fields else "it takes nothing else"
            raise BadRequest(f"{command} has no {_shown(key)}: {takes}; nothing was done")
        if not field.kind.fits(value):
            raise BadRequest(f"{command}.{key} is {_shown(value)}; it must be {field.kind.words}; nothing was done")
    for key, field in fields.items():
        if field.is_needed and key not in request:
            raise BadRequest(f"{command} needs {key}: {field.kind.words}")


def parse(line: bytes) -> dict[str, Any]:
    """The object that a line holds, with its ``command``. Raises BadRequest; what it asks for is not checked."""
    try:
        request = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("a request is one line with a JSON object") from error
    if not isinstance(request, dict) or not isinstance(request.get("command"), str):
        raise BadRequest('a request is an object with a "command"')
    return request


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"{_shown(key)} stands twice in the request; nothing was done")
        found[key] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise BadRequest(f"{word} is not JSON")


def _shown(value: object) -> str:
    try:
        text = json.dumps(value)
    except (RecursionError, ValueError):
        return "too much to be shown"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
