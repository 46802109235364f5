"""Who ended by himself again and again is in a crash loop, whoever starts him again. Pure.

Ends are counted from what is seen, never from events: a container that has ended is counted once by its run, and one
that its engine starts again by the engine's own count of restarts, so that ends that nobody saw count as well. What we
stop ourselves, or somebody else starts again, is no such end.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import HEALTHY_AFTER_SECONDS, EndedRun, RetryState

ENDS = 3
WITHIN_SECONDS = 600.0
RUNS_KEPT = 5
LONGER = 1.25
_AT_ONCE_SECONDS = 0.1


def restarts_seen(m: RetryState, c: Container, now: float, jobless: bool = True) -> RetryState:
    """The memory with the ends of a container that its engine has started again, or is about to."""
    if m.runs_of != c.id:
        known = 0 if is_new(m, c, now) else c.restarts
        m = replace(m, runs_of=c.id, runs=(), looping=False, crashes=0, restarts_seen=known, seen_since=now)
    elif c.restarts < m.restarts_seen:
        m = replace(m, restarts_seen=0)  # somebody has started it again, and the engine counts from there
    ends = c.restarts - m.restarts_seen if jobless else 0
    if ends > 0:
        each = max(0.0, now - m.seen_since) / ends
        is_last = c.condition is Condition.RESTARTING
        for number in range(max(0, ends - RUNS_KEPT), ends):
            is_known = is_last and number == ends - 1
            lasted = each
            if is_known and c.lasted is not None:
                lasted = c.lasted
            elif ends == 1 and m.seen_began is not None and c.finished is not None and c.finished >= m.seen_began:
                lasted = c.finished - m.seen_began  # it runs again: what the engine tells of the end is the last run's
            code, oom = (c.exit_code, c.oom_killed) if is_known else (None, False)
            m = _with(m, EndedRun(now - (ends - 1 - number) * each, lasted, code, oom))
        m = replace(m, crashes=m.crashes + max(0, ends - RUNS_KEPT), restarted=m.restarted + ends, seen_since=now)
    began = c.began if c.began is not None else m.seen_began
    if (m.restarts_seen, m.seen_began) != (c.restarts, began):
        m = replace(m, restarts_seen=c.restarts, seen_began=began)
    return m


def is_new(m: RetryState, c: Container, now: float) -> bool:
    """Whether we made it a moment ago: it has ended as often as its engine says. Of others nobody knows when they
    did."""
    return m.warned_of == c.id and now - m.made_at < WITHIN_SECONDS


def ended(m: RetryState, c: Container, now: float, seen_for: float) -> RetryState:
    """The memory with the end of a container that ended by itself and is not started again by its engine.
    ``seen_for`` is for how long it was seen to run, where the engine does not tell."""
    m = restarts_seen(m, c, now)
    lasted = c.lasted if c.lasted is not None else seen_for
    return replace(_with(m, EndedRun(now, lasted, c.exit_code, c.oom_killed)), seen_since=now)


def _with(m: RetryState, run: EndedRun) -> RetryState:
    runs = (*m.runs, run)[-RUNS_KEPT:]
    recent = sum(run.at - one.at < WITHIN_SECONDS for one in runs)
    return replace(m, runs=runs, crashes=m.crashes + 1, looping=m.looping or recent >= ENDS)


def is_in_loop(m: RetryState, c: Container) -> bool:
    """Whether a container is in a crash loop, and has not run out of it yet."""
    return m.looping and m.runs_of == c.id and m.proven_run != c.run


def needed_seconds(m: RetryState, stable_seconds: float) -> float:
    """For how long a container in a crash loop must be up to be taken for up: clearly longer than it was in its last
    runs. A run of ten minutes was no part of a loop."""
    longest = max((run.lasted for run in m.runs if run.lasted < HEALTHY_AFTER_SECONDS), default=0.0)
    return max(stable_seconds, min(longest * LONGER, HEALTHY_AFTER_SECONDS))


def told(m: RetryState, how: str) -> str:
    """What is said of a container in a crash loop; ``how`` it ended last."""
    last = m.runs[-1].lasted if m.runs else 0.0
    times = "once" if m.crashes == 1 else f"{m.crashes} times"
    is_seen = bool(m.runs) and m.runs[-1].code is not None  # else it is known only when it was looked at
    when = f"after {'' if is_seen else 'at most '}{last:.3g} s" if last >= _AT_ONCE_SECONDS else "at once"
    return f"it ended by itself {times}, last {when}: {how}"


def out_of_loop(m: RetryState) -> RetryState:
    """The memory once it has run out of it."""
    return replace(m, looping=False) if m.looping else m
