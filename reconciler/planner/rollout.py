"""How an update puts a new container in the place of an old one. Pure.

The new one is made first, under a name of its own, so that what can't even be made interrupts nothing. Then the old one
is stopped (stop-first), put aside, and the new one gets its name and is started. Each step follows from what is there:
after any of them, whatever ended the work, the rest is what is still to be done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.intent.model import Chunk, Kind
from reconciler.planner import endpoints, following
from reconciler.planner.actions import Action, RemoveContainer, RenameContainer, StartContainer, StopContainer
from reconciler.planner.compare import is_made_from
from reconciler.planner.hindrances import held_back, lacking, name_taken
from reconciler.planner.observed import Condition, Container
from reconciler.planner.ports import Exchange
from reconciler.planner.retry_state import Remedy
from reconciler.planner.situation import (
    ALIVE,
    ENDED,
    NEXT_SUFFIX,
    PREVIOUS_SUFFIX,
    ChunkInput,
    Roles,
    differing,
    drifted,
    is_outdated,
    stuck,
)
from reconciler.planner.steps import (
    Decision,
    alone,
    call,
    create,
    end_others,
    ensure_images,
    free_name,
    grace,
    own_holder,
    start,
    take_away,
    to_do,
)
from reconciler.states import Reason, State

Steps = list[tuple[Action, str]]


def _hidden_cause(i: ChunkInput, chunk: Chunk, previous: Container) -> str:
    """Why a container is replaced in which nothing is seen to differ from what is declared."""
    if chunk.kind is Kind.JOB:
        return "a new generation"
    if previous.condition is Condition.DEAD:
        return "the container is dead"
    wanted = following.wanted_id(chunk, i.memory, i.image)
    if wanted and previous.image_id != wanted:
        found = following.short(previous.image_id)
        return f"image: {chunk.container.image} is to be {following.short(wanted)}, {found} found"
    return "it is left over from an update that was not completed"


def replace_old(i: ChunkInput, chunk: Chunk, previous: Container, spare: Sequence[Container]) -> Decision:
    """An update from its beginning."""
    changes = drifted(i, previous)
    moved = following.moved(chunk, i.image, previous) if is_outdated(i, previous) else ""
    cause = "; ".join([*changes, moved] if moved else changes) or "its intent changed"
    if is_made_from(previous, chunk) and not changes and not moved:
        cause = _hidden_cause(i, chunk, previous)
    # What the engine has under the tag is what is wanted: nothing but its being there has to be seen to.
    is_only_moved = moved and not changes and is_made_from(previous, chunk)
    steps: Steps = [(following.present(chunk), cause)] if is_only_moved else ensure_images(i)
    wanted = chunk.container.name
    name = wanted if own_holder(i, wanted) is None else wanted + NEXT_SUFFIX
    steps += free_name(i, name, None, "left over from an earlier attempt")
    steps.append(create(i, name, cause))
    if i.exchange is Exchange.MAKE:
        return to_do(i, Reason.UPDATING, steps, cause)
    steps += _put_in_place(i, chunk, previous, None, name, cause)
    gone = {action.name for action, _ in steps if isinstance(action, RemoveContainer)}
    for c in spare:
        if c.name not in gone and c.id not in stuck(i):
            steps += take_away(i, c, "left over from an earlier attempt")
    return to_do(i, Reason.UPDATING, steps, cause)


def go_on(i: ChunkInput, parts: Roles) -> Decision:
    """An update whose new container is made and not started yet."""
    assert i.chunk is not None
    assert parts.current is not None
    assert parts.previous is not None
    chunk, new, previous = i.chunk, parts.current, parts.previous
    serving = previous.condition is Condition.RUNNING
    held = held_back(i)
    if held is not None:
        if held.state is State.READY and serving:
            return replace(held, state=State.EXECUTING, message=f"the update waits: {held.message}")
        return held
    taken = name_taken(i)
    if taken is not None:
        return taken
    blocked = lacking(i, Reason.UPDATING)
    if blocked is not None:
        return comes_back(i, previous) or blocked
    if i.turn and serving:
        return Decision(State.EXECUTING, Reason.UPDATING, f"the update waits: {i.turn}")
    if i.memory.remedy is Remedy.RECREATE:
        cause = f"starting it failed: {i.memory.last_error}"
        return to_do(i, Reason.UPDATING, take_away(i, new, cause), cause)
    if i.exchange is Exchange.STOP:
        return give_up_ports(i, parts)
    cause = "its intent changed"
    steps: Steps = [*endpoints.repairs(chunk.container, new, new.name, differing(i, new), chunk.ignore_drift)]
    steps += _put_in_place(i, chunk, previous, new, new.name, cause)
    return to_do(i, Reason.UPDATING, steps, cause)


def give_up_ports(i: ChunkInput, parts: Roles) -> Decision:
    """Stop what has ports that others wait for, which have what the new container is to have. That one is made."""
    cause = "it exchanges ports with others"
    running = [c for c in i.containers if c is not parts.current and c.condition in ALIVE]
    return to_do(i, Reason.STOPPING, [(StopContainer(c.name, grace(i, c), c.id), cause) for c in running], cause)


def comes_back(i: ChunkInput, previous: Container) -> Decision | None:
    """What has stopped for a port that it does not get for now serves meanwhile, as before."""
    was_up = previous.condition in ENDED and previous.run == i.memory.proven_run
    if i.exchange is not Exchange.OFF or not was_up:
        return None
    cause = "the port that its update is to have does not come free, and what it is to replace has ended"
    return to_do(i, Reason.RECOVERING, start(i, previous, previous.name, cause), cause)


def _put_in_place(
    i: ChunkInput, chunk: Chunk, previous: Container, new: Container | None, name: str, cause: str
) -> Steps:
    """Put the new container, which is called ``name``, in the place of the previous one, and start it. ``new`` is None
    where it is not there yet."""
    wanted = chunk.container.name
    steps = end_others(i, new, cause)
    stopped = replace(i, containers=tuple(_ended(c) for c in i.containers)) if steps else i
    holder = own_holder(i, wanted)
    if holder is not None and holder.id == previous.id and is_worth_keeping(i, chunk, previous):
        aside = wanted + PREVIOUS_SUFFIX
        if name == aside:
            steps.append((RenameContainer(name, wanted + NEXT_SUFFIX), cause))
            name = wanted + NEXT_SUFFIX
        else:
            steps += free_name(stopped, aside, previous, "left over from an earlier attempt")
        kept = next((c for c in stopped.containers if c.id == holder.id), holder)
        steps += call(i, kept, aside, cause)
    else:
        if not is_worth_keeping(i, chunk, previous) and not previous.name.endswith(PREVIOUS_SUFFIX):
            steps += take_away(stopped, _ended(previous), cause)
        if holder is not None and holder.id != previous.id:
            steps += free_name(stopped, wanted, new, cause)
    if name != wanted:
        steps.append((RenameContainer(name, wanted), cause))
    steps.append((StartContainer(wanted, chunk.container.files, alone(i, new)), cause))
    return steps


def is_worth_keeping(i: ChunkInput, chunk: Chunk, previous: Container) -> bool:
    """Whether an update can fall back on what it replaces: not on what ended by itself before it ever was up, nor on a
    job of an earlier generation."""
    m = i.memory
    ended_by_itself = previous.condition not in ALIVE and m.counted_run == previous.run != m.stopped_run
    return chunk.kind is not Kind.JOB and (not ended_by_itself or previous.run == m.proven_run)


def _ended(c: Container) -> Container:
    return replace(c, condition=Condition.EXITED) if c.condition in ALIVE else c
