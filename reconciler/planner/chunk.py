"""The heart: what state a chunk is in, and what is to be done about it now. Pure.

:func:`notice` brings the memory up to date with what is seen; :func:`decide` gives the verdict (state, reason,
message) and the work. Both see one chunk; what chunks have to do with one another comes in as gate and as
``blocked_by``. Neither knows why it was called: a Docker event, a probe, a timer and a resync are all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.facts import TV
from reconciler.intent.model import (
    OFFERED_SILENCE_SECONDS,
    Chunk,
    ChunkId,
    FactsMode,
    Kind,
    OnFailure,
    OnGateClose,
    Strategy,
)
from reconciler.lifecycle import Reason, State
from reconciler.planner import memory as remember
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    EnsureImage,
    RemoveContainer,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    Work,
)
from reconciler.planner.compare import drift
from reconciler.planner.health import Health
from reconciler.planner.memory import Failure, Memory, Remedy
from reconciler.planner.observed import Condition, Container

PREVIOUS_SUFFIX = ".pnr-previous"
"""Added to the name of a container that an update has put aside until the new one has proved itself."""

_ENDED = (Condition.EXITED, Condition.DEAD)


@dataclass(frozen=True, slots=True)
class ChunkInput:
    """All that a decision about one chunk depends on. ``chunk`` is None when it is to be removed.

    ``containers`` are the chunk's own. ``holder`` is a container of somebody else under the wanted name.
    ``gate_open``: every entry holds; ``gate_closed``: some entry is known not to hold. ``waiting_for`` says
    which, for people. ``blocked_by`` names what must be gone first (removal) or be there first (networks).
    ``busy``: work on the chunk is in flight, as ``Reason`` and message. ``jitter`` is in 0 … 1.
    """

    id: ChunkId
    chunk: Chunk | None
    generation: int
    containers: tuple[Container, ...]
    memory: Memory
    health: Health
    now: float
    gate_open: bool = True
    gate_closed: bool = False
    waiting_for: str = ""
    holder: Container | None = None
    blocked_by: str = ""
    busy: tuple[Reason, str] | None = None
    jitter: float = 0.5
    answered_all: bool = False
    engine_up: bool = True
    last_output: str = ""
    flowin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the work to begin (None: nothing), and when to decide again at the latest."""

    state: State
    reason: Reason
    message: str
    work: Work | None = None
    wake_at: float | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """The chunk's containers by the part they play.

    ``current`` was made from the present intent, ``previous`` is what an update replaces (or falls back to),
    ``spare`` are leftovers. ``main`` is the one that the chunk's health is about.
    """

    current: Container | None
    previous: Container | None
    spare: tuple[Container, ...]
    rolled_back: bool

    @property
    def main(self) -> Container | None:
        """The container that counts: after a roll-back the previous one."""
        return self.previous if self.rolled_back else (self.current or self.previous)


def cast(i: ChunkInput) -> Cast:
    """Tell the chunk's containers apart."""
    if i.chunk is None:
        return Cast(None, None, i.containers, False)
    digest = i.chunk.container.digest

    def fits(c: Container) -> bool:
        if c.spec != digest or c.condition in (Condition.DEAD, Condition.REMOVING):
            return False
        if i.chunk is not None and i.chunk.kind is Kind.JOB and c.generation != i.generation:
            return False
        return not drifted(i, c)

    def rank(c: Container) -> tuple[bool, bool, str]:
        return (c.condition is Condition.RUNNING, not c.name.endswith(PREVIOUS_SUFFIX), c.run)

    fitting = sorted((c for c in i.containers if fits(c)), key=rank, reverse=True)
    others = sorted((c for c in i.containers if not fits(c)), key=rank, reverse=True)
    current = fitting[0] if fitting else None
    usable = [c for c in others if c.condition not in (Condition.DEAD, Condition.REMOVING)]
    previous = usable[0] if usable else None
    spare = tuple(
        c
        for c in (*fitting, *others)
        if c is not current and c is not previous and c.condition is not Condition.REMOVING
    )
    return Cast(current, previous, spare, bool(i.memory.rejected == digest and previous is not None))


