"""The heart: what state a chunk is in, and what is to be done about it now. Pure.

It sees one chunk; what chunks have to do with one another comes in as gate and as ``blocked_by``. It does not know
why it was asked: a Docker event, a probe, a timer and a resync are all the same.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.intent.model import Kind
from reconciler.planner import following, kept_endpoints, mounts_judged
from reconciler.planner.actions import Action, CreateContainer, ExamineMounts
from reconciler.planner.addresses import making_room
from reconciler.planner.adopting import can_take_over, take_over
from reconciler.planner.cleaning import clean_up
from reconciler.planner.endpoints import NETWORKS, joined_again
from reconciler.planner.healing import keep, rolled_back
from reconciler.planner.hindrances import held_back, lacking, name_taken
from reconciler.planner.observed import Condition
from reconciler.planner.retry_state import next_making
from reconciler.planner.rollout import replace_old
from reconciler.planner.situation import ENDED, ChunkInput, Roles, aside_name, found_differing, roles, stuck
from reconciler.planner.steps import Decision, call, create_and_start, ensure_images, start, take_away, to_do
from reconciler.sentences import framed
from reconciler.states import Reason, State


def decide(i: ChunkInput) -> Decision:
    """The verdict on the chunk, and the work to begin now.

    Whatever the work is, it does not begin before the back-off of the last setback is over.
    """
    decision = _verdict(i)
    if decision.state is State.COMPLETED and i.kept_network:
        decision = replace(decision, state=State.FAILED, reason=Reason.ROLLED_BACK, message=i.kept_network)
    refusal = kept_endpoints.told(i.memory.kept, i.now)
    if refusal and decision.state is State.COMPLETED:
        moments = (decision.wake_at, kept_endpoints.due_at(i.memory.kept, i.now))
        wake = min((at for at in moments if at is not None), default=None)
        decision = replace(decision, state=State.FAILED, reason=Reason.ROLLED_BACK, message=refusal, wake_at=wake)
    if decision.state is State.COMPLETED and (i.memory.warnings or i.memory.tolerated):
        decision = replace(decision, message=f"{decision.message}{_reservations(i)}")
    if i.busy is not None:
        decision = replace(decision, work=None)
    if decision.work is not None and i.held_addresses:
        steps = making_room(decision.work.steps, i.held_addresses, str(i.id))
        decision = replace(decision, work=replace(decision.work, steps=steps))
    if decision.work is not None:
        makes = any(isinstance(action, CreateContainer) for action, _ in decision.work.steps)
        moments = (i.memory.not_before, next_making(i.memory) if makes else None)
        not_before = max((at for at in moments if at is not None), default=i.now)
        is_look = all(isinstance(action, ExamineMounts) for action, _ in decision.work.steps)
        if i.now < not_before and not is_look:
            decision = replace(decision, work=None, wake_at=not_before)
    if i.memory.leftovers and i.chunk is not None:
        decision = clean_up(i, decision)
    return _meanwhile(i, decision)


def _meanwhile(i: ChunkInput, decision: Decision) -> Decision:
    """The same with what is to be fetched meanwhile: a newer image for what runs, or the one that is needed as soon as
    the gate opens. Work of its own on the chunk sees to its image itself."""
    chunk = i.chunk
    if chunk is None or i.busy is not None or not i.engine_up or decision.work is not None:
        return decision
    newer = fetch = following.newer(chunk, i.image) if i.containers else None
    waits = not i.gate_open and not i.unsupported and roles(i).current is None
    if fetch is None and waits and chunk.container.build is None and chunk.container.pull_policy != "never":
        fetch = following.fetch(chunk)
    if fetch is None or not i.image.fetching:
        return replace(decision, fetch=fetch) if fetch != decision.fetch else decision
    if newer is not None and decision.state in (State.COMPLETED, State.FAILED):
        # What runs goes on; that it is not what is wanted is known, and it is being seen to.
        return Decision(State.EXECUTING, Reason.PULLING_IMAGE, i.image.fetching, wake_at=decision.wake_at, fetch=fetch)
    return replace(decision, message=framed(decision.message, after=f"; meanwhile {i.image.fetching}"), fetch=fetch)


def _reservations(i: ChunkInput) -> str:
    """What people should know of a container that is up: what the engine said as it made it, and what is not as
    declared although it was tried."""
    m, current = i.memory, roles(i).current
    if current is None:
        return ""
    warned = m.warnings if m.warned_of == current.id else ()
    left = [str(one) for one in found_differing(i, current) if str(one) in m.tolerated]
    said = [*(f"the engine warns: {text}" for text in warned), *(f"left as it is: {text}" for text in left)]
    return "".join(f"; {text}" for text in said)


def _verdict(i: ChunkInput) -> Decision:
    if i.busy is not None and i.busy[0] is not Reason.CLEANING_UP:
        reason, message = i.busy
        return Decision(State.EXECUTING, reason, message)
    if i.chunk is None:
        return _remove(i)
    parts = roles(i)
    if not i.engine_up:
        return Decision(State.EXECUTING, Reason.ENGINE_UNAVAILABLE, "the engine does not answer")
    fresh = [c for c in parts.spare if c.id not in stuck(i)]
    if fresh and not _may_run_on(i, parts):
        steps = tuple(step for c in fresh for step in take_away(i, c, "left over from an earlier attempt"))
        return to_do(i, Reason.UPDATING, steps, "removing leftovers")
    aside = _step_aside(i, parts)
    if aside is not None:
        return aside
    started_by_others = mounts_judged.to_be_seen(i, parts)
    if started_by_others is not None:
        return started_by_others
    joined = _joined_again(i, parts)
    if joined is not None:
        return joined
    if parts.rolled_back:
        return rolled_back(i, parts)
    if parts.current is None:
        return _begin(i, parts)
    return keep(i, parts, parts.current)


def _remove(i: ChunkInput) -> Decision:
    if not i.containers:
        return Decision(State.READY, Reason.REMOVING, "removed")
    if i.blocked_by:
        return Decision(State.EXECUTING, Reason.REMOVING, f"waiting until {i.blocked_by} is gone")
    steps = [step for c in i.containers for step in take_away(i, c, i.leaves)]
    refused = f": it can't be removed yet: {i.memory.last_error}" if i.memory.not_before is not None else ""
    return to_do(i, Reason.REMOVING, steps, f"{i.leaves}{refused}")


def _may_run_on(i: ChunkInput, parts: Roles) -> bool:
    """Whether leftovers stay until the image of the newest is there: those of an update that was overtaken by the next
    are all that runs where it had stopped what was up before."""
    if parts.current is not None or parts.rolled_back:
        return False
    stopped = parts.previous is not None and parts.previous.condition in ENDED
    runs = any(c.condition is Condition.RUNNING for c in parts.spare)
    return stopped and runs and not (i.unsupported or i.blocked_by or held_back(i) or name_taken(i))


def _step_aside(i: ChunkInput, parts: Roles) -> Decision | None:
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
            steps.extend(call(i, c, aside_name(c), f"the name {c.name} is another chunk's now"))
    return to_do(i, Reason.RECOVERING, steps, steps[0][1]) if steps else None


def _joined_again(i: ChunkInput, parts: Roles) -> Decision | None:
    """What serves until an update is done, or again since it failed, is connected to the networks that were recreated
    for that update: it was cut off from them."""
    c = parts.previous
    if i.chunk is None or c is None or c is not parts.main or NETWORKS in i.chunk.ignore_drift:
        return None
    lost, due = i.cut_off.get(c.id, ()), i.memory.not_before
    if c.condition in (Condition.RUNNING, Condition.PAUSED):
        may = (due is None or i.now >= due) if parts.rolled_back else i.memory.failure is None
    else:
        may = parts.rolled_back and c.condition in ENDED and due is None
    if not lost or not may:
        return None  # where it was tried in vain, it is not in the way of what else is to be done
    steps = joined_again(i.chunk.container, c, lost)
    return to_do(i, Reason.RECOVERING, steps, steps[0][1])


def _begin(i: ChunkInput, parts: Roles) -> Decision:
    """Nothing of the present intent is there: a first start, or an update."""
    assert i.chunk is not None
    chunk, previous = i.chunk, parts.previous
    if chunk.kind is Kind.JOB and i.memory.job_generation == i.generation and previous is None:
        return Decision(State.COMPLETED, Reason.JOB_SUCCEEDED, "exit code 0")
    serving = previous is not None and previous.condition is Condition.RUNNING
    held = held_back(i)
    if held is not None:
        ended = previous is not None and previous.condition in ENDED and previous.run == i.memory.proven_run
        if previous is not None and ended and i.gate_open and held.state is State.FAILED:
            cause = "the update can't be made yet, and what it is to replace has ended"
            return to_do(i, Reason.RECOVERING, start(i, previous, previous.name, cause), cause)
        if held.state is State.READY and serving:
            return replace(held, state=State.EXECUTING, message=f"the update waits: {held.message}")
        return held
    if i.comes_after:
        text = f"{i.comes_after} comes first, with its own new intent"
        if serving:
            return Decision(State.EXECUTING, Reason.UPDATING, f"the update waits: {text}")
        return Decision(State.READY, Reason.WAITING_FOR_GATEKEEPER, text)
    if i.unsupported:
        return Decision(State.FAILED, Reason.UNSUPPORTED, "; ".join(i.unsupported))
    holder = can_take_over(i)
    if holder is not None:
        steps = take_over(i, holder)
        return to_do(i, Reason.CREATING, steps, steps[0][1]) if isinstance(steps, list) else Decision(*steps)
    taken = name_taken(i)
    if taken is not None:
        return taken
    blocked = lacking(i, Reason.CREATING)
    if blocked is not None:
        return blocked
    if i.turn and serving:
        return Decision(State.EXECUTING, Reason.UPDATING, f"the update waits: {i.turn}")
    if previous is None:
        creation = [*ensure_images(i), *create_and_start(i, "no container yet")]
        return to_do(i, Reason.CREATING, creation, "no container yet")
    return replace_old(i, chunk, previous, parts.spare)
