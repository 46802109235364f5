"""``pnr plan`` on a real engine: what would be done, and what can't be."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from docker import APIClient

from reconciler.planner.situation import NEXT_SUFFIX
from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def test_what_can_not_be_done_stands_in_the_plan_with_the_reason(
    daemon: Daemon, web: Build, unique: Callable[[str], str], docker_api: APIClient
) -> None:
    name, lan = unique("shop"), unique("lan")
    daemon.allow_everything()
    daemon.kill(signal.SIGTERM)
    document = stack(
        name,
        web("noted", prefix=name, container={"annotations": {"com.example.note": "1"}}),
        web("joined", prefix=name, container={"networks": ["lan"]}),
        web("plain", prefix=name),
        networks={"lan": {"external": True, "name": lan}},
    )
    daemon.write(name, document)
    told = json.loads(daemon.pnr("plan", "--json").stdout)
    blocked = {one["chunk"]: f"{one['reason']}: {one['message']}" for one in told["blocked"]}
    api = docker_api.version()["ApiVersion"]
    knows = tuple(map(int, api.split("."))) >= (1, 43)
    assert (f"{name}/main/noted" in blocked) != knows
    if not knows:
        assert "annotations takes an engine of API 1.43" in blocked[f"{name}/main/noted"]
        assert api in blocked[f"{name}/main/noted"]
    assert f"network {lan}, which is declared external and does not exist" in blocked[f"{name}/main/joined"]
    assert any(step["object"] == f"{name}_plain" for step in told["steps"])
    assert not any(step["object"] == f"{name}_joined" for step in told["steps"])
    shown = daemon.pnr("plan").stdout
    assert f"{name}/main/joined can't go on (ExternalMissing): waiting for network {lan}" in shown
    assert daemon.names(name) == []


def _steps(daemon: Daemon) -> dict[str, list[str]]:
    """The names of the actions on each object, by the object."""
    told = json.loads(daemon.pnr("plan", "--json").stdout)
    found: dict[str, list[str]] = {}
    for step in told["steps"]:
        found.setdefault(step["object"], []).append(step["action"])
    return found


def test_a_plan_knows_what_is_done_already_and_what_a_change_leads_to(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, other = unique("shop"), unique("beside")
    daemon.kill(signal.SIGTERM)
    job = web("work", prefix=name, container={"command": ["true"]})
    del job["health_check"]
    sharer = web("sharer", prefix=name, container={"network_mode": "service:web", "command": ["sleep", "1d"]})
    del sharer["health_check"]
    document = stack(name, web("web", prefix=name), {**job, "kind": "job"}, sharer)
    daemon.write(name, document)
    daemon.write(other, stack(other, web("web", prefix=other)))
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert _steps(daemon) == {}

    document["cpuxs"]["main"]["design_chunks"][0]["container"]["labels"] = {"changed": "1"}
    daemon.write(name, document)
    planned = _steps(daemon)
    for chunk in ("web", "work", "sharer"):
        assert "CreateContainer" in planned[f"{name}_{chunk}{NEXT_SUFFIX}"]
    assert f"{other}_web" not in planned
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert _steps(daemon) == {}

    file = daemon.write(name, "{ not JSON")
    daemon.api.remove_container(f"{name}_web", force=True, v=True)
    shown = daemon.pnr("plan")
    assert shown.returncode == 2
    assert f"CreateContainer {name}_web" in shown.stdout
    file.unlink()
    planned = _steps(daemon)
    assert planned[f"{name}_work"] == ["RemoveContainer"]
    assert "RemoveContainer" in planned[f"{name}_sharer"]
    # Until it is known that its file is not to come back, what is missing is made: a plan says that as well.
    assert planned[f"{name}_web"][-1] == "RemoveContainer"
    assert daemon.names(other) == [f"{other}_web"]
