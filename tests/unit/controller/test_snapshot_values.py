"""A snapshot of another version, or edited by hand: whatever is in it, the program starts on the rest of it."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.controller.recorder import Restored
from reconciler.controller.snapshot_values import known_values
from reconciler.controller.snapshots import restore_chunks
from reconciler.intent.model import ChunkId
from reconciler.planner.criteria import criteria_of
from reconciler.planner.criteria import to_document as document_of
from tests.unit.planner.build import chunk

GOOD: dict[str, Any] = {
    "version": 1,
    "domain": "shop",
    "file": "shop.json",
    "generation": 3,
    "intent": "abc",
    "down": False,
    "gone": False,
    "settled": True,
    "cpux": [
        {
            "name": "main",
            "facts": {"a_ready": {"tv": "Y"}},
            "chunk": [
                {
                    "name": "web",
                    "state": "failed",
                    "reason": "ExitedNonZero",
                    "message": "held back",
                    "since": "2026-01-01T00:00:00Z",
                    "attempts": 4,
                    "starts": 7,
                    "restarts": 2,
                    "last_error": "it ended",
                    "not_before": "2026-01-01T00:01:00Z",
                    "failure": {"reason": "ExitedNonZero", "message": "exit 3", "container": "c1"},
                    "judged_by": [document_of(criteria_of(chunk()))],
                    "remedy": "restart",
                    "tolerated": ["x"],
                    "job_generation": 3,
                    "replica": [{"container": "c"}],
                },
                {"name": "web", "number": 2, "state": "completed", "reason": "Healthy"},
            ],
        }
    ],
}


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def changed(**values: Any) -> dict[str, Any]:
    """The snapshot with other values in its first chunk."""
    document = copy.deepcopy(GOOD)
    document["cpux"][0]["chunk"][0].update(values)
    return document


def test_of_this_version_everything_is_known() -> None:
    assert known_values(GOOD) == (GOOD, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("state", "weird"),
        ("state", ["failed"]),
        ("reason", "FromTheFuture"),
        ("reason", {}),
        ("since", "2026-01-01T00:00:00"),
        ("since", "yesterday"),
        ("since", datetime(2026, 1, 1, tzinfo=UTC)),
        ("not_before", 5),
        ("attempts", "many"),
        ("attempts", -1),
        ("attempts", 10**30),
        ("attempts", True),
        ("restarts", 1.5),
        ("failure", "bad"),
        ("failure", {"reason": "FromTheFuture", "message": "x"}),
        ("judged_by", [{"spec": "x"}]),
        ("judged_by", [{"spec": "x", "as_json": 5}]),
        ("judged_by", [{"spec": "x", "as_json": "[" * 100_000}]),
        ("remedy", "pray"),
        ("tolerated", "x"),
        ("message", 5),
        ("job_generation", "x"),
    ],
)
def test_a_value_that_is_not_known_is_left_out_and_told_and_the_rest_is_taken_up(key: str, value: Any) -> None:
    known, unknown = known_values(changed(**{key: value}))
    assert len(unknown) == 1
    assert unknown[0].startswith(f"cpux.main.chunk.web.{key} = ")
    web, second = restore_chunks(Restored({"shop": known}), Clock())
    assert (web.id, second.id) == (ChunkId("shop", "main", "web"), ChunkId("shop", "main", "web", 2))
    kept = {
        "state": web.state == "failed",
        "reason": web.reason == "ExitedNonZero",
        "attempts": web.memory.attempts == 4,
        "restarts": web.restarts == 2,
        "failure": web.memory.failure is not None,
        "remedy": web.memory.remedy == "restart",
        "job_generation": web.memory.job_generation == 3,
        "judged_by": len(web.memory.criteria) == 1,
        "message": web.message == "held back",
    }
    # A reason says something of the state that it goes with, and of no other.
    with_it = {"reason"} if key == "state" else set()
    assert {name for name, is_kept in kept.items() if not is_kept} <= {key, *with_it}


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "version": 2},
        {**GOOD, "version": "1"},
        {**GOOD, "generation": "x"},
        {**GOOD, "generation": 0},
        {**GOOD, "down": "no"},
        {**GOOD, "gone": 1},
        {**GOOD, "file": ["shop.json"]},
        {**GOOD, "cpux": {"main": {}}},
        {**GOOD, "cpux": [5, *GOOD["cpux"]]},
        {**GOOD, "cpux": [{"name": 5}, *GOOD["cpux"]]},
    ],
)
def test_what_is_not_known_of_a_domain_is_left_out_and_told(document: dict[str, Any]) -> None:
    known, unknown = known_values(document)
    assert len(unknown) == 1
    # What jobs were done for is a generation that was had.
    assert known["generation"] == (1 if document["cpux"] == {"main": {}} and "generation" not in document else 3)
    assert known.get("down") in (None, False)
    assert known.get("gone") in (None, False)


ODD: list[Any] = [None, "", "x", "é" * 100, 0, -1, 1 << 70, 1.5, float("nan"), True, [], [[]], {}, {"name": 1}]


@pytest.mark.parametrize("seed", range(200))
def test_no_snapshot_whatever_is_in_it_is_a_reason_not_to_start(seed: int) -> None:
    rng = random.Random(seed)
    document = copy.deepcopy(GOOD)

    def spoil(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            if rng.random() < 0.2:
                node[key] = copy.deepcopy(rng.choice(ODD))
            elif isinstance(node[key], (dict, list)):
                spoil(node[key])

    spoil(document)
    known, _ = known_values(document)
    for record in restore_chunks(Restored({"shop": known}), Clock()):
        assert record.id.domain == "shop"
    assert known_values(known)[1] == []
