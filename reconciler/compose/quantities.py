"""Sizes and lengths of time as Compose reads and writes them. Pure. All raise ValueError with a sentence for people."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 24 * 3600 * 10**9,
    "w": 7 * 24 * 3600 * 10**9,
}
_PART = re.compile(r"(?P<whole>[0-9]*)(?:(?P<point>\.)(?P<rest>[0-9]*))?(?P<unit>[^0-9.]*)")
_SIZE = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?(?P<unit>[a-zA-Z]*)")
_POWERS = {unit: 1024**power for power, unit in enumerate("bkmgtp")}


def nanoseconds(text: str) -> int:
    """``1m30s``, ``1.5h``, ``500ms``, ``2d``, also with a sign, in nanoseconds."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total = 0
    at = 0
    while at < len(rest) or not rest:
        match = _PART.match(rest, at)
        if not rest or match is None or not (match["whole"] or match["rest"]):
            raise ValueError("this is no length of time: write for example 30s, 1m30s or 500ms")
        unit = _UNITS.get(match["unit"])
        if unit is None:
            raise ValueError("a length of time needs a unit, as in 30s, 1m30s or 500ms")
        total += int(match["whole"] or 0) * unit
        if match["rest"]:
            total += int(int(match["rest"]) * (unit / float(10 ** len(match["rest"]))))
        at = match.end()
    if total >= 2**63:
        raise ValueError("this is longer than 290 years")
    return sign * total


def duration_text(count: int) -> str:
    """Nanoseconds as ``1m30s``, ``1.5s``, ``24h0m0s``, ``500ms``."""
    if count == 0:
        return "0s"
    sign, rest = ("-" if count < 0 else ""), abs(count)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if rest < size * 1000:
            return f"{sign}{_with_point(rest, size)}{unit}"
    minutes, nanos = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_with_point(nanos, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _with_point(count: int, size: int) -> str:
    whole, part = divmod(count, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def size_in_bytes(text: str) -> int:
    """``64m``, ``1.5 GB``, ``300kib`` or a number of bytes; units are powers of 1024."""
    match = _SIZE.fullmatch(text)
    unit = match["unit"].lower() if match else ""
    power = _POWERS.get(unit[:1] or "b")
    if match is None or power is None or unit[1:] not in ("", "b", "ib") or (unit[:1] == "b" and unit[1:]):
        raise ValueError("this is no size: write for example 64m, 1g or a number of bytes")
    number = float(match["number"])
    if number < 0:
        raise ValueError("a size can't be below zero")
    return int(number * power)
