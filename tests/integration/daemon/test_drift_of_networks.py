"""Networks and volumes changed behind our back, on a real engine: put right, or told, and never taken from others."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def by_hand(docker_api: APIClient) -> Iterator[Callable[[str], str]]:
    """Makes networks that are somebody else's; those that are left are removed at the end, when the daemon is gone."""
    made: list[str] = []

    def make(name: str) -> str:
        docker_api.create_network(name)
        made.append(name)
        return name

    yield make
    for name in made:
        try:
            docker_api.remove_network(name)
        except APIError as error:
            if error.status_code != 404:
                raise


def connections(daemon: Daemon, container: str) -> dict[str, Any]:
    return dict(daemon.container(container)["NetworkSettings"]["Networks"])


def vanish(daemon: Daemon, network: str, *containers: str) -> None:
    """Somebody removes a network that running containers have."""
    with daemon.asleep():
        for container in containers:
            daemon.api.disconnect_container_from_network(container, network, force=True)
        daemon.api.remove_network(network)


def two_networks(name: str, web: Build, **chunk: Any) -> tuple[dict[str, Any], str]:
    subnet = f"10.{random.randint(130, 250)}.{random.randint(0, 250)}"
    back = {"aliases": ["store"], "ipv4_address": f"{subnet}.9"}
    api = web("api", prefix=name, container={"networks": {"default": None, "back": back}}, **chunk)
    return stack(name, api, networks={"back": {"ipam": {"config": [{"subnet": f"{subnet}.0/24"}]}}}), f"{subnet}.9"


