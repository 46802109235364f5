"""Who writes to one volume: what follows for updates, and what is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent.model import Domain, Strategy
from tests.unit.intent.reading import check, valid


def domain(*containers: dict[str, Any], name: str = "shop", **more: Any) -> Domain:
    """A domain of chunks a, b, … with a volume ``data``."""
    chunks = [
        {"name": chr(ord("a") + n), "container": {"image": "x:1", **container}, **more}
        for n, container in enumerate(containers)
    ]
    volumes = {"data": {"name": "shared", "external": True}}
    of = valid({"name": name, "volumes": volumes, "cpuxs": {"main": {"design_chunks": chunks}}})
    return replace(of, file=f"{name}.json")


def strategy(container: dict[str, Any], **more: Any) -> Strategy:
    """How its only chunk is updated."""
    (chunk,) = domain(container, **more).chunks()
    return chunk.strategy


def told(*domains: Domain) -> list[str]:
    """The warnings, by their place."""
    return [
        f"{one.place.file.removesuffix('.json')} {one.path[3]}: {one.message}"
        for one in check(list(domains))
        if one.code == "TwoWriters"
    ]


@pytest.mark.parametrize(
    "container",
    [
        {"volumes": ["data:/data"]},
        {"volumes": ["/srv/data:/data"]},
        {"volumes": [{"type": "volume", "source": "data", "target": "/data"}]},
        {"volumes_from": ["container:other"]},
    ],
)
def test_what_writes_to_what_others_may_have_is_stopped_before_the_new_one_starts(container: dict[str, Any]) -> None:
    assert strategy(container) is Strategy.STOP_FIRST
    assert strategy(container, strategy="auto") is Strategy.STOP_FIRST


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"volumes": ["data:/data:ro"]},
        {"volumes": ["/srv/data:/data:ro"]},
        {"volumes": ["/data"]},
        {"volumes": [{"type": "tmpfs", "target": "/data"}]},
        {"volumes_from": ["container:other:ro"]},
    ],
)
def test_what_writes_to_nothing_that_others_have_is_updated_without_an_interruption(container: dict[str, Any]) -> None:
    assert strategy(container) is Strategy.START_FIRST


def test_start_first_is_taken_at_its_word_and_what_can_happen_is_told() -> None:
    asked = domain({"volumes": ["data:/data"]}, strategy="start-first")
    assert next(iter(asked.chunks())).strategy is Strategy.START_FIRST
    (warning,) = told(asked)
    assert "during an update the old and the new one run on it at one time" in warning
    assert told(domain({"volumes": ["data:/data"]})) == []


def test_replicas_that_write_to_one_volume_are_told() -> None:
    (warning,) = told(domain({"volumes": ["data:/data"]}, replicas=3))
    assert "its 3 replicas write to volume shared at one time" in warning
    assert told(domain({"volumes": ["data:/data:ro"]}, replicas=3)) == []


def test_another_chunk_that_writes_to_the_same_volume_is_told_also_of_another_domain() -> None:
    writes = {"volumes": ["data:/data"]}
    (warning,) = told(domain(writes, writes))
    assert warning.startswith("shop 1: chunk a writes to volume shared as well")
    (warning,) = told(domain(writes, name="first"), domain(writes, name="second"))
    assert warning.startswith("second 0: chunk first/main/a writes to volume shared as well")
    assert told(domain(writes, {"volumes": ["data:/data:ro"]})) == []


def test_how_auto_is_understood_is_no_change_of_an_intent() -> None:
    without = {"volumes": ["data:/data"]}
    # A hash that earlier versions wrote into snapshots: start-first was meant by auto then.
    assert domain(without).intent == domain(without, strategy="start-first").intent
    assert domain(without).intent != domain(without, strategy="stop-first").intent
