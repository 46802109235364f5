"""Names that are exchanged, owners of a network that start again, crashes that are hidden, updates that fail: on a real
engine."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def shop_name(unique: Callable[[str], str]) -> str:
    """The name of the domain, with which everything in it begins."""
    return unique("shop")


def test_names_exchanged_by_hand_or_in_the_file_are_put_right_without_a_restart(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    one, other = f"{shop_name}_one", f"{shop_name}_other"

    def shop(a: str, b: str) -> None:
        daemon.settle(
            shop_name,
            stack(
                shop_name,
                web("a", prefix=shop_name, container={"name": a}),
                web("b", prefix=shop_name, container={"name": b}),
            ),
        )

    shop(one, other)
    a, b = daemon.run_of(one), daemon.run_of(other)
    with daemon.asleep():
        daemon.api.rename(one, f"{shop_name}_third")
        daemon.api.rename(other, one)
        daemon.api.rename(f"{shop_name}_third", other)
    daemon.until(lambda: (daemon.run_of(one), daemon.run_of(other)) == (a, b), "the names to be put right")
    daemon.until(lambda: daemon.settled(shop_name), "it to settle")
    shop(other, one)
    daemon.until(lambda: (daemon.run_of(one), daemon.run_of(other)) == (b, a), "the names to be exchanged")


def test_a_container_in_the_network_of_another_follows_it_through_a_restart(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    side = web("side", prefix=shop_name, container={"network_mode": "service:db", "command": ["sleep", "86400"]})
    del side["health_check"]
    daemon.settle(shop_name, stack(shop_name, web("db", prefix=shop_name), side))

    def network(name: str) -> str:
        pid = daemon.container(f"{shop_name}_{name}")["State"]["Pid"]
        return os.readlink(f"/proc/{pid}/ns/net") if pid else ""

    def together() -> bool:
        try:
            return network("db") == network("side") != ""
        except FileNotFoundError:
            return False

    assert together()
    before = daemon.container(f"{shop_name}_side")["Id"]
    daemon.api.restart(f"{shop_name}_db", timeout=0)
    daemon.until(lambda: together() and daemon.settled(shop_name), "them to be together again")
    assert daemon.container(f"{shop_name}_side")["Id"] == before


def test_an_update_to_what_the_engine_restarts_again_and_again_is_rolled_back(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    def shop(*command: str) -> dict[str, object]:
        check = {"type": "http", "port_key": "80", "path": "/", "deadline_seconds": 8}
        container = {"restart": "unless-stopped", **({"command": list(command)} if command else {})}
        return stack(shop_name, web("web", prefix=shop_name, container=container, health_check=check))

    daemon.settle(shop_name, shop())
    before = daemon.container(f"{shop_name}_web")["Id"]
    daemon.write(shop_name, shop("sh", "-c", "sleep 1; exit 3"))
    daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "RolledBack", "the update to be rolled back", 120)
    assert daemon.container(f"{shop_name}_web")["Id"] == before
    assert daemon.container(f"{shop_name}_web")["State"]["Running"]


def test_a_container_that_serves_after_a_failed_update_is_restarted_when_unhealthy(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    name = f"{shop_name}_web"

    def shop(*command: str) -> dict[str, object]:
        # Shared memory is empty at each start.
        check = {"type": "exec", "command": ["test", "!", "-e", "/dev/shm/ill"], "interval_seconds": 1}
        container = {"command": list(command)} if command else {}
        return stack(shop_name, web("web", prefix=shop_name, container=container, health_check=check))

    daemon.settle(shop_name, shop())
    daemon.write(shop_name, shop("sh", "-c", "exit 3"))
    daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "RolledBack", "the update to be rolled back")
    daemon.until(lambda: daemon.fact(shop_name, "web_ready") == "Y", "the one before to serve")
    before = daemon.run_of(name)
    daemon.api.exec_start(daemon.api.exec_create(name, ["touch", "/dev/shm/ill"])["Id"])
    daemon.until(lambda: daemon.run_of(name) != before, "it to be started again")
    daemon.until(lambda: daemon.fact(shop_name, "web_ready") == "Y", "it to serve again")
    assert daemon.chunk(shop_name, "web")["reason"] == "RolledBack"
    assert "exit code 3" in daemon.chunk(shop_name, "web")["message"]