def test_a_container_is_connected_as_declared_whatever_somebody_does(
    by_hand: Callable[[str], str], daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api, own, back = f"{name}_api", f"pnr_{name}", f"pnr_{name}_back"
    document, address = two_networks(name, web)
    daemon.settle(name, document)
    run = daemon.run_of(api)

    def as_declared() -> bool:
        found = connections(daemon, api)
        end = found.get(back) or {}
        right = end.get("IPAddress") == address and "store" in (end.get("Aliases") or ())
        return set(found) == {own, back} and right and daemon.settled(name)

    assert as_declared()
    daemon.api.disconnect_container_from_network(api, back, force=True)
    daemon.until(as_declared, "the connection to come back")
    assert f"is not connected to {back}" in [entry["message"] for entry in daemon.journal()]
    daemon.kill()  # it would be quicker than the two calls
    daemon.api.disconnect_container_from_network(api, back)
    daemon.api.connect_container_to_network(api, back, aliases=["thief"])
    daemon.start()
    daemon.until(as_declared, "the address and the alias to come back")
    extra = by_hand(unique("extra"))
    daemon.api.connect_container_to_network(api, extra)
    undone = f"is connected to {extra}, which is not declared"
    daemon.until(
        lambda: any(undone in entry["message"] for entry in daemon.journal()), "what was not declared to be told"
    )
    daemon.until(as_declared, "what was not declared to go")
    with daemon.asleep():
        daemon.api.rename(api, f"{api}_other")
        daemon.api.pause(f"{api}_other")
    daemon.until(lambda: daemon.names(name) == [api] and as_declared(), "the name to come back")
    assert daemon.container(api)["State"]["Paused"] is False
    assert daemon.run_of(api) == run
    causes = [entry["message"] for entry in daemon.journal() if entry["kind"] == "work"]
    assert any("alias api, store missing; alias thief not declared; ipv4_address" in cause for cause in causes)


def test_connections_are_left_alone_where_that_is_wanted(
    by_hand: Callable[[str], str], daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api = f"{name}_api"
    document, _ = two_networks(name, web, ignore_drift=["networks"])
    daemon.settle(name, document)
    extra = by_hand(unique("extra"))
    daemon.api.connect_container_to_network(api, extra)
    daemon.kill()
    daemon.start()
    daemon.until(lambda: daemon.settled(name), "the domain to settle")
    assert extra in connections(daemon, api)


def test_a_network_that_somebody_put_in_the_place_of_ours_is_told_and_not_joined(
    by_hand: Callable[[str], str], daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api, back = f"{name}_api", f"pnr_{name}_back"
    document, address = two_networks(name, web)
    daemon.settle(name, document)
    run = daemon.run_of(api)
    daemon.kill()
    daemon.api.disconnect_container_from_network(api, back, force=True)
    daemon.api.remove_network(back)
    by_hand(back)
    daemon.start()
    daemon.until(lambda: daemon.chunk(name, "api")["reason"] == "NameConflict", "the conflict to be told")
    assert f"the network name {back} is held by" in daemon.chunk(name, "api")["message"]
    assert back not in connections(daemon, api)
    assert any("which was not made by pnr; remove or rename it" in note for note in daemon.domain(name)["notes"])
    daemon.api.remove_network(back)
    daemon.until(
        lambda: (connections(daemon, api).get(back) or {}).get("IPAddress") == address and daemon.settled(name),
        "ours to be made and joined",
    )
    assert daemon.run_of(api) == run


def test_a_volume_of_somebody_else_under_our_name_is_not_used(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    volume = f"{name}_data"
    daemon.api.create_volume(volume)
    try:
        daemon.write(name, stack(name, web("api", prefix=name, container={"volumes": ["data:/data"]})))
        daemon.until(lambda: daemon.chunk(name, "api")["reason"] == "NameConflict", "the conflict to be told")
        assert "held by a volume that was not made by pnr" in daemon.chunk(name, "api")["message"]
        assert daemon.names(name) == []
    finally:
        daemon.api.remove_volume(volume)
    daemon.until(lambda: daemon.settled(name), "it to be made when the name is free")
    labels = daemon.api.inspect_volume(volume)["Labels"]
    assert labels["io.pnr.domain"] == name


def test_a_volume_whose_declaration_changed_serves_until_a_person_removes_it(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api, volume = f"{name}_api", f"{name}_data"

    def document(release: str, **data: Any) -> dict[str, Any]:
        container = {"volumes": ["data:/data"], "environment": {"RELEASE": release}}
        return stack(name, web("api", prefix=name, container=container), volumes={"data": data})

    def content() -> str:
        ask = daemon.api.exec_create(api, ["sh", "-c", "cat /data/kept 2>/dev/null"])
        return bytes(daemon.api.exec_start(ask["Id"])).decode()

    daemon.settle(name, document("1"))
    write = daemon.api.exec_create(api, ["sh", "-c", "echo precious >/data/kept"])
    daemon.api.exec_start(write["Id"])
    made, run = daemon.api.inspect_volume(volume), daemon.run_of(api)
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    daemon.settle(name, document("1", driver_opts=options, labels={"team": "shop"}))
    assert daemon.run_of(api) == run
    daemon.settle(name, document("2", driver_opts=options, labels={"team": "shop"}))
    assert "RELEASE=2" in daemon.container(api)["Config"]["Env"]
    assert content() == "precious\n"
    daemon.api.remove_container(api, force=True)
    daemon.until(lambda: daemon.names(name) == [api] and daemon.settled(name), "the container to come back")
    assert content() == "precious\n"
    assert daemon.api.inspect_volume(volume) == made
    assert daemon.chunk(name, "api")["reason"] == "Healthy"
    (note,) = daemon.domain(name)["notes"]
    assert note.startswith(f"volume {volume} is not as declared (driver_opts device: tmpfs declared, nothing found;")
    assert "labels team: shop declared, nothing found" in note
    assert "is used as it is" in daemon.pnr("status").stdout
    assert [entry["message"] for entry in daemon.journal() if "volume name" in entry.get("message", "")] == []
    # What the note says that can be done about it.
    assert f"`pnr down {name}`, `docker volume rm {volume}`, `pnr apply {name}`" in note
    assert daemon.pnr("down", name).returncode == 0
    daemon.api.remove_volume(volume)
    assert daemon.pnr("apply", name, "--wait").returncode == 0
    assert daemon.api.inspect_volume(volume)["Options"] == options
    assert content() == ""
    assert daemon.domain(name)["notes"] == []


def test_what_is_external_is_waited_for_by_name_and_stays_when_the_domain_goes(
    by_hand: Callable[[str], str], daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, lan = unique("shop"), unique("lan")
    daemon.allow(f'[networks]\nexternal = ["{lan}"]')
    api = web("api", prefix=name, container={"networks": ["lan"]})
    file = daemon.write(name, stack(name, api, networks={"lan": {"external": True, "name": lan}}))
    daemon.until(
        lambda: f"network {lan}, which is declared external and does not exist" in daemon.chunk(name, "api")["message"],
        "the missing network to be named",
    )
    by_hand(lan)
    daemon.until(lambda: daemon.settled(name), "the domain to settle")
    assert set(connections(daemon, f"{name}_api")) == {lan}
    file.unlink()
    daemon.until(lambda: not daemon.view()["domains"], "the domain to go")
    assert daemon.api.networks(names=[lan])


def test_an_external_resource_that_vanishes_is_named_and_its_return_restarts_nothing(
    by_hand: Callable[[str], str], daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, lan = unique("shop"), by_hand(unique("lan"))
    daemon.allow(f'[networks]\nexternal = ["{lan}"]')
    api, front = f"{name}_api", f"{name}_front"
    document = stack(
        name,
        web("api", prefix=name, container={"networks": ["lan"]}),
        web("front", prefix=name, container={"networks": ["default", "lan"]}),
        networks={"lan": {"external": True, "name": lan}},
    )
    for chunk in document["cpuxs"]["main"]["design_chunks"]:
        chunk["health_check"] |= {"interval_seconds": 1, "failure_threshold": 1}
    daemon.settle(name, document)
    runs = daemon.run_of(api), daemon.run_of(front)
    vanish(daemon, lan, api, front)
    said = (
        f"waiting for network {lan}, which is declared external and does not exist; what to do: make it"
        f" (`docker network create {lan}`), or correct its name in the domain file"
    )

    def told() -> list[tuple[str, str, str]]:
        chunks = [daemon.chunk(name, chunk) for chunk in ("api", "front")]
        return [(chunk["state"], chunk["reason"], chunk["message"]) for chunk in chunks]

    daemon.until(lambda: told() == [("failed", "ExternalMissing", said)] * 2, "it to be told of both")
    daemon.until(lambda: daemon.fact(name, "api_ready") == "N", "the container that nobody reaches to be found so")
    assert daemon.fact(name, "front_ready") == "Y"
    assert daemon.pnr("apply", "--wait").returncode == 1
    by_hand(lan)
    daemon.until(lambda: daemon.settled(name) and daemon.fact(name, "api_ready") == "Y", "it to be joined again")
    assert (set(connections(daemon, api)), lan in connections(daemon, front)) == ({lan}, True)
    assert (daemon.run_of(api), daemon.run_of(front)) == runs


def test_a_volume_that_goes_with_its_container_is_made_again_or_if_external_awaited(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name, theirs = unique("shop"), unique("theirs")
    daemon.allow(f'[volumes]\nexternal = ["{theirs}"]')
    api, front, own = f"{name}_api", f"{name}_front", f"{name}_data"
    document = stack(
        name,
        web("api", prefix=name, container={"volumes": ["data:/data"]}),
        web("front", prefix=name, container={"volumes": ["theirs:/data"]}),
        volumes={"data": {}, "theirs": {"external": True, "name": theirs}},
    )
    daemon.api.create_volume(theirs)
    try:
        daemon.settle(name, document)
        with daemon.asleep():
            for container, volume in ((api, own), (front, theirs)):
                daemon.api.remove_container(container, force=True)
                daemon.api.remove_volume(volume)
        said = (
            f"waiting for volume {theirs}, which is declared external and does not exist; what to do: make it"
            f" (`docker volume create {theirs}`), or correct its name in the domain file"
        )
        daemon.until(lambda: daemon.chunk(name, "front")["message"] == said, "what is missing to be told")
        assert daemon.chunk(name, "front")["reason"] == "ExternalMissing"
        daemon.until(lambda: daemon.chunk(name, "api")["state"] == "completed", "the own volume to be recreated")
        assert daemon.names(name) == [api]
        assert daemon.api.inspect_volume(own)["Labels"]["io.pnr.domain"] == name
        daemon.api.create_volume(theirs)
        daemon.until(lambda: daemon.settled(name), "the domain to settle")
        assert daemon.names(name) == [api, front]
    finally:
        with daemon.asleep():
            if front in daemon.names(name):
                daemon.api.remove_container(front, force=True)
            daemon.api.remove_volume(theirs)