def drifted(i: ChunkInput, c: Container) -> tuple[str, ...]:
    """What was changed behind our back in a container of the present intent, a sentence each."""
    if i.chunk is None or c.settings is None or c.spec != i.chunk.container.digest:
        return ()
    found = drift(i.chunk.container.settings, c.settings)
    return () if found == i.memory.tolerated else found


def is_up_without_probe(i: ChunkInput, c: Container) -> bool:
    """Whether a running container counts as up although nothing probes it."""
    chunk = i.chunk
    if chunk is None or chunk.health is not None:
        return False
    if chunk.facts is FactsMode.NONE or not chunk.flowout or i.answered_all:
        return True
    silent = i.now - i.health.since >= OFFERED_SILENCE_SECONDS
    return chunk.facts is FactsMode.OFFERED and i.health.run == c.run and silent


def health_of(i: ChunkInput, c: Container) -> TV:
    """What is known of the container's health in its present run."""
    if c.condition is not Condition.RUNNING:
        return TV.U
    if is_up_without_probe(i, c):
        return TV.Y
    return i.health.tv if i.health.run == c.run else TV.U


def notice(i: ChunkInput) -> Memory:
    """The memory, brought up to date with what is seen."""
    m, chunk = i.memory, i.chunk
    if chunk is None or i.busy is not None or not i.engine_up:
        return m
    parts = cast(i)
    c = parts.main
    if c is None:
        return m
    if parts.current is None and not parts.rolled_back:
        # An update that can't begin yet: only remember that what it is to replace is fine.
        fine = c.condition is Condition.RUNNING and health_of(i, c) is TV.Y
        return replace(m, proven_run=c.run) if fine else m
    cured = m.tolerated and c is parts.current and c.settings is not None
    if cured and c.settings is not None and not drift(chunk.container.settings, c.settings):
        m = replace(m, tolerated=())
        i = replace(i, memory=m)
    if c.condition is Condition.RUNNING:
        tv = health_of(i, c)
        if tv is TV.Y and chunk.kind is Kind.SERVICE:
            if parts.rolled_back:
                return replace(m, proven_run=c.run, proven_at=m.proven_at if m.proven_at is not None else i.now)
            return remember.proven(m, c.run, i.now)
        if i.health.run == c.run and m.counted_run != c.run:
            m = _notice_illness(i, c, tv, parts)
        if chunk.on_gate_close is OnGateClose.RESTART and i.gate_closed and c.run == m.proven_run:
            m = replace(m, restart_on_open=True)
        return m
    put_aside = c.name.endswith(PREVIOUS_SUFFIX)
    if c.condition in _ENDED and c.run and m.counted_run != c.run and not put_aside:
        return _notice_end(i, c, parts)
    return m


def _notice_illness(i: ChunkInput, c: Container, tv: TV, parts: Cast) -> Memory:
    chunk, m = i.chunk, i.memory
    assert chunk is not None
    if chunk.kind is Kind.JOB:
        return m
    was_up = m.proven_run == c.run
    if tv is TV.N and was_up and chunk.health is not None:
        error = f"health check failed {i.health.failures} times: {i.health.last_error}"
        return remember.set_back(
            m, now=i.now, jitter=i.jitter, error=error, failure=None, remedy=Remedy.RESTART, counted_run=c.run
        )
    limit = chunk.health.deadline_seconds if chunk.health is not None else None
    if limit is not None and not was_up and i.now - i.health.since >= limit:
        said = i.health.last_error or "no result yet"
        text = f"not healthy within {limit:g} s: {said}"
        failure = Failure(Reason.DEADLINE_EXCEEDED, text)
        return _failed(i, failure, Remedy.RESTART, parts, counted_run=c.run)
    return m


def _notice_end(i: ChunkInput, c: Container, parts: Cast) -> Memory:
    chunk, m = i.chunk, i.memory
    assert chunk is not None
    if finished(i, c):
        return replace(
            remember.attempt_begins(m), job_generation=i.generation, counted_run=c.run, attempts=0, last_error=""
        )
    failure = Failure(*_how_it_ended(c, i.last_output))
    if parts.rolled_back:
        return remember.set_back(
            m,
            now=i.now,
            jitter=i.jitter,
            error=failure.message,
            failure=m.failure,
            remedy=Remedy.START,
            counted_run=c.run,
        )
    if chunk.kind is Kind.SERVICE and m.proven_run == c.run:
        return remember.set_back(
            m,
            now=i.now,
            jitter=i.jitter,
            error=failure.message,
            failure=None,
            remedy=Remedy.START,
            counted_run=c.run,
        )
    return _failed(i, failure, Remedy.START, parts, counted_run=c.run)


