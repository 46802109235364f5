"""What is decided about one chunk."""

from __future__ import annotations

from dataclasses import replace

from reconciler.facts import TV
from reconciler.intent.model import FactsMode, Kind, OnFailure, OnGateClose, Strategy
from reconciler.planner.decide import decide
from reconciler.planner.health import Health
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import Failure, Remedy, RetryState
from reconciler.planner.situation import PREVIOUS_SUFFIX
from reconciler.planner.tracking import notice, work_failed
from reconciler.planner.working import work_begins
from reconciler.sentences import taken_apart
from reconciler.states import Reason, State
from tests.unit.planner.build import TCP, chunk, container, healthy, situation, steps, think


def test_a_new_chunk_whose_gate_holds_is_fetched_created_and_started() -> None:
    decision = decide(situation(chunk()))
    assert decision.state is State.EXECUTING
    assert steps(decision) == [
        "EnsureImage nginx:1",
        "CreateContainer shop_web",
        "StartContainer shop_web",
    ]


def test_a_chunk_whose_gate_does_not_hold_waits_and_says_for_what() -> None:
    decision = decide(situation(chunk(), gate_open=False, waiting_for="db_ready is U, wanted Y (from db)"))
    assert (decision.state, decision.reason) == (State.READY, Reason.WAITING_FOR_GATEKEEPER)
    assert "db_ready" in decision.message
    assert decision.work is None


def test_a_running_container_without_a_health_check_is_up_after_a_while() -> None:
    c = chunk(stable_seconds=5.0)
    short = Health(run="run1", since=998.0, began=998.0)
    _, early = think(situation(c, container(c), health=short))
    memory, later = think(situation(c, container(c), health=short, now=1003.0))
    assert (early.state, early.reason, early.wake_at) == (State.EXECUTING, Reason.PROBING, 1003.0)
    assert "once it has run for 5 s" in early.message
    assert (later.state, later.reason, later.work) == (State.COMPLETED, Reason.RUNNING, None)
    assert memory.proven_run == "run1"


def test_without_seconds_of_stability_it_is_up_at_once() -> None:
    c = chunk(stable_seconds=0.0)
    _, decision = think(situation(c, container(c), health=Health(run="run1", since=1000.0, began=1000.0)))
    assert (decision.state, decision.reason) == (State.COMPLETED, Reason.RUNNING)


def test_what_was_proven_before_is_up_though_nobody_saw_it_begin() -> None:
    c = chunk()
    _, decision = think(situation(c, container(c), health=Health(), memory=RetryState(proven_run="run1")))
    assert (decision.state, decision.reason) == (State.COMPLETED, Reason.RUNNING)


def test_the_previous_container_is_kept_until_the_healthy_new_one_ran_for_a_while() -> None:
    c = chunk(health=TCP)
    new = container(c)
    old = container(c, Condition.EXITED, id="old", name="shop_web.pnr-previous", spec="d0", run="run0")
    young = replace(healthy(), since=998.0, began=998.0)
    memory, early = think(situation(c, new, old, health=young))
    assert (early.state, early.reason, early.work, early.wake_at) == (State.EXECUTING, Reason.UPDATING, None, 1003.0)
    assert memory.proven_run == ""
    memory, later = think(situation(c, new, old, health=young, now=1003.0))
    assert memory.proven_run == "run1"
    assert any(step.startswith("RemoveContainer") for step in steps(later))


def test_a_new_container_that_was_healthy_and_ended_soon_after_is_given_up() -> None:
    c = chunk(health=TCP)
    new, old = container(c), container(c, id="old", name="shop_web.pnr-previous", spec="d0", run="run0")
    i = situation(c, new, old, health=replace(healthy(), since=998.0, began=998.0))
    memory, _ = think(i)
    ended = replace(new, condition=Condition.EXITED, exit_code=1)
    memory, decision = think(replace(i, containers=(ended, old), memory=memory, now=999.0))
    assert memory.rejected
    assert decision.reason is Reason.ROLLING_BACK


def test_a_running_container_is_up_only_once_its_probe_says_so() -> None:
    c = chunk(health=TCP)
    _, before = think(situation(c, container(c), health=Health(run="run1", since=999.0)))
    _, after = think(situation(c, container(c), health=healthy()))
    assert (before.state, before.reason) == (State.EXECUTING, Reason.PROBING)
    assert (after.state, after.reason) == (State.COMPLETED, Reason.HEALTHY)


