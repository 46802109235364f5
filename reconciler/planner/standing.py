"""Whether a container that runs counts as up, or for ill, as far as is known of it. Pure."""

from __future__ import annotations

from reconciler.facts import TV
from reconciler.intent.model import OFFERED_SILENCE_SECONDS, FactsMode, Kind
from reconciler.planner import crash_loop
from reconciler.planner.health import is_asked, is_overdue
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import ChunkInput, is_of_unknown, judged_as, lacks_owner

SETTLED_SECONDS = 0.5
"""So much later than the answer of a probe an engine may still notice what the answer comes from."""

FRESH_SECONDS = 1.0
"""Who was seen so shortly before a restart that had to wait is known well enough."""


def is_up_without_probe(i: ChunkInput, c: Container) -> bool:
    """Whether a running container counts as up although nothing probes it."""
    chunk = judged_as(i, c)
    if chunk is None or chunk.health is not None:
        return False
    if chunk.kind is Kind.JOB:
        return True
    if chunk.facts is not FactsMode.NONE and chunk.flowout:
        if i.answered_all:
            return True
        silent = i.now - i.health.began >= OFFERED_SILENCE_SECONDS
        if chunk.facts is FactsMode.OWN or not (i.health.run == c.run and silent):
            return False
    return has_run_stably(i, c)


def has_run_stably(i: ChunkInput, c: Container) -> bool:
    """Whether a running container has run for so long that it is no more taken for one that ends at once."""
    chunk = judged_as(i, c)
    if chunk is None or not chunk.stable_seconds or i.memory.proven_run == c.run:
        return True
    return i.health.run == c.run and _seen_until(i) >= i.health.began + chunk.stable_seconds


def _seen_until(i: ChunkInput) -> float:
    """Until when it is known that the container runs: news of its end may be late."""
    return i.now if i.health.seen_at is None else i.health.seen_at


def is_in_doubt(i: ChunkInput, c: Container) -> bool:
    """Whether a container that runs in a crash loop has not been up for longer than it was in its last runs."""
    chunk = judged_as(i, c)
    if chunk is None or chunk.kind is Kind.JOB or not crash_loop.is_in_loop(i.memory, c):
        return False
    up_since = _up_since(i, c)
    return up_since is None or _up_until(i, c) < up_since + crash_loop.needed_seconds(i.memory, chunk.stable_seconds)


def out_of_doubt_at(i: ChunkInput, c: Container) -> float | None:
    """When a container in a crash loop is to be decided about again, since it may have run out of it then."""
    up_since, chunk = _up_since(i, c), judged_as(i, c)
    if chunk is None or up_since is None:
        return None
    return up_since + crash_loop.needed_seconds(i.memory, chunk.stable_seconds)


def _up_since(i: ChunkInput, c: Container) -> float | None:
    chunk = judged_as(i, c)
    if chunk is None or i.health.run != c.run:
        return None
    return i.health.began if chunk.health is None else i.health.good_since


def _up_until(i: ChunkInput, c: Container) -> float:
    """Until when it is known that the container is up, where it was ever: it was asked then and has answered well, and
    was still the same run when it was looked at after that. On a machine that is starved both may be long ago."""
    seen, chunk = _seen_until(i), judged_as(i, c)
    if chunk is None or not is_asked(chunk.health) or i.health.good_at is None:
        return seen
    return min(seen, i.health.good_at)


def counts_as_up_at(i: ChunkInput, c: Container) -> float | None:
    """When a running container is to be decided about again, since it may count as up then by having run so long."""
    chunk = judged_as(i, c)
    if chunk is None or i.health.run != c.run:
        return None
    silence = OFFERED_SILENCE_SECONDS if chunk.facts is FactsMode.OFFERED else 0.0
    return i.health.began + max(chunk.stable_seconds, silence)


def is_to_be_seen(i: ChunkInput, c: Container) -> bool:
    """Whether a running container would count as up by having run so long, were it known that it still does; or for
    ill, were it known that nothing else is the matter with it."""
    chunk = judged_as(i, c)
    if chunk is None or i.health.seen_at is None or c.condition is not Condition.RUNNING:
        return False
    moments = [counts_for_ill_at(i, c)]
    if i.memory.proven_run != c.run:
        in_doubt = crash_loop.is_in_loop(i.memory, c) or chunk.health is None
        moments += [counts_as_up_at(i, c), out_of_doubt_at(i, c) if in_doubt else None]
    return any(at is not None and i.health.seen_at < at <= i.now for at in moments)


def counts_for_ill_at(i: ChunkInput, c: Container) -> float | None:
    """When a container that was found to be ill counts for that; None where it was not. The news of what its answer
    comes from (it was cut off, paused, ended) may come later than the answer itself, and a restart that had to wait may
    have become the wrong one meanwhile: only who is seen to run as declared after this moment is restarted."""
    chunk = judged_as(i, c)
    check = chunk.health if chunk is not None else None
    if check is None or i.health.run != c.run or is_of_unknown(i, c):
        return None
    if i.memory.proven_run == c.run:
        found = (i.health.bad_since or 0.0) if i.health.tv is TV.N else None
    else:
        is_late = i.health.tv is not TV.Y and is_overdue(i.health, check, i.now)
        found = i.health.since + check.deadline_seconds if is_late else None
    if found is None:
        return None
    due = i.memory.not_before if i.memory.counted_run == c.run else None
    return max(found + SETTLED_SECONDS, i.health.patient_until, due - FRESH_SECONDS if due is not None else 0.0)


def is_surely_ill(i: ChunkInput, c: Container) -> bool:
    """Whether a container that was found to be ill still is, and nothing else is known to be the matter with it."""
    if is_of_unknown(i, c):
        return False
    chunk = judged_as(i, c)
    if chunk is None or chunk.health is None or i.health.run != c.run:
        return True
    at = counts_for_ill_at(i, c)
    if at is None or c.run == i.told_run or i.doubted or not i.gate_open or lacks_owner(i):
        return False
    return i.health.seen_at is None or i.health.seen_at >= at


def ill_at_latest(i: ChunkInput, c: Container) -> float | None:
    """When a running container is to be decided about again, since it may count for ill then."""
    chunk = judged_as(i, c)
    if chunk is None or chunk.health is None or i.health.run != c.run or is_of_unknown(i, c):
        return None
    deadline = i.health.since + chunk.health.deadline_seconds if i.memory.proven_run != c.run else None
    moments = (deadline, counts_for_ill_at(i, c))
    return min((at for at in moments if at is not None and at > i.now), default=None)


def health_of(i: ChunkInput, c: Container) -> TV:
    """What is known of the container's health in its present run."""
    if c.condition is not Condition.RUNNING:
        return TV.U
    tv = TV.Y if is_up_without_probe(i, c) else i.health.tv if i.health.run == c.run else TV.U
    if tv is not TV.Y and is_of_unknown(i, c):
        tv = TV.Y if i.memory.proven_run == c.run else TV.U
    return TV.U if tv is TV.Y and is_in_doubt(i, c) else tv
