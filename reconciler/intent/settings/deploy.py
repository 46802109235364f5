"""``deploy``: what Compose says of replicas, limits and updates, taken apart into the words that pnr has. Pure.

See https://github.com/compose-spec/compose-spec/blob/main/deploy.md. What one Docker host without an orchestrator of
its own can't honour is an error that names it: nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent.settings import devices
from reconciler.intent.settings.accepts import NUMBER_OR_TEXT, object_with
from reconciler.intent.settings.faults import Faults, expected, object_of, shown, wrong
from reconciler.intent.settings.rows import resources
from reconciler.intent.settings.values import choice, duration, integer

MAX_REPLICAS = 1000
REPLICAS = integer("a number of replicas", 1, MAX_REPLICAS, digits_in_quotes=True)
"""The reader of how many copies there are."""

_ROWS = {row.name: row for row in resources.ROWS}
_LIMITS = {"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"}
_RESTARTS = {
    "none": "no",
    "no": "no",
    "any": "always",
    "always": "always",
    "unless-stopped": "unless-stopped",
    "on-failure": "on-failure",
}
_ORDERS = ("stop-first", "start-first")
_COUNT = {"type": ["integer", "string"]}
_NO_TIME = {"type": ["string", "null"]}
_NOTHING: dict[str, Any] = {"enum": [None, "", 0, {}, []]}
_DEVICES = {"type": "array", "items": {**devices.REQUEST, "required": ["capabilities"]}}


def _words(*known: str) -> dict[str, Any]:
    return {"anyOf": [{"enum": list(known)}, {"type": "string", "pattern": r"\$"}]}


def _accepts(**properties: Any) -> dict[str, Any]:
    return {"anyOf": [object_with(**properties), {"type": "null"}]}


ACCEPTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "mode": _words("replicated", "global"),
        "replicas": _COUNT,
        "endpoint_mode": _words("dnsrr"),
        "resources": _accepts(
            limits=_accepts(**{key: _ROWS[name].accepts for key, name in _LIMITS.items()}),
            reservations=_accepts(memory=NUMBER_OR_TEXT, devices=_DEVICES, cpus=_NOTHING, generic_resources=_NOTHING),
        ),
        "restart_policy": _accepts(condition=_words(*_RESTARTS), max_attempts=_COUNT, delay=_NO_TIME, window=_NO_TIME),
        "update_config": _accepts(
            order=_words(*_ORDERS),
            failure_action=_words("rollback", "pause"),
            parallelism=_COUNT,
            delay=_NO_TIME,
            monitor=_NO_TIME,
            max_failure_ratio=_NOTHING,
        ),
        **dict.fromkeys(("rollback_config", "labels", "placement"), _NOTHING),
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Deploy:
    """What was declared: settings of the container by name, and how many copies there are and how they are updated."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    replicas: int | None = None
    strategy: str | None = None
    on_failure: str | None = None


def _no(why: str) -> Callable[[Any], None]:
    """A reader of what may be there as long as it says nothing."""

    def read(value: Any) -> None:
        if value not in ("", 0, [], {}):
            raise wrong(why)

    return read


def _no_time(why: str) -> Callable[[Any], None]:
    """A reader of a duration that may only be none."""

    def read(value: Any) -> None:
        if duration(value):
            raise wrong(why)

    return read


def _object(value: Any, parsers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise expected(f"an object with {', '.join(parsers)}", value)
    faults = Faults()
    for key in value:
        if key not in parsers and value[key] is None and not str(key).startswith("x-"):
            faults.add((key,), f"unknown key {shown(key)}{nearest(key, parsers)}", None)
    faults.throw()
    return object_of({key: part for key, part in value.items() if part is not None}, parsers)


def _limits(value: Any) -> dict[str, Any]:
    found = _object(value, {key: _ROWS[name].parse for key, name in _LIMITS.items()})
    return {_LIMITS[key]: part for key, part in found.items()}


def _reservations(value: Any) -> dict[str, Any]:
    found = _object(
        value,
        {
            "memory": _ROWS["mem_reservation"].parse,
            "devices": devices.parse_reserved,
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
    no_time = _no_time("pnr has a back-off of its own: leave it out")
    found = _object(
        value,
        {
            "condition": choice(*_RESTARTS),
            "max_attempts": integer("a number of attempts", 0, 2**31 - 1, digits_in_quotes=True),
            "delay": no_time,
            "window": no_time,
        },
    )
    restart, most = _RESTARTS[found.get("condition", "any")], found.get("max_attempts", 0)
    if most and restart != "on-failure":
        raise wrong("max_attempts counts for the condition on-failure only: leave it out, or set that condition")
    return f"{restart}:{most}" if most else restart


def _one_at_a_time(value: Any) -> None:
    if integer("a number of replicas", 0, MAX_REPLICAS, digits_in_quotes=True)(value) != 1:
        raise wrong("replicas are updated one after the other: leave parallelism out")


def _failure_action(value: Any) -> str:
    if value == "continue":
        raise wrong("an update that fails does not go on to the next replica: choose rollback or pause")
    return choice("rollback", "pause")(value)


def _update(value: Any) -> dict[str, Any]:
    no_time = _no_time("the next replica is updated when the one before is healthy, not after a time: leave it out")
    return _object(
        value,
        {
            "order": choice(*_ORDERS),
            "failure_action": _failure_action,
            "parallelism": _one_at_a_time,
            "delay": no_time,
            "monitor": no_time,
            "max_failure_ratio": _no("no replica may fail: leave it out"),
        },
    )


def _mode(value: Any) -> str:
    if value in ("replicated-job", "global-job"):
        raise wrong('for work that ends leave it out and say "kind": "job" of the chunk')
    return choice("replicated", "global")(value)


def _endpoint_mode(value: Any) -> None:
    """Names of several copies lead to their addresses in turn on any Docker network: that is dnsrr."""
    if choice("dnsrr", "vip")(value) == "vip":
        raise wrong("only Swarm has an address for all replicas together: leave it out, or say dnsrr")


def parse(value: Any) -> Deploy:
    """Take it apart. Raises what the readers of settings raise (see :mod:`.faults`)."""
    found = _object(
        value,
        {
            "mode": _mode,
            "replicas": REPLICAS,
            "resources": _resources,
            "restart_policy": _restart,
            "update_config": _update,
            "rollback_config": _no("a roll-back is done as the update was: leave it out"),
            "labels": _no("these are Swarm's labels of a service: put them under labels of the container"),
            "placement": _no("only Swarm knows it: leave it out"),
            "endpoint_mode": _endpoint_mode,
        },
    )
    if found.get("mode") == "global" and found.get("replicas", 1) > 1:
        raise wrong("the mode global is one container on each host: leave replicas out, or say replicated")
    settings = dict(found.get("resources", {}))
    if "restart_policy" in found:
        settings["restart"] = found["restart_policy"]
    update = found.get("update_config", {})
    return Deploy(settings, found.get("replicas"), update.get("order"), update.get("failure_action"))


def contradictions(deploy: Deploy, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The settings that are declared beside ``deploy`` as well, and otherwise, each with what to do."""
    for name, value in deploy.settings.items():
        if declared.get(name) is not None and declared[name] != value:
            yield name, f"deploy says otherwise of {name}: leave one of them out"