def test_results_of_an_earlier_run_do_not_count() -> None:
    c = chunk(health=TCP)
    _, decision = think(situation(c, container(c, run="run2"), health=healthy("run1")))
    assert decision.state is State.EXECUTING


def test_an_unchanged_healthy_chunk_gets_no_work() -> None:
    c = chunk(health=TCP)
    _, decision = think(situation(c, container(c), health=healthy()))
    assert decision.work is None


def test_after_a_restart_of_the_program_a_proven_run_is_completed_before_its_probe() -> None:
    c = chunk(health=TCP)
    memory = RetryState(proven_run="run1")
    _, decision = think(situation(c, container(c), memory=memory, health=Health(run="run1", since=999.9)))
    assert (decision.state, decision.work) == (State.COMPLETED, None)


def test_a_proven_container_that_died_is_started_again_at_once() -> None:
    c = chunk(health=TCP)
    memory, decision = think(situation(c, container(c, Condition.EXITED), memory=RetryState(proven_run="run1")))
    assert memory.attempts == 1
    assert steps(decision) == ["StartContainer shop_web"]
    assert decision.reason is Reason.RECOVERING


def test_a_second_death_within_minutes_is_held_back() -> None:
    c = chunk(health=TCP)
    memory = RetryState(proven_run="run2", attempts=1, counted_run="run1")
    after, decision = think(situation(c, container(c, Condition.EXITED, run="run2"), memory=memory))
    assert after.attempts == 2
    assert (decision.state, decision.reason, decision.work) == (State.EXECUTING, Reason.BACK_OFF, None)
    assert decision.wake_at == after.not_before


def test_one_death_is_counted_once_however_often_it_is_seen() -> None:
    c = chunk(health=TCP)
    i = situation(c, container(c, Condition.EXITED), memory=RetryState(proven_run="run1"))
    once = notice(i)
    assert notice(replace(i, memory=once)) == once


def test_a_container_that_ends_before_it_was_up_has_failed_with_its_exit_code() -> None:
    c = chunk(health=TCP)
    memory, decision = think(situation(c, container(c, Condition.EXITED, exit_code=3), memory=RetryState(attempts=2)))
    assert (decision.state, decision.reason) == (State.FAILED, Reason.EXITED_NON_ZERO)
    assert "exit code 3" in decision.message
    assert memory.attempts == 3


def test_a_container_killed_for_want_of_memory_says_so() -> None:
    c = chunk(health=TCP)
    dead = container(c, Condition.EXITED, oom_killed=True)
    _, decision = think(situation(c, dead, memory=RetryState(attempts=2)))
    assert decision.reason is Reason.OOM_KILLED


def test_a_dead_container_is_not_started_while_its_gate_does_not_hold() -> None:
    c = chunk(health=TCP)
    memory = RetryState(proven_run="run1")
    i = situation(c, container(c, Condition.EXITED), memory=memory, gate_open=False, gate_closed=True)
    _, decision = think(i)
    assert (decision.state, decision.reason, decision.work) == (State.READY, Reason.WAITING_FOR_GATEKEEPER, None)


def test_a_failed_chunk_tries_again_when_its_back_off_is_over() -> None:
    c = chunk(health=TCP)
    memory = RetryState(
        attempts=3,
        counted_run="run1",
        not_before=1000.0,
        failure=Failure(Reason.EXITED_NON_ZERO, "exit code 3"),
    )
    dead = container(c, Condition.EXITED)
    _, early = think(situation(c, dead, memory=memory, now=999.0))
    _, due = think(situation(c, dead, memory=memory, now=1000.0))
    assert (early.state, early.work, early.wake_at) == (State.FAILED, None, 1000.0)
    assert steps(due) == ["StartContainer shop_web"]


def test_a_container_that_lacks_a_network_is_joined_and_not_ill() -> None:
    c = chunk(health=TCP)
    alone = container(c, networks={})
    ill = Health(run="run1", since=0.0, tv=TV.N, failures=3, last_error="no address")
    up = RetryState(proven_run="run1")
    for memory in (up, RetryState()):
        noticed, decision = think(situation(c, alone, memory=memory, health=ill))
        assert noticed == replace(memory, runs_of=noticed.runs_of, seen_since=noticed.seen_since)
        assert steps(decision) == ["ConnectNetwork shop_web to pnr_shop"]
        gone = (Reason.EXTERNAL_MISSING, "waiting for network pnr_shop")
        _, blocked = think(situation(c, alone, memory=memory, health=ill, blocked_by="it", obstacle=gone))
        assert (blocked.state, blocked.reason, blocked.work) == (State.FAILED, Reason.EXTERNAL_MISSING, None)
    left_alone = replace(c, ignore_drift=("networks",))
    noticed, decision = think(situation(left_alone, alone, memory=up, health=ill))
    assert steps(decision) == ["StopContainer shop_web", "StartContainer shop_web"]


