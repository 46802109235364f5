"""``pnr plan`` on a real engine: what would be done, and what can't be."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from docker import APIClient

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
