"""Writes the counts of the corpus into docs/threat-model.md: ``make docs``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.unit.policy.corpus import broke_through, characters, host, kernel, looks_like, network, others
from tests.unit.policy.corpus.entry import Entry, Group
from tests.unit.policy.corpus.honest import HONEST

PAGE = Path(__file__).resolve().parents[4] / "docs" / "threat-model.md"
BEGIN = "<!-- The counts are written by `make docs` from tests/unit/policy/corpus. -->\n"
END = "<!-- So much for the counts. -->\n"

GROUPS = tuple(
    group
    for module in (host, kernel, network, others, characters)
    for group in vars(module).values()
    if isinstance(group, Group)
)
assert broke_through.__doc__  # its entries belong to the groups of the others, as do these:
assert looks_like.__doc__
HOSTILE: tuple[Entry, ...] = tuple(entry for group in GROUPS for entry in group.entries)


def render(page: str) -> str:
    """The page with the counts as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + "\n".join(_lines()) + "\n\n" + END + after


def _lines() -> Iterator[str]:
    yield "| group | hostile files | honest files |"
    yield "| --- | ---: | ---: |"
    for group in GROUPS:
        honest = sum(entry.group == group.name for entry in HONEST)
        yield f"| {group.name} | {len(group.entries)} | {honest} |"
    yield f"| all | {len(HOSTILE)} | {len(HONEST)} |"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
