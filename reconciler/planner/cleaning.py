"""Containers that are to go and that the engine did not let go: told, and tried again apart from all else. Pure.

A clean-up that fails says nothing about what is up: it never touches it, and is no setback of the chunk.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.planner.actions import Action, RemoveContainer, StopContainer, Work
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import Leftover
from reconciler.planner.situation import ChunkInput, Roles
from reconciler.planner.steps import Decision, ends_others, take_away
from reconciler.states import Reason, State


def clean_up(i: ChunkInput, decision: Decision) -> Decision:
    """The decision with what is told of leftovers and, where nothing else is to be done, the next try to remove one."""
    told = decision.state is State.COMPLETED or decision.reason is Reason.ROLLED_BACK
    there = {c.id: c for c in i.containers}
    left = [(there[one.id], one) for one in i.memory.leftovers if one.id in there]
    if told and left:
        decision = replace(decision, message="; ".join((decision.message, *(sentence(c, one) for c, one in left))))
    if decision.work is not None or not left or i.busy is not None or not i.engine_up:
        return decision
    due = [c for c, one in left if i.now >= one.not_before and c.condition is not Condition.REMOVING]
    if due:
        steps = tuple(step for c in due for step in take_away(i, c, "it could not be removed before"))
        return replace(decision, work=Work(i.id, steps, Reason.CLEANING_UP))
    moments = [one.not_before for _, one in left if one.not_before > i.now]
    if decision.wake_at is not None:
        moments.append(decision.wake_at)
    return replace(decision, wake_at=min(moments, default=None))


def sentence(c: Container, one: Leftover) -> str:
    """What people are to know of a leftover."""
    return f"the earlier container {c.name} can't be removed yet, which is tried again by itself: {one.error}"


def is_clean_up(i: ChunkInput, parts: Roles, action: Action | None) -> Container | None:
    """The container that an action is to get out of the way, where nothing that is to be up needs that."""
    if not isinstance(action, RemoveContainer | StopContainer):
        return None
    target = next((c for c in i.containers if c.name == action.name), None)
    if target is None or isinstance(action, RemoveContainer):
        return target
    main = parts.main
    if main is not None and main.id == target.id:
        return None
    is_needed = ends_others(i) and (main is None or main.condition is not Condition.RUNNING)
    return None if is_needed else target
