"""Who writes to what lasts: volumes and directories of the host that containers have for writing. Pure.

Two databases on one data folder destroy it. So an update stops the old container of such a chunk first, unless its file
asks otherwise; and where several write to one volume by what is declared, that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Place
from reconciler.intent.chunks import chunks_of
from reconciler.intent.model import Chunk, ContainerSpec, Domain, Strategy
from reconciler.intent.settings.endpoints import has_fixed_address
from reconciler.intent.settings.references import VOLUMES as VOLUMES_FROM

_LASTING = ("volume", "bind")


def written(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What a container with these settings can write to and others may have as well, in words: ``volume data``. Not an
    anonymous volume, nor a tmpfs: each container has its own."""
    found = [
        f"{'volume' if mount['type'] == 'volume' else 'directory'} {mount['source']}"
        for mount in settings.get("volumes") or ()
        if mount["type"] in _LASTING and mount.get("source") and not mount.get("read_only")
    ]
    found += [
        f"the volumes of {entry.replace(':', ' ', 1).removesuffix(':rw')}"
        for entry in settings.get(VOLUMES_FROM) or ()
        if not entry.endswith(":ro")
    ]
    return tuple(found)


def best_strategy(container: ContainerSpec) -> Strategy:
    """How an update goes where the file says nothing: two containers must not write to one volume, and can't have one
    address."""
    if written(container.settings) or has_fixed_address(container):
        return Strategy.STOP_FIRST
    return exclusive_strategy(container)


def exclusive_strategy(container: ContainerSpec) -> Strategy:
    """The same as far as it follows from what two containers can't have at one time: a name, a host port."""
    host_port = any(entry["published"] is not None for entry in container.settings.get("ports", ()))
    return Strategy.STOP_FIRST if container.named or host_port else Strategy.START_FIRST


def warnings(domains: Iterable[Domain]) -> Iterator[Diagnostic]:
    """Where several containers may write to one thing at a time by what is declared, in the order of the domains."""
    before: dict[str, Chunk] = {}
    for domain in domains:
        for chunk, path in chunks_of(domain):
            for text in _risks(chunk, before):
                where = (*path, "container", "volumes")
                yield Diagnostic(where, "TwoWriters", text, "warning", Place(domain.file))
            for what in _volumes(chunk):
                before.setdefault(what, chunk)


def _risks(chunk: Chunk, before: Mapping[str, Chunk]) -> Iterator[str]:
    for what in written(chunk.container.settings):
        if chunk.strategy is Strategy.START_FIRST:
            yield (
                f"strategy is start-first and the container writes to {what}: during an update the old and the new one"
                " run on it at one time, which can destroy a database; use stop-first, or leave strategy out"
            )
        if chunk.replicas > 1:
            yield (
                f"its {chunk.replicas} replicas write to {what} at one time, which can destroy a database; mount it"
                " read-only, or run one"
            )
    for what in _volumes(chunk):
        other = before.get(what)
        if other is not None:
            name = other.id.chunk if other.id.domain == chunk.id.domain else str(other.id)
            yield f"chunk {name} writes to {what} as well, and both run at one time; mount it read-only in one of them"


def _volumes(chunk: Chunk) -> Iterator[str]:
    return (what for what in written(chunk.container.settings) if what.startswith("volume "))
