"""A connection that is edited into one that the engine refuses, for real: nobody is left without the one there was."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import APIClient

from reconciler.cli.explain import explain
from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def theirs(docker_api: APIClient, unique: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Makes networks of somebody else, with a subnet or with the one that the engine chooses."""
    made: list[str] = []

    def make(what: str, *subnets: str) -> str:
        name = unique(what)
        ipam = {"Config": [{"Subnet": subnet} for subnet in subnets]} if subnets else None
        docker_api.create_network(name, ipam=ipam)  # type: ignore[arg-type]
        made.append(name)
        return name

    yield make
    for name in made:
        docker_api.remove_network(name)


def net() -> str:
    return f"10.{random.randint(130, 250)}.{random.randint(0, 250)}"


def interfaces(daemon: Daemon, container: str) -> set[str]:
    """What the container itself has, besides the loopback."""
    api = daemon.api
    command = api.exec_create(container, ["busybox", "ls", "/sys/class/net"])
    return set(api.exec_start(command["Id"]).decode().split()) - {"lo"}


def endpoint(daemon: Daemon, container: str, network: str) -> dict[str, Any]:
    found = daemon.container(container)["NetworkSettings"]["Networks"].get(network) or {}
    return dict(found) if found.get("EndpointID") else {}


@pytest.mark.parametrize(
    ("has_subnet", "edit", "reason", "said"),
    [
        (True, {"ipv4_address": "10.129.0.9"}, "AddressImpossible", "is in none of its subnets"),
        (True, {"ipv4_address": "{net}.1"}, "AddressInUse", "is that of the network's own gateway"),
        (True, {"ipv6_address": "fd00:9::7"}, "AddressImpossible", "has no IPv6 addresses"),
        (True, {"link_local_ips": ["10.0.0.9"]}, "RolledBack", "invalid link local IP address: 10.0.0.9"),
        (False, {"ipv4_address": "{chosen}.77"}, "RolledBack", "networks with user configured subnets"),
    ],
)
def test_a_refused_edit_leaves_a_container_connected_and_is_told(
    has_subnet: bool,
    edit: dict[str, Any],
    reason: str,
    said: str,
    theirs: Callable[..., str],
    daemon: Daemon,
    web: Build,
    unique: Callable[[str], str],
) -> None:
    begin = net()
    network = theirs("lan", f"{begin}.0/24") if has_subnet else theirs("lan")
    chosen = daemon.api.inspect_network(network)["IPAM"]["Config"][0]["Subnet"].rpartition(".")[0]
    name = unique("shop")
    api = f"{name}_api"

    def filled(value: Any) -> Any:
        return value.format(net=begin, chosen=chosen) if isinstance(value, str) else value

    def document(**more: Any) -> dict[str, Any]:
        joined = {"lan": {"aliases": ["store"], **{key: filled(value) for key, value in more.items()}}}
        networks = {"lan": {"external": True, "name": network}}
        return stack(name, web("api", prefix=name, container={"networks": joined}), networks=networks)

    was = {"ipv4_address": f"{begin}.9"} if has_subnet else {}
    daemon.settle(name, document(**was))
    run, address = daemon.run_of(api), endpoint(daemon, api, network)["IPAddress"]
    daemon.write(name, document(**edit))
    daemon.until(lambda: daemon.chunk(name, "api")["reason"] == reason, "the refusal to be told")
    assert said in daemon.chunk(name, "api")["message"]
    assert daemon.chunk(name, "api")["state"] == "failed"
    assert daemon.fact(name, "api_ready") == "Y"
    assert said in explain(daemon.view(), f"{name}/main/api").splitlines()[0]
    there = endpoint(daemon, api, network)
    assert there["IPAddress"] == address or not has_subnet
    assert "store" in there["Aliases"]
    assert len(interfaces(daemon, api)) == 1
    assert daemon.run_of(api) == run
    done = [entry["message"] for entry in daemon.journal() if entry["kind"] == "action"]
    assert len([one for one in done if one.startswith("disconnected")]) == (1 if reason == "RolledBack" else 0)
    # What it has now an engine can start it again with.
    daemon.api.restart(api, timeout=0)
    daemon.until(lambda: bool(endpoint(daemon, api, network)), "the container to be connected again")
    daemon.settle(name, document(**was))
    assert endpoint(daemon, api, network)["IPAddress"] == address or not has_subnet
