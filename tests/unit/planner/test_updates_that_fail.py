"""What failed decides what follows: a clean-up, a trouble that can pass, or the new version itself."""

from __future__ import annotations

from dataclasses import replace

from reconciler.intent.model import Kind, Strategy
from reconciler.planner.actions import CreateContainer, RemoveContainer, RenameContainer, StartContainer, StopContainer
from reconciler.planner.decide import decide
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import Leftover, RetryState, check_changed
from reconciler.planner.situation import NEXT_SUFFIX, PREVIOUS_SUFFIX, roles
from reconciler.planner.tracking import work_failed
from reconciler.planner.working import work_begins
from reconciler.states import Reason, State
from tests.unit.planner.build import TCP, chunk, container, healthy, situation, steps, think

OLD, NEW = chunk(health=TCP), chunk(digest="d2", health=TCP)
ASIDE = container(OLD, Condition.EXITED, id="old", name="shop_web" + PREVIOUS_SUFFIX)
MADE = container(NEW, Condition.CREATED, id="new", name="shop_web" + NEXT_SUFFIX, run="")


def test_a_removal_that_fails_leaves_what_is_up_alone_and_is_told_and_tried_again() -> None:
    up = container(NEW, id="new", run="run2")
    i = situation(NEW, up, ASIDE, health=healthy("run2"), memory=RetryState(proven_run="run2"))
    memory = work_failed(i, Reason.ENGINE_ERROR, "device is busy", action=RemoveContainer(ASIDE.name))
    assert (memory.rejected, memory.failure, memory.attempts, memory.not_before) == ("", None, 0, None)
    _, told = think(replace(i, memory=memory))
    assert (told.state, told.work) == (State.COMPLETED, None)
    assert f"{ASIDE.name} can't be removed yet, which is tried again by itself: device is busy" in told.message
    (left,) = memory.leftovers
    assert told.wake_at == left.not_before
    _, again = think(replace(i, memory=memory, now=left.not_before))
    assert again.state is State.COMPLETED
    assert steps(again) == [f"RemoveContainer {ASIDE.name}"]
    assert again.work is not None
    assert again.work.label == Reason.CLEANING_UP
    gone, _ = think(replace(i, containers=(up,), memory=memory))
    assert gone.leftovers == ()


def test_a_leftover_is_no_way_back_for_an_update_and_never_holds_back_healing() -> None:
    dead = container(NEW, Condition.EXITED, id="new", run="run2", exit_code=1)
    memory = RetryState(proven_run="run2", leftovers=(Leftover("old", 3, 5000.0, "busy"),))
    noticed, decision = think(situation(NEW, dead, ASIDE, memory=memory))
    assert noticed.rejected == ""
    assert steps(decision) == ["StartContainer shop_web"]


def test_a_leftover_that_has_the_name_is_called_otherwise() -> None:
    half_removed = container(NEW, Condition.DEAD, id="0123456789abcdef")
    memory = RetryState(leftovers=(Leftover(half_removed.id, 1, 5000.0, "busy"),))
    _, decision = think(situation(NEW, half_removed, memory=memory))
    assert decision.work is not None
    renames = [action for action, _ in decision.work.steps if isinstance(action, RenameContainer)]
    assert renames == [RenameContainer("shop_web", "shop_web.pnr-left-0123456789ab")]
    assert steps(decision)[-2:] == ["CreateContainer shop_web", "StartContainer shop_web"]


def test_a_passing_start_failure_brings_the_old_one_back_and_is_retried_less_often() -> None:
    made = replace(MADE, name="shop_web")
    i = situation(NEW, made, ASIDE, memory=RetryState(proven_run="run1"))
    waits = []
    memory = i.memory
    for _ in range(8):
        memory = work_failed(replace(i, memory=memory), Reason.PORT_IN_USE, "held", action=StartContainer("shop_web"))
        assert memory.retry_at is not None
        waits.append(round(memory.retry_at - i.now, -1))
        _, back = think(replace(i, memory=memory))
        assert (back.reason, steps(back)) == (
            Reason.ROLLING_BACK,
            ["RemoveContainer shop_web", f"RenameContainer {ASIDE.name}", "StartContainer shop_web"],
        )
        memory = replace(memory, rejected="", retry_at=None)
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]


def test_a_rollback_from_a_passing_trouble_is_tried_again_when_it_is_due() -> None:
    back = container(OLD, id="old", run="run3")
    memory = RetryState(rejected="d2", retry_at=1060.0, retries=1, proven_run="run3")
    i = situation(NEW, back, health=healthy("run3"), memory=memory, now=1000.0)
    _, told = think(i)
    assert (told.state, told.reason, told.work, told.wake_at) == (State.FAILED, Reason.ROLLED_BACK, None, 1060.0)
    assert "until it is tried again by itself" in told.message
    due = replace(i, now=1060.0)
    _, again = think(due)
    assert f"CreateContainer shop_web{NEXT_SUFFIX}" in steps(again)
    assert again.work is not None
    begun = work_begins(due, again.work)
    assert (begun.rejected, begun.retry_at, begun.retries) == ("", None, 1)


def test_a_start_that_can_never_be_is_a_verdict() -> None:
    made = replace(MADE, name="shop_web")
    i = situation(NEW, made, ASIDE, memory=RetryState(proven_run="run1"))
    action = StartContainer("shop_web")
    memory = work_failed(i, Reason.START_FAILED, "no such command", action=action, can_pass=False)
    assert (memory.rejected, memory.retry_at) == ("d2", None)


