"""Which random stories are told: all where CI is set, a tenth on a developer's machine (``CI=1 make unit``: all), or as
many of each as ``SEEDS`` says."""

from __future__ import annotations

import os


def seeds(number: int) -> range:
    """The seeds of one test, from 0 to ``number``, or to what ``SEEDS`` says."""
    if wanted := os.environ.get("SEEDS"):
        return range(int(wanted))
    return range(0, number, 1 if os.environ.get("CI") else 10)
