"""``logging``: what becomes of what a container prints. Pure.

Normal form: ``{"driver": "json-file", "options": {"max-size": "10m"}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, object_of
from reconciler.intent.settings.values import text
from reconciler.intent.settings.words import driver_options

ACCEPTS: dict[str, Any] = {
    "type": "object",
    "properties": {"driver": {"type": "string"}, "options": {"type": "object"}},
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}


def parse(value: Any) -> dict[str, Any]:
    """Driver and options; without a driver it is the engine's usual one."""
    if not isinstance(value, Mapping):
        raise expected("an object with driver and options", value)
    found = object_of(value, {"driver": text, "options": lambda given: driver_options(given or {})})
    return {"driver": found.get("driver", ""), "options": found.get("options", {})}


def send(value: Mapping[str, Any], body: dict[str, Any]) -> None:
    """Into ``HostConfig.LogConfig``."""
    body.setdefault("HostConfig", {})["LogConfig"] = {"Type": value["driver"], "Config": dict(value["options"])}


def read(inspected: Mapping[str, Any]) -> dict[str, Any] | None:
    """The way back."""
    shown = (inspected.get("HostConfig") or {}).get("LogConfig") or {}
    if not shown.get("Type"):
        return None
    return {"driver": str(shown["Type"]), "options": dict(sorted((shown.get("Config") or {}).items()))}


def same(declared: Any, found: Any) -> bool:
    """The declared driver with the declared options; the engine adds the options that it is set up with."""
    found = found or {"driver": "", "options": {}}
    options_there: Mapping[str, Any] = found["options"]
    driver = not declared["driver"] or declared["driver"] == found["driver"]
    return driver and all(options_there.get(key) == value for key, value in declared["options"].items())
