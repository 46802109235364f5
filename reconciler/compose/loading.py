"""Compose files read one over the other, into one canonical document.

For each document of a file, in Compose's order: variables, ``extends``, what ``!reset`` takes away, ``include``, the
merge with what the files before it said, the check against the specification, long forms.
"""

from __future__ import annotations

import posixpath
from functools import partial

from reconciler.compose import files
from reconciler.compose.deduplicating import made_single
from reconciler.compose.extending import Extending, Source, cleared
from reconciler.compose.grammar import check
from reconciler.compose.including import with_includes
from reconciler.compose.interpolation import interpolated
from reconciler.compose.long_forms import canonical, with_defaults
from reconciler.compose.merging import merge
from reconciler.compose.node import Node
from reconciler.compose.parsing import Document
from reconciler.compose.paths import Folder, relative, resolved
from reconciler.compose.project import ComposeError
from reconciler.compose.schema import PROJECT
from reconciler.compose.scope import Asked, Scope, World
from reconciler.compose.validation import validate
from reconciler.diagnostics import Path, Place


def load_model(world: World, scope: Scope, asked: list[Asked]) -> Node:
    """The merged document of the files, its own paths put behind the scope's base. Raises ComposeError."""
    report = world.report
    # Syntax and variables of all files first, so that one reading tells of all of them.
    for file in asked:
        for document in world.documents(file):
            _read(document, world, scope)
    report.raise_if_any(ComposeError)
    root = Node({}, Place(asked[0].path))
    for file in asked:
        for document in world.documents(file):
            root = _laid_over(root, document, file.path, world, scope)
    root = with_defaults(root, report)
    validate(root, report)
    report.raise_if_any(ComposeError)
    root = resolved(root, Folder(scope.base, world.home, files.real), report)
    report.raise_if_any(ComposeError)
    return _with_listed_variables(root, scope)


def _read(document: Document, world: World, scope: Scope) -> Node:
    """The document's own mapping with the variables put in; what is wrong is recorded."""
    if not isinstance(document.root.value, dict):
        world.report.error((), "WrongType", "a Compose file must be a mapping", document.root.place)
        return document.root.having({})
    return interpolated(document.root, scope.variables(world.report), world.report)


def _laid_over(root: Node, document: Document, path: str, world: World, scope: Scope) -> Node:
    report = world.report
    read = _read(document, world, scope)
    extending = Extending(report, partial(_open_source, world, scope))
    read = extending.all(read, path, document.cleared)
    report.raise_if_any(ComposeError)
    root = cleared(root, document.cleared)
    read = with_includes(read, path, world, scope, load_model)
    root = made_single(merge(root, read, report), report)
    check(root, PROJECT, report)
    report.raise_if_any(ComposeError)
    if "version" in root.entries:
        report.warning(
            (),
            "ObsoleteKey",
            f"{path}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential"
            " confusion",
        )
        root = root.without("version")
    return _canonical(root, world)


def _canonical(root: Node, world: World) -> Node:
    root = made_single(canonical(root, world.report), world.report)
    world.report.raise_if_any(ComposeError)
    return root


def _open_source(world: World, scope: Scope, file: Node, at: Path) -> Source:
    """The services of a file that a service extends; what it extends in turn is put in by the caller."""
    path = world.local(file.value, scope.folder, file, at)
    root = Node({}, Place(path))
    documents = world.documents(Asked(path, file, at))
    world.report.raise_if_any(ComposeError)
    for document in documents:
        root = merge(cleared(root, document.cleared), _read(document, world, scope), world.report)
        world.report.raise_if_any(ComposeError)
        root = _canonical(made_single(root, world.report), world)
    base = relative(posixpath.dirname(path), scope.folder)
    root = resolved(root, Folder(base, world.home, files.real), world.report)
    world.report.raise_if_any(ComposeError)
    services = root.get("services")
    if services is None or not isinstance(services.value, dict):
        world.report.error(at, "UnknownService", f"there are no services in {path}", file.place)
        world.report.raise_if_any(ComposeError)
    cleared_last = documents[-1].cleared if documents else frozenset()
    return Source(path, dict(services.entries) if services is not None else {}, cleared_last)


def _with_listed_variables(root: Node, scope: Scope) -> Node:
    """``environment: [NAME]`` takes its value from the variables of the file that says it."""
    services = root.get("services")
    if services is None:
        return root
    found = {}
    for name, service in services.entries.items():
        listed = service.get("environment")
        if listed is not None and isinstance(listed.value, list):
            items = [
                item.having(f"{item.value}={scope.environment[item.value]}")
                if item.value in scope.environment
                else item
                for item in listed.value
            ]
            found[name] = service.adding(environment=listed.having(items))
        else:
            found[name] = service
    return root.adding(services=services.having(found))
