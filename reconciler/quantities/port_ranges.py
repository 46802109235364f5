"""Ports and ranges of them, as their first and their last. Pure.

``read`` takes ``80`` and ``8000-8002``, and leaves it to its caller which numbers there may be. Compose drops what
stands behind a second ``-``.
"""

from __future__ import annotations

import re

Range = tuple[int, int]
HIGHEST = 65535
_STRICT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_PORT = re.compile(r"[0-9]{1,5}")


def read(text: str) -> Range | None:
    """The first and the last; of one port both are it. They may be in the wrong order, and too high. None for what is
    neither a port nor a range, such as the empty text, which is any port."""
    match = _STRICT.fullmatch(text)
    return (int(match[1]), int(match[2] or match[1])) if match is not None else None


def read_as_compose(text: str) -> Range:
    """The first and the last; of one port both are it. Raises ValueError."""
    first, sign, last = text.partition("-")
    last = last.partition("-")[0] if sign else first
    if not _PORT.fullmatch(first) or not _PORT.fullmatch(last) or max(int(first), int(last)) > HIGHEST:
        raise ValueError(f"{text!r} is not a port or range of ports")
    if int(last) < int(first):
        raise ValueError(f"the range {text} ends before it begins")
    return int(first), int(last)


def exact(first: int, last: int) -> str:
    """As :func:`read` takes it."""
    return f"{first}-{last}" if last != first else str(first)


def length(text: str) -> int:
    """How many ports a range has; any port is one."""
    first, last = read(text) or (0, 0)
    return last - first + 1
