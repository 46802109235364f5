"""Names that scripts and data hang on stay; those that a domain can't have are mapped, and told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.converting import names
from reconciler.intent.field_readers import named
from tests.unit.compose.converting.build import chunks, converted, service, told


def test_a_container_is_called_as_compose_calls_it() -> None:
    conversion = converted({"web": service(), "db": service(container_name="the_db"), "many": service(scale=2)})
    called = {name: chunk["container"]["name"] for name, chunk in chunks(conversion).items()}
    assert called == {"web": "shop-web-1", "db": "the_db", "many": "shop-many"}  # pnr numbers copies itself


def test_the_domain_is_called_as_the_project() -> None:
    assert converted({"web": service()}, name="my-shop_2").document["name"] == "my-shop_2"


def test_networks_and_volumes_keep_their_names_in_the_engine() -> None:
    data = {"type": "volume", "source": "data", "target": "/data"}
    conversion = converted({"web": service(volumes=[data])}, volumes={"data": {"name": "shop_data", "driver": "local"}})
    assert conversion.document["networks"] == {"default": {"name": "shop_default"}}
    assert conversion.document["volumes"] == {"data": {"name": "shop_data", "driver": "local"}}


def test_a_service_whose_name_no_chunk_can_have_is_mapped_and_known_by_its_own_name() -> None:
    conversion = converted({"_web": service(networks={"default": {"aliases": ["w"]}})})
    chunk = chunks(conversion)["web"]
    assert chunk["container"]["networks"] == {"default": {"aliases": ["_web", "w"]}}
    assert chunk["container"]["name"] == "shop-_web-1"
    assert told(conversion) == [("services._web", "NameChanged")]


def test_a_volume_with_a_name_of_one_letter_goes_on_being_used() -> None:
    conversion = converted(
        {"web": service(volumes=[{"type": "volume", "source": "v", "target": "/data"}])},
        volumes={"v": {"name": "shop_v"}},
    )
    ((own, declared),) = conversion.document["volumes"].items()
    assert declared == {"name": "shop_v"}
    assert chunks(conversion)["web"]["container"]["volumes"] == [f"{own}:/data"]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80), unique=True))
def test_every_name_has_a_usable_one_of_its_own(originals: list[str]) -> None:
    found = names.usable(originals)
    read = named("name")
    assert list(found) == originals or set(found) == set(originals)
    assert len(set(found.values())) == len(originals)
    assert all(read(name) == name for name in found.values())


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", fullmatch=True)))
def test_every_chunk_has_a_fact_of_its_own(chunk_names: list[str]) -> None:
    taken: set[str] = set()
    read = named("key")
    keys = [names.fact_key(name, "completed", taken) for name in chunk_names]
    assert len(set(keys)) == len(keys)
    assert all(read(key) == key for key in keys)
