"""Rows of the table of container settings: labels and the like. Data."""

from __future__ import annotations

from reconciler.intent.settings import words
from reconciler.intent.settings.accepts import PAIRS
from reconciler.intent.settings.found import map_found, same_map
from reconciler.intent.settings.places import in_config, in_host_config
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
    Setting(
        "annotations",
        "metadata",
        "Notes for the runtime, as an object or as a list of KEY=value.",
        {"com.example.note": "1"},
        words.options,
        PAIRS,
        *in_host_config("Annotations", from_api=map_found),
        same=same_map,
        since_api="1.43",
    ),
)
