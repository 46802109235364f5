"""``include``: other Compose files with folders and variables of their own, whose services are put beside ours."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.compose import files
from reconciler.compose.grammar import check
from reconciler.compose.node import Node, plain
from reconciler.compose.paths import join, relative
from reconciler.compose.project import ComposeError
from reconciler.compose.schema import INCLUDE
from reconciler.compose.scope import Asked, Scope, World
from reconciler.diagnostics import Diagnostics, Path

_KINDS = ("services", "volumes", "networks", "secrets", "configs", "models")

LoadModel = Callable[[World, Scope, list[Asked]], Node]
"""Reads files into one canonical document."""


@dataclass(frozen=True, slots=True)
class _Include:
    paths: list[Node]
    env_files: list[Node]
    folder: Node | None


def with_includes(root: Node, file: str, world: World, scope: Scope, load: LoadModel) -> Node:
    """``root``, which was read from ``file``, with the resources of what it includes. Raises ComposeError."""
    listed = root.get("include")
    if listed is None:
        return root
    root = root.without("include")
    if listed.value is None:
        return root
    report = world.report
    if not isinstance(listed.value, list):
        report.error(("include",), "WrongType", "expected a list", listed.place)
    for index, item in enumerate(listed.items):
        check(item, INCLUDE, report.at("include", index))
        for key in item.entries.keys() - {"path", "env_file", "project_directory"}:
            report.warning((), "IgnoredKey", f"{file}: include[{index}].{key} means nothing to Compose")
    report.raise_if_any(ComposeError)
    for index, item in enumerate(listed.items):
        path: Path = ("include", index)
        include = _Include(_texts(item, "path"), _texts(item, "env_file"), item.get("project_directory"))
        if not include.paths:
            report.error(path, "MissingKey", "path is missing: the file to include", item.place)
            report.raise_if_any(ComposeError)
        root = _imported(root, _load(include, path, file, world, scope, load), path, item, report)
    report.raise_if_any(ComposeError)
    return root


def _texts(item: Node, key: str) -> list[Node]:
    if isinstance(item.value, str):
        return [item] if key == "path" else []
    found = item.get(key)
    if found is None:
        return []
    return found.items if isinstance(found.value, list) else [found]


def _load(include: _Include, path: Path, file: str, world: World, scope: Scope, load: LoadModel) -> Node:
    main = world.local(include.paths[0].value, scope.folder, include.paths[0], path)
    chain = (*scope.included, file)
    if main in chain:
        steps = " includes ".join((*chain[chain.index(main) :], main))
        world.report.error(path, "Cycle", f"the file includes itself: {steps}", include.paths[0].place)
        world.report.raise_if_any(ComposeError)
    asked = [Asked(world.local(p.value, scope.folder, p, path), p, path) for p in include.paths]
    if include.folder is not None and include.folder.value:
        folder = join(scope.folder, include.folder.value)
        folder = include.folder.value if include.folder.value.startswith("/") else folder
    else:
        folder = posixpath.dirname(main)
    found: dict[str, str] = {}
    for variables in _env_files(include, path, folder, scope):
        found.update(world.env_file(variables, {**found, **scope.environment}))
    world.report.raise_if_any(ComposeError)
    environment = {**found, **scope.environment}
    return load(world, Scope(folder, relative(folder, scope.folder), environment, chain), asked)


def _env_files(include: _Include, path: Path, folder: str, scope: Scope) -> list[Asked]:
    if not include.env_files:
        default = join(folder, ".env")
        return [Asked(default)] if files.is_file(default) else []
    return [
        Asked(node.value if node.value.startswith("/") else join(scope.folder, node.value), node, path)
        for node in include.env_files
    ]


def _imported(root: Node, model: Node, path: Path, item: Node, report: Diagnostics) -> Node:
    for kind in _KINDS:
        brought = model.get(kind)
        if brought is None or not brought.entries:
            continue
        ours = root.get(kind)
        merged = dict(ours.entries) if ours is not None else {}
        for name, node in brought.entries.items():
            if name in merged and plain(merged[name]) != plain(node):
                where = f"{merged[name].place.file}:{merged[name].place.line}"
                said = f"the included file declares {kind}.{name}, which {where} declares otherwise"
                report.error(path, "Conflict", said, item.place)
            merged[name] = node
        root = root.adding(**{kind: (ours or brought).having(merged)})
    return root
