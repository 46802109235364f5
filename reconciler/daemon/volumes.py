"""Which named volumes ``pnr down --volumes`` would remove, with their sizes: people are asked before."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from reconciler.daemon.image_listing import alone
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.viewing import unknown_domain
from reconciler.engine.protocol import Engine
from reconciler.planner.observed import Observed
from reconciler.state.snapshot import SnapshotStore


async def rows(engine: Engine, observed: Observed, domains: Collection[str]) -> list[dict[str, Any]]:
    """The volumes of these domains; ``bytes`` is None where the engine can't tell. Raises EngineError."""
    found = [volume for volume in observed.volumes.values() if volume.domain in domains]
    sizes = await engine.volume_sizes() if found else {}
    return [
        {"name": volume.name, "domain": volume.domain, "bytes": sizes.get(volume.name)}
        for volume in sorted(found, key=lambda volume: (str(volume.domain), volume.name))
    ]


async def rows_alone(options: ServiceOptions, only: Collection[str]) -> list[dict[str, Any]]:
    """The same where no daemon runs. Raises UnknownDomain, PnrError."""
    async with alone(options) as (engine, declared):
        known = {domain.name for domain in declared} | SnapshotStore(options.state).load_all(mending=False)[0].keys()
        unknown = sorted(set(only) - known)
        if unknown:
            raise unknown_domain(unknown, known)
        return await rows(engine, await engine.observe(), only or known)
