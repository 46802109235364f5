"""The one form of a message that also says what to do: the cause, then the step. Pure.

Messages are handed on through memory, snapshots and journal as text; the mark in the middle is what they are taken
apart by again, so that ``pnr why`` can put the cause into its first line and the step into its second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MARK = "; what to do: "
ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_STEP = re.compile(r";\s*what\s+to\s+do:")
LAST_ATTEMPT = "; the last attempt failed: "
"""Between what goes on now and why it had to be begun again."""


def advised(cause: str, step: str) -> str:
    """``cause`` with what to do about it; the cause alone where there is nothing to do."""
    return f"{cause}{MARK}{step}" if step else cause


def framed(message: str, before: str = "", after: str = "") -> str:
    """A message with more around its cause: its step stays behind all of it."""
    cause, _, step = message.partition(MARK)
    return advised(f"{before}{cause}{after}", step)


def joined(messages: Iterable[str]) -> str:
    """Several messages as one: all causes, then all steps."""
    parts = [taken_apart(message) for message in messages]
    steps = dict.fromkeys(step for _, step in parts if step)
    return advised("; ".join(cause for cause, _ in parts), "; ".join(steps))


def taken_apart(message: str) -> tuple[str, str]:
    """The cause of a message and its step ("" where it has none), a line each. What stands on lines of its own behind
    them (the end of an output) is left out."""
    cause, _, step = message.partition(MARK)
    if step:
        step = step.partition("\n")[0]
    return " ".join(cause.split()), step


def quoted(text: str) -> str:
    """What somebody else wrote, as a part of a cause: it gives no step of its own, whatever signs it has between."""
    plain = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in ESCAPE_SEQUENCE.sub("", text))
    return _STEP.sub(";", plain)


def shortened(text: str, most: int) -> str:
    """The beginning of a text, in ``most`` characters at most; a mark tells that there is more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
