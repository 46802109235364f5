"""``exec``: up when a command inside the container exits 0.

Costs about 50 ms of CPU a look, for the engine starts a process each time: ``tcp`` and ``http`` are far cheaper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.model import HealthCheck
from reconciler.probes.protocol import Inside, ProbeResult, Target
from reconciler.sentences import MARK, advised

_STEP = "put right what the check found, or correct its `command` (what it prints is not in `pnr logs`)"


_NO_NUL = r"^[^\x00]*$"  # a program's arguments end with it


class ExecProbe:
    """Runs ``command``: a list as it is, a string with ``/bin/sh -c``."""

    option_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "command": {
                "description": "Run inside the container; exit code 0 is success. A string is run by /bin/sh -c.",
                "anyOf": [
                    {"type": "string", "pattern": _NO_NUL, "minLength": 1, "examples": ["pg_isready"]},
                    {"type": "array", "items": {"type": "string", "pattern": _NO_NUL}, "minItems": 1},
                ],
            }
        },
        "required": ["command"],
    }
    needs_port = False

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        command = check.options["command"]
        self._command = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        self._limit_seconds = check.timeout_seconds
        self._inside = inside

    async def probe(self, target: Target) -> ProbeResult:
        """Run the command once. Raises the engine's errors."""
        code, output = await self._inside.run_inside(target.container.id, list(self._command), self._limit_seconds)
        if code == 0:
            return ProbeResult(ok=True, message="the command exited 0")
        last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
        message = f"the command exited {code}" + (f": {last}" if last else "")
        # Where the engine could not run it, what it says has its own step.
        return ProbeResult(ok=False, message=message if MARK in last else advised(message, _STEP))

    async def close(self) -> None:
        """Nothing is kept open."""
