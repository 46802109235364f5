"""Probes for the simulated engine: they are answered by its idea of the container instead of by a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reconciler.engine.simulated import SimulatedEngine
from reconciler.intent.model import HealthCheck
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target

ANSWER_SECONDS = 0.002


class SimulatedProbe:
    """Succeeds when the simulated container is ready."""

    option_schema: Mapping[str, Any] = MappingProxyType({"type": "object"})
    needs_port = False

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        if not isinstance(inside, SimulatedEngine):
            raise TypeError("a simulated probe needs the simulated engine")
        self._check = check
        self._engine = inside

    async def probe(self, target: Target) -> ProbeResult:
        """Ask the engine."""
        await asyncio.sleep(ANSWER_SECONDS)
        if self._engine.is_down:
            return ProbeResult(False, "the simulated engine is down")
        if self._engine.is_ready(target.container.id):
            return ProbeResult(True, f"{self._check.type} {self._check.port_key or ''} answered (simulated)")
        return ProbeResult(False, "not ready yet (simulated)")

    async def close(self) -> None:
        """Nothing to let go of."""


def simulated_probe_factory(engine: SimulatedEngine) -> Callable[[HealthCheck, Inside], Probe]:
    """Makes probes that ask ``engine``, whatever the type of the check."""

    def make(check: HealthCheck, inside: Inside) -> Probe:
        return SimulatedProbe(check, engine)

    return make