def _failed(i: ChunkInput, failure: Failure, remedy: Remedy, parts: Cast, *, counted_run: str) -> Memory:
    """Register a failure; where an update is under way, give the update up as its policy says."""
    m = remember.set_back(
        i.memory,
        now=i.now,
        jitter=i.jitter,
        error=failure.message,
        failure=failure,
        remedy=remedy,
        counted_run=counted_run,
    )
    return give_up_update(i.chunk, m) if parts.previous is not None else m


def work_begins(i: ChunkInput, work: Work) -> Memory:
    """The memory once ``work`` is under way: the attempt is made, and what we stop ourselves is no setback."""
    m = i.memory
    parts = cast(i)
    if not parts.rolled_back:
        m = remember.attempt_begins(m)
    main = parts.main
    stops = any(isinstance(action, StopContainer) for action, _ in work.steps)
    if main is not None and stops:
        m = replace(m, counted_run=main.run, restart_on_open=False)
    if parts.current is None and parts.previous is not None and not parts.rolled_back:
        changes = drifted(i, parts.previous)
        m = replace(m, tolerated=changes) if changes else m
    return m


def give_up_update(chunk: Chunk | None, m: Memory) -> Memory:
    """Remember that the update to the present spec has failed."""
    if chunk is None or chunk.kind is Kind.JOB:
        return m
    if chunk.on_failure is OnFailure.PAUSE:
        return replace(m, paused=chunk.container.digest)
    return replace(m, rejected=chunk.container.digest)


def work_failed(i: ChunkInput, reason: Reason, message: str) -> Memory:
    """The memory after work on the chunk failed with an engine's error."""
    parts = cast(i)
    remedy = Remedy.RECREATE if reason in (Reason.START_FAILED, Reason.PORT_IN_USE) else Remedy.START
    m = remember.set_back(
        i.memory, now=i.now, jitter=i.jitter, error=message, failure=Failure(reason, message), remedy=remedy
    )
    previous = parts.previous
    put_aside = previous is not None and (parts.current is not None or previous.name.endswith(PREVIOUS_SUFFIX))
    return give_up_update(i.chunk, m) if put_aside and not parts.rolled_back else m


def finished(i: ChunkInput, c: Container) -> bool:
    """Whether an ended container did what it was for."""
    chunk = i.chunk
    if chunk is None or c.condition is not Condition.EXITED or c.exit_code != 0:
        return False
    return chunk.kind is Kind.JOB or (chunk.facts is FactsMode.OFFERED and i.answered_all)


def _how_it_ended(c: Container, output: str) -> tuple[Reason, str]:
    tail = f"; it said: {output.strip()}" if output.strip() else ""
    if c.oom_killed:
        return Reason.OOM_KILLED, f"killed for want of memory (exit code {c.exit_code}){tail}"
    if c.exit_code == 0:
        return Reason.EXITED, f"ended with exit code 0{tail}"
    return Reason.EXITED_NON_ZERO, f"exit code {c.exit_code}{tail}"


def decide(i: ChunkInput) -> Decision:
    """The verdict on the chunk, and the work to begin now."""
    if i.busy is not None:
        reason, message = i.busy
        return Decision(State.EXECUTING, reason, message)
    if i.chunk is None:
        return _remove(i)
    parts = cast(i)
    if not i.engine_up:
        return Decision(State.EXECUTING, Reason.ENGINE_UNAVAILABLE, "the engine does not answer")
    if parts.spare:
        steps = tuple(step for c in parts.spare for step in _take_away(i, c, "left over from an earlier attempt"))
        return _work(i, Reason.UPDATING, steps, "removing leftovers")
    if parts.rolled_back:
        return _rolled_back(i, parts)
    if parts.current is None:
        return _begin(i, parts)
    return _keep(i, parts, parts.current)


