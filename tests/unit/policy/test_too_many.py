"""Files that are small and ask for a great deal: what they would come to is counted before any of it is made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.daemon.intake import Judged, Loading, judge
from reconciler.intent.bounds import MAX_CHUNKS
from reconciler.policy import Policy
from tests.unit.intent.reading import File
from tests.unit.policy import judging
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, changed

Chunks = list[dict[str, Any]]


def chunks(count: int, container: dict[str, Any] | None = None, **more: Any) -> Chunks:
    return [
        {"name": f"c{number}", "container": {"image": "redis", **(container or {})}, **more} for number in range(count)
    ]


def judged(cpuxs: dict[str, Chunks], policy: Policy = STANDARD, **top: Any) -> Judged:
    document = {"name": "shop", "cpuxs": {name: {"design_chunks": found} for name, found in cpuxs.items()}, **top}
    files = {"shop.json": File(json.dumps(document, indent=1).encode())}
    return judge(Loading("/d", {}, (), {}, policy=judging.judge(policy)), files)


def codes(found: Judged) -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in found.errors.get("shop.json", ())]


WAYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"replicas": 1000}),
    ({"scale": 1000}, {}),
    ({"deploy": {"replicas": 1000}}, {}),
    ({"deploy": {"replicas": "1000"}}, {}),
    ({}, {"replicas": 1000, "min_ready": 1}),
]


@pytest.mark.parametrize(("container", "chunk"), WAYS)
@pytest.mark.parametrize("policy", [OPEN, STANDARD, STRICT], ids=["open", "standard", "strict"])
def test_copies_count_as_chunks_of_the_file_whatever_the_policy(
    policy: Policy, container: dict[str, Any], chunk: dict[str, Any]
) -> None:
    assert codes(judged({"main": chunks(100, container, **chunk)}, policy)) == [("TooMany", "cpuxs")]


def test_they_count_over_all_cpuxs() -> None:
    found = judged({f"x{number}": chunks(1, replicas=1000) for number in range(MAX_CHUNKS // 1000 + 1)}, OPEN)
    assert codes(found) == [("TooMany", "cpuxs")]


def test_copies_by_a_variable_count_too() -> None:
    copies = {"deploy": {"replicas": "${N}"}}
    assert codes(judged({"main": chunks(20, copies)}, OPEN, env={"N": "1000"})) == [("TooMany", "cpuxs")]


@pytest.mark.parametrize(("container", "chunk"), WAYS)
@pytest.mark.parametrize("policy", [STANDARD, STRICT], ids=["standard", "strict"])
def test_more_than_fifty_copies_of_a_chunk_are_refused_once(
    policy: Policy, container: dict[str, Any], chunk: dict[str, Any]
) -> None:
    said = [
        problem
        for problem in judged({"main": chunks(1, container, **chunk)}, policy).errors["shop.json"]
        if "replicas (at most" in problem.message
    ]
    assert [problem.code for problem in said] == ["PolicyRefused"]
    assert "1000 replicas (at most 50)" in said[0].message
    assert 'limits] replicas = "none"' in said[0].message
    assert said[0].place.line > 1


def test_fifty_copies_are_had_without_a_policy_and_more_where_it_says_so() -> None:
    assert list(judged({"main": chunks(2, replicas=50)}).domains) == ["shop"]
    assert list(judged({"main": chunks(1, replicas=51)}).domains) == []
    assert list(judged({"main": chunks(1, replicas=51)}, changed(STANDARD, limits__replicas=60)).domains) == ["shop"]
