"""Brings the memory of a chunk up to date with what is seen of it. Pure.

What is seen is compared with what is remembered, never with an event, so that a missed event changes nothing: a run
that has ended is counted once (``counted_run``), whether its end was seen as it happened or an hour later.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.facts import TV
from reconciler.intent.model import Chunk, Kind, OnFailure, OnGateClose
from reconciler.planner import crash_loop, endpoints, following, kept_endpoints, mounts, mounts_judged
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    ExamineMounts,
    RenameContainer,
    StartContainer,
    StopContainer,
)
from reconciler.planner.cleaning import is_clean_up
from reconciler.planner.compare import is_made_from
from reconciler.planner.endings import (
    as_before,
    ended_by_others,
    ended_with_owner,
    exit_code,
    how_it_ended,
    killed,
    memory_limit,
)
from reconciler.planner.health import is_overdue
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import (
    Failure,
    Remedy,
    RetryState,
    attempt_begins,
    intent_changed,
    not_removed,
    proven,
    put_off,
    serves_again,
    set_back,
    without_gone,
)
from reconciler.planner.situation import (
    ENDED,
    PREVIOUS_SUFFIX,
    ChunkInput,
    Roles,
    beside,
    differing,
    finished,
    found_differing,
    judged_as,
    roles,
)
from reconciler.planner.standing import has_run_stably, health_of, is_surely_ill
from reconciler.states import Reason

STARTS_BEFORE_MAKING = 4
"""After so many setbacks a container that ran before, and can't be started, is recreated."""

STARTED_AGAIN = 2
"""So often a new version that others ended is started again before what it replaces comes back for a while."""


def notice(i: ChunkInput) -> RetryState:
    """The memory, brought up to date with what is seen."""
    m, chunk = i.memory, i.chunk
    if chunk is None or i.busy is not None or not i.engine_up:
        return m
    if m.leftovers:
        m = without_gone(m, [container.id for container in i.containers])
        i = replace(i, memory=m)
    replaced = mounts.token(chunk, i.containers, i.files)
    if replaced and replaced != m.files:
        # Like a changed intent: what failed with the file of before may go well with this one.
        # What is replaced every few seconds must not have a container made as often: that is remembered.
        m = replace(intent_changed(m), files=replaced, made=m.made)
        i = replace(i, memory=m)
    parts = roles(i)
    c = parts.main
    if c is None:
        return m
    if i.stop_is_over and m.stopped_run == c.run and c.condition is Condition.RUNNING:
        # It was to be stopped, and was not: what becomes of it is its own doing again.
        m = replace(m, stopped_run="", counted_run="" if m.counted_run == c.run else m.counted_run)
        i = replace(i, memory=m)
    m = mounts_judged.noted(m, chunk, c)
    if m is not i.memory:
        i = replace(i, memory=m)
    if not parts.rolled_back and c is not parts.current:
        # An update that can't begin yet: only remember that what it is to replace is fine.
        fine = c.condition is Condition.RUNNING and health_of(i, c) is TV.Y
        return replace(m, proven_run=c.run) if fine else _comes_back(i, chunk, c)
    if m.kept and c is parts.current and c.condition in (Condition.RUNNING, Condition.PAUSED):
        m = replace(m, kept=kept_endpoints.without_arrived(m.kept, chunk, c, i.now))
        if i.obstacle is not None and i.obstacle[0] is Reason.ADDRESS_IN_USE:
            m = replace(m, kept=kept_endpoints.without_lost_addresses(m.kept, c, i.now))
        i = replace(i, memory=m)
    if m.tolerated and c is parts.current and c.settings is not None:
        left = {str(difference) for difference in found_differing(i, c)}
        m = replace(m, tolerated=tuple(sentence for sentence in m.tolerated if sentence in left))
        i = replace(i, memory=m)
    if chunk.kind is Kind.SERVICE and c.condition in (Condition.RUNNING, Condition.RESTARTING):
        m = _notice_restarts(i, c, parts)
        if _give_up_seen(i.memory, m):
            return m
        if m is not i.memory:
            i = replace(i, memory=m)
    if c.condition is Condition.RUNNING:
        company = beside(i, c)
        if company and not m.beside.startswith(f"{c.run} "):
            m = replace(m, beside=company)
            i = replace(i, memory=m)
        if chunk.on_gate_close is OnGateClose.RESTART and i.gate_closed and c.run == m.proven_run:
            m = replace(m, restart_on_open=True)
            i = replace(i, memory=m)
        tv = health_of(i, c)
        if tv is TV.Y and chunk.kind is Kind.SERVICE:
            if parts.rolled_back:
                return serves_again(crash_loop.out_of_loop(m), c.run, i.now)
            if parts.previous is not None and not has_run_stably(i, c):
                return m  # as long as it can still be found to end at once, what it replaces is there
            m = crash_loop.out_of_loop(m)
            m = following.arrived(m) if parts.previous is None else m
            return proven(m, c.run, i.now)
        if i.health.run == c.run and m.counted_run != c.run and _is_as_declared(i, chunk, c, parts):
            m = _notice_illness(i, c, tv, parts)
        return m
    by_us = c.name.endswith(PREVIOUS_SUFFIX) or (parts.rolled_back and c.run == m.stopped_run)
    if c.condition in ENDED and c.run and m.counted_run != c.run and not by_us:
        return _notice_end(i, c, parts)
    return m


