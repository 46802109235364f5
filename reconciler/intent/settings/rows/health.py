"""Rows of the table of container settings: the container's own health check. Data."""

from __future__ import annotations

from reconciler.intent.settings import healthcheck
from reconciler.intent.settings.row import Setting, declared_and_found

ROWS: tuple[Setting, ...] = (
    Setting(
        "healthcheck",
        "health",
        "The container's own health check, run by the engine: test, interval, timeout, retries, start_period,"
        " start_interval, disable. A chunk's health_check of type docker asks for its result.",
        {"test": ["CMD", "redis-cli", "ping"], "interval": "10s", "retries": 3},
        healthcheck.parse,
        healthcheck.ACCEPTS,
        healthcheck.send,
        healthcheck.read,
        same=healthcheck.same,
        needs=healthcheck.needs,
        tell=declared_and_found(healthcheck.tell),
    ),
)
