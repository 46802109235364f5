"""The forms in which Compose lets people write a value: numbers, sizes, durations, words, lists, maps. Pure.

Each function takes what stands in the file and gives the normal form: plain JSON values, equal when the meaning is
equal. Each raises an error that says what was expected and what was found (see :mod:`.faults`).
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.intent.settings.faults import Faults, expected, wrong
from reconciler.quantities import durations, sizes


class Interpolated(str):
    """A string in which ``${NAME}`` was replaced. It may stand where a number or true/false is wanted.

    A string that was written as such may not: ``"true"`` in a file is most likely a slip.
    """

    __slots__ = ()


_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}")
_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]|\\\\")

MAX_INT64 = 2**63 - 1


def flag(value: Any) -> bool:
    """``true`` or ``false``; interpolated strings as Compose reads them (``yes``, ``on``, ``1``, …)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Interpolated) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    raise expected("true or false", value)


def text(value: Any) -> str:
    """A string without NUL characters."""
    if not isinstance(value, str):
        raise expected("a string (in quotes)", value)
    if "\0" in value:
        raise wrong("a NUL character can't be handed to a container")
    return str(value)


def word(what: str, pattern: str) -> Callable[[Any], str]:
    """A reader of strings of one shape; ``what`` names it in messages. ``""`` is "as the image says"."""
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        if not isinstance(value, str) or not (value == "" or compiled.fullmatch(value)):
            raise expected(what, value)
        return str(value)

    return read


def choice(*known: str) -> Callable[[Any], str]:
    """A reader of one of a few words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise expected("one of " + ", ".join(known), value)
        return str(value)

    return read


def integer(what: str, low: int, high: int, *, digits_in_quotes: bool = False) -> Callable[[Any], int]:
    """A reader of whole numbers from ``low`` to ``high``; ``what`` names them in messages."""

    def read(value: Any) -> int:
        number: int | None = None
        if isinstance(value, str):
            if (digits_in_quotes or isinstance(value, Interpolated)) and _INTEGER.fullmatch(value.strip()):
                number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        if number is None:
            raise expected(f"{what} (a whole number)", value)
        if not low <= number <= high:
            raise expected(f"{what} from {low} to {high}", value)
        return number

    return read


def number(what: str, low: float, high: float) -> Callable[[Any], float]:
    """A reader of numbers from ``low`` to ``high``, strings of digits included, rounded to nine digits."""

    def read(value: Any) -> float:
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise expected(f"{what} such as 0.5", value)
        if not low <= value <= high:
            raise expected(f"{what} from {low:g} to {high:g}", value)
        return round(float(value), 9)

    return read


def size(low: int = 0) -> Callable[[Any], int]:
    """A reader of sizes, in bytes: ``64m``, ``1.5g``, ``300kb``, or a number of bytes. Units are powers of 1024."""

    def read(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            count = value
        else:
            count = _written(sizes.read, "a size such as 64m or 1g", value)
        if not low <= count <= MAX_INT64:
            least = f"a size of at least {sizes.exact(low)}" if count < low else "a size that a machine can have"
            raise expected(least, value)
        return count

    return read


def size_or(other: int) -> Callable[[Any], int]:
    """The same, or one number that has a meaning of its own (-1: no limit)."""
    plain = size()

    def read(value: Any) -> int:
        return other if value in (other, str(other)) and not isinstance(value, bool) else plain(value)

    return read


def duration(value: Any) -> float:
    """A length of time as Compose writes it (``1m30s``, ``500ms``, ``1.5h``), in seconds."""
    return _written(durations.read, "a duration such as 30s or 1m30s", value) / durations.SECOND


def _written(read: Callable[[str], int], what: str, value: Any) -> int:
    if not isinstance(value, str):
        raise expected(what, value)
    try:
        return read(value)
    except ValueError as error:
        raise expected(str(error), value) from None


def microseconds(low: int, high: int) -> Callable[[Any], int]:
    """A reader of microseconds from ``low`` to ``high``: a number, or a duration such as ``50ms``."""
    plain = integer("microseconds", low, high, digits_in_quotes=True)

    def read(value: Any) -> int:
        if isinstance(value, str) and durations.is_written(value):
            return plain(round(duration(value) * 10**6))
        return plain(value)

    return read


def nanoseconds(seconds: float) -> int:
    """Seconds as the Engine API wants them."""
    return round(seconds * durations.SECOND)


def as_list(read: Callable[[Any], Any], what: str) -> Callable[[Any], list[Any]]:
    """A reader of lists, each item by ``read``; every wrong item is reported with its place."""

    def read_all(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise expected(what, value)
        faults = Faults()
        items = [faults.read((index,), read, item) for index, item in enumerate(value)]
        faults.throw()
        return items

    return read_all


def string_or_list(read: Callable[[Any], Any], what: str) -> Callable[[Any], list[Any]]:
    """The same, where a single string may stand for a list of one."""
    many = as_list(read, what)

    def read_all(value: Any) -> list[Any]:
        return [read(value)] if isinstance(value, str) else many(value)

    return read_all


def scalar_text(value: Any) -> str:
    """A string, number or truth value as text: what Compose does with the values of environment and labels."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise expected("a string or a number", value)
    if isinstance(value, int | float):
        return float_text(value) if isinstance(value, float) else _integer_text(value)
    if not isinstance(value, str):
        raise expected("a string or a number", value)
    return text(value)


