"""What of a domain's containers is there already, made by Compose, and whether each can be taken over as it is.

Only looks at the engine: taking over is the daemon's work, by the same comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.compose.converting.convert import Existing
from reconciler.compose.converting.draft import CPUX
from reconciler.compose.converting.services import Found
from reconciler.compose.converting.validating import LeftOut
from reconciler.engine.docker.composed import Composer
from reconciler.intent.model import Domain
from reconciler.planner.adopting import mismatches


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one container of a domain. ``container_id`` is "" where there is none yet; ``differences`` are
    sentences, none where it is as declared; ``left_out`` says why it is none of the domain's, where it is not."""

    chunk: str
    container: str
    container_id: str
    differences: tuple[str, ...]
    left_out: str = ""

    @property
    def matches(self) -> bool:
        """Whether it is there, and as declared."""
        return bool(self.container_id) and not self.differences and not self.left_out

    def as_dict(self) -> dict[str, Any]:
        """Its shape in ``pnr import --json``."""
        return {
            "chunk": self.chunk,
            "container": self.container,
            "id": self.container_id,
            "matches": self.matches,
            "differences": list(self.differences),
            "left_out": self.left_out,
        }

    def __str__(self) -> str:
        if not self.container_id:
            return f"{self.container}: not there yet; it will be made"
        if self.left_out:
            why = f"its chunk is not in the domain: {self.left_out}"
            return f"{self.container} ({self.container_id[:12]}): left alone, since {why}"
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


def left_alone(composer: Composer, project: str, there: Existing, left_out: Mapping[str, LeftOut]) -> list[Verdict]:
    """The containers of services that are not in the domain. Raises EngineUnavailable."""
    found = []
    for service, why in left_out.items():
        for name in there.containers.get(service, Found()).names:
            container = composer.examine(name)
            if container is not None:
                found.append(Verdict(f"{project}/{CPUX}/{service}", name, container.id, (), str(why)))
    return found


def verdicts(composer: Composer, domain: Domain, lacking: Mapping[str, LeftOut]) -> list[Verdict]:
    """What becomes of each container of a domain, in the order of its chunks. ``lacking`` says, by the chunk's name,
    what it has lost on the way. Raises EngineUnavailable."""
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
            lost = lacking.get(chunk.id.chunk)
            said = (*mismatches(chunk, there), *((f"{lost.what}, since {lost.why}",) if lost is not None else ()))
            found.append(Verdict(str(chunk.id), name, there.id, said))
    return found


class TakeOver:
    """The same with an engine at hand. Each call raises EngineUnavailable."""

    def __init__(self) -> None:
        self._composer = Composer()

    def existing(self, project: str) -> Existing:
        """See :func:`existing`."""
        return existing(self._composer, project)

    def verdicts(self, domain: Domain, lacking: Mapping[str, LeftOut]) -> list[Verdict]:
        """See :func:`verdicts`."""
        return verdicts(self._composer, domain, lacking)

    def left_alone(self, project: str, there: Existing, left_out: Mapping[str, LeftOut]) -> list[Verdict]:
        """See :func:`left_alone`."""
        return left_alone(self._composer, project, there, left_out)

    def close(self) -> None:
        """Let go of the engine."""
        self._composer.close()
