"""A chunk whose container shares the network and the volumes of another's, on a real engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def test_who_shares_a_network_is_probed_there_and_follows_its_owner(
    daemon: Daemon, web: Build, unique: Callable[[str], str], busybox_image: str
) -> None:
    name = unique("shop")

    def shop(mode: str) -> dict[str, Any]:
        owner = {"volumes": ["/shared"], "environment": {"MODE": mode}}
        sharing = {
            "network_mode": "service:db",
            "volumes_from": ["db:ro"],
            "pid": "service:db",
            "command": ["httpd", "-f", "-p", "81", "-h", "/www"],
        }
        side = web("side", prefix=name, container=sharing)
        side["health_check"] = {"type": "tcp", "port_key": "81"}
        return stack(name, side, web("db", prefix=name, container=owner))

    daemon.settle(name, shop("one"))
    owner, side = f"{name}_db", f"{name}_side"
    shown = daemon.container(side)["HostConfig"]
    assert shown["NetworkMode"] == shown["PidMode"] == f"container:{daemon.container(owner)['Id']}"
    first = daemon.run_of(side)
    daemon.write(name, shop("two"))
    daemon.until(
        lambda: daemon.settled(name) and daemon.run_of(side) != first and daemon.fact(name, "side_ready") == "Y",
        "the one that shares to follow",
    )
    shown = daemon.container(side)["HostConfig"]
    assert shown["NetworkMode"] == f"container:{daemon.container(owner)['Id']}"


def test_a_name_that_is_no_chunk_is_told_before_anything_is_touched(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    side = web("side", prefix=name, container={"network_mode": "service:dbb"})
    daemon.write(name, stack(name, side, web("db", prefix=name)))
    daemon.until(lambda: bool(daemon.view()["domains"]), "the file to be read")
    (domain,) = daemon.view()["domains"]
    (error,) = domain["errors"]
    assert "did you mean 'db'" in error["message"]
    assert error["path"].endswith("container.network_mode")
    assert daemon.names(name) == []
