"""Rows of the table of container settings: what the container may do. Data."""

from __future__ import annotations

from reconciler.intent.settings import words
from reconciler.intent.settings.accepts import FLAG, TEXTS
from reconciler.intent.settings.places import in_host_config
from reconciler.intent.settings.row import Setting
from reconciler.intent.settings.values import flag

ROWS: tuple[Setting, ...] = (
    Setting(
        "read_only",
        "security",
        "Nothing can be written in the container but in volumes and tmpfs.",
        True,
        flag,
        FLAG,
        *in_host_config("ReadonlyRootfs", from_api=bool),
    ),
    Setting(
        "cap_add",
        "security",
        "Linux capabilities to add to the engine's usual ones.",
        ["NET_ADMIN"],
        words.capabilities,
        TEXTS,
        *in_host_config("CapAdd", from_api=words.capabilities_found),
    ),
    Setting(
        "cap_drop",
        "security",
        "Linux capabilities to take away from the engine's usual ones.",
        ["ALL"],
        words.capabilities,
        TEXTS,
        *in_host_config("CapDrop", from_api=words.capabilities_found),
    ),
)
