"""What a health-check type is: a class with one coroutine, found by its entry point in ``pnr.probes``.

A type is instantiated once a chunk with the check's settings, and asked again and again. It answers or raises
nothing: every failure is a :class:`ProbeResult` with ``ok=False`` and a message for people. The caller puts an
outer deadline of ``timeout_seconds`` around each call, so a probe need not guard against a peer that drips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.intent.model import HealthCheck
from reconciler.planner.observed import Container
from reconciler.sentences import advised

WITHOUT_HEALTHCHECK = advised(
    "the image has no HEALTHCHECK", "give the container a `healthcheck`, or use another type of health_check"
)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """``ok``, and a short message for people (``tcp 27017 answered``, ``connection refused``).

    ``is_known`` is False where nobody could be asked (the engine does not answer): that counts for nothing."""

    ok: bool
    message: str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """Where a probe goes. ``host`` and ``port`` are set where the check has a ``port_key``: the published host
    address where there is one, else the container's own. ``container`` is the container as last seen."""

    container: Container
    host: str | None = None
    port: int | None = None


class Inside(Protocol):
    """The part of an engine that some probes need. Raises the engine's own errors."""

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]: ...

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str: ...

    async def look(self, container_id: str) -> Container | None: ...


class Probe(Protocol):
    """A health-check type.

    ``option_schema`` describes the settings that only this type knows, as a JSON Schema object: the loader
    checks against it (unknown keys are errors, ``required`` is honoured, ``default`` filled in), and the
    reference page shows it. ``needs_port`` tells the loader that ``port_key`` must be given.
    """

    option_schema: Mapping[str, Any]
    needs_port: bool

    def __init__(self, check: HealthCheck, inside: Inside) -> None: ...

    async def probe(self, target: Target) -> ProbeResult:
        """Ask once."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
