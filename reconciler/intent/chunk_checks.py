"""What a chunk says in several places must agree: replicas, limits, how it is updated. Pure.

Part of :mod:`reconciler.intent.container_checks`, with its manner: what has another shape than is expected is passed
over, since it is told where it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent import field_readers
from reconciler.intent.lenient import object_in, parsed
from reconciler.intent.model import Kind, Strategy
from reconciler.intent.pull_policy import REFRESH
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.conflicts import COMPARED, conflicts
from reconciler.intent.settings.deploy import MAX_REPLICAS, REPLICAS, Deploy, contradictions
from reconciler.intent.settings.deploy import parse as read_deploy
from reconciler.intent.settings.replicas import ports_too_few

_count = field_readers.count(1, MAX_REPLICAS)
_ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
_ONE_EACH = "which two replicas can't have at once: leave it out"


def disagreements(chunk: Mapping[str, Any], report: Diagnostics) -> None:
    """Everything in ``chunk`` (as written) that contradicts something else in it."""
    container = object_in(chunk, "container")
    deploy = parsed(read_deploy, container.get("deploy")) or Deploy()
    _update(chunk, deploy, report)
    _refresh(container, report.at("container"))
    looked_at = {*COMPARED, *deploy.settings, "ports", "mac_address"} & container.keys()
    settings = {name: parsed(SETTINGS[name].parse, container[name]) for name in SETTINGS if name in looked_at}
    _settings(settings, deploy, report.at("container"))
    replicas = {
        "replicas": parsed(_count, chunk.get("replicas")),
        "container.scale": parsed(REPLICAS, container.get("scale")),
        "container.deploy.replicas": deploy.replicas,
    }
    said = {name: number for name, number in replicas.items() if number is not None}
    if len(set(said.values())) > 1:
        message = f"{' and '.join(f'{name} {number}' for name, number in said.items())}: leave all but one out"
        report.error(("container",), "Conflict", message)
    number = max(said.values(), default=1)
    least = parsed(_count, chunk.get("min_ready"))
    if least is not None and least > number:
        have = "one replica" if number == 1 else f"{number} replicas"
        report.error(("min_ready",), "OutOfRange", f"min_ready {least} can never be reached with {have}")
    if number > 1:
        _replicas(chunk, settings, number, report)


def _refresh(container: Mapping[str, Any], report: Diagnostics) -> None:
    refreshed, after = container.get("pull_policy") == REFRESH, container.get("pull_refresh_after")
    if refreshed and after is None:
        report.error(("pull_policy",), "Conflict", "pull_policy refresh takes a pull_refresh_after beside it")
    if not refreshed and after is not None:
        message = "pull_refresh_after goes with the pull_policy refresh: set that, or leave this out"
        report.error(("pull_refresh_after",), "Conflict", message)


def _settings(settings: Mapping[str, Any], deploy: Deploy, report: Diagnostics) -> None:
    for name, message in contradictions(deploy, settings):
        report.error((name,), "Conflict", message)
    together = {**deploy.settings, **{name: value for name, value in settings.items() if value is not None}}
    for name, message in conflicts(together):
        report.error((name if name in settings else "deploy",), "Conflict", message)


def _replicas(chunk: Mapping[str, Any], settings: Mapping[str, Any], replicas: int, report: Diagnostics) -> None:
    """What only one container can have."""
    if chunk.get("kind") == Kind.JOB:
        report.error(("kind",), "Conflict", "a job runs once: leave the replicas out")
    for message in ports_too_few(settings.get("ports") or [], replicas):
        report.error(("container", "ports"), "Conflict", message)
    if settings.get("mac_address"):
        report.error(("container", "mac_address"), "Conflict", f"this is an address {_ONE_EACH}")
    for name, network in object_in(object_in(chunk, "container"), "networks").items():
        for key in _ADDRESSES:
            if isinstance(network, dict) and network.get(key):
                where = ("container", "networks", name, key)
                report.error(where, "Conflict", f"this is an address {_ONE_EACH}")


def _update(chunk: Mapping[str, Any], deploy: Deploy, report: Diagnostics) -> None:
    update = object_in(chunk, "update")
    for key, word, deployed in (
        ("strategy", "order", deploy.strategy),
        ("on_failure", "failure_action", deploy.on_failure),
    ):
        said = (("update." + key, update.get(key)), (key, chunk.get(key)), (f"update_config.{word}", deployed))
        places: tuple[Path, ...] = (("update", key), (key,), ("container", "deploy", "update_config", word))
        first = next(((name, value) for name, value in said if value is not None), None)
        for (_, value), place in zip(said, places, strict=True):
            if first is not None and value is not None and value != first[1]:
                report.error(place, "Conflict", f"{first[0]} says otherwise: leave one of them out")
        if key == "strategy":
            for (_, value), place in zip(said, places, strict=True):
                if value == Strategy.START_FIRST:
                    _start_first(object_in(chunk, "container"), report.at(*place))


def _start_first(container: Mapping[str, Any], report: Diagnostics) -> None:
    ports = parsed(SETTINGS["ports"].parse, container.get("ports")) or ()
    if isinstance(container.get("name"), str):
        why = "the container has a name of its own (container.name), which two can't have at once"
    elif any(entry["published"] is not None for entry in ports):
        why = "the container publishes a host port, which two can't hold at once"
    else:
        return
    report.error((), "Conflict", f"start-first is not possible: {why}; use stop-first or leave it out")
