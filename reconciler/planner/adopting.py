"""Containers that somebody else made, and that a chunk is to take over. Pure."""

from __future__ import annotations

from reconciler.intent.model import Adopt, Chunk
from reconciler.lifecycle import Reason, State
from reconciler.planner.actions import Action, AdoptContainer, ExamineContainer
from reconciler.planner.compare import differences
from reconciler.planner.observed import Container
from reconciler.planner.situation import ChunkInput

Steps = list[tuple[Action, str]]


def can_take_over(i: ChunkInput) -> Container | None:
    """The foreign container that holds the chunk's name and that it may take over, if there is one."""
    chunk, holder = i.chunk, i.holder
    if chunk is None or holder is None or holder.owner is not None or i.conflict:
        return None
    return holder if chunk.adopt is not Adopt.NO else None


def take_over(i: ChunkInput, holder: Container) -> Steps | tuple[State, Reason, str]:
    """What is to be done to take it over; or the state, reason and message where it can't be."""
    assert i.chunk is not None
    if holder.settings is None:
        return [(ExamineContainer(holder.name), f"to take over container {holder.id[:12]}")]
    found = mismatches(i.chunk, holder)
    adopt = AdoptContainer(holder.name, holder.id, i.chunk, i.generation, matching=not found)
    if not found:
        return [(adopt, "it was made by somebody else, and is as declared")]
    if i.chunk.adopt is Adopt.REPLACE:
        return [(adopt, f"it was made by somebody else, to be replaced: {'; '.join(found)}")]
    text = (
        f"container {holder.name} ({holder.id[:12]}) was not made by pnr and can't be taken over as it is:"
        f' {"; ".join(found)}; declare it as it is, or set adopt to "replace"'
    )
    return (State.FAILED, Reason.NAME_CONFLICT, text)


def mismatches(chunk: Chunk, holder: Container) -> tuple[str, ...]:
    """What of a foreign container is not as the chunk declares it, a sentence each."""
    spec = chunk.container
    found = []
    if holder.image != spec.image and "image" not in chunk.ignore_drift:
        found.append(f"image: {spec.image} declared, {holder.image} found")
    if spec.files:
        found.append("secrets and configs: declared, and nobody else's container has them as pnr would put them there")
    settings = differences(spec.settings, holder.settings or {}, chunk.ignore_drift, strict=True)
    return (*found, *(str(difference) for difference in settings))
