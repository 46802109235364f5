"""Writes docs/troubleshooting.md: ``python -m tests.integration.faults.page > docs/troubleshooting.md``."""

from __future__ import annotations

from collections.abc import Iterator

from tests.integration.faults.catalogue import SECTIONS
from tests.integration.faults.texts.fault import Fault

BEGINNING = """# Troubleshooting

`pnr why CHUNK` answers for each of these, within seconds: its first line is the cause, its second what to do. `…`
stands for what differs. CHUNK may also be a chunk of a file that was never valid, or the file. `pnr status` has the
same cause as the chunk's message, and the journal (`pnr events`) as an entry.

This page is made from the catalogue of faults that the tests inject on a real engine (`tests/integration/faults`), by
`make docs`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield BEGINNING
    for section in SECTIONS:
        yield f"## {section.title}\n"
        for fault in section.faults:
            yield from _fault(fault)


def _fault(fault: Fault) -> Iterator[str]:
    yield f"### {fault.title}\n"
    yield "```\n$ pnr why web"
    yield _shown(fault.cause, fault.example)
    yield _shown(fault.step, fault.example)
    yield f"{_shown(fault.more, fault.example)}\n```\n" if fault.more else "```\n"
    if fault.reasons:
        yield f"Reason in `pnr status`: `{fault.reasons[0]}`.\n"


def _shown(text: str, values: dict[str, str]) -> str:
    shown = text.format(**values)
    return shown if shown.endswith(("…", ".", ")")) else f"{shown} …"


if __name__ == "__main__":
    print(page(), end="")
