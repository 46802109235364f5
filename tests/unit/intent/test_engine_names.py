"""Names that mean something else to an engine."""

from __future__ import annotations

import pytest

from tests.unit.intent.reading import declared, document, read, valid

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize("name", [ID, ID[:12], "123456789012", "deadbeefdeadbeef"])
def test_no_container_and_no_network_is_called_as_an_id_begins(name: str) -> None:
    for kind, found in (
        ("container", read(document(declared(container={"name": name})))),
        ("network", read(document(declared(), networks={"back": {"name": name}}))),
    ):
        (problem,) = found.errors
        assert problem.code == "ReservedName"
        assert problem.where.endswith(".name")
        assert f"is what the id of a {kind} looks like: choose another name" in problem.message


@pytest.mark.parametrize(
    "name", ["cafe", "db", "facade", "0123456789a", "123456789012-1", "ABCDEF123456", "deadbeefcafex"]
)
def test_other_names_of_few_letters_are_as_good_as_any(name: str) -> None:
    valid(document(declared(container={"name": name}), networks={"back": {"name": name}}))


def test_a_volume_that_has_no_name_yet_can_be_had_and_none_is_made_under_such() -> None:
    valid(document(declared(container={"volumes": ["data:/x"]}), volumes={"data": {"external": True, "name": ID}}))
    (problem,) = read(document(declared(), volumes={"data": {"name": ID}})).errors
    assert (problem.code, problem.where) == ("ReservedName", "volumes.data.name")
    valid(document(declared(), volumes={"data": {"name": ID[:63]}}))


@pytest.mark.parametrize("name", ["docker_gwbridge", "ingress", "nat"])
def test_no_network_is_made_that_engines_make_themselves(name: str) -> None:
    (problem,) = read(document(declared(), networks={"back": {"name": name}})).errors
    assert (problem.code, problem.where) == ("ReservedName", "networks.back.name")
    valid(document(declared(), networks={name: {}}))  # in the engine it is pnr_d_…


@pytest.mark.parametrize("image", [ID[:12], f"{ID[:12]}:1", "docker.io/library/abcdef012345", "sha256:abc", "sha512"])
def test_nothing_is_built_under_what_looks_like_an_images_id(image: str) -> None:
    for container in (
        {"build": "./d", "image": image},
        {"build_path": "./d", "image": image},
        {"build": {"context": "./d", "tags": [image]}, "image": "x"},
    ):
        assert "ReservedName" in [problem.code for problem in read(document(declared(container=container))).errors]
    valid(document(declared(container={"image": image})))


def test_in_networks_with_others_nobody_is_called_as_the_machine() -> None:
    named = {"networks": {"back": {"aliases": ["host.docker.internal"]}}}
    for container in ({"name": "localhost"}, {"name": "x.docker.internal"}):
        assert [problem.code for problem in read(document(declared(container=container))).errors] == ["ReservedName"]
    valid(document(declared(container=named), networks={"back": {}}))  # in a network of its own it may be meant
