"""What reading Compose files gives: a project in Compose's canonical form, or all that is wrong with the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.diagnostics import Diagnostic, Place
from reconciler.errors import PnrError


@dataclass(frozen=True, slots=True)
class Project:
    """A Compose project, all its files merged.

    ``model`` is what ``docker-compose config --format json --no-env-resolution`` prints: long forms, absolute paths,
    default network and names filled in; services that no active profile asks for are left out of it. Values of
    variables are in it, so it may hold secrets. ``places`` says for each path of the model, as far as a file has it,
    where it was written last. ``warnings`` say what Compose would warn of, in its own words. ``variables`` are those of
    the shell and of ``.env``, which the values in an ``env_file`` may refer to.
    """

    name: str
    directory: str
    model: Mapping[str, Any]
    inactive: Mapping[str, tuple[str, ...]]
    places: Mapping[tuple[str | int, ...], Place]
    warnings: tuple[Diagnostic, ...]
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class ComposeError(PnrError):
    """Compose files that can't be read; ``errors`` has every one found, with its place."""

    code: ClassVar[str] = "BadComposeFile"

    def __init__(self, errors: Sequence[Diagnostic]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(one.sentence for one in self.errors))
