"""Ill is only who was looked at after the answer that said so, and with whom nothing else was the matter then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.facts import TV
from reconciler.intent.model import ChunkId, HealthCheck
from reconciler.planner.health import Health, asked_anew, given_time, judged, longest_doubt
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import EndedRun, RetryState
from reconciler.planner.situation import ChunkInput
from reconciler.planner.standing import is_in_doubt, is_to_be_seen
from reconciler.planner.working import work_begins, work_ended
from reconciler.states import Reason, State
from tests.unit.planner.build import TCP, chunk, container, healthy, situation, steps, think

WEB = chunk(health=TCP)
NEW = chunk(digest="d2", health=replace(TCP, deadline_seconds=30.0))
ILL = Health(run="run1", since=900.0, tv=TV.N, failures=3, last_error="refused", last_at=999.0, bad_since=999.0)
RESTART = ["StopContainer shop_web", "StartContainer shop_web"]


def ill(seen_at: float, now: float = 1000.0, **more: Any) -> ChunkInput:
    health = replace(ILL, seen_at=seen_at)
    return situation(WEB, container(WEB), health=health, memory=RetryState(proven_run="run1"), now=now, **more)


def test_it_is_looked_at_half_a_second_after_the_answer_and_restarted_then() -> None:
    at_once = ill(990.0, 999.2)
    memory, told = think(at_once)
    assert (told.state, told.reason, told.work, told.wake_at) == (State.EXECUTING, Reason.UNHEALTHY, None, 999.5)
    assert (memory.attempts, is_to_be_seen(at_once, container(WEB))) == (0, False)
    due = ill(990.0)
    assert is_to_be_seen(due, container(WEB))
    assert steps(think(due)[1]) == []
    assert steps(think(ill(999.2))[1]) == []
    memory, restarted = think(ill(999.6))
    assert steps(restarted) == RESTART
    assert memory.last_error == "health check failed 3 times: refused"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"told_run": "run1"}, "it was told to end from outside"),
        ({"doubted": (ChunkId("shop", "main", "db"),)}, "what it needs is well: db"),
        ({"gate_open": False, "waiting_for": "db_ready is N"}, "its gatekeeper does not hold: db_ready is N"),
    ],
)
def test_what_is_known_to_be_why_it_is_ill_holds_a_restart_back_and_is_told(more: dict[str, Any], said: str) -> None:
    memory, told = think(ill(999.6, **more))
    assert (told.work, told.reason, memory.attempts) == (None, Reason.UNHEALTHY, 0)
    assert said in told.message
    counted = replace(memory, counted_run="run1", attempts=1, last_error="refused")
    memory, told = think(replace(ill(999.6, **more), memory=counted))
    assert (told.work, told.reason, memory.attempts) == (None, Reason.UNHEALTHY, 1)
    assert said in told.message


def test_what_is_not_as_declared_in_it_is_put_right_first() -> None:
    for found in (
        container(WEB, name="other"),
        container(WEB, condition=Condition.PAUSED),
        container(WEB, networks={}),
    ):
        memory, told = think(replace(ill(999.6), containers=(found,)))
        assert memory.attempts == 0
        assert told.work is not None
        assert not {"StopContainer shop_web", "StartContainer shop_web"} & set(steps(told))


def test_a_restart_that_had_to_wait_is_looked_at_anew() -> None:
    counted = RetryState(proven_run="run1", counted_run="run1", attempts=4, not_before=1060.0, last_error="refused")
    i = replace(ill(1000.0, 1060.0), memory=counted)
    assert (steps(think(i)[1]), is_to_be_seen(i, container(WEB))) == ([], True)
    assert steps(think(replace(i, health=replace(ILL, seen_at=1059.5)))[1]) == RESTART
    back = replace(asked_anew(ILL, 1050.0), seen_at=1060.0)
    assert steps(think(replace(i, health=back))[1]) == []


def test_a_new_version_is_given_up_only_where_it_was_looked_at_after_its_deadline() -> None:
    old = container(WEB, id="old", name="shop_web.pnr-previous", condition=Condition.EXITED, run="run0")
    new = container(NEW, id="new")
    late = Health(run="run1", since=960.0, last_at=999.0, last_error="refused", seen_at=980.0)
    memory = RetryState(proven_run="run0")
    i = situation(NEW, old, new, health=late, memory=memory, now=1000.0)
    assert (think(i)[0].rejected, is_to_be_seen(i, new)) == ("", True)
    assert think(replace(i, gate_open=False, health=replace(late, seen_at=999.0)))[0].rejected == ""
    assert think(replace(i, health=replace(late, seen_at=999.0)))[0].rejected


def test_what_was_found_before_it_was_put_right_counts_for_nothing() -> None:
    anew = asked_anew(ILL, 1000.0)
    assert (anew.tv, anew.failures, anew.since, anew.bad_since, anew.anew_at) == (TV.U, 0, 1000.0, None, 1000.0)
    well = asked_anew(replace(healthy(), failures=2), 1000.0)
    assert (well.tv, well.failures, well.since, well.anew_at) == (TV.Y, 0, 900.0, 1000.0)
    assert judged(healthy(), replace(healthy(), tv=TV.N), 7.0).bad_since == 7.0
    assert judged(ILL, replace(ILL, failures=4), 1007.0).bad_since == 999.0
    assert judged(ILL, replace(ILL, tv=TV.Y), 1007.0).bad_since is None


def test_it_is_given_the_time_to_get_well_once_it_has_what_it_needs_again() -> None:
    check = HealthCheck(type="tcp", port_key="80", interval_seconds=10.0, failure_threshold=3, timeout_seconds=1.0)
    time = given_time(ILL, check, 1000.0)
    assert (time.tv, time.since, time.patient_until) == (TV.N, 1000.0, 1030.0)
    assert given_time(healthy(), check, 1000.0) == healthy()
    held = replace(ill(1020.0, 1029.0), health=replace(time, seen_at=1028.0))
    assert (think(held)[1].work, think(held)[1].wake_at) == (None, 1030.0)
    assert steps(think(replace(held, now=1031.0, health=replace(time, seen_at=1030.5)))[1]) == RESTART
    assert longest_doubt(check) == 38.0
    assert longest_doubt(None) == longest_doubt(replace(check, type="docker")) == 5.0


def test_in_a_crash_loop_it_is_up_until_it_was_last_asked_and_seen() -> None:
    memory = RetryState(looping=True, runs_of=container(WEB).id, runs=(EndedRun(900.0, 20.0),), crashes=3)
    up = Health(run="run1", since=940.0, tv=TV.Y, good_since=950.0, good_at=976.0, seen_at=980.0)
    i = situation(WEB, container(WEB), health=up, memory=memory, now=1000.0)
    assert not is_in_doubt(i, container(WEB))
    assert is_in_doubt(replace(i, health=replace(up, good_at=974.0)), container(WEB))
    seen_early = replace(i, health=replace(up, seen_at=974.0))
    assert is_in_doubt(seen_early, container(WEB))
    assert is_to_be_seen(seen_early, container(WEB))
    docker = chunk(health=HealthCheck(type="docker"))
    told = situation(docker, container(docker), health=replace(up, good_at=None), memory=memory, now=1000.0)
    assert not is_in_doubt(told, container(docker))
    assert is_in_doubt(replace(told, health=replace(up, good_at=None, seen_at=974.0)), container(docker))


def test_what_work_that_ended_early_did_not_do_is_not_remembered() -> None:
    i = situation(NEW, container(WEB), health=healthy(), memory=RetryState(proven_run="run1"))
    work = think(i)[1].work
    assert work is not None
    names = [type(action).__name__ for action, _ in work.steps]
    begun = work_begins(i, work)
    assert (begun.stopped_run, begun.counted_run, begun.made) == ("run1", "run1", 1)
    stop, create = names.index("StopContainer"), names.index("CreateContainer")
    assert work_ended(i, work, begun, stop + 1) is begun
    before_stop = work_ended(i, work, begun, stop)
    assert (before_stop.stopped_run, before_stop.counted_run, before_stop.made) == ("", "", 1)
    assert work_ended(i, work, begun, create).made == 0
    other = replace(begun, counted_run="run2")
    assert work_ended(i, work, other, stop).counted_run == "run2"


def test_what_was_to_be_stopped_and_goes_on_is_on_its_own_again() -> None:
    failed = RetryState(proven_run="run1", stopped_run="run1", counted_run="run1")
    i = situation(WEB, container(WEB), health=healthy(), memory=failed)
    assert think(i)[0].stopped_run == "run1"
    after = think(replace(i, stop_is_over=True))[0]
    assert (after.stopped_run, after.counted_run) == ("", "")