def _comes_back(i: ChunkInput, chunk: Chunk, previous: Container) -> RetryState:
    """Where an update can't be made before a while is over, and what it is to replace was up and has ended: that one
    comes back meanwhile."""
    m = i.memory
    waits = m.not_before is not None and i.now < m.not_before and i.gate_open
    was_up = previous.condition in ENDED and previous.run == m.proven_run
    if not (waits and was_up and chunk.kind is Kind.SERVICE and chunk.on_failure is OnFailure.ROLLBACK):
        return m
    target = following.target(chunk, m, i.image)
    return replace(m, rejected=target, retry_at=m.not_before, not_before=None)


def _give_up_seen(before: RetryState, now: RetryState) -> bool:
    return (before.rejected, before.paused) != (now.rejected, now.paused)


def _notice_restarts(i: ChunkInput, c: Container, parts: Roles) -> RetryState:
    """What ended by itself and was started again by its engine, or is about to be."""
    before, c = i.memory, as_before(i, c)
    m = crash_loop.restarts_seen(before, c, i.now)
    if m.crashes > before.crashes or (m.runs and m.runs != before.runs):
        how = how_it_ended(i, c)[1] if c.condition is Condition.RESTARTING else _last_end(m, memory_limit(i))
        counted = c.run if c.condition is Condition.RESTARTING else m.counted_run
        text = crash_loop.told(m, how)
        m = replace(m, counted_run=counted, last_error=text)
        if m.looping and not parts.rolled_back:
            failure = Failure(Reason.CRASH_LOOPING, text, c.id)
            if parts.previous is not None:
                return _failed(replace(i, memory=m), failure, Remedy.START, parts, counted_run=counted)
            m = replace(m, failure=failure)
    is_back = m.failure is not None and m.failure.reason is Reason.CRASH_LOOPING and not parts.rolled_back
    if is_back and c.condition is Condition.RUNNING and has_run_stably(i, c) and m.counted_run != c.run:
        m = replace(m, failure=None)  # it runs again, and not only for an instant
    return m


def _last_end(m: RetryState, limit: object = None) -> str:
    known = [run for run in m.runs if run.code is not None]
    if not known:
        return "its exit code is not known"
    run = known[-1]
    return killed(run.code, limit) if run.oom else exit_code(run.code, limit)


