"""What asks the containers of the simulated engine: answered by its idea of them, not by sockets and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from reconciler.engine.protocol import EngineUnavailable
from reconciler.engine.simulated import SimulatedEngine
from reconciler.engine.simulated.fates import asked_for
from reconciler.facts import Pnr
from reconciler.intent.model import ChunkId, HealthCheck
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target

ANSWER_SECONDS = 0.002
SUBSCRIBE_AGAIN_SECONDS = 0.2


class SimulatedProbe(Probe):
    """Succeeds when the simulated container is ready, and has what the check asks for."""

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        if not isinstance(inside, SimulatedEngine):
            raise TypeError("a simulated probe needs the simulated engine")
        self._check = check
        self._engine = inside

    async def probe(self, target: Target) -> ProbeResult:
        """Ask the engine."""
        await asyncio.sleep(ANSWER_SECONDS)
        if self._engine.is_down:
            raise EngineUnavailable("the simulated engine is down")
        if self._engine.is_mute:
            raise EngineUnavailable("the simulated engine does not answer")
        if self._engine.answers(target.container.id, self._check):
            return ProbeResult(True, f"{self._check.type} {self._check.port_key or ''} answered (simulated)")
        if self._engine.is_ready(target.container.id):
            return ProbeResult(False, f"it has no {asked_for(self._check)} (simulated)")
        return ProbeResult(False, "not ready yet (simulated)")


def simulated_probe_factory(engine: SimulatedEngine) -> Callable[[HealthCheck, Inside], Probe]:
    """Makes probes that ask ``engine``, whatever the type of the check."""

    def make(check: HealthCheck, inside: Inside) -> Probe:
        return SimulatedProbe(check, engine)

    return make


@dataclass(frozen=True, slots=True)
class SimulatedAnswers:
    """What a simulated container has said of itself."""

    answers: Mapping[str, Pnr] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class SimulatedRuntime:
    """Stands in for the files in ``/runtime``: a container that is ready answers its facts as they are declared."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine

    def read(self, chunk: ChunkId) -> SimulatedAnswers:
        """All answers of a chunk whose container is ready, else none."""
        ready = self._engine.ready_chunk(chunk)
        return SimulatedAnswers(dict(ready.flowout)) if ready is not None else SimulatedAnswers()

    async def changes(self) -> AsyncIterator[ChunkId]:
        """The chunks whose answers may be others now, for ever."""
        while True:
            try:
                async for hint in self._engine.glimpses():
                    if hint.owner is not None:
                        yield hint.owner
            except EngineUnavailable:
                await asyncio.sleep(SUBSCRIBE_AGAIN_SECONDS)

    def forget(self, chunk: ChunkId) -> None:
        """Nothing lasts, so there is nothing to remove."""
