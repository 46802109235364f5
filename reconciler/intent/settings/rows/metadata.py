"""Rows of the table of container settings: labels and the like. Data."""

from __future__ import annotations

from reconciler.intent.settings import words
from reconciler.intent.settings.accepts import PAIRS
from reconciler.intent.settings.places import in_config
from reconciler.intent.settings.row import Setting

ROWS: tuple[Setting, ...] = (
    Setting(
        "labels",
        "metadata",
        "Labels of the container, as an object or as a list of KEY=value. Those that begin with io.pnr. are pnr's.",
        {"com.example.team": "shop"},
        words.labels,
        PAIRS,
        *in_config("Labels", from_api=lambda found: dict(found or {})),
        same=words.within,
        tell=words.tell_names,
    ),
)