def _is_as_declared(i: ChunkInput, chunk: Chunk, c: Container, parts: Roles) -> bool:
    """Whether nothing is to be put right in a container that may be why it is ill: that comes first, and then it is
    asked again."""
    if endpoints.cut_off(chunk, c):
        return False
    return c is not parts.current or (c.name == chunk.container.name and not differing(i, c))


def _notice_illness(i: ChunkInput, c: Container, tv: TV, parts: Roles) -> RetryState:
    chunk, m = judged_as(i, c), i.memory
    assert chunk is not None
    if chunk.kind is Kind.JOB or not is_surely_ill(i, c):
        return m
    was_up = m.proven_run == c.run
    if tv is TV.N and was_up and chunk.health is not None:
        times = "" if i.health.failures == 1 else f" {i.health.failures} times"
        error = f"health check failed{times}: {i.health.last_error}"
        return set_back(
            m,
            now=i.now,
            jitter=i.jitter,
            error=error,
            failure=m.failure if parts.rolled_back else None,
            remedy=Remedy.RESTART,
            counted_run=c.run,
        )
    limit = chunk.health.deadline_seconds if chunk.health is not None else None
    if chunk.health is not None and not was_up and is_overdue(i.health, chunk.health, i.now):
        said = i.health.last_error or "no result yet"
        text = f"not healthy within {limit:g} s: {said}"
        failure = Failure(Reason.DEADLINE_EXCEEDED, text, c.id)
        if parts.rolled_back:
            # That the update failed is still what people are to know first.
            return set_back(
                m,
                now=i.now,
                jitter=i.jitter,
                error=text,
                failure=m.failure,
                remedy=Remedy.RESTART,
                counted_run=c.run,
            )
        return _failed(i, failure, Remedy.RESTART, parts, counted_run=c.run)
    return m


def _notice_end(i: ChunkInput, c: Container, parts: Roles) -> RetryState:
    chunk, m = i.chunk, i.memory
    assert chunk is not None
    if finished(i, c):
        return replace(attempt_begins(m), job_generation=i.generation, counted_run=c.run, attempts=0, last_error="")
    c = as_before(i, c)
    failure = Failure(*how_it_ended(i, c), c.id)
    if chunk.kind is Kind.SERVICE and c.run != i.told_run and not ended_with_owner(i, c):
        seen_for = i.now - i.health.began if i.health.run == c.run else 0.0
        m = crash_loop.ended(m, c, i.now, seen_for)
        i = replace(i, memory=m)
        if m.looping:
            failure = Failure(Reason.CRASH_LOOPING, crash_loop.told(m, failure.message), c.id)
    if parts.rolled_back:
        return set_back(
            m,
            now=i.now,
            jitter=i.jitter,
            error=failure.message,
            failure=m.failure,
            remedy=Remedy.START,
            counted_run=c.run,
        )
    if chunk.kind is Kind.SERVICE and m.proven_run == c.run:
        return set_back(
            m,
            now=i.now,
            jitter=i.jitter,
            error=failure.message,
            failure=failure if m.looping else None,
            remedy=Remedy.START,
            counted_run=c.run,
        )
    if parts.previous is not None and failure.reason is not Reason.CRASH_LOOPING and (how := ended_by_others(i, c)):
        return _started_again(i, replace(failure, message=f"{how}: {failure.message}"), parts, c)
    return _failed(i, failure, Remedy.START, parts, counted_run=c.run)


def _started_again(i: ChunkInput, failure: Failure, parts: Roles, c: Container) -> RetryState:
    """The new container of an update is started again; where that happens again and again, what it replaces comes
    back meanwhile, as after any trouble that can pass."""
    chunk, often = i.chunk, i.memory.attempts >= STARTED_AGAIN
    m = set_back(
        i.memory,
        now=i.now,
        jitter=i.jitter,
        error=failure.message,
        failure=failure if often else None,
        remedy=Remedy.START,
        counted_run=c.run,
    )
    if chunk is None or not often or chunk.on_failure is not OnFailure.ROLLBACK:
        return m
    return _put_off(i, m, chunk, parts)


