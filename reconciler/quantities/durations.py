"""Lengths of time. Pure.

Both readings take a number and a unit, or several (``1m30s``, ``1.5h``, ``500ms``, ``2d``), and a bare ``0``; they
count in nanoseconds. What they do not take raises ValueError, with what was expected. Compose takes a sign, a number
that lacks digits on one side of its point (``.5s``, ``1.s``) and both ways to write ``µs`` as well; ``read`` takes
spaces around.
"""

from __future__ import annotations

import re

from reconciler.quantities.sizes import scaled

SECOND = 10**9
LONGEST = 2**63 - 1
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 24 * 3600 * SECOND,
    "w": 7 * 24 * 3600 * SECOND,
}
_STRICT = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,9})?(?:ns|us|µs|ms|s|m|h|d|w))+")
_STRICT_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w)")
_UNITS_OF_COMPOSE = {**_UNITS, "μs": 10**3}
_PART_OF_COMPOSE = re.compile(r"(?P<whole>[0-9]*)(?:(?P<point>\.)(?P<rest>[0-9]*))?(?P<unit>[^0-9.]*)")


def is_written(text: str) -> bool:
    """Whether ``text`` is a number and a unit, or several, as :func:`read` takes them."""
    return _STRICT.fullmatch(text.strip()) is not None


def read(text: str) -> int:
    """``1m30s``, ``500ms``, ``1.5h``."""
    if text.strip() == "0":
        return 0
    if not is_written(text):
        raise ValueError("a duration such as 30s or 1m30s")
    total = sum(scaled(number, _UNITS[unit]) for number, unit in _STRICT_PART.findall(text))
    if total > LONGEST:
        raise ValueError("a duration below 290 years")
    return total


def read_as_compose(text: str) -> int:
    """As Go's ``time.ParseDuration`` does, with days and weeks."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total = 0
    at = 0
    while at < len(rest) or not rest:
        match = _PART_OF_COMPOSE.match(rest, at)
        if not rest or match is None or not (match["whole"] or match["rest"]):
            raise ValueError("this is not a duration: write for example 30s, 1m30s or 500ms")
        unit = _UNITS_OF_COMPOSE.get(match["unit"])
        if unit is None:
            raise ValueError("a duration needs a unit, as in 30s, 1m30s or 500ms")
        total += int(match["whole"] or 0) * unit
        if match["rest"]:
            total += int(int(match["rest"]) * (unit / float(10 ** len(match["rest"]))))
        at = match.end()
    if total > LONGEST:
        raise ValueError("this is longer than 290 years")
    return sign * total


def as_go(count: int) -> str:
    """Nanoseconds as Go's ``Duration`` writes them: ``1m30s``, ``1.5s``, ``24h0m0s``, ``500ms``."""
    if count == 0:
        return "0s"
    sign, rest = ("-" if count < 0 else ""), abs(count)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if rest < size * 1000:
            return f"{sign}{_with_point(rest, size)}{unit}"
    minutes, nanos = divmod(rest, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_with_point(nanos, SECOND)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _with_point(count: int, size: int) -> str:
    whole, part = divmod(count, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def exact(seconds: float) -> str:
    """As :func:`read` takes it, without units of which there are none: ``1m30s``, ``24h``."""
    rest = round(seconds * SECOND)
    parts = []
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def in_one_unit(seconds: float) -> str:
    """As :func:`read` takes it, in the largest unit that it is whole numbers of: ``90s``, ``2h``."""
    for unit in ("w", "d", "h", "m"):
        size = _UNITS[unit] // SECOND
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s" if seconds < 1e6 else f"{seconds:.0f}s"


def rounded(seconds: float) -> str:
    """How long something takes or is past, cut to one unit: ``45s``, ``3m``, ``5h``, ``12d``."""
    whole = max(0, int(seconds))
    for unit, least in (("d", 2), ("h", 1), ("m", 1)):
        size = _UNITS[unit] // SECOND
        if whole >= size * least:
            return f"{whole // size}{unit}"
    return f"{whole}s"
