"""Sizes in bytes. Pure.

All readings take a number of bytes and ``64m``, ``1g``, in any case; units are powers of 1024. What they do not take
raises ValueError, with what was expected. They differ:

==================  =============  ===============  ==================
written             ``read``       ``read_as_go``   ``read_as_kernel``
==================  =============  ===============  ==================
``1t``, ``1p``      yes            yes              no
``64mb``, ``64mib`` yes            yes              no
``64mi``            yes            no               no
``1.5g``            yes, exactly   yes, as a float  no
``.5g``, ``1e3``    no             yes              no
``+1g``             no             yes              no
a space before m    yes            yes, one         no
spaces around       yes            no               yes
==================  =============  ===============  ==================
"""

from __future__ import annotations

import re

_UNITS: dict[str, int] = {unit: 1024**power for power, unit in enumerate(("", "k", "m", "g", "t", "p"))}
_STRICT = re.compile(r"(?P<number>[0-9]{1,19}(?:\.[0-9]{1,15})?)\s*(?P<unit>[kmgtp]?)i?b?", re.IGNORECASE | re.ASCII)
_OF_GO = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?(?P<unit>[a-zA-Z]*)")
_UNIT_OF_GO = re.compile(r"b?|(?P<power>[kmgtp])(?:i?b)?", re.IGNORECASE | re.ASCII)
_OF_THE_KERNEL = re.compile(r"(?P<number>[0-9]+)(?P<unit>[kmg]?)", re.IGNORECASE | re.ASCII)


def read(text: str) -> int:
    """``64m``, ``1.5 GB``, ``300kib`` or a number of bytes."""
    match = _STRICT.fullmatch(text.strip())
    if match is None:
        raise ValueError("a size such as 64m or 1g")
    return scaled(match["number"], _UNITS[match["unit"].lower()])


def read_as_go(text: str) -> int:
    """As docker's go-units does: Compose, and the options of the engine's log drivers."""
    match = _OF_GO.fullmatch(text)
    unit = _UNIT_OF_GO.fullmatch(match["unit"]) if match is not None else None
    if match is None or unit is None:
        raise ValueError("this is not a size: write for example 64m, 1g or a number of bytes")
    size = float(match["number"]) * _UNITS[(unit["power"] or "").lower()]
    if size < 0:
        raise ValueError("a size can't be below zero")
    if size == float("inf"):
        raise ValueError("this is more than any machine has")
    return int(size)


def read_as_kernel(text: str) -> int:
    """As Linux reads the options of a mount."""
    match = _OF_THE_KERNEL.fullmatch(text.strip())
    if match is None:
        raise ValueError("a size such as 64m or 1g")
    return int(match["number"]) * _UNITS[match["unit"].lower()]


def scaled(digits: str, unit: int) -> int:
    """``digits`` times ``unit``, cut to a whole number: exact for any number of digits."""
    whole, _, fraction = digits.partition(".")
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def exact(count: int) -> str:
    """As ``read`` takes it: ``64m``, ``1000b``."""
    for unit in ("t", "g", "m", "k"):
        if count and count % _UNITS[unit] == 0:
            return f"{count // _UNITS[unit]}{unit}"
    return f"{count}b"


def rounded(count: int) -> str:
    """As Docker shows sizes of images and volumes, in powers of 1000: ``12.3 MB``."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def rounded_memory(count: int) -> str:
    """As limits of memory are declared, in powers of 1024: ``1.5 GiB``."""
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.4g} {unit}"
    return f"{count} B"
