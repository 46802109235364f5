"""``redis``: up when the server answers PING. A complete plug-in for pnr, meant to be copied.

A connection alone says little of a Redis: while it loads its data from disk it accepts connections, and answers
every command with ``-LOADING``.
"""

from __future__ import annotations

import asyncio

from pydantic import Field

from reconciler.intent.check_types import Options
from reconciler.intent.model import HealthCheck
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target


class RedisOptions(Options):
    accept_noauth: bool = Field(False, description="Count a server that asks for a password as up.")


class RedisProbe(Probe):
    """Sends PING, and expects PONG."""

    options = RedisOptions
    needs_port = True
    asks_from_outside = True

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        self._accept_noauth = RedisOptions.of(check).accept_noauth

    async def probe(self, target: Target) -> ProbeResult:
        """Ask once. pnr puts the deadline around it, so nothing here needs a timeout."""
        try:
            reader, writer = await asyncio.open_connection(target.host, target.port, limit=1024)
            try:
                writer.write(b"PING\r\n")
                answer = await reader.readline()
            finally:
                writer.transport.abort()
        except (OSError, ValueError) as error:  # ValueError: a line longer than the limit
            return ProbeResult(ok=False, message=f"redis {target.host}:{target.port}: {error}")
        said = answer.decode("ascii", errors="replace").strip()
        if said == "+PONG":
            return ProbeResult(ok=True, message="redis answered PONG")
        if said.startswith("-NOAUTH") and self._accept_noauth:
            return ProbeResult(ok=True, message="redis answered that it wants a password")
        return ProbeResult(ok=False, message=f"redis answered {said!r}" if said else "redis closed the connection")
