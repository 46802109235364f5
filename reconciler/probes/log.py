"""``log``: up once a regular expression was seen in what the container printed.

Only the container's current run counts. Once seen, the answer stays for that run and nothing is read again. The
text is bounded, so that a container that prints a lot costs no more than one that prints little: the newest 64 KiB
at each look, 1 MiB at the first, which may be the first after a restart of the daemon.
The pattern is looked for in one line at a time, of which the first 4 KiB count.
"""

from __future__ import annotations

import asyncio

from pydantic import Field

from reconciler.intent.check_types import Options, Regex
from reconciler.intent.model import HealthCheck
from reconciler.probes.pattern import Pattern
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target
from reconciler.sentences import advised, quoted

FIRST_LOOK_BYTES = 1024 * 1024
LOOK_BYTES = 64 * 1024
LONGEST_LINE = 4096
MOST_SHOWN = 160
MOST_AT_ONCE = 16 * 1024
"""More than that is taken apart beside the loop: it may be a million lines."""


def _lines(output: str) -> tuple[list[str], str]:
    """The lines to look at, each once, and the last that has something in it."""
    lines = output.splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "")
    return list(dict.fromkeys(line[:LONGEST_LINE] for line in lines)), last.strip()[:MOST_SHOWN]


def _not_seen(pattern: str, last: str) -> str:
    last = f"the last line is: {quoted(last)}" if last else "nothing is in its output yet"
    return advised(
        f"not seen in the output yet: {pattern}; {last}",
        "see what it prints (`pnr logs`), and correct the `pattern` where it says otherwise that it is up",
    )


class LogOptions(Options):
    pattern: Regex = Field(description="A regular expression (Python's), looked for in each line of the output.")


class LogProbe(Probe):
    """Looks for ``pattern`` in the container's output."""

    options = LogOptions

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        self._text = LogOptions.of(check).pattern
        self._pattern = Pattern(self._text)
        self._inside = inside
        self._looked_at: str | None = None
        self._seen_in: str | None = None

    async def probe(self, target: Target) -> ProbeResult:
        """Read the output of this run once, unless the pattern was seen in it already. Raises the engine's errors."""
        run = target.container.run
        if run != self._seen_in:
            limit = LOOK_BYTES if run == self._looked_at else FIRST_LOOK_BYTES
            output = await self._inside.output_since(target.container.id, None, limit)
            is_much = len(output) > MOST_AT_ONCE
            lines, last = await asyncio.to_thread(_lines, output) if is_much else _lines(output)
            if not await self._pattern.found_in(lines):
                self._looked_at = run
                return ProbeResult(ok=False, message=_not_seen(self._text, last))
            self._seen_in = run
        return ProbeResult(ok=True, message=f"seen in the output: {self._text}")
