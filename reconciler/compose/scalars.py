"""What a YAML scalar without quotes means to Compose. Pure.

Compose reads YAML with go-yaml (version 3): the words of YAML 1.2 (``yes`` and ``on`` are text), but the numbers of
both versions (``0777`` and ``0o777`` are octal, ``1_000`` is a thousand, ``08`` is a float), and dates.
"""

from __future__ import annotations

import math
import re
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from reconciler.intent.settings.values import float_text

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FIRST = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?P<sign>[Tt ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})(?:[.,](?P<part>[0-9]+))?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}


def resolved(text: str) -> Any:
    """The value of a plain scalar: None, a bool, an int, a float, a datetime, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        return float(text) if _POINT_FIRST.fullmatch(text) else text
    if first not in "+-0123456789":
        return text
    date = _date(text)
    if date is not None:
        return date
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match and match.lastgroup is not None:
        number = int(match[match.lastgroup], _BASES[match.lastgroup])
        number = -number if match["sign"] == "-" else number
        if -(2**63) <= number < (2**63 if match["sign"] else 2**64):
            return number
    if _FLOAT.fullmatch(digits):
        number_with_point = float(digits)
        return text if math.isinf(number_with_point) else number_with_point
    return text


def _date(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if match is None or (match["sign"] in ("T", "t")) != (match["zone"] is not None):
        return None
    zone = UTC
    if match["zone"] and match["zone"] != "Z":
        hours, minutes = int(match["zone"][1:3]), int(match["zone"][4:6])
        if hours > 24 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-offset if match["zone"][0] == "-" else offset)
    try:
        return datetime(
            int(match["year"]),
            int(match["month"]),
            int(match["day"]),
            int(match["hour"] or 0),
            int(match["minute"] or 0),
            int(match["second"] or 0),
            int((match["part"] or "0").ljust(6, "0")[:6]),
            tzinfo=zone,
        )
    except ValueError:
        return None


def shown_as_text(value: Any) -> str:
    """A scalar as Compose writes it where text is wanted: ``true``, ``8080``, ``1.5``, ``1e+06``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %z ") + (value.tzname() or "")
    return "<nil>" if value is None else str(value)


def _packs_to(value: float, packed: bytes) -> bool:
    try:
        return struct.pack("<f", value) == packed
    except OverflowError:  # with few digits the largest ones are rounded beyond what there is
        return False


def single(value: float) -> float | int:
    """A number as it comes out of 32 bits, with as few digits as tell it apart; whole ones as integers."""
    if not math.isfinite(value):
        return value
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    exact = struct.unpack("<f", packed)[0]
    for digits in range(1, 10):
        short = float(f"{exact:.{digits}g}")
        if _packs_to(short, packed):
            return int(short) if short.is_integer() and abs(short) < 10**21 else short
    return float(exact)
