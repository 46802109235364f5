"""Which files a project is made of, with which variables, profiles and name: as Compose finds them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.compose import files
from reconciler.compose.node import Node
from reconciler.compose.project import ComposeError
from reconciler.compose.scope import Asked, World
from reconciler.compose.template import BadTemplate, Variables, substitute
from reconciler.diagnostics import Diagnostic

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a project, its folder, and the variables for its strings."""

    files: list[Asked]
    directory: str
    environment: dict[str, str]


def find(
    named: Sequence[Path],
    environment: Mapping[str, str],
    env_files: Sequence[Path],
    directory: Path | None,
    world: World,
) -> Found:
    """The files that are named, or those of ``COMPOSE_FILE``, or ``compose.yaml`` and its kin in the folder or the
    nearest one above it. Raises ComposeError.
    """
    here = files.here(environment.get("PWD"))
    folder = files.absolute(directory, here) if directory is not None else None
    paths = [files.absolute(path, here) for path in named]
    variables = {"PWD": here, **environment}
    env_paths = env_files or [Path(part) for part in environment.get("COMPOSE_ENV_FILES", "").split(",") if part]
    given = [files.absolute(path, here) for path in env_paths]
    base = folder or _folder_of(paths, here)
    variables = _with_env_files(variables, given, base, world)
    if not paths:
        paths = _by_variable(variables, here) or _by_name(base, world)
        base = folder or _folder_of(paths, here)
        variables = _with_env_files(variables, given, base, world)
    return Found([Asked(path) for path in paths], base, variables)


def _folder_of(paths: Sequence[str], here: str) -> str:
    """The folder of the first that is a file; what comes by standard input stands ``here``."""
    return next((posixpath.dirname(path) for path in paths if path != files.STANDARD_INPUT), here)


def _with_env_files(variables: dict[str, str], given: list[str], base: str, world: World) -> dict[str, str]:
    """``variables``, and behind them those of the files: the named ones, or the folder's ``.env``."""
    paths = given
    if not given and variables.get("COMPOSE_DISABLE_ENV_FILE") not in _TRUE:
        default = posixpath.join(base, ".env")
        paths = [default] if files.is_file(default) else []
    found: dict[str, str] = {}
    for path in paths:
        found.update(world.env_file(Asked(path), {**found, **variables}))
    world.report.raise_if_any(ComposeError)
    return {**found, **variables}


def _by_variable(variables: Mapping[str, str], here: str) -> list[str]:
    value = variables.get("COMPOSE_FILE")
    if not value:
        return []
    separator = variables.get("COMPOSE_PATH_SEPARATOR") or ":"
    return [files.absolute(Path(path), here) for path in value.split(separator)]


def _by_name(folder: str, world: World) -> list[str]:
    at = folder
    while True:
        candidates = _present(NAMES, at)
        if candidates:
            break
        if posixpath.dirname(at) == at:
            said = f"there is no Compose file ({', '.join(NAMES)}) in {folder} or a folder above it"
            raise ComposeError([Diagnostic.of_file(folder, "NoComposeFile", said)])
        at = posixpath.dirname(at)
    overrides = _present(OVERRIDES, at)
    for kind, found in (("config", candidates), ("override", overrides)):
        if len(found) > 1:
            said = f"Found multiple {kind} files with supported names: {', '.join(found)}"
            world.report.warning((), "SeveralFiles", said)
            world.report.warning((), "SeveralFiles", f"Using {found[0]}")
    return candidates[:1] + overrides[:1]


def _present(names: Sequence[str], folder: str) -> list[str]:
    paths = [posixpath.join(folder, name) for name in names]
    return [path for path in paths if files.exists(path)]


def profiles_of(given: Collection[str], environment: Mapping[str, str]) -> frozenset[str]:
    """The active profiles: those given, else those of ``COMPOSE_PROFILES``."""
    if given:
        return frozenset(given)
    return frozenset(part.strip() for part in environment.get("COMPOSE_PROFILES", "").split(","))


def name_of(given: str | None, found: Found, world: World) -> str:
    """The project's name: given, or of ``COMPOSE_PROJECT_NAME``, of a file, of the folder. Raises ComposeError."""
    chosen = given or found.environment.get("COMPOSE_PROJECT_NAME")
    if chosen:
        if normal_name(chosen) != chosen:
            said = (
                f"{chosen!r} is not a project name: it must consist of small letters, digits, hyphens and underscores,"
                " and begin with a letter or digit"
            )
            raise ComposeError([Diagnostic.of_file(found.files[0].path, "BadProjectName", said)])
        return chosen
    written = _written_name(found, world)
    name = normal_name(_substituted(written, found, world)) if written is not None else ""
    if not name and written is None:
        name = normal_name(posixpath.basename(found.directory))
        real = posixpath.basename(files.real(found.directory))
        if real != posixpath.basename(found.directory):
            world.report.warning(
                (),
                "NameOfLink",
                "project has been loaded without an explicit name from a symlink. Using name"
                f' "{posixpath.basename(found.directory)}"',
            )
    if not name:
        said = "the project has no name: give one with a top-level name, or by hand"
        raise ComposeError([Diagnostic.of_file(found.files[0].path, "BadProjectName", said)])
    return name


def _written_name(found: Found, world: World) -> Node | None:
    """The last ``name`` at the top of the files."""
    written = None
    for file in found.files:
        for document in world.documents(file):
            name = document.root.get("name")
            if name is not None and isinstance(name.value, str) and name.value:
                written = name
    return written


def _substituted(name: Node, found: Found, world: World) -> str:
    try:
        return substitute(name.value, Variables(found.environment.get, lambda _: None))
    except BadTemplate as error:
        world.report.error(("name",), error.code, str(error), name.place)
        world.report.raise_if_any(ComposeError)
        raise AssertionError("a recorded problem is thrown") from error


def normal_name(name: str) -> str:
    """``name`` in small letters, without anything but letters, digits, hyphens and underscores."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")
