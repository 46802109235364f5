"""What was changed behind our back, as sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.planner.compare import differences


def drift(declared: Mapping[str, Any], found: Mapping[str, Any], ignored: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each setting, in the order of the table."""
    return tuple(str(difference) for difference in differences(declared, found, ignored))
