"""Writes what is a table in the code into the pages of the documentation: ``make docs``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from reconciler.states import Reason, State

_REASONS = "<!-- The reasons are written by `make docs` from reconciler/states.py: change them there. -->\n"
_END_OF_REASONS = "<!-- End of the reasons. -->\n"


def states_page(page: str) -> str:
    """The page about states, with the reasons as they are now."""
    return _between(page, _REASONS, _END_OF_REASONS, _reasons())


def _between(page: str, begin: str, end: str, lines: Iterator[str]) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after


def _reasons() -> Iterator[str]:
    yield "| reason | with state | what it says | what to do | passes by itself |"
    yield "| --- | --- | --- | --- | --- |"
    for reason in Reason:
        advice = reason.advice.format(chunk="CHUNK", domain="DOMAIN", image="IMAGE")
        heals = "" if reason.states == (State.COMPLETED,) else reason.heals
        yield f"| `{reason}` | {_with_states(reason)} | {reason.meaning} | {advice} | {heals} |"


def _with_states(reason: Reason) -> str:
    if reason.states == tuple(State):
        return "any"
    return ", ".join(reason.states) or "(none: the journal's word for work)"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, render in (("states.md", states_page),):
        path = folder / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