def float_text(value: float) -> str:
    """A number as Compose writes it where text is wanted: ``1.5``, ``1000``, ``1e+06``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = repr(value).partition("e")[0].replace(".", "").lstrip("-0").rstrip("0") or "0"
    power = int(f"{value:e}".partition("e")[2])
    if value and not -4 <= power < 6:
        sign = "-" if value < 0 else ""
        point = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return repr(value).removesuffix(".0")


def _integer_text(value: int) -> str:
    if abs(value) >= 10**1000:
        raise expected("a string or a number", value)
    return str(value)


def pairs(
    *, what: str, key: Callable[[Any], str], value: Callable[[Any], Any], bare: Callable[[str], Any]
) -> Callable[[Any], dict[str, Any]]:
    """A reader of maps, or of lists of ``K=V``; gives a dict sorted by key.

    ``bare(key)`` gives the value of a list item without ``=``, or raises. In a list the last of equal keys counts.
    """

    def read_item(item: Any) -> tuple[str, Any]:
        if not isinstance(item, str):
            raise expected(f"{what} such as KEY=value", item)
        name, sign, rest = str(item).partition("=")
        return key(name), (value(rest) if sign else bare(name))

    def read_all(given: Any) -> dict[str, Any]:
        faults = Faults()
        found: list[tuple[str, Any]] = []
        if isinstance(given, Mapping):
            for name, part in given.items():
                good = faults.read((name,), key, name)
                found.append((good or "", faults.read((name,), value, part)))
        elif isinstance(given, list | tuple):
            for index, item in enumerate(given):
                pair = faults.read((index,), read_item, item)
                if pair:
                    found.append(pair)
        else:
            raise expected(f"an object, or a list of {what}s such as KEY=value", given)
        faults.throw()
        return dict(sorted(dict(found).items()))

    return read_all


def is_windows_path(path: str) -> bool:
    """Whether a path is an absolute one of Windows (``C:\\data``, ``\\\\server\\share``)."""
    return _WINDOWS_ROOT.match(path) is not None


def container_path(value: Any) -> str:
    """An absolute path inside a container, without ``.``, ``..`` and superfluous slashes."""
    path = text(value)
    if is_windows_path(path):
        return path.rstrip("\\/") if len(path) > 3 else path
    if not path.startswith("/"):
        raise expected("an absolute path in the container such as /data", value)
    return "/" + posixpath.normpath(path).lstrip("/")


def sorted_set(items: Sequence[str]) -> list[str]:
    """Each item once, in order: for lists in which order and repetition mean nothing."""
    return sorted(set(items))


def list_or_empty(value: Any) -> list[Any]:
    """The engine's list, which may be null."""
    return list(value or ())


def text_or_empty(value: Any) -> str:
    """The engine's string, which may be null."""
    return value or ""
