"""Rows of the table of container settings: names, ports and networks. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings import ports, words
from reconciler.intent.settings.accepts import TEXT
from reconciler.intent.settings.places import in_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import word


def _hostname_found(inspected: Mapping[str, Any]) -> str | None:
    """The engine's own choice is the beginning of the container's id."""
    name = str((inspected.get("Config") or {}).get("Hostname") or "")
    return None if not name or str(inspected.get("Id", "")).startswith(name) else name


ROWS: tuple[Setting, ...] = (
    Setting(
        "ports",
        "network",
        "Published ports: an object from container port to host port, or Compose's list (host port first)."
        " Without an address they are bound to 127.0.0.1 only.",
        {"80": "8080"},
        ports.parse,
        ports.ACCEPTS,
        ports.send,
        ports.read,
        tell=declared_and_found(ports.tell),
    ),
    Setting(
        "hostname",
        "network",
        "The name that the container has for itself.",
        "db1",
        word(
            "a host name (letters, digits, - and _ between dots, at most 63)",
            r"(?=.{1,63}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
            r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*",
        ),
        TEXT,
        in_config("Hostname")[0],
        _hostname_found,
        same=words.declared_or_image,
    ),
)