def _failed(i: ChunkInput, failure: Failure, remedy: Remedy, parts: Roles, *, counted_run: str) -> RetryState:
    """Register a failure; where an update is under way, give the update up as its policy says."""
    m = set_back(
        i.memory,
        now=i.now,
        jitter=i.jitter,
        error=failure.message,
        failure=failure,
        remedy=remedy,
        counted_run=counted_run,
    )
    return _give_up_update(i, m, parts) if parts.previous is not None else m


def _give_up_update(i: ChunkInput, m: RetryState, parts: Roles) -> RetryState:
    """Remember that the update to the present spec, or to another image, has failed."""
    chunk = i.chunk
    if chunk is None or chunk.kind is Kind.JOB:
        return m
    target = _target(i, chunk, parts)
    m = _as_it_became(m, target, chunk, parts)
    if chunk.on_failure is OnFailure.PAUSE:
        return replace(m, paused=target)
    return _back(i, m, replace(m, rejected=target, retry_at=None, retries=0, not_before=None))


def _put_off(i: ChunkInput, m: RetryState, chunk: Chunk, parts: Roles) -> RetryState:
    """Try the update again later: it failed for a trouble that can pass."""
    target = _target(i, chunk, parts)
    m = _as_it_became(m, target, chunk, parts)
    return _back(i, m, put_off(m, target, i.now, i.jitter))


def _back(i: ChunkInput, m: RetryState, given_up: RetryState) -> RetryState:
    """What is to serve again does not wait for a back-off of the new one; but as long as it is not known that the tag
    has moved, the new one is what is tried again."""
    assert i.chunk is not None
    is_known = following.target(i.chunk, given_up, i.image) == given_up.rejected
    return given_up if is_known else replace(given_up, not_before=m.not_before)


def _as_it_became(m: RetryState, target: str, chunk: Chunk, parts: Roles) -> RetryState:
    """The memory where a tag has moved between being looked at and being taken: what the container was made from is
    what was asked for."""
    new = parts.current
    if new is None or not m.asked_image or target != following.target_of(chunk, new.image_id):
        return m
    return replace(m, asked_image=new.image_id)


def _target(i: ChunkInput, chunk: Chunk, parts: Roles) -> str:
    """What the update under way leads to."""
    wanted, new, old = following.wanted_id(chunk, i.memory, i.image), parts.current, parts.previous
    is_other_image = new is not None and old is not None and is_made_from(old, chunk) and new.image_id != old.image_id
    if new is not None and (wanted or is_other_image):
        wanted = new.image_id  # the tag may have moved since it was looked at
    return following.target_of(chunk, wanted)


def _remedy(i: ChunkInput, reason: Reason, current: Container | None, can_pass: bool) -> Remedy:
    """How what could not be started is tried again. What never ran is recreated; what ran has in it what it wrote, and
    its engine may just be ending: it is recreated only where it can never be started, or again and again can't."""
    if reason not in (Reason.START_FAILED, Reason.PORT_IN_USE):
        return Remedy.START
    has_run = current is not None and current.run != ""
    return Remedy.START if has_run and can_pass and i.memory.attempts < STARTS_BEFORE_MAKING else Remedy.RECREATE


