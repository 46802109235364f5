"""A domain that is to take over what Compose has made already."""

from __future__ import annotations

import pytest

from reconciler.compose.converting.convert import Existing
from reconciler.compose.converting.services import Found
from tests.unit.compose.converting.build import chunks, converted, service, told

MOUNT = {"type": "volume", "source": "data", "target": "/data"}
VOLUMES = {"data": {"name": "shop_data", "labels": {"a": "b"}}}


def test_chunks_adopt_and_what_is_there_is_external() -> None:
    existing = Existing(networks={"shop_default", "bridge"}, volumes={"shop_data"})
    conversion = converted({"web": service(volumes=[MOUNT])}, volumes=VOLUMES, existing=existing)
    assert chunks(conversion)["web"]["adopt"] is True
    assert conversion.document["networks"] == {"default": {"name": "shop_default", "external": True}}
    assert conversion.document["volumes"] == {"data": {"name": "shop_data", "external": True}}


def test_what_is_not_there_yet_is_declared_as_always() -> None:
    conversion = converted({"web": service(volumes=[MOUNT])}, volumes=VOLUMES, existing=Existing())
    assert conversion.document["networks"] == {"default": {"name": "shop_default"}}
    assert conversion.document["volumes"] == {"data": {"name": "shop_data", "labels": {"a": "b"}}}


@pytest.mark.parametrize(
    ("there", "name", "replicas"),
    [
        ((), "shop-web-1", None),
        (("shop-web-1",), "shop-web-1", None),
        (("shop_web_1",), "shop_web_1", None),  # the first Compose's way
        (("0a1b2c_shop-web-1",), "0a1b2c_shop-web-1", None),
        (("shop-web-1", "shop-web-2", "shop-web-3"), "shop-web", 3),  # docker-compose up --scale
    ],
)
def test_containers_are_taken_over_by_the_names_and_in_the_number_that_they_have(
    there: tuple[str, ...], name: str, replicas: int | None
) -> None:
    conversion = converted({"web": service()}, existing=Existing(containers={"web": Found(there)}))
    chunk = chunks(conversion)["web"]
    assert chunk["container"]["name"] == name
    assert chunk.get("replicas") == replicas
    assert told(conversion) == []


def test_copies_that_are_not_numbered_from_one_are_named() -> None:
    existing = Existing(containers={"web": Found(("shop-web-2", "shop-web-5"))})
    conversion = converted({"web": service()}, existing=existing)
    assert chunks(conversion)["web"]["container"]["name"] == "shop-web"
    assert told(conversion, loss=True) == [("services.web", "NotTakenOver")]


def test_all_links_that_compose_makes_are_said_so_that_a_container_matches() -> None:
    services = {"web": service(links=["db:database"]), "db": service(), "other": service(links=["db"])}
    found = chunks(converted(services, existing=Existing()))
    assert found["web"]["container"]["links"] == ["db:database"]
    assert found["other"]["container"]["links"] == ["db:db"]


def test_otherwise_only_those_that_say_something() -> None:
    services = {"web": service(links=["db:database"]), "db": service(), "other": service(links=["db"])}
    found = chunks(converted(services))
    assert found["web"]["container"]["links"] == ["db:database"]
    assert "links" not in found["other"]["container"]


def test_volumes_of_another_service_are_as_compose_has_them_which_drops_the_mode() -> None:
    services = {"web": service(volumes_from=["db:ro", "container:other:ro"]), "db": service()}
    conversion = converted(services, existing=Existing())
    assert chunks(conversion)["web"]["container"]["volumes_from"] == ["db", "container:other:ro"]
    assert told(conversion) == [("services.web.volumes_from[0]", "Writable")]
    assert chunks(converted(services))["web"]["container"]["volumes_from"] == ["db:ro", "container:other:ro"]
