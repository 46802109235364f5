"""What is to be done while a container of the present intent is there, or the previous one is back. Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.facts import TV
from reconciler.intent.model import Chunk, FactsMode, Kind, OnGateClose
from reconciler.planner import crash_loop, endpoints, following
from reconciler.planner.actions import (
    Action,
    RenameContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
)
from reconciler.planner.compare import is_made_from
from reconciler.planner.health import is_overdue
from reconciler.planner.hindrances import held_back, lacking, name_taken
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import HEALTHY_AFTER_SECONDS, Remedy
from reconciler.planner.rollout import go_on
from reconciler.planner.situation import ENDED, ChunkInput, Roles, differing, finished, left_alone, stuck
from reconciler.planner.standing import (
    counts_as_up_at,
    has_run_stably,
    health_of,
    ill_at_latest,
    is_in_doubt,
    is_surely_ill,
    out_of_doubt_at,
)
from reconciler.planner.steps import (
    Decision,
    call,
    create_and_start,
    end_others,
    ensure_images,
    free_name,
    grace,
    restart,
    start,
    take_away,
    to_do,
)
from reconciler.sentences import framed, taken_apart
from reconciler.states import Reason, State

BESIDE = "it runs beside the new one, which may not be"


def keep(i: ChunkInput, parts: Roles, c: Container) -> Decision:
    """A container of the present intent is there: keep it, heal it, or finish an update with it."""
    assert i.chunk is not None
    chunk, m = i.chunk, i.memory
    if parts.is_pending:
        return go_on(i, parts)
    if finished(i, c):
        if parts.previous is not None:
            steps = take_away(i, parts.previous, "the new run is done")
            return to_do(i, Reason.UPDATING, steps, "removing the previous container")
        if c.name != chunk.container.name and name_taken(i) is None:
            # Its work is done, but the name that it was given may be another's.
            steps = _called_back(i, parts, c)
            return to_do(i, Reason.RECOVERING, steps, steps[-1][1])
        return Decision(State.COMPLETED, Reason.JOB_SUCCEEDED, "exit code 0")
    repairs = _repairs(i, parts, c)
    if repairs:
        taken = name_taken(i) if c.name != chunk.container.name else None
        if taken is not None:
            return taken
        blocked = _stop_at_closed_gate(i, c) or lacking(i, Reason.RECOVERING)
        if blocked is not None:
            return blocked
        if c.condition in (Condition.RUNNING, Condition.PAUSED):
            if m.failure is not None and m.not_before is not None and i.now < m.not_before:
                return Decision(State.FAILED, m.failure.reason, m.failure.message, wake_at=m.not_before)
            return to_do(i, Reason.RECOVERING, repairs, repairs[0][1])
    if c.condition is Condition.RUNNING:
        return _running(i, parts, c)
    if c.condition is Condition.RESTARTING and m.failure is not None:
        text = framed(m.failure.message, after="; the engine restarts it by itself")
        return Decision(State.FAILED, m.failure.reason, text)
    if c.condition in (Condition.RESTARTING, Condition.REMOVING):
        text = f"the engine says: {c.condition}"
        if c.condition is Condition.RESTARTING and m.last_error:
            text = framed(m.last_error, after="; the engine starts it again by itself")
        return Decision(State.EXECUTING, Reason.RECOVERING, text)
    held = held_back(i)
    if held is not None:
        return held
    blocked = lacking(i, Reason.STARTING)
    if blocked is not None:
        return blocked
    if m.remedy is Remedy.RECREATE:
        cause = f"starting it failed: {m.last_error}"
        again = [*take_away(i, c, cause), *ensure_images(i), *create_and_start(i, cause, c)]
        return to_do(i, Reason.RECOVERING, again, cause)
    first = c.condition is Condition.CREATED
    cause = "created, not started" if first else (m.last_error or "it is not running")
    steps = [*repairs, *start(i, c, chunk.container.name, cause)]
    return to_do(i, Reason.STARTING if first else Reason.RECOVERING, steps, cause)


def _repairs(i: ChunkInput, parts: Roles, c: Container) -> list[tuple[Action, str]]:
    """What brings a container of the present intent back to what was asked without replacing it."""
    assert i.chunk is not None
    steps: list[tuple[Action, str]] = []
    name = i.chunk.container.name
    if c.name != name:
        steps.extend(_called_back(i, parts, c))
    changes = differing(i, c)
    of_settings = [change for change in changes if change.setting != endpoints.NETWORKS]
    if of_settings:
        settings = i.chunk.container.settings
        names = tuple(change.setting for change in of_settings)
        steps.append((UpdateContainer(name, settings, names), "; ".join(str(change) for change in of_settings)))
    if c.condition is Condition.PAUSED:
        steps.append((UnpauseContainer(name), "was paused"))
    steps.extend(endpoints.repairs(i.chunk.container, c, name, changes, i.chunk.ignore_drift))
    return steps


def _called_back(i: ChunkInput, parts: Roles, c: Container) -> list[tuple[Action, str]]:
    """Give a container its own name again."""
    assert i.chunk is not None
    wanted = i.chunk.container.name
    if parts.previous is not None and parts.previous.name == wanted:
        # An update was taken back before it was done: what was put aside is wanted again.
        steps = take_away(i, parts.previous, "its intent is taken back")
    else:
        steps = free_name(i, wanted, c, "left over from an earlier attempt")
    return [*steps, (RenameContainer(c.name, wanted), f"is called {c.name}")]


def _running(i: ChunkInput, parts: Roles, c: Container) -> Decision:
    assert i.chunk is not None
    chunk, m = i.chunk, i.memory
    tv = health_of(i, c)
    stop = _stop_at_closed_gate(i, c)
    if stop is not None:
        return stop
    lingering = stuck(i)
    others = replace(i, containers=tuple(c for c in i.containers if c.id not in lingering)) if lingering else i
    beside = end_others(others, c, BESIDE)
    if beside:
        return to_do(i, Reason.UPDATING, beside, BESIDE)
    if chunk.kind is Kind.JOB:
        return Decision(State.EXECUTING, Reason.RUNNING_JOB, "running")
    if m.restart_on_open and i.gate_open and c.run == m.proven_run:
        return to_do(i, Reason.RECOVERING, restart(i, c, "its gatekeeper holds again"), "its gatekeeper holds again")
    left = left_alone(i, c)
    if left and not i.gate_open:
        return Decision(State.EXECUTING, Reason.RECOVERING, f"{left}; {i.waiting_for}")
    if left:
        return to_do(i, Reason.RECOVERING, restart(i, c, left), left)
    if tv is TV.Y or (tv is TV.U and m.proven_run == c.run):
        if parts.previous is not None and not has_run_stably(i, c):
            text = f"it is up; the previous container is kept until it has run for {chunk.stable_seconds:g} s"
            return Decision(State.EXECUTING, Reason.UPDATING, text, wake_at=counts_as_up_at(i, c))
        if parts.previous is not None:
            steps2 = take_away(i, parts.previous, "the new container is up")
            return to_do(i, Reason.UPDATING, steps2, "the new container is up; removing the previous one")
        reason = Reason.HEALTHY if chunk.health is not None else Reason.RUNNING
        message = i.health.message if chunk.health is not None and i.health.run == c.run else ""
        wake = None
        if (m.attempts or m.crashes) and m.proven_at is not None:
            wake = m.proven_at + HEALTHY_AFTER_SECONDS
        return Decision(State.COMPLETED, reason, message or "running", wake_at=wake)
    if m.counted_run == c.run:
        return _ill(i, c)
    if tv is TV.N and m.proven_run == c.run:
        return Decision(
            State.EXECUTING, Reason.UNHEALTHY, _told_ill(i, c, i.health.last_error), wake_at=ill_at_latest(i, c)
        )
    if is_in_doubt(i, c):
        return _in_doubt(i, chunk, c)
    if chunk.health is None:
        text = f"it runs, and counts as up once it has run for {chunk.stable_seconds:g} s"
        if chunk.facts is not FactsMode.NONE and chunk.flowout:
            text = "waiting for the first answer"
        return Decision(State.EXECUTING, Reason.PROBING, text, wake_at=counts_as_up_at(i, c))
    is_watched = i.health.run == c.run
    wake = ill_at_latest(i, c)
    message = i.health.last_error if is_watched and i.health.last_error else "waiting for the first answer"
    if not i.gate_open and is_watched and is_overdue(i.health, chunk.health, i.now):
        message = framed(message, after=f"; not given up while its gatekeeper does not hold: {i.waiting_for}")
    return Decision(State.EXECUTING, Reason.PROBING, message, wake_at=wake)


def _in_doubt(i: ChunkInput, chunk: Chunk, c: Container) -> Decision:
    """It runs, but it has ended so often that it must run for longer than it did to be believed."""
    m = i.memory
    if m.failure is not None and m.failure.reason is Reason.CRASH_LOOPING:
        # It was started again by its engine a moment ago: as likely as not that is over in an instant.
        text = framed(m.failure.message, after="; the engine has started it again by itself")
        return Decision(State.FAILED, Reason.CRASH_LOOPING, text, wake_at=counts_as_up_at(i, c))
    needed = crash_loop.needed_seconds(m, chunk.stable_seconds)
    what = "healthy" if chunk.health is not None else "up"
    text = f"it runs again, and counts as up once it has been {what} for {needed:.3g} s; {m.last_error}"
    ends = [at for at in (out_of_doubt_at(i, c), ill_at_latest(i, c)) if at is not None and at > i.now]
    return Decision(State.EXECUTING, Reason.CRASH_LOOPING, text, wake_at=min(ends, default=None))


def _stop_at_closed_gate(i: ChunkInput, c: Container) -> Decision | None:
    assert i.chunk is not None
    stops = i.chunk.on_gate_close is OnGateClose.STOP and i.chunk.kind is Kind.SERVICE
    if not (stops and i.gate_closed and c.condition is Condition.RUNNING):
        return None
    cause = f"gate closed: {i.waiting_for}"
    return to_do(i, Reason.STOPPING, [(StopContainer(c.name, grace(i, c), c.id), cause)], cause)


def _found_last(i: ChunkInput, c: Container) -> str:
    """What is the matter with one that is ill: while it is left running, its check goes on, and may tell more by now
    than when its illness was counted."""
    known, newest = i.memory.last_error, i.health.last_error if i.health.run == c.run else ""
    return newest if newest and taken_apart(newest)[0] not in taken_apart(known)[0] else known


def _ill(i: ChunkInput, c: Container) -> Decision:
    """A running container whose illness has been counted: restart it when that is due and the gate holds."""
    m, found = i.memory, _found_last(i, c)
    held = held_back(i)
    if held is not None:
        if held.reason is Reason.WAITING_FOR_GATEKEEPER:
            return Decision(State.EXECUTING, Reason.UNHEALTHY, _told_ill(i, c, found))
        return held
    if i.crowd:
        text = framed(found, "unhealthy (", f"); its restart waits: {i.crowd}")
        return Decision(State.EXECUTING, Reason.UNHEALTHY, text)
    if not is_surely_ill(i, c):
        return Decision(State.EXECUTING, Reason.UNHEALTHY, _told_ill(i, c, found), wake_at=ill_at_latest(i, c))
    return to_do(i, Reason.RECOVERING, restart(i, c, m.last_error), m.last_error)


def _told_ill(i: ChunkInput, c: Container, error: str) -> str:
    """What is said of a container that is ill and not restarted yet."""
    if c.run == i.told_run:
        return framed(error, after="; it was told to end from outside, and pnr waits for that")
    if not i.gate_open:
        return framed(error, "unhealthy (", f"); not restarted while its gatekeeper does not hold: {i.waiting_for}")
    if i.doubted:
        needed = ", ".join(id.chunk if id.domain == i.id.domain else str(id) for id in i.doubted)
        return framed(error, after=f"; not restarted before it is known that what it needs is well: {needed}")
    return error


def rolled_back(i: ChunkInput, parts: Roles) -> Decision:
    """The new container was rejected: see to it that the previous one serves under its name."""
    assert i.chunk is not None
    assert parts.previous is not None
    previous, name, m = parts.previous, i.chunk.container.name, i.memory
    why = m.failure.message if m.failure is not None else m.last_error
    steps: list[tuple[Action, str]] = []
    if parts.current is not None:
        steps.extend(take_away(i, parts.current, f"the update failed: {why}"))
    if i.holder is not None:
        name = previous.name  # better under another name than not at all
    elif previous.name != name:
        if parts.current is None or parts.current.name != name:
            steps.extend(free_name(i, name, previous, "the update failed"))
        steps.extend(call(i, previous, name, "the update failed"))
    if previous.condition is Condition.PAUSED:
        steps.append((UnpauseContainer(name), "the update failed"))
    if previous.condition in (Condition.CREATED, *ENDED):
        waits = m.not_before is not None and i.now < m.not_before
        after_retry = waits and previous.run in (m.counted_run, m.stopped_run)
        if not after_retry:
            others = replace(i, containers=tuple(one for one in i.containers if one is not parts.current))
            steps.extend(start(others, previous, name, "the previous container comes back"))
    if steps:
        return to_do(i, Reason.ROLLING_BACK, steps, f"the update failed: {why}")
    moments = [m.not_before, m.retry_at]
    ill = ""
    if previous.condition is Condition.RUNNING and health_of(i, previous) is not TV.Y:
        if m.counted_run == previous.run:
            ill = m.last_error
            may = i.gate_open and not i.crowd and (m.not_before is None or i.now >= m.not_before)
            if may and is_surely_ill(i, previous):
                return to_do(i, Reason.RECOVERING, restart(i, previous, ill), ill)
        moments += [ill_at_latest(i, previous), counts_as_up_at(i, previous) if i.chunk.health is None else None]
    wake = min((at for at in moments if at is not None and at > i.now), default=None)
    what, until = "the update", "the domain changes"
    if is_made_from(previous, i.chunk):
        rejected = following.short(i.image.newest or following.wanted_id(i.chunk, m, i.image))
        what, until = f"the update to {i.chunk.container.image} ({rejected})", "its tag moves on, or the domain changes"
    again = f"until {until}" if m.retry_at is None else "until it is tried again by itself"
    back = "is back" if previous.condition is Condition.RUNNING else "is to come back"
    text = f"{what} failed and the previous container {back} {again}: {why}"
    text = framed(text, after=f"; it is not healthy itself: {taken_apart(ill)[0]}") if ill else text
    if previous.condition is not Condition.RUNNING and m.last_error not in ("", why):
        text = framed(text, after=f"; what holds it back: {taken_apart(m.last_error)[0]}")
    return Decision(State.FAILED, Reason.ROLLED_BACK, text, wake_at=wake)
