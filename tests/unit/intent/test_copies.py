"""Replicas in a domain file: the copies of a chunk, their names and what may be declared of them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.model import Adopt, AutoUpdate, ChunkId, Domain, Problem
from tests.unit.intent.reading import declared, document, read, valid


def file(keys: dict[str, Any], **container: Any) -> dict[str, Any]:
    """A domain of one chunk."""
    return document(declared("web", container=container, **keys))


def load_one(keys: dict[str, Any], **container: Any) -> Domain:
    return valid(file(keys, **container))


def problems_of(keys: dict[str, Any]) -> tuple[Problem, ...]:
    return read(file(keys)).problems


def test_a_chunk_with_replicas_becomes_so_many_equal_copies() -> None:
    domain = load_one({"replicas": 3})
    copies = list(domain.chunks())
    assert [copy.id for copy in copies] == list(ChunkId("d", "main", "web").copies(3))
    assert [copy.container.name for copy in copies] == ["d-main-web-1", "d-main-web-2", "d-main-web-3"]
    assert len({copy.container.digest for copy in copies}) == 1
    assert [copy.min_ready for copy in copies] == [3, 3, 3]


def test_a_declared_name_gets_a_number_where_there_are_several() -> None:
    names = [c.container.name for c in load_one({"replicas": 2}, name="site").chunks()]
    assert names == ["site-1", "site-2"]
    assert [c.container.name for c in load_one({"replicas": 1}, name="site").chunks()] == ["site"]


def test_every_copy_is_reached_by_the_name_of_the_chunk_and_by_its_own() -> None:
    aliases = [next(iter(c.container.networks.values())) for c in load_one({"replicas": 2}).chunks()]
    assert aliases == [("web", "d-main-web-1"), ("web", "d-main-web-2")]


def test_scaling_changes_what_a_domain_means_but_not_the_containers_that_stay() -> None:
    two, three = load_one({"replicas": 2, "min_ready": 1}), load_one({"replicas": 3, "min_ready": 1})
    assert two.intent != three.intent
    assert {c.container.digest for c in two.chunks()} == {c.container.digest for c in three.chunks()}


def test_the_name_of_a_copy_can_be_read_back() -> None:
    for id in ChunkId("d", "main", "web").copies(3):
        assert ChunkId.of_unit(id.domain, id.cpux, id.unit) == id


@pytest.mark.parametrize(("said", "meant"), [(True, Adopt.MATCHING), (False, Adopt.NO), ("replace", Adopt.REPLACE)])
def test_adopt_is_yes_no_or_replace(said: Any, meant: Adopt) -> None:
    assert next(load_one({"adopt": said}).chunks()).adopt is meant


def test_auto_update_follows_the_registry_or_the_engine() -> None:
    assert next(load_one({"auto_update": "registry"}).chunks()).auto_update is AutoUpdate.REGISTRY
    assert next(load_one({}).chunks()).auto_update is AutoUpdate.NONE


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"replicas": 0}, "from 1 to 1000"),
        ({"ignore_drift": ["mem_limits"]}, "mem_limit"),
        ({"auto_update": "registy"}, "did you mean 'registry'"),
        ({"adopt": "maybe"}, "true or false"),
    ],
)
def test_what_can_not_be_meant_is_an_error(keys: dict[str, Any], words: str) -> None:
    (problem,) = problems_of(keys)
    assert words in problem.message, problem
