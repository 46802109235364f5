"""What reading Compose files gives: a project in Compose's canonical form, or all that is wrong with the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.errors import PnrError
from reconciler.intent.model import Place, Problem


@dataclass(frozen=True, slots=True)
class Project:
    """A Compose project, all its files merged.

    ``model`` is what ``docker-compose config --format json --no-env-resolution`` prints: long forms, absolute paths,
    default network and names filled in; services that no active profile asks for are left out of it. Values of
    variables are in it, so it may hold secrets. ``places`` says for each path of the model, as far as a file has it,
    where it was written last. ``warnings`` are the sentences that Compose would warn with. ``variables`` are those of
    the shell and of ``.env``, which the values in an ``env_file`` may refer to.
    """

    name: str
    directory: str
    model: Mapping[str, Any]
    inactive: Mapping[str, tuple[str, ...]]
    places: Mapping[tuple[str | int, ...], Place]
    warnings: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class ComposeError(PnrError):
    """Compose files that can't be read; ``problems`` has every one found, with its place."""

    code: ClassVar[str] = "BadComposeFile"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(sentence(problem) for problem in self.problems))


def sentence(problem: Problem) -> str:
    """``file:line:column: path: message``, as far as the problem has a place."""
    place = problem.place
    where = f"{place.file}:{place.line}:{place.column}" if place.line else place.file
    return ": ".join(part for part in (where, place.path, problem.message) if part)
