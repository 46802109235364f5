"""How long to wait before something that failed is tried again: ever longer, and not all at the same moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits of ``first`` seconds, doubling up to ``longest``."""

    first: float
    longest: float

    def after(self, failures: int, jitter: float = 0.5) -> float:
        """Seconds to wait after so many failures in a row, none after none; see :func:`spread` for the ``jitter``."""
        if failures < 1:
            return 0.0
        return min(self.first * 2.0 ** min(failures - 1, 32), self.longest) * spread(jitter)


def spread(jitter: float) -> float:
    """A factor of ±10 %, so that what began together does not go on together. ``jitter`` is in 0 … 1; 0.5 changes
    nothing."""
    return 0.9 + 0.2 * jitter


ATTEMPTS = BackOff(1.0, 300.0)
"""To bring a chunk up. The first retry comes at once: that one is no failure in a row."""

REFUSED = BackOff(30.0, 1800.0)
"""To do what the policy has refused: only somebody's doing changes that, and most of it is tried at once then."""

UPDATES = BackOff(60.0, 3600.0)
"""To update what an update failed for, by a trouble that can pass."""

NETWORKS = BackOff(60.0, 3600.0)
"""To change a network, which costs its containers their connections each time."""

REGISTRIES = BackOff(60.0, 3600.0)
"""To ask a registry, or to fetch an image from one."""

RECONNECTS = BackOff(0.2, 10.0)
"""To reach the engine."""

REMINDERS = BackOff(60.0, 3600.0)
"""To say again what was said before."""