def test_an_unhealthy_container_is_restarted_when_its_gate_holds() -> None:
    c = chunk(health=TCP)
    ill = Health(run="run1", since=900.0, tv=TV.N, failures=3, last_error="refused")
    memory, decision = think(situation(c, container(c), health=ill, memory=RetryState(proven_run="run1")))
    assert memory.attempts == 1
    assert steps(decision) == ["StopContainer shop_web", "StartContainer shop_web"]
    assert "refused" in decision.message


def test_an_unhealthy_container_is_left_alone_while_its_gate_does_not_hold() -> None:
    c = chunk(health=TCP)
    ill = Health(run="run1", since=900.0, tv=TV.N, failures=3, last_error="503")
    i = situation(c, container(c), health=ill, memory=RetryState(proven_run="run1"), gate_open=False)
    _, decision = think(i)
    assert (decision.state, decision.reason, decision.work) == (State.EXECUTING, Reason.UNHEALTHY, None)


def test_a_container_that_is_not_up_by_its_deadline_has_failed() -> None:
    c = chunk(health=TCP)
    slow = Health(run="run1", since=600.0, last_error="connection refused")
    memory, decision = think(situation(c, container(c), health=slow, memory=RetryState(attempts=1)))
    assert (decision.state, decision.reason) == (State.FAILED, Reason.DEADLINE_EXCEEDED)
    assert "connection refused" in decision.message
    assert memory.remedy is Remedy.RESTART


def test_a_renamed_container_gets_its_name_back() -> None:
    c = chunk()
    _, decision = think(situation(c, container(c, name="other")))
    assert steps(decision) == ["RenameContainer other"]


def test_a_paused_container_goes_on() -> None:
    c = chunk()
    _, decision = think(situation(c, container(c, Condition.PAUSED)))
    assert steps(decision) == ["UnpauseContainer shop_web"]


def test_a_disconnected_container_is_connected_again() -> None:
    c = chunk()
    _, decision = think(situation(c, container(c, networks={})))
    assert steps(decision) == ["ConnectNetwork shop_web to pnr_shop"]


def test_a_repair_that_failed_is_not_repeated_before_its_back_off_is_over() -> None:
    c = chunk()
    i = situation(c, container(c, networks={}), memory=RetryState(attempts=1))
    memory = work_failed(i, Reason.ENGINE_ERROR, "no")
    _, decision = think(replace(i, memory=memory))
    assert decision.work is None
    assert decision.wake_at is not None
    assert decision.wake_at > i.now


def test_a_foreign_container_under_the_wanted_name_is_named_and_left_alone() -> None:
    c = chunk()
    foreign = container(c, owner=None, id="0123456789abcdef", image="someone:1")
    _, decision = think(situation(c, holder=foreign))
    assert (decision.state, decision.reason, decision.work) == (State.FAILED, Reason.NAME_CONFLICT, None)
    assert "0123456789ab" in decision.message
    assert "someone:1" in decision.message


def test_a_changed_chunk_is_replaced_and_its_old_container_kept_until_it_is_up() -> None:
    old, new = chunk(health=TCP), chunk(digest="d2", health=TCP)
    _, begin = think(situation(new, container(old), health=healthy()))
    assert steps(begin) == [
        "EnsureImage nginx:1",
        "CreateContainer shop_web.pnr-next",
        "StopContainer shop_web",
        "RenameContainer shop_web",
        "RenameContainer shop_web.pnr-next",
        "StartContainer shop_web",
    ]
    aside = container(old, Condition.EXITED, name="shop_web" + PREVIOUS_SUFFIX)
    fresh = container(new, run="run2")
    _, probing = think(situation(new, fresh, aside, health=Health(run="run2", since=999.0)))
    assert (probing.state, probing.work) == (State.EXECUTING, None)
    _, up = think(situation(new, fresh, aside, health=healthy("run2")))
    assert steps(up) == ["RemoveContainer shop_web" + PREVIOUS_SUFFIX]


