"""Images, networks and volumes that another domain has, or nobody known: on a real engine, through the whole daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound

from tests.integration.daemon.conftest import Build, Daemon, daemon, stack, web
from tests.integration.policy.conftest import Town

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

__all__ = ["daemon", "web"]


@pytest.fixture
def image(docker_api: APIClient, busybox_image: str, unique: Callable[[str], str]) -> Iterator[str]:
    """A name of an image that somebody else has put there. It comes before the daemon, and goes after it."""
    name = unique("theirs")
    docker_api.tag(busybox_image, name, "1")
    yield f"{name}:1"
    for left in docker_api.images(filters={"label": f"test={name}"}):
        docker_api.remove_image(left["Id"], force=True)
    try:
        docker_api.remove_image(f"{name}:1", force=True)
    except NotFound:
        return


def built(daemon: Daemon, base: str, test: str) -> str:
    """A directory to build from."""
    source = daemon.domains / "app"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {base}\nLABEL test={test}\n")
    return "./app"


def recorded(daemon: Daemon) -> dict[str, str]:
    """For whom images were built, by pnr's own record."""
    try:
        return dict(json.loads((daemon.state / "images.json").read_text())["built"])
    except FileNotFoundError:
        return {}


def errors(daemon: Daemon, file: str) -> list[dict[str, Any]]:
    """What is wrong with a file."""
    return [e for d in daemon.view()["domains"] if d["file"] == f"{file}.json" for e in d["errors"]]


def test_what_another_builds_under_the_name_of_what_runs_is_never_run(
    image: str, daemon: Daemon, web: Build, busybox_image: str, unique: Callable[[str], str]
) -> None:
    shop, evil = unique("shop"), unique("evil")
    context = built(daemon, busybox_image, image.partition(":")[0])
    attack = web("web", prefix=evil, container={"image": image, "build": context})
    # Nobody uses it yet: the policy gives the name to nobody.
    daemon.write(evil, json.dumps(stack(evil, attack), indent=1))
    daemon.until(lambda: bool(errors(daemon, evil)), "the refusal")
    (error,) = errors(daemon, evil)
    assert error["code"] == "PolicyRefused"
    assert error["path"].endswith("container.image")
    assert f'names = ["...", "{image}"]' in error["message"]
    # With a policy that gives every name: one domain builds it first, the other one comes to use it.
    daemon.allow('[builds]\nnames = ["*"]')
    daemon.until(lambda: bool(recorded(daemon)), "it to be built", limit=120)
    id = daemon.api.inspect_image(image)["Id"]  # type: ignore[no-untyped-call]
    assert daemon.api.inspect_image(image)["Config"]["Labels"]["io.pnr.built-by"] == evil  # type: ignore[no-untyped-call]
    assert recorded(daemon) == {id: evil}
    daemon.write(shop, stack(shop, web("web", prefix=shop, container={"image": image})))
    daemon.until(lambda: daemon.chunk(shop, "web")["reason"] == "PolicyRefused", "the image to be refused")
    assert "images.of_domains" in daemon.chunk(shop, "web")["message"]
    assert daemon.names(shop) == []


def test_a_tag_that_another_domain_moved_leaves_what_runs_alone(
    image: str, daemon: Daemon, web: Build, busybox_image: str, unique: Callable[[str], str]
) -> None:
    shop, evil = unique("shop"), unique("evil")
    daemon.settle(shop, stack(shop, web("web", prefix=shop, container={"image": image})))
    before = daemon.run_of(f"{shop}_web")
    context = built(daemon, busybox_image, image.partition(":")[0])
    own = f"{evil}-web:1"
    daemon.write(evil, stack(evil, web("web", prefix=evil, container={"image": own, "build": context})))
    daemon.until(lambda: bool(recorded(daemon)), "it to be built", limit=120)
    repository, _, tag = image.partition(":")
    daemon.api.tag(own, repository, tag)  # whatever way it took
    daemon.until(lambda: f"domain {evil} has built it" in daemon.chunk(shop, "web")["image_moved"], "it to be told")
    assert daemon.pnr("apply", shop, "--wait").returncode == 0
    assert daemon.run_of(f"{shop}_web") == before
    assert "Its tag has moved, and what runs stays as it is" in daemon.pnr("why", f"{shop}/main/web").stdout


def test_networks_and_volumes_are_had_where_their_owner_shares_them(
    town: Town, web: Build, unique: Callable[[str], str]
) -> None:
    daemon = town.daemon
    infra, shop = unique("infra"), unique("shop")
    lan, data = unique("lan"), unique("data")

    def owner(*shared_with: str) -> dict[str, Any]:
        shared = {"shared_with": list(shared_with)}
        chunk = web("web", prefix=infra, container={"networks": ["lan"], "volumes": ["data:/d"]})
        networks, volumes = {"lan": {"name": lan, **shared}}, {"data": {"name": data, **shared}}
        return stack(infra, chunk, networks=networks, volumes=volumes)

    asking = stack(
        shop,
        web("web", prefix=shop, container={"networks": ["default", "lan"], "volumes": ["data:/d"]}),
        networks={"lan": {"name": lan, "external": True}},
        volumes={"data": {"name": data, "external": True}},
    )
    daemon.settle(infra, owner())
    before = daemon.run_of(f"{infra}_web")
    daemon.write(shop, json.dumps(asking, indent=1))
    daemon.until(lambda: len(errors(daemon, shop)) == 2, "both to be refused")
    assert {error["path"] for error in errors(daemon, shop)} == {"networks.lan", "volumes.data"}
    assert all(f'"shared_with": ["{shop}"]' in error["message"] for error in errors(daemon, shop))
    daemon.write(infra, owner(shop))
    daemon.until(lambda: daemon.settled(shop), "what is shared to be had")
    assert lan in daemon.container(f"{shop}_web")["NetworkSettings"]["Networks"]
    assert daemon.run_of(f"{infra}_web") == before
    generation = daemon.domain(infra)["generation"]
    # No more: what runs goes on, and is told; it is not recreated.
    daemon.write(infra, owner("another"))
    daemon.until(lambda: len(errors(daemon, shop)) == 2, "it to be told")
    assert daemon.domain(infra)["generation"] == generation
    assert daemon.names(shop) == [f"{shop}_web"]
    daemon.api.remove_container(f"{shop}_web", force=True)
    daemon.until(lambda: daemon.chunk(shop, "web")["reason"] == "PolicyRefused", "the refusal at the engine")
    assert "external = " in daemon.chunk(shop, "web")["message"]
