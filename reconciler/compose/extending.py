"""``extends``: a service that begins as another one of the same file or of another file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.compose.merging import merge
from reconciler.compose.node import Node, matches
from reconciler.diagnostics import Diagnostics, Path


@dataclass(frozen=True, slots=True)
class Source:
    """The services of one document: the file they stand in, and what its ``!reset`` and ``!override`` clear."""

    file: str
    services: dict[str, Node]
    cleared: frozenset[Path]


OpenSource = Callable[[Node, Path], Source]
"""Opens the file that the node (a ``file:`` of ``extends``) names. Raises ComposeError."""


@dataclass(frozen=True, slots=True)
class Extending:
    """Puts in what services extend."""

    report: Diagnostics
    open: OpenSource

    def all(self, root: Node, source_file: str, cleared_paths: frozenset[Path]) -> Node:
        """``root`` with the ``extends`` of its services carried out."""
        services = root.get("services")
        if services is None or not isinstance(services.value, dict):
            return root
        source = Source(source_file, dict(services.value), cleared_paths)
        for name in services.value:
            source.services[name] = self._service(name, source, ())
        return root.adding(services=services.having(source.services))

    def _service(self, name: str, source: Source, chain: tuple[tuple[str, str], ...]) -> Node:
        service = source.services[name]
        extends = service.get("extends")
        if extends is None:
            return service
        path: Path = ("services", name, "extends")
        chain = (*chain, (source.file, name))
        reference = extends if isinstance(extends.value, str) else extends.get("service")
        if reference is None or not isinstance(reference.value, str):
            self.report.error(
                path, "MissingKey", "service is missing: the name of the service to extend", extends.place
            )
            return service.without("extends")
        base_name, base_source = reference.value, source
        file = extends.get("file")
        if file is not None and file.value is not None:
            if not isinstance(file.value, str):
                self.report.error((*path, "file"), "WrongType", "expected the path of a file", file.place)
                return service.without("extends")
            base_source = self.open(file, (*path, "file"))
        if base_name not in base_source.services:
            said = f"there is no service {base_name} in {base_source.file}"
            self.report.error(path, "UnknownService", said, reference.place)
            return service.without("extends")
        if (base_source.file, base_name) in chain:
            steps = " extends ".join(step for _, step in (*chain, (base_source.file, base_name)))
            self.report.error(path, "Cycle", f"the service extends itself: {steps}", extends.place)
            return service.without("extends")
        base = self._service(base_name, base_source, chain)
        if base.value is None:
            return service
        base = cleared(base, source.cleared, ("services", name))
        return merge(base, service, self.report.at("services", name)).without("extends")


def cleared(node: Node, patterns: frozenset[Path], path: Path = ()) -> Node:
    """``node`` without what ``!reset`` and ``!override`` take away. Items of lists can't be taken away."""
    if not patterns or not isinstance(node.value, dict):
        return node
    kept = {}
    for key, part in node.value.items():
        if not any(matches((*path, key), pattern) for pattern in patterns):
            kept[key] = cleared(part, patterns, (*path, key))
    return node.having(kept)
