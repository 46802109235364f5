"""What somebody else has started is looked at: it may have other places of the host than those that were judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.intent.model import Chunk
from reconciler.planner.actions import AdoptContainer, ExamineMounts, StartContainer
from reconciler.planner.decide import decide
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import Failure, Remedy, RetryState
from reconciler.planner.tracking import notice, work_failed
from reconciler.planner.working import step_told, work_begins
from reconciler.states import Reason, State
from tests.unit.planner.build import chunk, container, healthy, situation, steps, think

LOOK = ["ExamineMounts shop_web"]


def judged(**more: Any) -> Chunk:
    made = chunk(**more)
    return replace(made, container=replace(made.container, judged=True))


def test_a_run_that_pnr_did_not_start_is_looked_at_whatever_else_waits() -> None:
    c = judged()
    for memory in (
        RetryState(judged_run="run0", proven_run="run0"),
        RetryState(judged_run="run0", not_before=9999.0, attempts=5),
        RetryState(judged_run="unknown"),
        RetryState(judged_run="run0", rejected="d1"),
    ):
        assert steps(decide(situation(c, container(c), memory=memory))) == LOOK


def test_what_pnr_started_and_what_has_nothing_of_the_host_is_not() -> None:
    c = judged()
    _, decision = think(situation(c, container(c), memory=RetryState(judged_run="run1"), health=healthy()))
    assert decision.work is None
    plain = chunk()
    _, decision = think(situation(plain, container(plain), memory=RetryState(judged_run="run0"), health=healthy()))
    assert decision.work is None
    stopped = situation(c, container(c, Condition.EXITED), memory=RetryState(judged_run="run0"))
    assert LOOK[0] not in steps(decide(stopped))


def test_what_was_there_before_anybody_took_note_is_believed_and_noted() -> None:
    c = judged()
    memory, decision = think(situation(c, container(c), health=healthy()))
    assert memory.judged_run == "run1"
    assert decision.work is None
    _, later = think(situation(c, container(c, run="run2"), memory=memory))
    assert steps(later) == LOOK


def test_a_start_of_ours_and_a_look_are_remembered_by_their_run() -> None:
    c = judged()
    there = container(c, run="run2")
    assert step_told(RetryState(), StartContainer("shop_web"), there).judged_run == "run2"
    assert step_told(RetryState(), ExamineMounts("shop_web", "run2"), there).judged_run == "run2"
    ran = replace(there, was_there=True)
    assert step_told(RetryState(judged_run="run0"), StartContainer("shop_web"), ran).judged_run == "run0"
    adopted = step_told(RetryState(), AdoptContainer("shop_web", "x", c, 1, True), there)
    assert steps(decide(situation(c, there, memory=adopted))) == LOOK


def test_a_look_is_no_new_attempt_and_no_sign_of_failure() -> None:
    c = judged()
    before = RetryState(judged_run="run0", failure=Failure(Reason.CRASH_LOOPING, "x"), not_before=5000.0, attempts=3)
    i = situation(c, container(c), memory=before)
    work = decide(i).work
    assert work is not None
    assert work_begins(i, work) == before


def test_a_mount_that_leads_elsewhere_is_the_failure_and_its_end_adds_nothing() -> None:
    c = judged()
    i = situation(c, container(c), memory=RetryState(judged_run="run0", proven_run="run0"))
    failed = work_failed(i, Reason.POLICY_REFUSED, "the host's /etc", action=ExamineMounts("shop_web", "run1"))
    assert failed.failure == Failure(Reason.POLICY_REFUSED, "the host's /etc")
    assert (failed.counted_run, failed.remedy) == ("run1", Remedy.START)
    ended = situation(c, container(c, Condition.EXITED), memory=failed)
    assert notice(ended) == failed
    decision = decide(ended)
    assert (decision.state, decision.reason) == (State.FAILED, Reason.POLICY_REFUSED)
    assert "/etc" in decision.message
    again = decide(replace(ended, now=failed.not_before or 0.0))
    assert steps(again) == ["StartContainer shop_web"]