def test_start_first_keeps_the_old_container_running_meanwhile() -> None:
    old = chunk(health=TCP, strategy=Strategy.START_FIRST)
    new = chunk(digest="d2", health=TCP, strategy=Strategy.START_FIRST)
    _, begin = think(situation(new, container(old), health=healthy()))
    assert "StopContainer shop_web" not in steps(begin)
    aside = container(old, name="shop_web" + PREVIOUS_SUFFIX)
    _, up = think(situation(new, container(new, run="run2"), aside, health=healthy("run2")))
    assert steps(up) == ["StopContainer shop_web" + PREVIOUS_SUFFIX, "RemoveContainer shop_web" + PREVIOUS_SUFFIX]


def test_an_update_that_does_not_come_up_is_rolled_back() -> None:
    old, new = chunk(health=TCP), chunk(digest="d2", health=TCP)
    aside = container(old, Condition.EXITED, name="shop_web" + PREVIOUS_SUFFIX)
    broken = container(new, Condition.EXITED, run="run2", exit_code=1)
    memory, decision = think(situation(new, broken, aside, memory=RetryState(proven_run="run1")))
    assert memory.rejected == "d2"
    assert steps(decision) == [
        "RemoveContainer shop_web",
        "RenameContainer shop_web" + PREVIOUS_SUFFIX,
        "StartContainer shop_web",
    ]
    back = container(old, run="run3")
    after, told = think(situation(new, back, memory=memory, health=healthy("run3")))
    assert (told.state, told.reason, told.work) == (State.FAILED, Reason.ROLLED_BACK, None)
    assert "exit code 1" in told.message
    assert after.rejected == "d2"


def test_a_rolled_back_container_that_dies_is_still_healed() -> None:
    old, new = chunk(health=TCP), chunk(digest="d2", health=TCP)
    failure = Failure(Reason.EXITED_NON_ZERO, "exit code 1")
    memory = RetryState(rejected="d2", failure=failure, attempts=1, counted_run="run2", not_before=None)
    _, decision = think(situation(new, container(old, Condition.EXITED, run="run3"), memory=memory, now=5000.0))
    assert decision.wake_at is not None or steps(decision) == ["StartContainer shop_web"]


def test_a_failed_update_with_policy_pause_is_left_as_it_is() -> None:
    old = chunk(health=TCP)
    new = chunk(digest="d2", health=TCP, on_failure=OnFailure.PAUSE)
    aside = container(old, Condition.EXITED, name="shop_web" + PREVIOUS_SUFFIX)
    broken = container(new, Condition.EXITED, run="run2", exit_code=1)
    memory, decision = think(situation(new, broken, aside, memory=RetryState(proven_run="run1")))
    assert (memory.paused, memory.rejected) == ("d2", "")
    assert (decision.state, decision.reason, decision.work) == (State.FAILED, Reason.UPDATE_PAUSED, None)


def test_an_image_that_can_not_be_had_leaves_the_old_container_up() -> None:
    old, new = chunk(health=TCP), chunk(digest="d2", image="nginx:nope", health=TCP)
    i = situation(new, container(old), health=healthy(), memory=RetryState(attempts=3))
    memory = work_failed(i, Reason.IMAGE_PULL_FAILED, "not found")
    assert memory.rejected == ""
    _, decision = think(replace(i, memory=memory))
    assert (decision.state, decision.reason, decision.work) == (State.FAILED, Reason.IMAGE_PULL_FAILED, None)


def test_a_container_that_could_not_be_started_is_made_anew_on_the_next_attempt() -> None:
    c = chunk()
    created = container(c, Condition.CREATED)
    i = situation(c, created)
    memory = work_failed(i, Reason.START_FAILED, "network not found")
    _, decision = think(replace(i, memory=memory, now=2000.0))
    assert steps(decision) == [
        "RemoveContainer shop_web",
        "EnsureImage nginx:1",
        "CreateContainer shop_web",
        "StartContainer shop_web",
    ]


