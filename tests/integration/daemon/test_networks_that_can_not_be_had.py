"""Networks that an engine refuses or has twice, addresses that somebody has, names that two domains want: for real."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

from reconciler.engine.docker import sdk
from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


class Theirs:
    """Networks and containers of somebody else."""

    def __init__(self, api: APIClient, image: str) -> None:
        self.api = api
        self._image = image
        self._networks: list[str] = []
        self._containers: list[str] = []

    def network(self, name: str, *, unique: bool = True, **more: Any) -> str:
        """Make one, also where there is one of that name; "" where the engine allows only one."""
        body = {"Name": name, "CheckDuplicate": unique, **more}
        try:
            made = sdk.post_json(self.api, "/networks/create", body=body).json()
        except APIError as error:
            if unique or error.status_code != 409:
                raise
            return ""
        self._networks.append(str(made["Id"]))
        return str(made["Id"])

    def container(self, name: str, network: str, address: str) -> None:
        """Run one in a network."""
        ends = {network: {"IPAMConfig": {"IPv4Address": address}}}
        config = {
            "Image": self._image,
            "Cmd": ["sleep", "3600"],
            "HostConfig": {"NetworkMode": network},
            "NetworkingConfig": {"EndpointsConfig": ends},
        }
        self._containers.append(name)
        self.api.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
        self.api.start(name)

    def clear(self) -> None:
        """Remove what is left of them."""
        for name in self._containers:
            try:
                self.api.remove_container(name, force=True)
            except NotFound:
                continue
        for id in self._networks:
            try:
                self.api.remove_network(id)
            except NotFound:
                continue


@pytest.fixture
def theirs(docker_api: APIClient, busybox_image: str) -> Iterator[Theirs]:
    made = Theirs(docker_api, busybox_image)
    yield made
    made.clear()


def end(daemon: Daemon, container: str, network: str) -> dict[str, Any]:
    """How a container is connected to a network, {} where it is not."""
    try:
        return dict(daemon.container(container)["NetworkSettings"]["Networks"].get(network) or {})
    except NotFound:
        return {}


def net() -> str:
    return f"10.{random.randint(130, 250)}.{random.randint(0, 250)}"


def lan(subnet: str, **more: Any) -> dict[str, Any]:
    return {"lan": {"ipam": {"config": [{"subnet": subnet}]}, **more}}


def test_a_network_that_the_engine_refuses_leaves_or_brings_back_what_was_there(
    theirs: Theirs, daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, begin = unique("shop"), net()
    api, other, network = f"{name}_api", f"{name}_other", f"pnr_{name}_lan"

    def document(subnet: str, address: str, **more: Any) -> dict[str, Any]:
        joined = {"lan": {"aliases": ["store"], "ipv4_address": address}}
        chunks = [
            web("api", prefix=name, container={"networks": joined}),
            web("other", prefix=name, container={"networks": ["lan"]}),
        ]
        return stack(name, *chunks, networks=lan(subnet, **more))

    def stays_as_it_was(reason: str) -> None:
        def is_told() -> bool:
            chunk = daemon.chunk(name, "api")
            return (chunk["state"], chunk["reason"]) == ("failed", "RolledBack") and reason in chunk["message"]

        daemon.until(is_told, "the failure to be told")
        daemon.until(lambda: bool(end(daemon, api, network) and end(daemon, other, network)), "all to be connected")
        assert end(daemon, api, network)["IPAddress"] == f"{begin}.9"
        assert "store" in end(daemon, api, network)["Aliases"]
        assert end(daemon, other, network)["IPAddress"].startswith(f"{begin}.")
        assert (daemon.run_of(api), daemon.run_of(other)) == runs
        assert daemon.fact(name, "api_ready") == "Y"

    daemon.settle(name, document(f"{begin}.0/25", f"{begin}.9"))
    runs = daemon.run_of(api), daemon.run_of(other)
    made = daemon.api.inspect_network(network)["Id"]
    occupied = unique("occupied")
    theirs.network(occupied, IPAM={"Config": [{"Subnet": f"{begin}.128/25"}]})
    daemon.write(name, document(f"{begin}.128/26", f"{begin}.137"))
    stays_as_it_was(f"overlaps with {begin}.128/25 of network {occupied}")
    # Nothing of it can be tried beside the present one: the engine refuses when that one is gone.
    options = {"driver_opts": {"com.docker.network.driver.mtu": "much"}}
    assert daemon.api.inspect_network(network)["Id"] == made
    daemon.write(name, document(f"{begin}.0/25", f"{begin}.9", **options))
    stays_as_it_was("com.docker.network.driver.mtu")
    brought_back = daemon.api.inspect_network(network)["Id"]
    assert brought_back != made
    # This can: nobody is disconnected to find out.
    elsewhere = net()
    daemon.write(name, document(f"{elsewhere}.0/25", f"{elsewhere}.9", **options))
    stays_as_it_was("com.docker.network.driver.mtu")
    daemon.settle(name, document(f"{begin}.0/25", f"{begin}.9"))
    assert daemon.api.inspect_network(network)["Id"] == brought_back
    assert (daemon.run_of(api), daemon.run_of(other)) == runs
    assert [n["Name"] for n in daemon.api.networks(filters={"label": f"io.pnr.domain={name}"})] == [network]


def test_two_networks_of_one_name_become_one_and_none_is_left_when_the_domain_goes(
    theirs: Theirs, daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api, network = f"{name}_api", f"pnr_{name}"
    document = stack(name, web("api", prefix=name))

    def ids() -> list[str]:
        return [str(n["Id"]) for n in daemon.api.networks(names=[network]) if n["Name"] == network]

    daemon.settle(name, document)
    run, (own,) = daemon.run_of(api), ids()
    theirs.network(network, unique=False, Labels={"io.pnr.domain": name})
    daemon.until(lambda: ids() == [own] and daemon.settled(name), "the second one to go")
    assert daemon.run_of(api) == run
    foreign = theirs.network(network, unique=False)
    if foreign:  # newer engines have no two
        daemon.until(lambda: any(foreign[:12] in note for note in daemon.domain(name)["notes"]), "it to be told")
    (daemon.domains / f"{name}.json").unlink()
    daemon.until(lambda: not daemon.view()["domains"], "the domain to go")
    assert ids() == ([foreign] if foreign else [])


def test_a_fixed_address_is_had_whoever_begins_first(
    theirs: Theirs, daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, begin = unique("shop"), net()
    network, first = f"pnr_{name}_lan", f"{begin}.2"  # which is given to who asks for none
    fix, rest = f"{name}_fix", [f"{name}_d{n}" for n in range(3)]

    def document(address: str) -> dict[str, Any]:
        chunks = [web(f"d{n}", prefix=name, container={"networks": ["lan"]}) for n in range(3)]
        fixed = web("fix", prefix=name, container={"networks": {"lan": {"ipv4_address": address}}})
        return stack(name, *chunks, fixed, networks=lan(f"{begin}.0/28"))

    daemon.settle(name, document(first))
    assert end(daemon, fix, network)["IPAddress"] == first
    assert len({end(daemon, one, network)["IPAddress"] for one in (fix, *rest)}) == 4
    daemon.kill()
    for one in (fix, *rest):
        daemon.api.stop(one, timeout=0)
    for one in rest:  # as an engine does with its restart policies
        daemon.api.start(one)
    assert first in [end(daemon, one, network)["IPAddress"] for one in rest]
    runs = [daemon.run_of(one) for one in rest]
    daemon.start()
    daemon.until(lambda: end(daemon, fix, network).get("IPAddress") == first and daemon.settled(name), "its address")
    assert [daemon.run_of(one) for one in rest] == runs
    assert all(end(daemon, one, network)["IPAddress"] for one in rest)
    squatter, held = unique("squatter"), f"{begin}.12"
    theirs.container(squatter, network, held)
    daemon.write(name, document(held))
    said = f"the address {held} in network {network} is held by container {squatter}"
    daemon.until(lambda: said in daemon.chunk(name, "fix")["message"], "who holds it to be named")
    assert daemon.chunk(name, "fix")["reason"] == "AddressInUse"
    daemon.api.remove_container(squatter, force=True)
    daemon.until(lambda: end(daemon, fix, network).get("IPAddress") == held and daemon.settled(name), "its address")


def test_two_domains_in_one_network_do_not_answer_to_each_others_names(
    theirs: Theirs, daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    proxy, names = unique("proxy"), [unique("one"), unique("two")]
    theirs.network(proxy)
    daemon.allow(f'[networks]\nexternal = ["{proxy}"]')
    external = {"proxy": {"external": True, "name": proxy}}

    def aliases(name: str) -> set[str]:
        return set(end(daemon, f"{name}_db", proxy).get("Aliases") or ())

    def is_called_db(name: str) -> bool | None:
        there = aliases(name)
        return "db" in there if there else None

    def settle(name: str) -> None:
        joined = {"networks": ["default", "proxy"]}
        daemon.settle(name, stack(name, web("db", prefix=name, container=joined), networks=external))

    one, two = names
    settle(one)
    assert {"db", f"{one}-main-db"} <= aliases(one)
    run = daemon.run_of(f"{one}_db")
    settle(two)
    daemon.until(lambda: daemon.settled(one) and is_called_db(one) is False, "the name to be given up")
    assert "db" not in aliases(two)
    asked = daemon.api.exec_create(f"{one}_db", ["nslookup", "-type=a", "db"])
    answer = bytes(daemon.api.exec_start(asked["Id"])).decode()
    assert end(daemon, f"{one}_db", f"pnr_{one}")["IPAddress"] in answer
    assert end(daemon, f"{two}_db", proxy)["IPAddress"] not in answer
    assert all("have the same name db" in daemon.domain(name)["warnings"][0]["message"] for name in names)
    assert "have the same name db" in daemon.pnr("validate").stdout
    (daemon.domains / f"{two}.json").unlink()
    daemon.until(lambda: "db" in aliases(one) and daemon.settled(one), "the name to come back")
    assert daemon.run_of(f"{one}_db") == run