def work_failed(
    i: ChunkInput, reason: Reason, message: str, *, action: Action | None = None, can_pass: bool = True
) -> RetryState:
    """The memory after work on the chunk failed with an engine's error, at ``action``. ``can_pass``: the same may
    succeed later though nothing is declared again. What failed decides what follows:

    - what was only to get something out of the way touches nothing that is up;
    - a trouble that can pass is no verdict on a new version: what was there goes on, or comes back at once;
    - a new version that the engine can never start is given up.
    """
    parts, chunk = roles(i), i.chunk
    if isinstance(action, ConnectNetwork) and action.name not in {c.name for c in i.containers}:
        return i.memory  # it had made room for an address, and its own chunk sees to it
    back = _connected_as_before(i, parts, action, reason, message, can_pass)
    if back is not None:
        return back
    leftover = is_clean_up(i, parts, action) if chunk is not None else None
    if leftover is not None:
        return not_removed(i.memory, leftover.id, error=message, now=i.now, jitter=i.jitter)
    if reason is Reason.UPDATE_FAILED and parts.main is not None:
        # What the engine would not change in a container that runs takes another one.
        m = set_back(i.memory, now=i.now, jitter=i.jitter, error=message, failure=None, remedy=Remedy.START)
        return replace(m, unchangeable=parts.main.id, tolerated=())
    if isinstance(action, ExamineMounts):
        return mounts_judged.refused(i, action, reason, message)
    remedy = _remedy(i, reason, parts.current, can_pass)
    failure = i.memory.failure if parts.rolled_back else Failure(reason, message)
    m = set_back(i.memory, now=i.now, jitter=i.jitter, error=message, failure=failure, remedy=remedy)
    m = _in_its_turn(m, parts, action)
    if chunk is None or chunk.kind is Kind.JOB or parts.previous is None or parts.rolled_back:
        return m
    if isinstance(action, StartContainer) and not can_pass:
        return _give_up_update(i, m, parts)
    touches = isinstance(action, StartContainer | StopContainer | RenameContainer)
    if touches and chunk.on_failure is OnFailure.ROLLBACK:
        return _put_off(i, m, chunk, parts)
    return m


def _connected_as_before(
    i: ChunkInput, parts: Roles, action: Action | None, reason: Reason, message: str, can_pass: bool
) -> RetryState | None:
    """The memory after the engine refused how a container is to be connected, where it can be connected as before, or
    in some other way where nobody knows how it was: that is the next step. None where there is no such way."""
    m, c, final = i.memory, parts.main, not can_pass
    if isinstance(action, ConnectNetwork):
        attempts = [action]
    elif isinstance(action, StartContainer) and reason in (Reason.START_FAILED, Reason.ADDRESS_IN_USE):
        # One that does not run takes any address, and can't be started with it.
        attempts = [ConnectNetwork(action.name, one.network, ()) for one in m.kept if not one.is_kept(i.now)]
    else:
        return None
    kept = m.kept
    for attempt in attempts:
        if isinstance(action, ConnectNetwork) and c is not None and endpoints.is_in_none(c):
            kept = kept_endpoints.without_network(kept, attempt)
        changed = kept_endpoints.refused(kept, attempt, message, i.now, i.jitter, final=final)
        if changed is None:
            return None
        kept = changed
    if not attempts:
        return None
    left = (said for said in m.tolerated if not any(kept_endpoints.is_of(said, one.network) for one in attempts))
    return replace(m, kept=kept, tolerated=tuple(left), last_error=message)


def work_out_of_date(i: ChunkInput, message: str, *, action: Action | None = None) -> RetryState:
    """The memory after work met something else than what was known: what it was to act on is gone, or what it needs is
    not there at this moment. No failure, but counted, so that it can't spin."""
    parts, m = roles(i), i.memory
    failure = m.failure if parts.rolled_back else None
    m = set_back(m, now=i.now, jitter=i.jitter, error=message, failure=failure, remedy=m.remedy)
    return _in_its_turn(m, parts, action)


def _in_its_turn(m: RetryState, parts: Roles, action: Action | None) -> RetryState:
    """Where what is to serve again can't be started either, the trouble is not one of the new version, which is tried
    in its turn as well."""
    if not (parts.rolled_back and m.retry_at is not None and isinstance(action, StartContainer)):
        return m
    return replace(m, retry_at=m.not_before, retries=max(m.retries - 1, 0))