def test_a_container_that_ran_is_started_again_and_remade_only_if_that_keeps_failing() -> None:
    c = chunk()
    i = situation(
        c, container(c, Condition.EXITED), memory=RetryState(counted_run="run1", proven_run="run1", attempts=1)
    )
    for _ in range(3):
        i = replace(i, memory=work_failed(i, Reason.START_FAILED, "its store is closed"), now=i.now + 1000.0)
        assert steps(think(i)[1]) == ["StartContainer shop_web"]
    i = replace(i, memory=work_failed(i, Reason.START_FAILED, "its store is closed"), now=i.now + 1000.0)
    assert steps(think(i)[1])[0] == "RemoveContainer shop_web"


def test_a_container_that_ran_before_and_can_never_be_started_is_made_anew_at_once() -> None:
    c = chunk()
    i = situation(
        c, container(c, Condition.EXITED), memory=RetryState(counted_run="run1", proven_run="run1", attempts=1)
    )
    memory = work_failed(i, Reason.START_FAILED, "no such program", can_pass=False)
    _, decision = think(replace(i, memory=memory, now=2000.0))
    assert steps(decision)[0] == "RemoveContainer shop_web"


def test_drift_found_by_inspection_replaces_the_container_and_names_the_difference() -> None:
    c = chunk(settings={"hostname": "a"})
    changed = container(c, settings={"hostname": "b"})
    _, decision = think(situation(c, changed))
    assert decision.work is not None
    assert "hostname" in decision.work.steps[0 if len(decision.work.steps) == 1 else 1][1]
    assert "CreateContainer shop_web.pnr-next" in steps(decision)


def test_drift_that_replacing_does_not_cure_is_tolerated_and_not_replaced_for_ever() -> None:
    c = chunk(settings={"hostname": "a"})
    changed = container(c, settings={"hostname": "b"})
    i = situation(c, changed)
    decision = decide(i)
    assert decision.work is not None
    memory = work_begins(i, decision.work)
    _, again = think(situation(c, container(c, run="run2", settings={"hostname": "b"}), memory=memory))
    assert (again.state, again.work) == (State.COMPLETED, None)


def test_a_removed_chunk_is_stopped_and_removed() -> None:
    c = chunk()
    decision = decide(situation(None, container(c), id=c.id))
    assert steps(decision) == ["StopContainer shop_web", "RemoveContainer shop_web"]


def test_a_removed_chunk_waits_until_its_dependents_are_gone() -> None:
    c = chunk()
    decision = decide(situation(None, container(c), id=c.id, blocked_by="shop/main/api"))
    assert decision.work is None
    assert "shop/main/api" in decision.message


def test_a_job_is_done_when_it_has_ended_with_zero() -> None:
    c = chunk(kind=Kind.JOB)
    memory, decision = think(situation(c, container(c, Condition.EXITED, exit_code=0)))
    assert memory.job_generation == 1
    assert (decision.state, decision.reason, decision.work) == (State.COMPLETED, Reason.JOB_SUCCEEDED, None)


def test_a_done_job_whose_container_was_removed_is_not_run_again_in_this_generation() -> None:
    c = chunk(kind=Kind.JOB)
    decision = decide(situation(c, memory=RetryState(job_generation=1)))
    assert (decision.state, decision.work) == (State.COMPLETED, None)


def test_a_job_runs_again_in_a_new_generation() -> None:
    c = chunk(kind=Kind.JOB)
    old = container(c, Condition.EXITED, exit_code=0, generation=1)
    decision = decide(situation(c, old, generation=2, memory=RetryState(job_generation=1)))
    assert steps(decision) == [
        "EnsureImage nginx:1",
        "CreateContainer shop_web.pnr-next",
        "RemoveContainer shop_web",
        "RenameContainer shop_web.pnr-next",
        "StartContainer shop_web",
    ]


def test_a_job_that_fails_says_so() -> None:
    c = chunk(kind=Kind.JOB)
    _, decision = think(situation(c, container(c, Condition.EXITED, exit_code=2), memory=RetryState(attempts=4)))
    assert (decision.state, decision.reason) == (State.FAILED, Reason.EXITED_NON_ZERO)


def test_a_closed_gate_stops_a_chunk_only_where_it_asks_for_that() -> None:
    keep = chunk(health=TCP)
    stop = chunk(health=TCP, on_gate_close=OnGateClose.STOP)
    closed = {"gate_open": False, "gate_closed": True, "health": healthy(), "memory": RetryState(proven_run="run1")}
    _, kept = think(situation(keep, container(keep), **closed))
    _, stopped = think(situation(stop, container(stop), **closed))
    assert (kept.state, kept.work) == (State.COMPLETED, None)
    assert steps(stopped) == ["StopContainer shop_web"]


