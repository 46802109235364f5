"""What a chunk answers, from its container, its health and its own words."""

from __future__ import annotations

from reconciler.facts import TV, FactRef, Pnr
from reconciler.intent.model import Answer, Chunk, FactsMode, HealthCheck, Kind
from reconciler.planner.answers import answers
from reconciler.planner.health import Health, fold, reached_through, unanswered
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import Failure, RetryState
from reconciler.planner.situation import ChunkInput, roles
from reconciler.states import Reason
from tests.unit.planner.build import TCP, chunk, container, healthy, situation

REF = FactRef("shop", "main", "web_ready")
NO = Pnr("is web ready?", ("no",), TV.N)
YES = Pnr("is web ready?", ("yes",), TV.Y)


def told(i: ChunkInput, own: dict[str, Pnr] | None = None, before: Pnr | None = None) -> Pnr:
    return answers(i, roles(i), own or {}, {REF: before} if before is not None else {})[REF]


def check(**more: object) -> HealthCheck:
    return HealthCheck(type="tcp", port_key="80", **more)  # type: ignore[arg-type]


def test_a_chunk_that_was_never_started_answers_unknown() -> None:
    assert told(situation(chunk(health=TCP))).tv is TV.U


def test_a_healthy_chunk_answers_as_declared() -> None:
    c = chunk(health=TCP)
    assert told(situation(c, container(c), health=healthy())) == YES


def test_a_container_that_stopped_running_answers_no_at_once() -> None:
    c = chunk(health=TCP)
    assert told(situation(c, container(c, Condition.EXITED)), before=YES) == NO


def test_an_answer_of_no_stands_until_the_next_run_has_proved_itself() -> None:
    c = chunk(health=TCP)
    started = situation(c, container(c, run="run2"), health=Health(run="run2", since=1.0))
    assert told(started, before=NO) == NO
    assert told(started).tv is TV.U


def test_nothing_is_known_while_the_engine_can_not_be_asked() -> None:
    c = chunk(health=TCP)
    assert told(situation(c, container(c), health=healthy(), engine_up=False), before=YES).tv is TV.U


def test_status_mapping_says_what_success_and_failure_answer() -> None:
    full = Pnr("is web ready?", ("primary",), TV.Y)
    gone = Pnr("is web ready?", ("away",), TV.N)
    mapped = check(on_success=(Answer("web_ready", full),), on_failure=(Answer("web_ready", gone),))
    c = chunk(health=mapped)
    assert told(situation(c, container(c), health=healthy())) == full
    assert told(situation(c, container(c, Condition.EXITED))) == gone


def own_words() -> Chunk:
    return chunk(facts=FactsMode.OWN)


def test_a_container_that_answers_itself_is_believed_and_nobody_answers_for_it() -> None:
    c = own_words()
    i = situation(c, container(c))
    assert told(i).tv is TV.U
    busy = Pnr("is web ready?", ("busy",), TV.N)
    assert told(i, {"web_ready": busy}) == busy


def test_a_done_job_keeps_its_answer_although_its_container_is_gone() -> None:
    c = chunk(kind=Kind.JOB)
    assert told(situation(c, memory=RetryState(job_generation=1))) == YES


def test_bad_results_count_only_after_the_start_period_and_from_the_threshold_on() -> None:
    patient = check(start_period_seconds=10.0, failure_threshold=2)
    h = Health(run="r", since=0.0)
    for now in (1.0, 5.0, 9.0):
        h = fold(h, patient, ok=False, message="refused", now=now)
    assert (h.tv, h.failures, h.last_error) == (TV.U, 0, "refused")
    h = fold(h, patient, ok=False, message="refused", now=11.0)
    assert h.tv is TV.U
    h = fold(h, patient, ok=False, message="refused", now=12.0)
    assert h.tv is TV.N


def test_good_results_count_from_the_threshold_on_and_a_bad_one_resets_the_count() -> None:
    twice = check(success_threshold=2)
    h = fold(Health(run="r"), twice, ok=True, message="ok", now=1.0)
    h = fold(h, twice, ok=False, message="no", now=2.0)
    h = fold(h, twice, ok=True, message="ok", now=3.0)
    assert h.tv is TV.U
    assert fold(h, twice, ok=True, message="ok", now=4.0).tv is TV.Y


def test_an_early_look_that_fails_counts_for_nothing() -> None:
    once = check(failure_threshold=1)
    h = fold(Health(run="r"), once, ok=False, message="refused", now=1.0, counts=False)
    assert (h.tv, h.failures, h.total_failures) == (TV.U, 0, 0)


def test_a_chunk_that_could_not_be_brought_up_answers_no() -> None:
    failure = Failure(Reason.IMAGE_PULL_FAILED, "not found")
    assert told(situation(chunk(health=TCP), memory=RetryState(failure=failure))) == NO


def test_a_run_that_was_given_up_answers_no_before_any_result_has_counted() -> None:
    c = chunk(health=TCP)
    given_up = RetryState(failure=Failure(Reason.DEADLINE_EXCEEDED, "not healthy within 30 s"), counted_run="run1")
    assert told(situation(c, container(c), health=Health(run="run1"), memory=given_up)) == NO
    assert told(situation(c, container(c), health=healthy(), memory=given_up)) == YES
    assert told(situation(c, container(c, run="run2"), health=Health(run="run2"), memory=given_up)).tv is TV.U


def test_a_container_that_could_not_be_started_answers_no() -> None:
    c = chunk(health=TCP)
    made = container(c, Condition.CREATED, run="")
    assert told(situation(c, made)).tv is TV.U
    assert told(situation(c, made, memory=RetryState(failure=Failure(Reason.PORT_IN_USE, "held")))) == NO


def test_a_look_that_could_not_be_taken_is_no_result() -> None:
    once = check(failure_threshold=1)
    seen = fold(Health(run="run1"), once, ok=True, message="answered", now=1.0)
    blind = unanswered(seen, "the engine does not answer", 2.0)
    assert (blind.tv, blind.failures, blind.successes, blind.message) == (TV.Y, 0, 1, "answered")
    assert (blind.last_error, blind.last_at) == ("the engine does not answer", 2.0)


def test_answers_from_before_a_network_was_connected_count_for_nothing_after() -> None:
    lan, both = frozenset({"lan"}), frozenset({"lan", "back"})
    ill = Health(run="run1", since=1.0, tv=TV.N, failures=4, total_failures=4, last_error="no route", networks=lan)
    joined = reached_through(ill, both, 9.0)
    assert (joined.tv, joined.failures, joined.since, joined.total_failures) == (TV.U, 0, 9.0, 4)
    assert reached_through(ill, lan, 9.0) is ill
    left = reached_through(ill, (), 9.0)
    assert (left.tv, left.failures, left.since) == (TV.N, 4, 1.0)
    well = Health(run="run1", since=1.0, tv=TV.Y, successes=3, networks=lan)
    still = Health(run="run1", since=1.0, tv=TV.Y, successes=3, networks=both, anew_at=9.0)
    assert reached_through(well, both, 9.0) == still
