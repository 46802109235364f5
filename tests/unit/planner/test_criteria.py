"""By what a container is judged that was made from an earlier intent, and how that lasts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.facts import TV, Pnr
from reconciler.intent.model import Answer, FactsMode, HealthCheck
from reconciler.planner.answers import answers
from reconciler.planner.criteria import Criteria, can_be_written, criteria_of, from_document, in_use, superseded
from reconciler.planner.criteria import to_document as document_of
from reconciler.planner.health import Health
from reconciler.planner.retry_state import Failure, RetryState
from reconciler.planner.situation import roles
from reconciler.planner.standing import health_of, is_surely_ill
from reconciler.states import Reason
from tests.unit.planner.build import TCP, chunk, container, situation, think

AWAY = Pnr("is web ready?", ("away",), TV.N)
HTTP = HealthCheck(
    type="http", port_key="80", options={"path": "/", "expected_code": ["2xx", 301]}, on_failure=(Answer("x", AWAY),)
)
OLD = chunk(health=HTTP, stable_seconds=2.5, facts=FactsMode.OWN)
NEW = chunk(digest="d2", health=TCP)
ILL = Health(run="run1", since=1.0, tv=TV.N, failures=5, bad_since=500.0, last_error="404")


def test_what_is_written_is_read_back_as_it_was() -> None:
    its = criteria_of(OLD)
    assert from_document(json.loads(json.dumps(document_of(its)))) == its
    without = criteria_of(chunk())
    assert from_document(document_of(without)) == without


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("health", 5),
        ("health", {"type": "tcp"}),
        ("stable_seconds", "long"),
        ("stable_seconds", float("nan")),
        ("stable_seconds", -1),
        ("facts", "whatever"),
        ("flowout", {"a": 1}),
        ("flowout", {"a": ["?", [], "maybe"]}),
    ],
)
def test_what_means_nothing_is_refused(key: str, value: Any) -> None:
    document = document_of(criteria_of(OLD))
    said = json.loads(document["as_json"])
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        from_document({**document, "as_json": json.dumps({**said, key: value})})
    if key == "health":
        spoiled = {**said["health"], "interval_seconds": "x"}
        with pytest.raises((ValueError, TypeError)):
            from_document({**document, "as_json": json.dumps({**said, "health": spoiled})})


def test_what_may_be_secret_is_not_to_be_written() -> None:
    assert can_be_written(criteria_of(OLD))
    assert can_be_written(criteria_of(chunk()))
    for secret in (replace(HTTP, has_variables=True), replace(HTTP, options={"headers": {"Authorization": "x"}})):
        assert not can_be_written(criteria_of(chunk(health=secret)))


def test_those_of_an_intent_last_until_no_container_of_it_is_there() -> None:
    known = superseded((), OLD, NEW)
    assert known == (criteria_of(OLD),)
    third = chunk(digest="d3", health=TCP)
    known = superseded(known, NEW, third)
    assert known == (criteria_of(OLD), criteria_of(NEW))
    assert in_use(known, (container(OLD), container(third))) == (criteria_of(OLD),)
    assert in_use(known, ()) == ()
    assert superseded(known, third, OLD) == (criteria_of(NEW), criteria_of(third))


def test_another_check_of_the_same_container_takes_the_place_of_the_one_before() -> None:
    assert superseded((), OLD, replace(OLD, health=TCP)) == ()
    known = superseded((), replace(OLD, health=TCP), NEW)
    assert [one.health for one in known] == [TCP]


def test_a_bad_answer_to_a_check_that_may_not_be_its_own_means_nothing() -> None:
    memory = RetryState(rejected="d2", failure=Failure(Reason.EXITED_NON_ZERO, "exit code 4"))
    i = situation(NEW, container(OLD), health=ILL, memory=memory)
    assert not is_surely_ill(i, container(OLD))
    assert health_of(i, container(OLD)) is TV.U
    noticed, decision = think(i)
    assert (noticed.counted_run, decision.work) == ("", None)
    served = replace(i, memory=replace(memory, proven_run="run1"))
    assert health_of(served, container(OLD)) is TV.Y
    good = replace(i, health=replace(ILL, tv=TV.Y, failures=0, bad_since=None))
    assert health_of(good, container(OLD)) is TV.Y


def test_a_fact_of_the_newer_version_alone_is_unknown_until_that_has_failed() -> None:
    more = {**NEW.flowout, "v2_ready": Pnr("?", ("yes",), TV.Y)}
    new = replace(NEW, flowout=more)
    old = chunk(health=TCP)
    memory = RetryState(proven_run="run1", criteria=(criteria_of(old),))
    up = Health(run="run1", since=1.0, tv=TV.Y)

    def told(memory: RetryState) -> dict[str, TV]:
        i = situation(new, container(old), health=up, memory=memory)
        return {ref.key: fact.tv for ref, fact in answers(i, roles(i), {}, {}).items()}

    assert told(memory) == {"web_ready": TV.Y, "v2_ready": TV.U}
    failed = replace(memory, rejected="d2", failure=Failure(Reason.EXITED_NON_ZERO, "exit code 4"))
    assert told(failed) == {"web_ready": TV.Y, "v2_ready": TV.N}


def test_criteria_are_of_containers_that_differ_in_what_can_be_changed_as_they_run() -> None:
    its = replace(criteria_of(OLD), fixed="f1")
    assert isinstance(its, Criteria)
    assert its.is_of(container(OLD, spec="other", fixed="f1"))
    assert not its.is_of(container(OLD, spec="other", fixed=""))
    assert not replace(its, fixed="").is_of(container(OLD, spec="other", fixed=""))
