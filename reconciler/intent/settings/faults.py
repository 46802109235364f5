"""How a value that is not right is told: messages for people, each with the place inside the value. Pure.

The functions that read a setting raise pydantic's own errors, so that a model which uses them reports all that is
wrong in one go, with exact paths (``ports[2]``, ``healthcheck.interval``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from reconciler.diagnostics import Path, nearest

T = TypeVar("T")

_SHOWN = 60
MAX_FAULTS = 100
"""After so many faults in one value its rest is not looked at: a file full of rubbish must not cost minutes."""


def wrong(message: str) -> PydanticCustomError:
    """The error to raise for a value that can't be taken; ``message`` says what was expected and what was found."""
    return PydanticCustomError("invalid_setting", "{message}", {"message": message})


def shown(value: Any) -> str:
    """A value for a message: strings in quotes, control characters escaped, everything shortened."""
    if isinstance(value, str):
        text = repr(str(value))
    elif isinstance(value, list | tuple):
        text = "a list"
    elif isinstance(value, Mapping):
        text = "an object"
    elif isinstance(value, int | float) or value is None:
        try:
            text = json.dumps(value)
        except ValueError:  # an integer of more digits than Python writes
            text = "a number that is far too large"
    else:
        text = type(value).__name__
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def expected(what: str, value: Any) -> PydanticCustomError:
    """The usual error: ``expected a size such as 64m or 1g, found 'abc'``."""
    return wrong(f"expected {what}, found {shown(value)}")


class Faults:
    """Collects what is wrong in the parts of one value, so that all of it (up to MAX_FAULTS) comes at once."""

    def __init__(self) -> None:
        self._lines: list[InitErrorDetails] = []

    def read(self, place: Path, parse: Callable[[Any], T], value: Any) -> T | None:
        """``parse(value)``, or None when that fails; the fault is kept under ``place``."""
        try:
            return parse(value)
        except ValidationError as error:
            for line in error.errors(include_url=False):
                self._keep((*place, *line["loc"]), wrong(line["msg"]), line["input"])
        except PydanticCustomError as error:
            self._keep(place, error, value)
        return None

    def add(self, place: Path, message: str, value: Any) -> None:
        """Keep a fault that was found otherwise."""
        self._keep(place, wrong(message), value)

    def _keep(self, place: Path, error: PydanticCustomError, value: Any) -> None:
        self._lines.append(InitErrorDetails(type=error, loc=place, input=value))
        if len(self._lines) >= MAX_FAULTS:
            self.throw()

    def throw(self) -> None:
        """Raise all that was kept as one ValidationError; nothing was kept: return."""
        if self._lines:
            raise ValidationError.from_exception_data("setting", self._lines)


def object_of(value: Mapping[str, Any], parsers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Read an object whose keys each have a parser. Keys that are not there are not in the result, and neither are
    those that begin with ``x-``, Compose's extensions.

    Raises ValidationError for unknown keys (naming the nearest known one) and for wrong values, all at once.
    """
    faults = Faults()
    result: dict[str, Any] = {}
    for key, part in value.items():
        parse = parsers.get(key)
        if parse is None and isinstance(key, str) and key.startswith("x-"):
            continue
        if parse is None:
            faults.add((key,), f"unknown key {shown(key)}{nearest(key, parsers)}", part)
        else:
            result[key] = faults.read((key,), parse, part)
    faults.throw()
    return result
