"""The chunks of a domain, each with its place in the file: the one walk over CPUXs and chunks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Path
from reconciler.intent.model import Chunk, Domain

if TYPE_CHECKING:
    from reconciler.intent import document


def cpuxs_of_tree(tree: Any) -> Iterator[tuple[str, Any]]:
    """The CPUXs of a tree that may be wrong in every way, each with what stands there for its chunks."""
    cpuxs = tree.get("cpuxs") if isinstance(tree, dict) else None
    for name, cpux in cpuxs.items() if isinstance(cpuxs, dict) else ():
        yield name, cpux.get("design_chunks", []) if isinstance(cpux, dict) else None


def chunks_of_tree(tree: Any) -> Iterator[tuple[dict[str, Any], Path]]:
    """The chunks of a tree that may be wrong in every way; only what is an object."""
    for cpux, chunks in cpuxs_of_tree(tree):
        for index, chunk in enumerate(chunks if isinstance(chunks, list) else ()):
            if isinstance(chunk, dict):
                yield chunk, _path(cpux, index)


def chunks_of_file(file: document.DomainFile) -> Iterator[tuple[document.Chunk, Path]]:
    """The chunks as a valid file declares them."""
    for name, cpux in file.cpuxs.items():
        for index, chunk in enumerate(cpux.design_chunks):
            yield chunk, _path(name, index)


def copies_of(domain: Domain) -> Iterator[tuple[Chunk, Path]]:
    """Every chunk with each of its equal copies; what concerns containers concerns each of them."""
    for cpux in domain.cpuxs:
        index = -1
        for chunk in cpux.chunks:
            index += chunk.id.replica == 1
            yield chunk, _path(cpux.name, index)


def chunks_of(domain: Domain) -> Iterator[tuple[Chunk, Path]]:
    """Every chunk once; its equal copies say the same of facts."""
    return ((chunk, path) for chunk, path in copies_of(domain) if chunk.id.replica == 1)


def _path(cpux: str, index: int) -> Path:
    return ("cpuxs", cpux, "design_chunks", index)
