"""What of a run's last output names the cause: a line or three, without stacks and usage texts. Pure."""

from __future__ import annotations

import re

from reconciler.sentences import quoted, shortened

MOST_LINES = 3
MOST_CHARACTERS = 300

_FRAME = re.compile(
    r"\s*(?:at [^(]+\(.*\)|at \S+:\d+(?::\d+)?|\.{3} \d+ (?:more|common frames omitted).*"
    r"|Traceback \(most recent call last\):|goroutine \d+ \[.*\]:|\S+\.go:\d+(?: \+0x[0-9a-f]+)?"
    r"|from \S+:\d+:in .*|[\^~]+)\s*"
)
_PYTHON_FRAME = re.compile(r"\s*File \".*\", line \d+.*")
_USAGE = re.compile(r"\s*usage:", re.IGNORECASE)


def gist(output: str) -> str:
    """The last lines that are no frames of a stack, and of a program that explains its usage the line before that."""
    kept: list[str] = []
    in_frame = False
    for line in output.splitlines():
        if _USAGE.match(line) and kept:
            break
        is_code = in_frame and line[:1].isspace()
        in_frame = bool(_PYTHON_FRAME.fullmatch(line))
        if line.strip() and not (is_code or in_frame or _FRAME.fullmatch(line)):
            kept.append(line.strip())
    lines = kept or [line.strip() for line in output.splitlines() if line.strip()]
    return quoted("\n".join(_last(lines)))


def _last(lines: list[str]) -> list[str]:
    """The last lines, as many as fit."""
    chosen: list[str] = []
    for line in reversed(lines[-MOST_LINES:]):
        left = MOST_CHARACTERS - sum(map(len, chosen))
        if chosen and len(line) > left:
            break
        chosen.insert(0, shortened(line, left))
    return chosen
