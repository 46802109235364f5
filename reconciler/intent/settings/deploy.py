"""``deploy``: what Compose says of replicas, limits and updates, taken apart into the words that pnr has for it. Pure.

See https://github.com/compose-spec/compose-spec/blob/main/deploy.md. What one Docker host without an orchestrator
can't honour is an error that names it: nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.settings import devices
from reconciler.intent.settings.faults import expected, object_of, wrong
from reconciler.intent.settings.rows import resources
from reconciler.intent.settings.values import choice, duration, integer

ACCEPTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "mode": {"enum": ["replicated", "global"]},
        "replicas": {"type": ["integer", "string"]},
        "resources": {"type": "object"},
        "restart_policy": {"type": "object"},
        "update_config": {"type": "object"},
    },
    "additionalProperties": False,
}

_ROWS = {row.name: row for row in resources.ROWS}
MAX_REPLICAS = 1000


@dataclass(frozen=True, slots=True)
class Deploy:
    """What was declared: settings of the container by name, and how many copies there are and how they are updated."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    replicas: int | None = None
    strategy: str | None = None
    on_failure: str | None = None


def _no(why: str) -> Callable[[Any], None]:
    def read(value: Any) -> None:
        if value not in (None, "", 0) and value not in ([], {}):
            raise wrong(why)

    return read


def _object(value: Any, parsers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise expected(f"an object with {', '.join(parsers)}", value)
    return object_of(value, parsers)


def _limits(value: Any) -> dict[str, Any]:
    found = _object(
        value,
        {"cpus": _ROWS["cpus"].parse, "memory": _ROWS["mem_limit"].parse, "pids": _ROWS["pids_limit"].parse},
    )
    names = {"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"}
    return {names[key]: part for key, part in found.items()}


def _reservations(value: Any) -> dict[str, Any]:
    found = _object(
        value,
        {
            "memory": _ROWS["mem_reservation"].parse,
            "devices": devices.parse_gpus,
            "cpus": _no("a Docker host reserves no processors: leave it out, or set cpu_shares"),
            "generic_resources": _no("generic resources are Swarm's: leave them out"),
        },
    )
    names = {"memory": "mem_reservation", "devices": "gpus"}
    return {names[key]: part for key, part in found.items() if key in names}


def _resources(value: Any) -> dict[str, Any]:
    found = _object(value, {"limits": _limits, "reservations": _reservations})
    return {**found.get("limits", {}), **found.get("reservations", {})}


def _restart(value: Any) -> str:
    slow = "pnr has a back-off of its own: leave it out"
    found = _object(
        value,
        {
            "condition": choice("none", "on-failure", "any"),
            "max_attempts": integer("a number of attempts", 0, 2**31 - 1, digits_in_quotes=True),
            "delay": _no(slow),
            "window": _no(slow),
        },
    )
    condition, most = found.get("condition", "any"), found.get("max_attempts", 0)
    if condition == "on-failure":
        return f"on-failure:{most}" if most else "on-failure"
    return {"none": "no", "any": "always"}[condition]


def _update(value: Any) -> dict[str, Any]:
    def one(value: Any) -> None:
        if integer("a number of copies", 0, 1000, digits_in_quotes=True)(value) > 1:
            raise wrong("copies are updated one after the other: leave parallelism out")

    def no_time(value: Any) -> None:
        if duration(value):
            raise wrong("the next copy is updated when the one before is healthy, not after a time: leave it out")

    return _object(
        value,
        {
            "order": choice("stop-first", "start-first"),
            "failure_action": choice("rollback", "pause"),
            "parallelism": one,
            "delay": no_time,
            "monitor": no_time,
            "max_failure_ratio": _no("no copy may fail: leave it out"),
        },
    )


def parse(value: Any) -> Deploy:
    """Take it apart."""
    swarm = "only Swarm knows it: leave it out"
    found = _object(
        value,
        {
            "mode": choice("replicated", "global"),
            "replicas": integer("a number of replicas", 1, MAX_REPLICAS, digits_in_quotes=True),
            "resources": _resources,
            "restart_policy": _restart,
            "update_config": _update,
            "rollback_config": _no("a roll-back is done as the update was: leave it out"),
            "labels": _no("these are Swarm's labels of a service: put them under labels of the container"),
            "placement": _no(swarm),
            "endpoint_mode": _no(swarm),
        },
    )
    settings = dict(found.get("resources", {}))
    if "restart_policy" in found:
        settings["restart"] = found["restart_policy"]
    update = found.get("update_config", {})
    return Deploy(settings, found.get("replicas"), update.get("order"), update.get("failure_action"))


def contradictions(deploy: Deploy, declared: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings that are declared beside ``deploy`` as well, and otherwise, each with what to do."""
    return [
        (name, f"deploy says otherwise of {name}: leave one of them out")
        for name, value in deploy.settings.items()
        if declared.get(name) is not None and declared[name] != value
    ]