def test_what_can_not_be_made_is_rejected_by_nobody_and_the_old_one_goes_on() -> None:
    i = situation(NEW, container(OLD), health=healthy(), memory=RetryState(proven_run="run1", attempts=2))
    action = CreateContainer("shop_web" + NEXT_SUFFIX, NEW, 1, 2)
    for can_pass in (True, False):
        memory = work_failed(i, Reason.CREATE_FAILED, "no such path", action=action, can_pass=can_pass)
        assert (memory.rejected, memory.retry_at) == ("", None)
        _, told = think(replace(i, memory=memory))
        assert (told.state, told.reason, told.work) == (State.FAILED, Reason.CREATE_FAILED, None)


def test_a_container_that_ends_while_its_replacement_can_not_be_made_comes_back() -> None:
    ended = container(OLD, Condition.EXITED, run="run1")
    failed = RetryState(proven_run="run1", attempts=6, not_before=1100.0)
    _, decision = think(situation(NEW, ended, memory=failed, now=1000.0))
    assert steps(decision) == ["StartContainer shop_web"]


def test_after_any_step_of_an_update_the_rest_is_what_is_done_next() -> None:
    running = container(OLD, id="old", run="run1")
    all_steps = [
        "StopContainer shop_web",
        "RenameContainer shop_web",
        "RenameContainer shop_web.pnr-next",
        "StartContainer shop_web",
    ]
    stopped = replace(running, condition=Condition.EXITED, exit_code=143)
    in_place = replace(MADE, name="shop_web")
    for done, there in enumerate([(running, MADE), (stopped, MADE), (ASIDE, MADE), (ASIDE, in_place)]):
        memory = RetryState(proven_run="run1", stopped_run="run1" if done else "", counted_run="run1" if done else "")
        _, decision = think(situation(NEW, *there, memory=memory))
        assert steps(decision) == all_steps[done:]
        _, forgotten = think(situation(NEW, *there))
        assert steps(forgotten) == all_steps[done:]


def test_until_the_new_one_is_started_the_old_one_is_what_counts() -> None:
    running = container(OLD, id="old", run="run1")
    i = situation(NEW, running, MADE, health=healthy(), memory=RetryState(attempts=3, not_before=2000.0))
    parts = roles(i)
    assert (parts.current, parts.previous, parts.main) == (MADE, running, running)
    memory, decision = think(i)
    assert memory.proven_run == "run1"
    assert decision.work is None


def test_two_of_a_chunk_never_run_at_one_time_unless_start_first_is_asked_for() -> None:
    both = (
        container(OLD, id="old", run="run1", name=ASIDE.name),
        container(NEW, Condition.EXITED, id="new", run="run2"),
    )
    counted = RetryState(counted_run="run2")
    _, stops = think(situation(NEW, *both, memory=counted))
    assert steps(stops) == [f"StopContainer {ASIDE.name}", "StartContainer shop_web"]
    asked = chunk(digest="d2", health=TCP, strategy=Strategy.START_FIRST)
    _, beside = think(situation(asked, *both, memory=counted))
    assert steps(beside) == ["StartContainer shop_web"]
    job = chunk(digest="d2", kind=Kind.JOB, strategy=Strategy.START_FIRST)
    assert f"StopContainer {ASIDE.name}" in steps(decide(situation(job, *both)))


def test_how_what_we_stopped_ended_is_remembered_as_our_own_doing() -> None:
    i = situation(NEW, container(OLD, run="run1"), health=healthy())
    decision = decide(i)
    assert decision.work is not None
    assert any(isinstance(action, StopContainer) for action, _ in decision.work.steps)
    assert work_begins(i, decision.work).stopped_run == "run1"


def test_another_health_check_counts_neither_for_nor_against_what_runs() -> None:
    memory = RetryState(proven_run="run1", proven_at=5.0, counted_run="run1")
    anew = check_changed(memory, ["run1"])
    assert (anew.proven_run, anew.proven_at, anew.counted_run) == ("", None, "")
    assert check_changed(memory, ["run2"]) == memory
    _, decision = think(situation(OLD, container(OLD, run="run1"), memory=anew))
    assert (decision.state, decision.reason, decision.work) == (State.EXECUTING, Reason.PROBING, None)


def test_a_previous_container_that_the_engine_has_started_again_is_stopped() -> None:
    revived = container(OLD, id="old", run="run9", name=ASIDE.name)
    i = situation(NEW, container(NEW, id="new", run="run2"), revived)
    assert steps(decide(i)) == [f"StopContainer {ASIDE.name}"]
    failed = work_failed(i, Reason.ENGINE_ERROR, "no", action=StopContainer(ASIDE.name, 10.0))
    assert failed.leftovers
    assert decide(replace(i, memory=failed)).work is None


def test_one_that_can_not_be_stopped_holds_back_only_what_may_not_run_beside_it() -> None:
    ended = container(NEW, Condition.EXITED, id="new", run="run2")
    stray = container(OLD, id="stray", run="run1", name="stray")
    memory = RetryState(counted_run="run2", leftovers=(Leftover("stray", 1, 2000.0, "no"),))
    i = situation(NEW, ended, stray, memory=memory)
    assert steps(decide(i)) == ["StopContainer stray", "StartContainer shop_web"]
    failed = work_failed(i, Reason.ENGINE_ERROR, "no", action=StopContainer("stray", 10.0))
    assert failed.attempts == 1
    asked = chunk(digest="d2", health=TCP, strategy=Strategy.START_FIRST)
    assert steps(decide(replace(i, chunk=asked))) == ["StartContainer shop_web"]
