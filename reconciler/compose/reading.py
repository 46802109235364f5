"""The way into this room: Compose files in, a project out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from reconciler.compose.project import Project


def load(
    files: Sequence[Path],
    *,
    environment: Mapping[str, str],
    env_files: Sequence[Path] = (),
    profiles: Collection[str] = (),
    project_name: str | None = None,
    project_directory: Path | None = None,
) -> Project:
    """The project that Compose would make of ``files`` (the folder's ``compose.yaml`` and its kin where empty).

    ``environment`` stands before the variables of ``env_files`` (the project directory's ``.env`` where empty).
    Raises ComposeError with all problems of the files.
    """
    raise NotImplementedError
