"""``docker``: up when the image's own HEALTHCHECK says so. The engine runs that check; this only reads its word."""

from __future__ import annotations

from reconciler.intent.model import HealthCheck
from reconciler.probes.protocol import WITHOUT_HEALTHCHECK, Inside, Probe, ProbeResult, Target
from reconciler.sentences import quoted


class DockerProbe(Probe):
    """Reads the engine's health of the container."""

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        self._inside = inside

    async def probe(self, target: Target) -> ProbeResult:
        """Look at the container once. Raises the engine's errors."""
        seen = await self._inside.look(target.container.id)
        if seen is None:
            return ProbeResult(ok=False, message="the container is gone")
        if seen.health is None:
            return ProbeResult(ok=False, message=WITHOUT_HEALTHCHECK)
        printed = f"; its check printed: {quoted(seen.health_output)}" if seen.health_output else ""
        is_healthy = seen.health == "healthy"
        return ProbeResult(ok=is_healthy, message=seen.health if is_healthy else f"{seen.health}{printed}")
