"""What of a domain's containers is there already, made by Compose, and whether each can be taken over as it is.

Only looks at the engine: taking over is the daemon's work, by the same comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.compose.converting.convert import Existing
from reconciler.compose.converting.services import Found
from reconciler.engine.docker.composed import Composer
from reconciler.intent.model import Domain
from reconciler.planner.adopting import mismatches


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one container of a domain. ``container_id`` is "" where there is none yet; ``differences`` are
    sentences, none where it is as declared."""

    chunk: str
    container: str
    container_id: str
    differences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Its shape in ``pnr import --json``."""
        return {
            "chunk": self.chunk,
            "container": self.container,
            "id": self.container_id,
            "matches": bool(self.container_id) and not self.differences,
            "differences": list(self.differences),
        }

    def __str__(self) -> str:
        if not self.container_id:
            return f"{self.container}: not there yet; it will be made"
        if not self.differences:
            return f"{self.container} ({self.container_id[:12]}): as declared; it will be taken over as it is"
        return (
            f"{self.container} ({self.container_id[:12]}): left alone, since it is not as declared:"
            f" {'; '.join(self.differences)}"
        )


def existing(composer: Composer, project: str) -> Existing:
    """What Compose has made of a project. Raises EngineUnavailable."""
    made = composer.made(project)
    return Existing(made.networks, made.volumes, {name: Found(names) for name, names in made.containers.items()})


def verdicts(composer: Composer, domain: Domain) -> list[Verdict]:
    """What becomes of each container of a domain, in the order of its chunks. Raises EngineUnavailable."""
    found = []
    for chunk in domain.chunks():
        name = chunk.container.name
        there = composer.examine(name)
        if there is None:
            found.append(Verdict(str(chunk.id), name, "", ()))
        elif there.owner is not None:
            said = () if there.owner == chunk.id else (f"it belongs to {there.owner}",)
            found.append(Verdict(str(chunk.id), name, there.id, said))
        else:
            found.append(Verdict(str(chunk.id), name, there.id, mismatches(chunk, there)))
    return found
