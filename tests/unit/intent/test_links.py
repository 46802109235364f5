"""Links: names by which one container knows others, and the order that they bring."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.model import ContainerSpec, Domain
from reconciler.intent.settings import payload
from reconciler.intent.settings.endpoints import difference, from_api
from reconciler.intent.settings.links import read as read_links
from reconciler.intent.settings.references import awaited, must_run
from reconciler.planner.ordering import dependencies
from tests.unit.intent.reading import check, declared, document, messages, read, valid


def shop(web: dict[str, Any], db: dict[str, Any] | None = None, **top: Any) -> Domain:
    return valid(document(declared("db", **(db or {})), declared("web", container=web), **top))


def spec_of(domain: Domain, name: str = "web") -> ContainerSpec:
    return next(chunk.container for chunk in domain.chunks() if chunk.id.chunk == name)


def test_links_are_names_that_only_this_container_knows_in_each_of_its_networks() -> None:
    web = {"networks": ["default", "back"], "links": ["db", "db:database"], "external_links": ["old:legacy"]}
    spec = spec_of(shop(web, networks={"back": None}))
    links = ["d-main-db-1:database", "d-main-db-1:db", "old:legacy"]
    assert spec.endpoints == {"pnr_d": {"links": links}, "pnr_d_back": {"links": links}}
    assert "links" not in spec.settings
    sent = payload(spec, all_networks=True)["NetworkingConfig"]["EndpointsConfig"]
    assert [sent[network]["Links"] for network in sent] == [links, links]
    assert "Links" not in payload(spec)["HostConfig"]


def test_a_link_to_a_chunk_with_copies_leads_to_each_of_them() -> None:
    spec = spec_of(shop({"links": ["db:store"]}, {"replicas": 2, "container": {"name": "store"}}))
    assert spec.endpoints["pnr_d"]["links"] == ["store-1:store", "store-2:store"]


@pytest.mark.parametrize(
    "web",
    [
        {"network_mode": "bridge", "links": ["db:store"], "external_links": ["old"]},
        {"networks": ["lan"], "links": ["db:store"], "external_links": ["old"]},
    ],
)
def test_on_the_engines_own_bridge_links_are_legacy_and_their_containers_must_run(web: dict[str, Any]) -> None:
    spec = spec_of(shop(web, networks={"lan": {"external": True, "name": "bridge"}}))
    assert spec.settings["links"] == ["d-main-db-1:store", "old:old"]
    assert payload(spec)["HostConfig"]["Links"] == ["d-main-db-1:store", "old:old"]
    assert spec.endpoints == {}
    assert must_run(spec.settings) == {"d-main-db-1", "old"}


def test_a_chunk_begins_after_its_links_and_needs_no_container_of_others() -> None:
    domain = shop({"links": ["db"], "external_links": ["old"]})
    assert awaited(spec_of(domain)) == {"d-main-db-1": "links"}
    assert must_run(spec_of(domain).settings) == set()
    db, web = (chunk.id for chunk in domain.chunks())
    assert dependencies(domain.chunks())[web] == {db}


def test_what_a_link_leads_to_is_known() -> None:
    said = messages(read(document(declared("db"), declared("web", container={"links": ["dbs", "web:x"]}))))
    assert said == ["there is no chunk 'dbs' in this CPUX; did you mean 'db'?", "'web' is this chunk itself"]
    said = messages(read(document(declared(container={"links": [":x", 1], "external_links": ["a:b:c"]}))))
    assert any("'a:b:c' is not a link: expected a container such as db" in message for message in said)
    assert any("':x' is not a link" in message for message in said)
    said = messages(
        read(document(declared("db"), declared("web", container={"network_mode": "host", "links": ["db"]})))
    )
    assert said == ["with network_mode 'host' a container has no names for others: leave links out"]


def test_chunks_that_wait_for_each_others_containers_are_told() -> None:
    ring = document(declared("a", container={"links": ["b"]}), declared("b", container={"volumes_from": ["a"]}))
    (finding,) = check([valid(ring)])
    assert finding.code == "GateCycle"
    assert finding.message == (
        "none of these can ever start: a waits for the container of b (links), b waits for the container of a"
        " (volumes_from)"
    )
    assert finding.path == ("cpuxs", "main", "design_chunks", 0, "container", "links")
    mixed = document(
        declared("a", container={"links": ["b"]}, flowout={"up": {}}),
        declared("b", gatekeeper={"up": {"tv": "Y"}}),
    )
    (finding,) = check([valid(mixed)])
    assert "b waits for up from a" in finding.message


def test_a_link_that_somebody_changed_is_a_difference_of_the_connection() -> None:
    found = from_api({"Links": ["db:x"], "Aliases": ["web"]}, "1" * 64)
    assert found["links"] == ["db:x"]
    assert difference(("web",), {"links": ["db:db"]}, found, "web") == "links db:db declared, db:x found"
    assert difference(("web",), {}, found, "web") == "links none declared, db:x found"
    assert difference(("web",), {"links": ["db:x"]}, found, "web") == ""


def test_an_engine_shows_links_with_the_names_of_both() -> None:
    assert read_links({"HostConfig": {"Links": ["/db:/web/database", "/db:/web/db"]}}) == ["db:database", "db:db"]
    assert read_links({"HostConfig": {"Links": None}}) is None
