"""How ends are counted, and for how long who is in a loop must be up to be believed."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planner.crash_loop import ended, is_in_loop, needed_seconds, restarts_seen, told
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import EndedRun, RetryState
from tests.unit.planner.build import chunk, container

C = replace(container(chunk()), began=1000.0)


def restarting(restarts: int, began: float, finished: float) -> Container:
    now = replace(C, condition=Condition.RESTARTING, exit_code=3, restarts=restarts)
    return replace(now, began=began, finished=finished)


def test_each_end_that_the_engine_counts_is_counted_once() -> None:
    m = restarts_seen(RetryState(), C, 0.0)
    m = restarts_seen(m, restarting(1, 1000.0, 1002.0), 2.0)
    m = restarts_seen(m, restarting(1, 1000.0, 1002.0), 2.1)
    m = restarts_seen(m, replace(C, restarts=1, began=1002.1), 2.2)
    assert (m.crashes, m.restarted, m.looping) == (1, 1, False)
    assert m.runs == (EndedRun(2.0, 2.0, 3, oom=False),)


def test_an_end_that_was_missed_has_its_length_by_the_engines_clock() -> None:
    m = restarts_seen(RetryState(), C, 0.0)
    m = restarts_seen(m, replace(C, restarts=1, began=1050.0, finished=1020.0), 51.0)
    (run,) = m.runs
    assert (run.lasted, run.code) == (20.0, None)


def test_a_run_of_which_only_the_end_was_seen_is_as_long_as_its_engine_says() -> None:
    m = restarts_seen(RetryState(), restarting(1, 1000.0, 1000.3), 0.3)
    m = restarts_seen(m, restarting(2, 1006.7, 1007.0), 7.0)
    assert round(m.runs[-1].lasted, 3) == 0.3


def test_ends_that_nobody_saw_are_spread_evenly_and_the_last_five_kept() -> None:
    m = restarts_seen(RetryState(), C, 0.0)
    m = restarts_seen(m, replace(C, restarts=30, began=1299.0, finished=1298.0), 300.0)
    assert (m.crashes, len(m.runs), m.looping) == (30, 5, True)
    assert [run.lasted for run in m.runs] == [10.0] * 5
    assert [run.at for run in m.runs] == [260.0, 270.0, 280.0, 290.0, 300.0]


def test_ends_that_are_far_apart_are_no_loop() -> None:
    m = RetryState()
    for number in range(1, 9):
        m = restarts_seen(m, replace(C, restarts=number - 1), 400.0 * (number - 1))
        m = restarts_seen(m, replace(C, restarts=number), 400.0 * number)
    assert (m.crashes, m.looping) == (8, False)


def test_what_was_counted_before_anybody_looked_is_not_ours() -> None:
    m = restarts_seen(RetryState(), replace(C, restarts=7), 0.0)
    assert (m.crashes, m.restarts_seen) == (0, 7)


def test_a_container_that_we_made_has_ended_as_often_as_its_engine_says() -> None:
    made = RetryState(warned_of=C.id, made=1, made_at=100.0)
    assert restarts_seen(made, replace(C, restarts=2), 103.0).crashes == 2


def test_where_somebody_started_it_anew_the_engine_counts_from_there() -> None:
    m = restarts_seen(RetryState(), replace(C, restarts=7), 0.0)
    m = restarts_seen(m, replace(C, restarts=0), 10.0)
    assert m.crashes == 0
    assert restarts_seen(m, replace(C, restarts=1), 20.0).crashes == 1


def test_another_container_begins_anew() -> None:
    m = RetryState()
    for number in range(4):
        m = ended(m, replace(C, condition=Condition.EXITED, exit_code=1), float(number), 1.0)
    assert is_in_loop(m, C)
    other = replace(C, id="other")
    assert not is_in_loop(m, other)
    m = restarts_seen(m, other, 10.0)
    assert (m.crashes, m.looping, m.runs) == (0, False, ())


def test_it_must_be_up_clearly_longer_than_before_and_for_its_stable_seconds() -> None:
    def lasted(*seconds: float) -> RetryState:
        return RetryState(runs=tuple(EndedRun(0.0, one) for one in seconds))

    assert needed_seconds(lasted(2.0, 20.0, 4.0), 5.0) == 25.0
    assert needed_seconds(lasted(0.1), 5.0) == 5.0
    assert needed_seconds(lasted(590.0), 5.0) == 600.0
    assert needed_seconds(lasted(86_400.0, 2.0), 5.0) == 5.0


def test_what_has_ended_once_is_said_so() -> None:
    assert told(
        restarts_seen(RetryState(warned_of=C.id, made_at=0.0), restarting(1, 1000.0, 1002.0), 2.0), "exit code 3"
    ) == ("it ended by itself once, last after 2 s: exit code 3")


def test_what_is_said_of_it_holds_how_often_and_how_it_ended() -> None:
    m = RetryState(crashes=4, runs=(EndedRun(0.0, 2.04, 3),))
    assert told(m, "exit code 3; it said: boom") == (
        "it ended by itself 4 times, last after 2.04 s: exit code 3; it said: boom"
    )
