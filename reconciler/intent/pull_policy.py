"""``pull_policy``: when an image is asked for though it may be there. Compose's words. Pure."""

from __future__ import annotations

from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent.settings.faults import shown, wrong
from reconciler.intent.settings.values import duration
from reconciler.quantities import durations

DEFAULT = "missing"
WORDS = ("missing", "if_not_present", "always", "never", "build", "daily", "weekly", "refresh")
REFRESH = "refresh"  # the same as every_…, with the duration beside it
EVERY = "every_"
SHORTEST_SECONDS = 60.0
_AGES = {"daily": 86400.0, "weekly": 7 * 86400.0}

ACCEPTS = {
    "anyOf": [{"enum": list(WORDS)}, {"type": "string", "pattern": rf"^{EVERY}([0-9.]+(ns|us|µs|ms|s|m|h|d|w))+$|\$"}]
}
"""The JSON Schema."""


def read(value: Any) -> str:
    """The policy in its normal form: ``if_not_present`` is ``missing``, ``every_24h`` is ``daily``."""
    if not isinstance(value, str):
        raise wrong(f"expected a word such as always, or every_12h, found {shown(value)}")
    if value.startswith(EVERY):
        seconds = duration(value.removeprefix(EVERY))
        if seconds < SHORTEST_SECONDS:
            raise wrong(f"{shown(value)}: registries are asked every minute at most (every_1m)")
        return next((word for word, age in _AGES.items() if age == seconds), f"{EVERY}{durations.in_one_unit(seconds)}")
    if value not in WORDS:
        known = f"{', '.join(WORDS)} or every_DURATION such as every_12h"
        raise wrong(f"expected one of {known}, found {shown(value)}{nearest(value, WORDS)}")
    return "missing" if value == "if_not_present" else str(value)


def refresh_after(value: Any) -> str:
    """``pull_refresh_after``, a duration, as the policy that says it: ``every_12h``."""
    duration(value)
    return read(f"{EVERY}{value}")


def longest_age(policy: str) -> float | None:
    """How many seconds ago the image may have been asked for at most; None for policies that know no age."""
    if policy.startswith(EVERY):
        return duration(policy.removeprefix(EVERY))
    return _AGES.get(policy)
