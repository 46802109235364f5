"""Containers, checks and an engine's inside as the tests of the probes want them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.model import HealthCheck
from reconciler.planner.observed import Condition, Container, HostPort


def container(
    *,
    networks: Mapping[str, str] | None = None,
    published: Mapping[str, tuple[HostPort, ...]] | None = None,
    run: str = "1",
    health: str | None = None,
) -> Container:
    return Container(
        id="c0ffee",
        name="web",
        image="web:1",
        image_id="sha256:1",
        condition=Condition.RUNNING,
        run=run,
        networks=networks or {},
        published=published or {},
        health=health,
    )


def check(type: str, port_key: str | None = None, *, timeout_seconds: float = 5.0, **options: Any) -> HealthCheck:
    return HealthCheck(type=type, port_key=port_key, timeout_seconds=timeout_seconds, options=options)


@dataclass
class FakeInside:
    """Answers as told, and remembers what it was asked."""

    result: tuple[int, str] = (0, "")
    output: str = ""
    seen: Container | None = None
    error: Exception | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        self.asked.append((container_id, command, limit_seconds))
        if self.error is not None:
            raise self.error
        return self.result

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        self.asked.append((container_id, since, limit_bytes))
        return self.output

    async def look(self, container_id: str) -> Container | None:
        self.asked.append((container_id,))
        return self.seen
