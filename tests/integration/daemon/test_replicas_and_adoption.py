"""Equal copies, containers of somebody else that are taken over, and limits that change: on a real engine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

MIB = 1024**2


@pytest.fixture
def shop_name(unique: Callable[[str], str]) -> str:
    """The name of the domain, with which everything in it begins."""
    return unique("shop")


@pytest.fixture
def somebody_else(docker_api: APIClient, busybox_image: str) -> Iterator[Callable[..., str]]:
    """Runs a container as somebody else does; its id. It is removed at the end, whoever has it then."""
    made: list[str] = []

    def make(name: str, **host: Any) -> str:
        container: str = docker_api.create_container(
            busybox_image,
            ["httpd", "-f", "-p", "80", "-h", "/www"],
            name=name,
            host_config=docker_api.create_host_config(**host),
            environment={"MODE": "old"},
            stop_timeout=0,
        )["Id"]
        docker_api.start(container)
        made.append(container)
        return container

    yield make
    for left in docker_api.containers(all=True):
        if left["Id"] in made:
            docker_api.remove_container(left["Id"], force=True, v=True)


def test_copies_are_made_healed_and_scaled(daemon: Daemon, web: Build, shop_name: str) -> None:
    def shop(replicas: int, **more: Any) -> dict[str, Any]:
        copies = web("web", prefix=shop_name, replicas=replicas, **more)
        return stack(shop_name, copies, web("proxy", "web", prefix=shop_name))

    daemon.settle(shop_name, shop(2))
    names = [f"{shop_name}_web-{n}" for n in (1, 2, 3)]
    assert daemon.names(shop_name) == sorted([f"{shop_name}_proxy", *names[:2]])
    first = {name: daemon.run_of(name) for name in names[:2]}
    daemon.api.kill(names[1])
    daemon.until(lambda: daemon.run_of(names[1]) != first[names[1]] and daemon.settled(shop_name), "it to be healed")
    assert daemon.run_of(names[0]) == first[names[0]]
    second = {name: daemon.run_of(name) for name in names[:2]}
    daemon.write(shop_name, shop(3))
    daemon.until(lambda: len(daemon.names(shop_name)) == 4 and daemon.settled(shop_name), "a third copy")
    assert {name: daemon.run_of(name) for name in names[:2]} == second
    shown = daemon.chunk(shop_name, "web")
    assert sorted(copy["container"] for copy in shown["replicas"]) == names
    daemon.kill()
    daemon.start()
    daemon.until(lambda: daemon.settled(shop_name), "it to be settled after a crash")
    assert {name: daemon.run_of(name) for name in names[:2]} == second
    daemon.write(shop_name, shop(1))
    daemon.until(lambda: len(daemon.names(shop_name)) == 2 and daemon.settled(shop_name), "one copy to be left")
    assert [daemon.run_of(name) for name in names[:1] if name in daemon.names(shop_name)] in ([], [second[names[0]]])


def test_a_container_of_somebody_else_is_taken_over_as_it_is_and_stays_ours(
    daemon: Daemon, web: Build, shop_name: str, somebody_else: Callable[..., str]
) -> None:
    name = f"{shop_name}_web"
    id = somebody_else(name, mem_limit=64 * MIB)
    before = daemon.run_of(name)

    def shop(**container: Any) -> dict[str, Any]:
        declared = {"mem_limit": "64m", "environment": {"MODE": "old"}, **container}
        return stack(shop_name, web("web", prefix=shop_name, adopt=True, container=declared))

    daemon.settle(shop_name, shop())
    assert daemon.run_of(name) == before
    daemon.kill(signal.SIGKILL)
    daemon.start()
    daemon.until(lambda: daemon.settled(shop_name), "it to be known again")
    assert daemon.run_of(name) == before
    daemon.api.kill(id)
    daemon.until(lambda: daemon.run_of(name) != before and daemon.settled(shop_name), "it to be healed")
    assert daemon.container(name)["Id"] == id
    daemon.write(shop_name, shop(environment={"MODE": "new"}))
    daemon.until(lambda: daemon.run_of(name)[0] != id and daemon.settled(shop_name), "it to be replaced")
    assert daemon.container(name)["Config"]["Labels"]["io.pnr.chunk"] == "web"


def test_a_mismatched_container_is_named_with_its_differences_and_left_alone(
    daemon: Daemon, web: Build, shop_name: str, somebody_else: Callable[..., str]
) -> None:
    name = f"{shop_name}_web"
    log = {"Type": "none", "Config": {}}
    somebody_else(name, mem_limit=64 * MIB, cap_add=["NET_ADMIN"], publish_all_ports=True, log_config=log)
    before = daemon.run_of(name)
    declared = {"mem_limit": "32m"}
    daemon.write(shop_name, stack(shop_name, web("web", prefix=shop_name, adopt=True, container=declared)))
    daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "NameConflict", "the conflict to be told")
    message = daemon.chunk(shop_name, "web")["message"]
    for part in ("mem_limit: 32m declared, 64m found", "cap_add", "MODE", "--publish-all", "logging: driver"):
        assert part in message
    assert daemon.run_of(name) == before
    replacing = stack(shop_name, web("web", prefix=shop_name, adopt="replace", container=declared))
    daemon.write(shop_name, replacing)
    daemon.until(lambda: bool(daemon.domain(shop_name)["errors"]), "the policy's refusal")
    assert 'adopt = "replace"' in daemon.domain(shop_name)["errors"][0]["message"]
    daemon.allow('[domains]\nadopt = "replace"')
    daemon.until(lambda: daemon.settled(shop_name), "it to be replaced")
    assert daemon.run_of(name) != before


def test_limits_that_change_in_the_file_or_by_hand_reach_the_running_container(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    name = f"{shop_name}_web"

    def shop(limit: str) -> dict[str, Any]:
        return stack(shop_name, web("web", prefix=shop_name, container={"mem_limit": limit}))

    def memory() -> int:
        return int(daemon.container(name)["HostConfig"]["Memory"])

    daemon.settle(shop_name, shop("64m"))
    before = daemon.run_of(name)
    daemon.write(shop_name, shop("96m"))
    daemon.until(lambda: memory() == 96 * MIB and daemon.settled(shop_name), "the new limit")
    daemon.api.update_container(name, mem_limit=128 * MIB, memswap_limit=256 * MIB)
    daemon.until(lambda: memory() == 96 * MIB and daemon.settled(shop_name), "the limit to be set back")
    assert daemon.run_of(name) == before
    daemon.until(
        lambda: any("mem_limit: 96m declared, 128m found" in e.get("message", "") for e in daemon.journal()),
        "the difference to be named",
    )
