"""The heart: what state a chunk is in, and what is to be done about it now. Pure.

It sees one chunk; what chunks have to do with one another comes in as gate and as ``blocked_by``. It does not know
why it was asked: a Docker event, a probe, a timer and a resync are all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.facts import TV
from reconciler.intent.model import OFFERED_SILENCE_SECONDS, Chunk, FactsMode, Kind, OnGateClose, Strategy
from reconciler.lifecycle import Reason, State
from reconciler.planner import endpoints, following
from reconciler.planner.actions import (
    Action,
    CreateContainer,
    EnsureImage,
    RemoveContainer,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
    Work,
)
from reconciler.planner.adopting import can_take_over, take_over
from reconciler.planner.memory import HEALTHY_AFTER_SECONDS, Remedy
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import (
    ASIDE_SUFFIX,
    ENDED,
    PREVIOUS_SUFFIX,
    Cast,
    ChunkInput,
    cast,
    differing,
    drifted,
    finished,
    found_differing,
    health_of,
    is_made_from,
    is_outdated,
    left_alone,
)

DEFAULT_GRACE_SECONDS = 10.0  # Docker's


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the work to begin (None: nothing), and when to decide again at the latest. ``fetch`` is an image to
    be had ahead of any work on the chunk, which goes on whether it can be had or not."""

    state: State
    reason: Reason
    message: str
    work: Work | None = None
    wake_at: float | None = None
    fetch: EnsureImage | None = None


def decide(i: ChunkInput) -> Decision:
    """The verdict on the chunk, and the work to begin now.

    Whatever the work is, it does not begin before the back-off of the last setback is over.
    """
    decision = _verdict(i)
    if decision.state is State.COMPLETED and (i.memory.warnings or i.memory.tolerated):
        decision = replace(decision, message=f"{decision.message}{_reservations(i)}")
    not_before = i.memory.not_before
    if decision.work is not None and not_before is not None and i.now < not_before:
        decision = replace(decision, work=None, wake_at=not_before)
    return _meanwhile(i, decision)


def _meanwhile(i: ChunkInput, decision: Decision) -> Decision:
    """The same with what is to be fetched meanwhile: a newer image for what runs, or the one that is needed as soon as
    the gate opens. Work of its own on the chunk sees to its image itself."""
    chunk = i.chunk
    if chunk is None or i.busy is not None or not i.engine_up or decision.work is not None:
        return decision
    newer = fetch = following.newer(chunk, i.image) if i.containers else None
    waits = not i.gate_open and not i.unsupported and cast(i).current is None
    if fetch is None and waits and chunk.container.build is None and chunk.container.pull_policy != "never":
        fetch = following.fetch(chunk)
    if fetch is None or not i.image.fetching:
        return replace(decision, fetch=fetch)
    if newer is not None and decision.state in (State.COMPLETED, State.FAILED):
        # What runs goes on; that it is not what is wanted is known, and it is being seen to.
        return Decision(State.EXECUTING, Reason.PULLING_IMAGE, i.image.fetching, wake_at=decision.wake_at, fetch=fetch)
    return replace(decision, message=f"{decision.message}; meanwhile {i.image.fetching}", fetch=fetch)


def _reservations(i: ChunkInput) -> str:
    """What people should know of a container that is up: what the engine said as it made it, and what is not as
    declared although it was tried."""
    m, current = i.memory, cast(i).current
    if current is None:
        return ""
    warned = m.warnings if m.warned_of == current.id else ()
    left = [str(one) for one in found_differing(i, current) if str(one) in m.tolerated]
    said = [*(f"the engine warns: {text}" for text in warned), *(f"left as it is: {text}" for text in left)]
    return "".join(f"; {text}" for text in said)


def _verdict(i: ChunkInput) -> Decision:
    if i.busy is not None:
        reason, message = i.busy
        return Decision(State.EXECUTING, reason, message)
    if i.chunk is None:
        return _remove(i)
    parts = cast(i)
    if not i.engine_up:
        return Decision(State.EXECUTING, Reason.ENGINE_UNAVAILABLE, "the engine does not answer")
    if parts.spare and not _may_run_on(i, parts):
        steps = tuple(step for c in parts.spare for step in _take_away(i, c, "left over from an earlier attempt"))
        return _work(i, Reason.UPDATING, steps, "removing leftovers")
    aside = _step_aside(i, parts)
    if aside is not None:
        return aside
    if parts.rolled_back:
        return _rolled_back(i, parts)
    if parts.current is None:
        return _begin(i, parts)
    return _keep(i, parts, parts.current)


