"""Equal copies of a chunk are updated one after the other, so that the others go on serving. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.facts import TV
from reconciler.planner.observed import Condition
from reconciler.planner.situation import ChunkInput, cast, health_of


def waits_for(i: ChunkInput, siblings: Iterable[ChunkInput]) -> str:
    """Why the replacement of a copy that serves must wait, for people; nothing when its turn has come.

    Its turn has come when no copy before it is still to be replaced, and each that was replaced has proved itself. One
    whose update failed stops the rest: what broke one copy is not done to the others.
    """
    parts = cast(i)
    if parts.current is not None or parts.previous is None or parts.previous.condition is not Condition.RUNNING:
        return ""
    for sibling in siblings:
        number = sibling.id.replica
        if sibling.id == i.id or sibling.chunk is None:
            continue
        its = cast(sibling)
        if its.rolled_back or sibling.memory.paused == sibling.chunk.container.digest:
            return f"the update of replica {number} failed"
        if sibling.busy is not None:
            return f"replica {number} is being seen to"
        if its.current is None:
            if its.previous is not None and number < i.id.replica:
                return f"replica {number} comes first"
        elif health_of(sibling, its.current) is not TV.Y and sibling.memory.proven_run != its.current.run:
            return f"replica {number} is not up yet"
    return ""
