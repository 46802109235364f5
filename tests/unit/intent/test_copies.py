"""Replicas in a domain file: the copies of a chunk, their names and what may be declared of them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.intent.model import Adopt, ChunkId, Domain
from tests.unit.intent.reading import declared, document, read, valid


def file(keys: dict[str, Any], **container: Any) -> dict[str, Any]:
    """A domain of one chunk."""
    return document(declared("web", container=container, **keys))


def load_one(keys: dict[str, Any], **container: Any) -> Domain:
    return valid(file(keys, **container))


def problems_of(keys: dict[str, Any]) -> tuple[Diagnostic, ...]:
    return read(file(keys)).errors


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


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"replicas": 0}, "from 1 to 1000"),
        ({"ignore_drift": ["mem_limits"]}, "mem_limit"),
        ({"adopt": "maybe"}, "true or false"),
    ],
)
def test_what_can_not_be_meant_is_an_error(keys: dict[str, Any], words: str) -> None:
    (problem,) = problems_of(keys)
    assert words in problem.message, problem


@pytest.mark.parametrize(
    "container",
    [{"scale": 3}, {"deploy": {"replicas": 3}}, {"deploy": {"mode": "replicated", "replicas": "3"}, "scale": 3}],
)
def test_composes_words_for_replicas_count_as_well(container: dict[str, Any]) -> None:
    assert len(list(load_one({}, **container).chunks())) == 3


def test_of_a_range_of_host_ports_each_copy_has_its_own() -> None:
    copies = load_one({"replicas": 3}, ports=["0.0.0.0:8080-8083:80", "9000"]).chunks()
    assert [[entry["published"] for entry in copy.container.settings["ports"]] for copy in copies] == [
        [8080, None],
        [8081, None],
        [8082, None],
    ]


def test_a_wider_range_leaves_the_copies_as_they_are() -> None:
    narrow = load_one({"replicas": 2}, ports=["8080-8081:80"])
    wide = load_one({"replicas": 3}, ports=["8080-8089:80"])
    digests = [[copy.container.digest for copy in domain.chunks()] for domain in (narrow, wide)]
    assert digests[0] == digests[1][:2]


def test_deploy_is_taken_apart_into_the_settings_that_it_means() -> None:
    (only,) = load_one(
        {},
        deploy={
            "resources": {
                "limits": {"cpus": "0.5", "memory": "64m", "pids": 10},
                "reservations": {"memory": "32m", "devices": [{"capabilities": ["gpu"], "count": 1}]},
            },
            "restart_policy": {"condition": "on-failure", "max_attempts": 3},
            "update_config": {"order": "stop-first", "failure_action": "pause", "parallelism": 1, "delay": "0s"},
        },
    ).chunks()
    settings = only.container.settings
    assert settings["cpus"] == 0.5
    assert settings["mem_limit"] == 64 * 1024**2
    assert settings["mem_reservation"] == 32 * 1024**2
    assert settings["pids_limit"] == 10
    assert settings["restart"] == "on-failure:3"
    assert settings["gpus"][0]["count"] == 1
    assert (only.strategy, only.on_failure) == ("stop-first", "pause")


@pytest.mark.parametrize(
    ("keys", "container", "words"),
    [
        ({"replicas": 2}, {"ports": ["8080:80"]}, '"8080-8081:80"'),
        ({"replicas": 3}, {"ports": ["8080-8081:80"]}, "are 2 for 3 replicas"),
        ({"replicas": 2}, {"scale": 3}, "leave all but one out"),
        ({"replicas": 2, "min_ready": 3}, {}, "never be reached with 2 replicas"),
        ({"replicas": 2, "kind": "job"}, {}, "a job runs once"),
        ({}, {"mem_limit": "32m", "deploy": {"resources": {"limits": {"memory": "64m"}}}}, "deploy says otherwise"),
        ({}, {"deploy": {"placement": {"constraints": ["node.role == manager"]}}}, "only Swarm knows it"),
        ({}, {"deploy": {"resources": {"reservations": {"cpus": "1"}}}}, "reserves no processors"),
        ({}, {"deploy": {"update_config": {"parallelism": 2}}}, "one after the other"),
        ({}, {"deploy": {"restart_policy": {"delay": "5s"}}}, "back-off of its own"),
        ({}, {"deploy": {"replica": 2}}, "did you mean 'replicas'"),
    ],
)
def test_what_one_host_can_not_honour_is_named(keys: dict[str, Any], container: dict[str, Any], words: str) -> None:
    (problem,) = read(file(keys, **container)).errors
    assert words in problem.message, problem
