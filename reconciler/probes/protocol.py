"""What a health-check type is: a class derived from ``Probe``, found by its entry point in ``pnr.probes``.

A type is instantiated once a chunk with the check's settings, and asked again and again. It answers or raises
nothing: every failure is a :class:`ProbeResult` with ``ok=False`` and a message for people. The caller puts an
outer deadline of ``timeout_seconds`` around each call, so a probe need not guard against a peer that drips.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

from reconciler.intent.check_types import Options
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


class Probe(ABC):
    """A health-check type. What it says of itself is all that anybody knows of it; see :class:`CheckType`."""

    options: ClassVar[type[Options]] = Options
    """The settings that only this type knows: the loader judges files by them, and the reference page shows them."""
    needs_port: ClassVar[bool] = False
    asks_from_outside: ClassVar[bool] = False
    url_scheme: ClassVar[str | None] = None

    @abstractmethod
    def __init__(self, check: HealthCheck, inside: Inside) -> None: ...

    @abstractmethod
    async def probe(self, target: Target) -> ProbeResult:
        """Ask once."""

    async def close(self) -> None:  # noqa: B027  most keep nothing
        """Let go of what is kept between probes."""