def test_an_unknown_gate_stops_nothing() -> None:
    stop = chunk(health=TCP, on_gate_close=OnGateClose.STOP)
    i = situation(stop, container(stop), gate_open=False, gate_closed=False, health=healthy())
    _, decision = think(i)
    assert decision.work is None


def test_what_we_stop_ourselves_is_no_setback() -> None:
    c = chunk(health=TCP, on_gate_close=OnGateClose.STOP)
    closed = {"gate_open": False, "gate_closed": True}
    i = situation(c, container(c), health=healthy(), memory=RetryState(proven_run="run1"), **closed)
    decision = decide(i)
    assert decision.work is not None
    memory = work_begins(i, decision.work)
    after, told = think(situation(c, container(c, Condition.EXITED), memory=memory, **closed))
    assert after.attempts == 0
    assert (told.state, told.reason) == (State.READY, Reason.WAITING_FOR_GATEKEEPER)


def test_restart_on_gate_close_restarts_once_the_gate_holds_again() -> None:
    c = chunk(health=TCP, on_gate_close=OnGateClose.RESTART)
    closed = situation(
        c, container(c), health=healthy(), memory=RetryState(proven_run="run1"), gate_open=False, gate_closed=True
    )
    memory, told = think(closed)
    memory = notice(replace(closed, memory=memory))
    assert told.work is None
    _, reopened = think(replace(closed, memory=memory, gate_open=True, gate_closed=False))
    assert steps(reopened) == ["StopContainer shop_web", "StartContainer shop_web"]


def test_a_silent_container_of_the_go_programs_kind_counts_as_up_after_a_while() -> None:
    c = chunk(facts=FactsMode.OFFERED)
    _, early = think(situation(c, container(c), health=Health(run="run1", since=999.0, began=999.0)))
    _, later = think(situation(c, container(c), health=Health(run="run1", since=990.0, began=990.0)))
    assert (early.state, early.wake_at) == (State.EXECUTING, 1004.0)
    assert later.state is State.COMPLETED


def test_a_container_of_the_go_programs_kind_that_answered_and_ended_well_is_done() -> None:
    c = chunk(facts=FactsMode.OFFERED)
    done = container(c, Condition.EXITED, exit_code=0)
    _, decision = think(situation(c, done, answered_all=True))
    assert (decision.state, decision.work) == (State.COMPLETED, None)


def test_while_work_is_in_flight_nothing_new_is_begun() -> None:
    c = chunk()
    _, decision = think(situation(c, busy=(Reason.PULLING_IMAGE, "pulling nginx:1")))
    assert (decision.state, decision.reason, decision.work) == (State.EXECUTING, Reason.PULLING_IMAGE, None)


def test_leftovers_of_the_same_chunk_are_removed() -> None:
    c = chunk()
    extra = container(c, Condition.CREATED, id="second", name="shop_web_2")
    decision = decide(situation(c, container(c), replace(extra, spec="d0"), replace(extra, id="third", spec="d0")))
    assert any(step.startswith("RemoveContainer") for step in steps(decision))


def test_the_cause_of_a_replacement_is_the_image_also_while_its_tag_is_not_looked_at() -> None:
    c = chunk()
    _, decision = think(situation(c, container(c), memory=RetryState(asked_image="sha256:2")))
    assert decision.work is not None
    causes = {cause for _, cause in decision.work.steps}
    assert any("is to be sha256:2, sha256:1 found" in cause for cause in causes)
    assert not any("dead" in cause for cause in causes)


def test_the_newest_result_of_a_check_is_told_while_the_restart_waits() -> None:
    c = chunk(health=TCP)
    memory = RetryState(counted_run="run1", last_error="not healthy within 30 s: no answer", remedy=Remedy.RESTART)
    ill = Health(
        run="run1", since=900.0, last_error="connection refused; what to do: correct `port_key`", last_at=999.0
    )
    crowd = "4 other chunks are being restarted"
    told = decide(situation(c, container(c), memory=memory, health=ill, crowd=crowd)).message
    said = f"unhealthy (connection refused); its restart waits: {crowd}"
    assert taken_apart(told) == (said, "correct `port_key`")
    of_before = replace(ill, run="run0")
    told = decide(situation(c, container(c), memory=memory, health=of_before, crowd=crowd)).message
    assert told.startswith("unhealthy (not healthy within 30 s: no answer)")
