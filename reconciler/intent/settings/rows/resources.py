"""Rows of the table of container settings: how much the container may use. Data."""

from __future__ import annotations

from reconciler.intent.settings.accepts import NUMBER_OR_TEXT
from reconciler.intent.settings.places import in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import number, size, size_text

SMALLEST_MEMORY = 6 * 1024**2
"""Below this the engine refuses to create a container."""


def _billionths(value: float) -> int:
    return round(value * 10**9)


ROWS: tuple[Setting, ...] = (
    Setting(
        "mem_limit",
        "resources",
        "The most memory that the container may use: bytes, or a size such as 64m or 1g; at least 6m.",
        "256m",
        size(SMALLEST_MEMORY),
        NUMBER_OR_TEXT,
        *in_host_config("Memory", from_api=lambda found: found or None),
        tell=declared_and_found(size_text),
        live=True,
    ),
    Setting(
        "cpus",
        "resources",
        "The most processor time that the container may use, in processors: 0.5 is half of one.",
        "0.5",
        number("a number of processors", 0.01, 10000),
        NUMBER_OR_TEXT,
        *in_host_config("NanoCpus", _billionths, lambda found: found / 10**9 if found else None),
        tell=declared_and_found(lambda cpus: f"{cpus:g}"),
        live=True,
    ),
)
