"""The form of a fault's texts, and how a line is held to them.

``…`` stands for anything; ``{name}`` and the like for what a fault's injection, or the example on the page, has there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.states import Reason


@dataclass(frozen=True)
class Fault:
    """``cause`` is what the first line says, ``step`` what the second one says. ``reasons`` are those of ``pnr status``
    that may stand with it (none: the file is not in force). ``example`` holds values for the page. ``more`` is what a
    line behind these two says, ``journal`` what the journal says where that is something else than the cause."""

    name: str
    title: str
    cause: str
    step: str
    reasons: tuple[Reason, ...] = ()
    example: dict[str, str] = field(default_factory=dict)
    more: str = ""
    journal: str = ""

    def journal_says(self) -> list[str]:
        """What entries of the journal say, each part in one of them: the cause, where ``journal`` is nothing else."""
        said = self.journal or self.cause.partition("…")[2] or self.cause
        return [part.lstrip(":;, ") for part in said.split("; it said: ")]


@dataclass(frozen=True)
class Section:
    """Faults that belong together on the page."""

    title: str
    faults: tuple[Fault, ...]


WEB = {"name": "shop/main/web", "domain": "shop", "file": "shop.json"}


def web(**values: str) -> dict[str, str]:
    """The values of the page's example, and more."""
    return {**WEB, **values}


def says(line: str, text: str, values: dict[str, str]) -> bool:
    """Whether a line says what a text of the catalogue asks for; ``…`` is anything. That it can't be told which of its
    runs printed something, where a busy engine hid an end, is no other cause."""
    at, line = 0, line.replace("; it said, in this run or one before: ", "; it said: ")
    for part in text.split("…"):
        wanted = part.format(**values) if part else ""
        found = line.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True
