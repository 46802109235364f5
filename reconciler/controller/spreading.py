"""When something that depends on others is tried again: ever less, and not all at the same moment. Pure."""

from __future__ import annotations

import random

FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0
UNREACHABLE_SECONDS = 5.0
"""While the engine itself does not answer, which says nothing about what was wanted of it."""


def spread(source: random.Random) -> float:
    """A factor of ±10 %, so that what began together does not go on together."""
    return 0.9 + 0.2 * source.random()


def back_off(failures: int, source: random.Random, longest: float = LONGEST_RETRY_SECONDS) -> float:
    """Seconds to wait after so many failures in a row: a minute, doubling up to ``longest``."""
    return float(min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 32), longest)) * spread(source)
