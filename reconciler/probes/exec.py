"""``exec``: up when a command inside the container exits 0.

Costs about 50 ms of CPU a look, for the engine starts a process each time: ``tcp`` and ``http`` are far cheaper.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from reconciler.intent.check_types import Options
from reconciler.intent.model import HealthCheck
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target
from reconciler.sentences import MARK, advised

_STEP = "correct what the check found, or its `command` (what it prints is not in `pnr logs`)"


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("a NUL character can't be handed to a program: take it out")
    return value


_Argument = Annotated[str, Field(json_schema_extra={"pattern": r"^[^\x00]*$"}), AfterValidator(_without_nul)]
_Line = Annotated[_Argument, Field(min_length=1, examples=["pg_isready"])]
_Words = Annotated[list[_Argument], Field(min_length=1)]


class ExecOptions(Options):
    command: _Line | _Words = Field(
        description="Run inside the container; exit code 0 is success. A string is run by /bin/sh -c."
    )


class ExecProbe(Probe):
    """Runs ``command``: a list as it is, a string with ``/bin/sh -c``."""

    options = ExecOptions

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        command = ExecOptions.of(check).command
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
