"""Links between chunks, on a real engine: names that only one container knows, and the order that they bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from docker.errors import APIError

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def found(daemon: Daemon, container: str, host: str) -> bool:
    """Whether a container reaches another's server under a name."""
    try:
        made = daemon.api.exec_create(container, ["sh", "-c", f"echo | nc -w 2 {host} 80"])
    except APIError:
        return False  # linked to a container that has gone, it answers nobody until it is recreated
    daemon.api.exec_start(made["Id"])
    return bool(daemon.api.exec_inspect(made["Id"])["ExitCode"] == 0)


def test_a_link_is_a_name_that_only_its_container_knows_and_is_put_right_in_place(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    front, db = f"{name}_front", f"{name}_db"
    linked = web("front", prefix=name, container={"links": ["db:store"], "external_links": [f"{db}:legacy"]})
    daemon.settle(name, stack(name, linked, web("db", prefix=name)))
    assert found(daemon, front, "store")
    assert found(daemon, front, "legacy")
    assert not found(daemon, db, "store")
    run = daemon.run_of(front)
    network = f"pnr_{name}"
    with daemon.asleep():
        daemon.api.disconnect_container_from_network(front, network)
        daemon.api.connect_container_to_network(front, network, aliases=["front"], links=[(db, "other")])
    daemon.until(lambda: links_of(daemon, front) == [f"{db}:legacy", f"{db}:store"], "the links to come back")
    daemon.until(lambda: daemon.settled(name), "the domain to settle")
    assert daemon.run_of(front) == run
    assert found(daemon, front, "store")


def links_of(daemon: Daemon, container: str) -> list[str]:
    connected = daemon.container(container)["NetworkSettings"]["Networks"].values()
    return sorted(link for endpoint in connected for link in endpoint.get("Links") or ())


def test_on_the_engines_own_bridge_a_link_waits_for_its_container_and_follows_it(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    front, db = f"{name}_front", f"{name}_db"

    def shop(mode: str) -> dict[str, Any]:
        linked = web("front", prefix=name, container={"network_mode": "bridge", "links": ["db:store"]})
        return stack(
            name, linked, web("db", prefix=name, container={"network_mode": "bridge", "environment": {"M": mode}})
        )

    daemon.settle(name, shop("one"))
    assert daemon.container(front)["HostConfig"]["Links"] == [f"/{db}:/{front}/store"]
    assert found(daemon, front, "store")
    first = daemon.run_of(db)
    daemon.write(name, shop("two"))
    daemon.until(
        lambda: (
            daemon.run_of(db)[0] not in ("", first[0])
            and daemon.settled(name)
            and bool(daemon.names(name) == sorted([front, db]))
        ),
        "the other to be replaced",
    )
    daemon.until(lambda: found(daemon, front, "store"), "the link to lead to the new one")
    assert daemon.container(front)["HostConfig"]["Links"] == [f"/{db}:/{front}/store"]