def _work(i: ChunkInput, reason: Reason, steps: Sequence[tuple[Action, str]], message: str) -> Decision:
    work = Work(i.id, tuple(steps), reason) if steps else None
    return Decision(State.EXECUTING, reason, message, work)


def _take_away(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    steps: list[tuple[Action, str]] = []
    if c.condition in (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING):
        steps.append((StopContainer(c.name, _grace(i, c)), cause))
    steps.append((RemoveContainer(c.name), cause))
    return steps


def _grace(i: ChunkInput, c: Container) -> float:
    """How long a container may take to stop: as it was created with, else as its chunk says now."""
    own = (c.settings or {}).get("stop_grace_period")
    if own is not None:
        return float(own)
    return i.chunk.container.stop_grace_seconds if i.chunk is not None else DEFAULT_GRACE_SECONDS


def _remove(i: ChunkInput) -> Decision:
    if not i.containers:
        return Decision(State.READY, Reason.REMOVING, "removed")
    if i.blocked_by:
        return Decision(State.EXECUTING, Reason.REMOVING, f"waiting until {i.blocked_by} is gone")
    steps = [step for c in i.containers for step in _take_away(i, c, "no longer declared")]
    return _work(i, Reason.REMOVING, steps, "no longer declared")


def _waiting(i: ChunkInput, state: State = State.READY) -> Decision:
    return Decision(state, Reason.WAITING_FOR_GATEKEEPER, i.waiting_for or "its gatekeeper does not hold")


def _held_back(i: ChunkInput) -> Decision | None:
    """The verdict while the next attempt is not due, or could not succeed; None when it may begin."""
    m = i.memory
    assert i.chunk is not None
    if m.paused == following.target(i.chunk, m, i.image) and m.failure is not None:
        text = f"the update failed and is paused until the domain changes: {m.failure.message}"
        return Decision(State.FAILED, Reason.UPDATE_PAUSED, text)
    due = m.not_before is None or i.now >= m.not_before
    if m.failure is not None and not due:
        return Decision(State.FAILED, m.failure.reason, m.failure.message, wake_at=m.not_before)
    if not i.gate_open:
        return _waiting(i)
    if not due:
        text = f"attempt {m.attempts + 1} is held back; last: {m.last_error}"
        return Decision(State.EXECUTING, Reason.BACK_OFF, text, wake_at=m.not_before)
    return None


def _name_taken(i: ChunkInput) -> Decision | None:
    if i.conflict:
        return Decision(State.FAILED, Reason.NAME_CONFLICT, i.conflict)
    if i.holder is None or i.chunk is None:
        return None
    h = i.holder
    if i.holder_leaves:
        text = f"waiting until container {h.id[:12]} of {h.owner} has given up the name {i.chunk.container.name}"
        return Decision(State.EXECUTING, Reason.CREATING, text)
    whose = f"belongs to {h.owner}" if h.owner is not None else "was not made by pnr"
    text = (
        f"the name {i.chunk.container.name} is held by container {h.id[:12]} ({h.image}), which {whose};"
        f" remove or rename it, or choose another container name"
    )
    return Decision(State.FAILED, Reason.NAME_CONFLICT, text)


def _blocked(i: ChunkInput, reason: Reason) -> Decision | None:
    """The verdict while something that it needs is not there: a failure where waiting alone brings nothing."""
    if i.obstacle is not None:
        return Decision(State.FAILED, *i.obstacle)
    return Decision(State.EXECUTING, reason, f"waiting for {i.blocked_by}") if i.blocked_by else None


def _may_run_on(i: ChunkInput, parts: Cast) -> bool:
    """Whether leftovers stay until the image of the newest is there: those of an update that was overtaken by the next
    are all that runs where it had stopped what was up before."""
    if parts.current is not None or parts.rolled_back:
        return False
    stopped = parts.previous is not None and parts.previous.condition in ENDED
    runs = any(c.condition is Condition.RUNNING for c in parts.spare)
    return stopped and runs and not (i.unsupported or i.blocked_by or _held_back(i) or _name_taken(i))


def _step_aside(i: ChunkInput, parts: Cast) -> Decision | None:
    """Give up names that other chunks are to have, whatever holds this chunk back: they may be what it waits for, and
    two that swap their names would wait for each other."""
    assert i.chunk is not None
    wanted = i.chunk.container.name
    steps: list[tuple[Action, str]] = []
    for c in (parts.current, parts.previous):
        if c is None or c.name == wanted or c.name not in i.wanted_elsewhere:
            continue
        at_once = c is parts.current and i.holder is None and c.condition in (Condition.RUNNING, Condition.PAUSED)
        if not at_once:
            steps.append((RenameContainer(c.name, c.name + ASIDE_SUFFIX), f"the name {c.name} is another chunk's now"))
    return _work(i, Reason.RECOVERING, steps, steps[0][1]) if steps else None


def _create_and_start(i: ChunkInput, cause: str) -> list[tuple[Action, str]]:
    assert i.chunk is not None
    name = i.chunk.container.name
    return [
        (CreateContainer(name, i.chunk, i.id.replica, i.generation, i.flowin), cause),
        (StartContainer(name, i.chunk.container.files), cause),
    ]


def _ensure_images(i: ChunkInput) -> list[tuple[Action, str]]:
    """The container's image, and those that it mounts."""
    assert i.chunk is not None
    own = following.fetch(i.chunk)
    mounted = following.mounted(i.chunk)
    return [(own, f"policy {own.policy}"), *((image, "it is mounted") for image in mounted)]


def _begin(i: ChunkInput, parts: Cast) -> Decision:
    """Nothing of the present intent is there: a first start, or an update."""
    assert i.chunk is not None
    chunk, previous = i.chunk, parts.previous
    if chunk.kind is Kind.JOB and i.memory.job_generation == i.generation and previous is None:
        return Decision(State.COMPLETED, Reason.JOB_SUCCEEDED, "exit code 0")
    serving = previous is not None and previous.condition is Condition.RUNNING
    held = _held_back(i)
    if held is not None:
        ended = previous is not None and previous.condition in ENDED and previous.run == i.memory.proven_run
        if previous is not None and ended and i.gate_open and held.state is State.FAILED:
            cause = "the update can't be made yet, and what it is to replace has ended"
            return _work(i, Reason.RECOVERING, [(StartContainer(previous.name, chunk.container.files), cause)], cause)
        if held.state is State.READY and serving:
            return replace(held, state=State.EXECUTING, message=f"the update waits: {held.message}")
        return held
    if i.unsupported:
        return Decision(State.FAILED, Reason.UNSUPPORTED, "; ".join(i.unsupported))
    holder = can_take_over(i)
    if holder is not None:
        steps = take_over(i, holder)
        return _work(i, Reason.CREATING, steps, steps[0][1]) if isinstance(steps, list) else Decision(*steps)
    taken = _name_taken(i)
    if taken is not None:
        return taken
    blocked = _blocked(i, Reason.CREATING)
    if blocked is not None:
        return blocked
    if i.turn and serving:
        return Decision(State.EXECUTING, Reason.UPDATING, f"the update waits: {i.turn}")
    if previous is None:
        creation = [*_ensure_images(i), *_create_and_start(i, "no container yet")]
        return _work(i, Reason.CREATING, creation, "no container yet")
    return _replace(i, chunk, previous, parts.spare)


def _replace(i: ChunkInput, chunk: Chunk, previous: Container, spare: Sequence[Container]) -> Decision:
    changes = drifted(i, previous)
    moved = following.moved(chunk, i.image, previous) if is_outdated(i, previous) else ""
    cause = "; ".join([*changes, moved] if moved else changes) or "its intent changed"
    if previous.spec == chunk.container.digest and not changes and not moved:
        cause = "a new generation" if chunk.kind is Kind.JOB else "the container is dead"
    # What the engine has under the tag is what is wanted: nothing but its being there has to be seen to.
    is_only_moved = moved and not changes and is_made_from(previous, chunk)
    steps: list[tuple[Action, str]] = [(following.present(chunk), cause)] if is_only_moved else _ensure_images(i)
    for c in spare:
        steps.extend(_take_away(i, c, "left over from an earlier attempt"))
    put_aside = previous.name.endswith(PREVIOUS_SUFFIX)
    if chunk.kind is Kind.JOB or (previous.condition is not Condition.RUNNING and not put_aside):
        steps.extend(_take_away(i, previous, cause))
    else:
        if chunk.strategy is Strategy.STOP_FIRST and previous.condition is Condition.RUNNING:
            steps.append((StopContainer(previous.name, _grace(i, previous)), cause))
        if previous.name == chunk.container.name:
            steps.append((RenameContainer(previous.name, previous.name + PREVIOUS_SUFFIX), cause))
    steps.extend(_create_and_start(i, cause))
    return _work(i, Reason.UPDATING, steps, cause)


def _repairs(i: ChunkInput, parts: Cast, c: Container) -> list[tuple[Action, str]]:
    """What brings a container of the present intent back to what was asked without replacing it."""
    assert i.chunk is not None
    steps: list[tuple[Action, str]] = []
    wanted = i.chunk.container.name
    name = c.name
    if name != wanted:
        if parts.previous is not None and parts.previous.name == wanted:
            # An update was taken back before it was done: what was put aside is wanted again.
            steps.extend(_take_away(i, parts.previous, "its intent is taken back"))
        steps.append((RenameContainer(c.name, wanted), f"is called {c.name}"))
        name = wanted
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


def _keep(i: ChunkInput, parts: Cast, c: Container) -> Decision:
    """A container of the present intent is there: keep it, heal it, or finish an update with it."""
    assert i.chunk is not None
    chunk, m = i.chunk, i.memory
    if finished(i, c):
        if parts.previous is not None:
            steps = _take_away(i, parts.previous, "the new run is done")
            return _work(i, Reason.UPDATING, steps, "removing the previous container")
        return Decision(State.COMPLETED, Reason.JOB_SUCCEEDED, "exit code 0")
    repairs = _repairs(i, parts, c)
    if repairs:
        taken = _name_taken(i) if c.name != chunk.container.name else None
        if taken is not None:
            return taken
        if i.blocked_by:
            return Decision(State.EXECUTING, Reason.RECOVERING, f"waiting for {i.blocked_by}")
        if c.condition in (Condition.RUNNING, Condition.PAUSED):
            return _work(i, Reason.RECOVERING, repairs, repairs[0][1])
    if c.condition is Condition.RUNNING:
        return _running(i, parts, c)
    if c.condition is Condition.RESTARTING and m.failure is not None:
        text = f"{m.failure.message}; the engine restarts it by itself"
        return Decision(State.FAILED, m.failure.reason, text)
    if c.condition in (Condition.RESTARTING, Condition.REMOVING):
        return Decision(State.EXECUTING, Reason.RECOVERING, f"the engine says: {c.condition}")
    held = _held_back(i)
    if held is not None:
        return held
    blocked = _blocked(i, Reason.STARTING)
    if blocked is not None:
        return blocked
    if m.remedy is Remedy.RECREATE:
        cause = f"starting it failed: {m.last_error}"
        again = [*_take_away(i, c, cause), *_ensure_images(i), *_create_and_start(i, cause)]
        return _work(i, Reason.RECOVERING, again, cause)
    first = c.condition is Condition.CREATED
    cause = "created, not started" if first else (m.last_error or "it is not running")
    steps = [*repairs, (StartContainer(chunk.container.name, chunk.container.files), cause)]
    return _work(i, Reason.STARTING if first else Reason.RECOVERING, steps, cause)


def _running(i: ChunkInput, parts: Cast, c: Container) -> Decision:
    assert i.chunk is not None
    chunk, m = i.chunk, i.memory
    tv = health_of(i, c)
    if i.gate_closed and chunk.on_gate_close is OnGateClose.STOP and chunk.kind is Kind.SERVICE:
        steps = [(StopContainer(c.name, _grace(i, c)), f"gate closed: {i.waiting_for}")]
        return _work(i, Reason.STOPPING, steps, f"gate closed: {i.waiting_for}")
    if chunk.kind is Kind.JOB:
        return Decision(State.EXECUTING, Reason.RUNNING_JOB, "running")
    if m.restart_on_open and i.gate_open and c.run == m.proven_run:
        return _work(i, Reason.RECOVERING, _restart(i, c, "its gatekeeper holds again"), "its gatekeeper holds again")
    left = left_alone(i, c)
    if left and not i.gate_open:
        return Decision(State.EXECUTING, Reason.RECOVERING, f"{left}; {i.waiting_for}")
    if left:
        return _work(i, Reason.RECOVERING, _restart(i, c, left), left)
    if tv is TV.Y or (tv is TV.U and m.proven_run == c.run):
        if parts.previous is not None:
            steps2 = _take_away(i, parts.previous, "the new container is up")
            return _work(i, Reason.UPDATING, steps2, "the new container is up; removing the previous one")
        reason = Reason.HEALTHY if chunk.health is not None else Reason.RUNNING
        message = i.health.message if chunk.health is not None and i.health.run == c.run else ""
        wake = None
        if m.attempts and m.proven_at is not None:
            wake = m.proven_at + HEALTHY_AFTER_SECONDS
        return Decision(State.COMPLETED, reason, message or "running", wake_at=wake)
    if m.counted_run == c.run:
        return _ill(i, c)
    if tv is TV.N and m.proven_run == c.run:
        return Decision(State.EXECUTING, Reason.UNHEALTHY, i.health.last_error)
    wake = None
    if i.health.run == c.run:
        if chunk.health is not None:
            wake = i.health.since + chunk.health.deadline_seconds
        elif chunk.facts is FactsMode.OFFERED:
            wake = i.health.since + OFFERED_SILENCE_SECONDS
    message = i.health.last_error if i.health.run == c.run and i.health.last_error else "waiting for the first answer"
    return Decision(State.EXECUTING, Reason.PROBING, message, wake_at=wake)


def _restart(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    assert i.chunk is not None
    return [
        (StopContainer(c.name, _grace(i, c)), cause),
        (StartContainer(c.name, i.chunk.container.files), cause),
    ]


def _ill(i: ChunkInput, c: Container) -> Decision:
    """A running container whose illness has been counted: restart it when that is due and the gate holds."""
    m = i.memory
    held = _held_back(i)
    if held is not None:
        if held.reason is Reason.WAITING_FOR_GATEKEEPER:
            text = f"unhealthy ({m.last_error}); not restarted while its gatekeeper does not hold: {held.message}"
            return Decision(State.EXECUTING, Reason.UNHEALTHY, text)
        return held
    return _work(i, Reason.RECOVERING, _restart(i, c, m.last_error), m.last_error)


def _rolled_back(i: ChunkInput, parts: Cast) -> Decision:
    """The new container was rejected: see to it that the previous one serves under its name."""
    assert i.chunk is not None
    assert parts.previous is not None
    previous, name, m = parts.previous, i.chunk.container.name, i.memory
    why = m.failure.message if m.failure is not None else m.last_error
    steps: list[tuple[Action, str]] = []
    if parts.current is not None:
        steps.extend(_take_away(i, parts.current, f"the update failed: {why}"))
    if i.holder is not None:
        name = previous.name  # better under another name than not at all
    elif previous.name != name:
        steps.append((RenameContainer(previous.name, name), "the update failed"))
    if previous.condition is Condition.PAUSED:
        steps.append((UnpauseContainer(name), "the update failed"))
    if previous.condition in (Condition.CREATED, *ENDED):
        after_retry = previous.run == m.counted_run and m.not_before is not None and i.now < m.not_before
        if not after_retry:
            steps.append((StartContainer(name, i.chunk.container.files), "the previous container comes back"))
    if steps:
        return _work(i, Reason.ROLLING_BACK, steps, f"the update failed: {why}")
    ill, wake = "", m.not_before
    if previous.condition is Condition.RUNNING and health_of(i, previous) is not TV.Y:
        if m.counted_run == previous.run:
            ill = m.last_error
            if i.gate_open and (m.not_before is None or i.now >= m.not_before):
                return _work(i, Reason.RECOVERING, _restart(i, previous, ill), ill)
        elif i.health.run == previous.run and i.chunk.health is not None:
            wake = i.health.since + i.chunk.health.deadline_seconds
    what, until = "the update", "the domain changes"
    if is_made_from(previous, i.chunk):
        rejected = following.short(i.image.newest or following.wanted_id(i.chunk, m, i.image))
        what, until = f"the update to {i.chunk.container.image} ({rejected})", "its tag moves on, or the domain changes"
    text = f"{what} failed and the previous container is back until {until}: {why}"
    text += f"; it is not healthy itself: {ill}" if ill else ""
    return Decision(State.FAILED, Reason.ROLLED_BACK, text, wake_at=wake)