def _work(i: ChunkInput, reason: Reason, steps: Sequence[tuple[Action, str]], message: str) -> Decision:
    work = Work(i.id, tuple(steps), reason) if steps else None
    return Decision(State.EXECUTING, reason, message, work)


def _take_away(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    grace = i.chunk.container.stop_grace_seconds if i.chunk is not None else 10.0
    steps: list[tuple[Action, str]] = []
    if c.condition in (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING):
        steps.append((StopContainer(c.name, grace), cause))
    steps.append((RemoveContainer(c.name), cause))
    return steps


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
    if m.paused == i.chunk.container.digest and m.failure is not None:
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
    if i.holder is None or i.chunk is None:
        return None
    h = i.holder
    whose = f"belongs to {h.owner}" if h.owner is not None else "was not made by pnr"
    text = (
        f"the name {i.chunk.container.name} is held by container {h.id[:12]} ({h.image}), which {whose};"
        f" remove or rename it, or choose another container name"
    )
    return Decision(State.FAILED, Reason.NAME_CONFLICT, text)


def _create_and_start(i: ChunkInput, cause: str) -> list[tuple[Action, str]]:
    assert i.chunk is not None
    name = i.chunk.container.name
    return [
        (CreateContainer(name, i.chunk, 1, i.generation, i.flowin), cause),
        (StartContainer(name), cause),
    ]


def _ensure_image(i: ChunkInput) -> tuple[Action, str]:
    assert i.chunk is not None
    spec = i.chunk.container
    cause = f"policy {spec.pull_policy}"
    return EnsureImage(spec.image, spec.build_path, spec.pull_policy), cause


def _begin(i: ChunkInput, parts: Cast) -> Decision:
    """Nothing of the present intent is there: a first start, or an update."""
    assert i.chunk is not None
    chunk, previous = i.chunk, parts.previous
    if chunk.kind is Kind.JOB and i.memory.job_generation == i.generation and previous is None:
        return Decision(State.COMPLETED, Reason.JOB_SUCCEEDED, "exit code 0")
    serving = previous is not None and previous.condition is Condition.RUNNING
    held = _held_back(i)
    if held is not None:
        ended = previous is not None and previous.condition in _ENDED and previous.run == i.memory.proven_run
        if previous is not None and ended and i.gate_open and held.state is State.FAILED:
            cause = "the update can't be made yet, and what it is to replace has ended"
            return _work(i, Reason.RECOVERING, [(StartContainer(previous.name), cause)], cause)
        if held.state is State.READY and serving:
            return replace(held, state=State.EXECUTING, message=f"the update waits: {held.message}")
        return held
    taken = _name_taken(i)
    if taken is not None:
        return taken
    if i.blocked_by:
        return Decision(State.EXECUTING, Reason.CREATING, f"waiting for {i.blocked_by}")
    if previous is None:
        steps = [_ensure_image(i), *_create_and_start(i, "no container yet")]
        return _work(i, Reason.CREATING, steps, "no container yet")
    return _replace(i, chunk, previous)


def _replace(i: ChunkInput, chunk: Chunk, previous: Container) -> Decision:
    changes = drifted(i, previous)
    cause = "; ".join(changes) if changes else "its intent changed"
    if previous.spec == chunk.container.digest and not changes:
        cause = "a new generation" if chunk.kind is Kind.JOB else "the container is dead"
    steps: list[tuple[Action, str]] = [_ensure_image(i)]
    put_aside = previous.name.endswith(PREVIOUS_SUFFIX)
    if chunk.kind is Kind.JOB or (previous.condition is not Condition.RUNNING and not put_aside):
        steps.extend(_take_away(i, previous, cause))
    elif not put_aside:
        if chunk.strategy is Strategy.STOP_FIRST:
            steps.append((StopContainer(previous.name, chunk.container.stop_grace_seconds), cause))
        if previous.name == chunk.container.name:
            steps.append((RenameContainer(previous.name, previous.name + PREVIOUS_SUFFIX), cause))
    steps.extend(_create_and_start(i, cause))
    return _work(i, Reason.UPDATING, steps, cause)


def _repairs(i: ChunkInput, c: Container) -> list[tuple[Action, str]]:
    """What brings a container of the present intent back to what was asked without replacing it."""
    assert i.chunk is not None
    steps: list[tuple[Action, str]] = []
    wanted = i.chunk.container.name
    name = c.name
    if name != wanted:
        steps.append((RenameContainer(c.name, wanted), f"is called {c.name}"))
        name = wanted
    if c.condition is Condition.PAUSED:
        steps.append((UnpauseContainer(name), "was paused"))
    steps.extend(
        (ConnectNetwork(name, network, aliases), f"is not connected to {network}")
        for network, aliases in i.chunk.container.networks.items()
        if network not in c.networks
    )
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
    repairs = _repairs(i, c)
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
    if c.condition in (Condition.RESTARTING, Condition.REMOVING):
        return Decision(State.EXECUTING, Reason.RECOVERING, f"the engine says: {c.condition}")
    held = _held_back(i)
    if held is not None:
        return held
    if i.blocked_by:
        return Decision(State.EXECUTING, Reason.STARTING, f"waiting for {i.blocked_by}")
    if m.remedy is Remedy.RECREATE:
        cause = f"starting it failed: {m.last_error}"
        again = [*_take_away(i, c, cause), _ensure_image(i), *_create_and_start(i, cause)]
        return _work(i, Reason.RECOVERING, again, cause)
    first = c.condition is Condition.CREATED
    cause = "created, not started" if first else (m.last_error or "it is not running")
    steps = [*repairs, (StartContainer(chunk.container.name), cause)]
    return _work(i, Reason.STARTING if first else Reason.RECOVERING, steps, cause)


def _running(i: ChunkInput, parts: Cast, c: Container) -> Decision:
    assert i.chunk is not None
    chunk, m = i.chunk, i.memory
    tv = health_of(i, c)
    if i.gate_closed and chunk.on_gate_close is OnGateClose.STOP and chunk.kind is Kind.SERVICE:
        steps = [(StopContainer(c.name, chunk.container.stop_grace_seconds), f"gate closed: {i.waiting_for}")]
        return _work(i, Reason.STOPPING, steps, f"gate closed: {i.waiting_for}")
    if chunk.kind is Kind.JOB:
        return Decision(State.EXECUTING, Reason.RUNNING_JOB, "running")
    if m.restart_on_open and i.gate_open and c.run == m.proven_run:
        return _work(
            i, Reason.RECOVERING, _restart(i, c, "its gatekeeper holds again"), "its gatekeeper holds again"
        )
    if tv is TV.Y or (tv is TV.U and m.proven_run == c.run):
        if parts.previous is not None:
            steps2 = _take_away(i, parts.previous, "the new container is up")
            return _work(i, Reason.UPDATING, steps2, "the new container is up; removing the previous one")
        reason = Reason.HEALTHY if chunk.health is not None else Reason.RUNNING
        message = i.health.message if chunk.health is not None and i.health.run == c.run else ""
        wake = None
        if m.attempts and m.proven_at is not None:
            wake = m.proven_at + remember.HEALTHY_AFTER_SECONDS
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
    message = (
        i.health.last_error if i.health.run == c.run and i.health.last_error else "waiting for the first answer"
    )
    return Decision(State.EXECUTING, Reason.PROBING, message, wake_at=wake)


def _restart(i: ChunkInput, c: Container, cause: str) -> list[tuple[Action, str]]:
    assert i.chunk is not None
    return [
        (StopContainer(c.name, i.chunk.container.stop_grace_seconds), cause),
        (StartContainer(c.name), cause),
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
    if previous.name.endswith(PREVIOUS_SUFFIX):
        steps.append((RenameContainer(previous.name, name), "the update failed"))
    if previous.condition is Condition.PAUSED:
        steps.append((UnpauseContainer(name), "the update failed"))
    if previous.condition in (Condition.CREATED, *_ENDED):
        after_retry = previous.run == m.counted_run and m.not_before is not None and i.now < m.not_before
        if not after_retry:
            steps.append((StartContainer(name), "the previous container comes back"))
    if steps:
        return _work(i, Reason.ROLLING_BACK, steps, f"the update failed: {why}")
    text = f"the update failed and the previous container is back until the domain changes: {why}"
    return Decision(State.FAILED, Reason.ROLLED_BACK, text, wake_at=m.not_before)
