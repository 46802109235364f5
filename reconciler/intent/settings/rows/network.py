"""Rows of the table of container settings: names, ports and networks. Data."""

from __future__ import annotations

from reconciler.intent.settings import ports, words
from reconciler.intent.settings.accepts import TEXT
from reconciler.intent.settings.places import in_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import text_or_empty, word

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
        *in_config("Hostname", from_api=text_or_empty),
        same=words.declared_or_image,
    ),
)
