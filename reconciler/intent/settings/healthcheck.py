"""The container's own health check, which the engine runs (``healthcheck`` in Compose). Pure.

Normal form: an object with what was declared of ``test`` (``["CMD", …]``, ``["CMD-SHELL", "…", …]`` or ``["NONE"]``),
``interval``, ``timeout``, ``start_period``, ``start_interval`` (seconds) and ``retries``. What is not declared
comes from the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.accepts import FLAG
from reconciler.intent.settings.faults import expected, object_of, wrong
from reconciler.intent.settings.row import Needs
from reconciler.intent.settings.values import (
    MAX_INT64,
    as_list,
    duration,
    flag,
    integer,
    nanoseconds,
    text,
)
from reconciler.quantities import durations

_SHORTEST = 0.001
_API_NAMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start_period": "StartPeriod",
    "start_interval": "StartInterval",
}

ACCEPTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "test": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "interval": {"type": "string"},
        "timeout": {"type": "string"},
        "start_period": {"type": "string"},
        "start_interval": {"type": "string"},
        "retries": {"type": ["integer", "string"]},
        "disable": FLAG,
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}


def parse(value: Any) -> dict[str, Any]:
    """Compose's object. Zero durations and retries mean the image's or the engine's own, as in Compose."""
    if not isinstance(value, Mapping):
        raise expected("an object with test, interval, timeout, retries, start_period or disable", value)
    parts = object_of(
        value,
        {
            "test": _test,
            "interval": _period,
            "timeout": _period,
            "start_period": _period,
            "start_interval": _period,
            "retries": integer("a number of retries", 0, 2**31 - 1, digits_in_quotes=True),
            "disable": flag,
        },
    )
    if parts.pop("disable", False):
        if parts.get("test", ["NONE"]) != ["NONE"]:
            raise wrong("disable is true, and there is a test as well; leave one of them out")
        return {"test": ["NONE"]}
    if parts.get("test") == ["NONE"]:
        return {"test": ["NONE"]}
    return {key: parts[key] for key in sorted(parts) if parts[key]}


def _test(value: Any) -> list[str]:
    if isinstance(value, str):
        return ["CMD-SHELL", text(value)] if value.strip() else []
    words: list[str] = as_list(text, "a command, as a string or a list")(value)
    if not words:
        return []
    if words[0] == "NONE":
        return words[:1]  # the engine looks at no more of it
    # Further words behind the line for the shell are $0, $1, …: the engine runs `sh -c` with all of them.
    if words[0] in ("CMD", "CMD-SHELL") and len(words) > 1:
        return words
    raise wrong('a test given as a list is ["CMD", "program", …], ["CMD-SHELL", "line for the shell", …] or ["NONE"]')


def _period(value: Any) -> float:
    seconds = duration(value)
    if 0 < seconds < _SHORTEST or nanoseconds(seconds) > MAX_INT64:
        raise expected("a duration of at least 1ms", value)
    return seconds


def send(value: dict[str, Any], body: dict[str, Any]) -> None:
    """Into ``Healthcheck``."""
    check: dict[str, Any] = {}
    if "test" in value:
        check["Test"] = list(value["test"])
    if "retries" in value:
        check["Retries"] = value["retries"]
    for name, api_name in _API_NAMES.items():
        if name in value:
            check[api_name] = nanoseconds(value[name])
    body["Healthcheck"] = check


def read(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """From ``Config.Healthcheck``, the image's own part included."""
    check: Mapping[str, Any] = inspected.get("Config", {}).get("Healthcheck") or {}
    found: dict[str, Any] = {"test": list(check["Test"])} if check.get("Test") else {}
    if found and found["test"][0] == "NONE":
        return {"test": ["NONE"]}
    if check.get("Retries"):
        found["retries"] = check["Retries"]
    for name, api_name in _API_NAMES.items():
        if check.get(api_name):
            found[name] = check[api_name] / 10**9
    return {key: found[key] for key in sorted(found)}


def needs(value: dict[str, Any]) -> Needs | None:
    """Older engines would drop it without a word."""
    return Needs("1.44", "healthcheck.start_interval") if "start_interval" in value else None


def same(declared: Any, found: Any) -> bool:
    """Everything declared is found; the rest is the image's."""
    return all(found.get(key) == value for key, value in declared.items())


def tell(value: Any) -> str:
    """The check for people."""
    shown = {key: durations.exact(part) if key in _API_NAMES else part for key, part in value.items()}
    return ", ".join(f"{key} {part}" for key, part in shown.items()) or "the image's"
