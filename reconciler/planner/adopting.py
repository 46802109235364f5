"""Containers that somebody else made, and that a chunk is to take over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.intent.contents import SourceKind
from reconciler.intent.model import Adopt, Chunk, MountedFile
from reconciler.planner.actions import Action, AdoptContainer, ExamineContainer
from reconciler.planner.compare import differences_of_foreign
from reconciler.planner.observed import Container
from reconciler.planner.situation import ChunkInput
from reconciler.states import Reason, State

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
        return [(adopt, "pnr did not make it, and it is as declared")]
    if i.chunk.adopt is Adopt.REPLACE:
        return [(adopt, f"pnr did not make it, and it is replaced: {'; '.join(found)}")]
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
    found += holder.unsaid
    settings = dict(holder.settings or {})
    mounts = list(settings.get("volumes") or ())
    for file in spec.files:
        mount = next((mount for mount in mounts if _is_the_file(mount, file)), None)
        if mount is None:
            kind = "secrets" if file.secret else "configs"
            found.append(f"{kind}: {file.target} declared, and what is there can't be seen to be the same")
        else:
            mounts.remove(mount)
    settings["volumes"] = mounts
    declared = dict(spec.settings)
    if spec.restart_of_ours:
        # Its maker told the engine what we would have: that is taken from it once it is ours.
        declared["restart"] = spec.restart_of_ours
        settings["restart"] = settings.get("restart") if settings.get("restart") != "no" else spec.restart_of_ours
    found += map(str, differences_of_foreign(declared, settings, holder.brought, chunk.ignore_drift))
    return (*found, *_other_ports(chunk, holder))


def _is_the_file(mount: Mapping[str, Any], file: MountedFile) -> bool:
    """Whether the very file that a secret or config comes from is mounted at its place: what Compose does with one."""
    return (
        file.source.kind is SourceKind.FILE
        and mount["type"] == "bind"
        and (mount["source"], mount["target"]) == (file.source.name, file.target)
        and bool(mount["read_only"])
    )


def _other_ports(chunk: Chunk, holder: Container) -> Iterator[str]:
    """A container that was given a range may have taken the port that another copy is to have."""
    for entry in chunk.container.settings.get("ports") or ():
        taken = {port.port for port in holder.published.get(entry["target"], ())}
        wanted = entry["published"]
        if wanted is not None and "until" not in entry and taken and wanted not in taken:
            yield f"ports: {wanted} declared for {entry['target']}, {', '.join(map(str, sorted(taken)))} taken"
