"""What a person has said of services that no Compose file says: which are work that ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.compose.converting import dependencies
from reconciler.compose.project import Project
from reconciler.errors import PnrError


class WrongAnswer(PnrError):
    """A service was named that there is not, or that can't be what was said of it."""

    code = "BadRequest"


@dataclass(frozen=True, slots=True)
class Said:
    """``jobs`` are services whose work ends, ``services`` such as are to be kept up, whatever their ``restart`` is."""

    jobs: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def check(self, project: Project) -> None:
        """Raises WrongAnswer."""
        known = project.model.get("services") or {}
        for name in sorted(self.jobs | self.services):
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f" (there are: {', '.join(known)})"
                raise WrongAnswer(f"the project {project.name} has no service {name}{hint}")
        for name in sorted(self.jobs & self.services):
            raise WrongAnswer(f"{name} can't be a job and a service: name it once")
        for name, service in known.items():
            for target, said in dependencies.depends_on(service):
                if target in self.services and said.get("condition") == dependencies.Condition.COMPLETED:
                    raise WrongAnswer(f"{name} waits until {target} has done its work: {target} can only be a job")
