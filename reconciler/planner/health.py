"""From single probe results to "up" and "down": thresholds, start period, deadline. Pure.

The words are Kubernetes': ``failure_threshold`` bad results in a row make a chunk unhealthy,
``success_threshold`` good ones make it healthy; in between nothing changes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from reconciler.facts import TV
from reconciler.intent.model import DOCKER_CHECK, FACT_CHECK, HealthCheck

LONGEST_UNASKED_SECONDS = 10.0
UNKNOWN_SECONDS = 5.0
"""Nothing is waited for longer that is to be known in a moment."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes of one run of a container have told so far.

    ``run`` is the run that the results belong to, ``container`` the id of the container, ``since`` when watching it
    began (monotonic seconds), ``began`` when the run itself did as far as that is known, ``tv`` what counts now: U
    until a threshold is reached. ``successes`` and ``failures`` count results in a row. ``networks`` are those through
    which it could be reached, with its addresses there. ``good_since`` is when ``tv`` became Y, ``bad_since`` when it
    became N; None while it is not. ``good_at`` is when the last question was asked that had a good answer.
    ``seen_at`` is when the last look at it began: what it did since is not known (None: nobody says).
    ``anew_at``: what was asked before counts for nothing where the answer is bad. Before ``patient_until`` it may well
    get well by itself.
    """

    run: str = ""
    container: str = ""
    since: float = 0.0
    tv: TV = TV.U
    successes: int = 0
    failures: int = 0
    total_failures: int = 0
    message: str = ""
    last_error: str = ""
    last_at: float | None = None
    networks: frozenset[str] = frozenset()
    began: float = 0.0
    good_since: float | None = None
    bad_since: float | None = None
    good_at: float | None = None
    seen_at: float | None = None
    anew_at: float = 0.0
    patient_until: float = 0.0


def asked_anew(health: Health, now: float) -> Health:
    """The same once something was put right that may be why it did not answer: bad answers until now, and those to what
    was asked before, count for nothing."""
    if health.tv is TV.Y:
        return replace(health, failures=0, anew_at=now)
    return replace(health, tv=TV.U, since=now, successes=0, failures=0, bad_since=None, anew_at=now)


def given_time(health: Health, check: HealthCheck, now: float) -> Health:
    """The same of one that may be ill for what it needs, once it has that again: it is given the time in which it is
    found out whether it gets well by itself."""
    if health.tv is TV.Y:
        return health
    return replace(health, since=now, patient_until=now + check.failure_threshold * check.interval_seconds)


def reached_through(health: Health, networks: Collection[str], now: float) -> Health:
    """The same of a container that has these networks now. One that has one more than it had, or is found elsewhere
    there, is asked again."""
    current = frozenset(networks)
    if current == health.networks:
        return health
    found = health if not current - health.networks else asked_anew(health, now)
    return replace(found, networks=current)


def judged(before: Health, after: Health, now: float) -> Health:
    """``after`` with since when it is good or bad, where ``before`` is what was known until now."""
    good = before.good_since if before.tv is TV.Y and before.good_since is not None else now
    bad = before.bad_since if before.tv is TV.N and before.bad_since is not None else now
    since = (good if after.tv is TV.Y else None, bad if after.tv is TV.N else None)
    return (
        after
        if since == (after.good_since, after.bad_since)
        else replace(after, good_since=since[0], bad_since=since[1])
    )


def unanswered(health: Health, message: str, now: float) -> Health:
    """A look that could not be taken, since nobody could be asked or we ourselves were too late to hear the answer:
    remembered for people, and no result."""
    return replace(health, last_error=message, last_at=now)


def without_lost(health: Health, lost: float, now: float) -> Health:
    """The same with its deadline put off by the time in which the machine gave nobody a turn."""
    return replace(health, since=min(now, health.since + lost)) if lost > 0.0 else health


def is_asked(check: HealthCheck | None) -> bool:
    """Whether a probe asks; others tell by themselves."""
    return check is not None and check.type not in (DOCKER_CHECK, FACT_CHECK)


def longest_doubt(check: HealthCheck | None) -> float:
    """For how long a container may be ill before its check has found that out, once it is asked; it is known at once
    where nobody has to ask."""
    if check is None or not is_asked(check):
        return UNKNOWN_SECONDS
    return UNKNOWN_SECONDS + check.failure_threshold * (check.interval_seconds + check.timeout_seconds)


def is_overdue(health: Health, check: HealthCheck, now: float) -> bool:
    """Whether a container that was to be healthy by now has been asked, and was not. Who was not asked of late may have
    become healthy: the machine stood still, and the next look tells."""
    if now - health.since < check.deadline_seconds:
        return False
    asked = health.last_at is not None and is_asked(check)
    return not asked or now - (health.last_at or now) <= check.timeout_seconds + LONGEST_UNASKED_SECONDS


def fold(health: Health, check: HealthCheck, *, ok: bool, message: str, now: float, counts: bool = True) -> Health:
    """Take one result into account.

    A failure with ``counts=False`` (an early look, before the first regular one was due) and a failure within
    ``start_period_seconds`` are remembered for people but count for nothing.
    """
    if ok:
        successes = health.successes + 1
        good = successes >= check.success_threshold
        return replace(
            health,
            tv=TV.Y if good else health.tv,
            successes=successes,
            failures=0,
            message=message,
            last_at=now,
        )
    in_start_period = health.tv is TV.U and now - health.since < check.start_period_seconds
    if not counts or in_start_period:
        return replace(
            health,
            successes=0,
            last_error=message,
            last_at=now,
            message=message,
            total_failures=health.total_failures + (1 if counts else 0),
        )
    failures = health.failures + 1
    bad = failures >= check.failure_threshold
    return replace(
        health,
        tv=TV.N if bad else health.tv,
        successes=0,
        failures=failures,
        total_failures=health.total_failures + 1,
        message=message,
        last_error=message,
        last_at=now,
    )
