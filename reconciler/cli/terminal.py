"""How commands print: cleaned text, plain aligned tables, JSON, colours only where they are welcome."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from reconciler.daemon.clean import clean

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}
STATE_COLOURS = {"completed": "green", "executing": "blue", "ready": "yellow", "failed": "red"}


def is_terminal(stream: TextIO | None = None, env: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` (standard output) is a terminal that can do more than print lines."""
    stream = sys.stdout if stream is None else stream
    return stream.isatty() and env.get("TERM", "") != "dumb"


def wants_colour(stream: TextIO | None = None, env: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to ``stream``: a terminal, and no NO_COLOR (https://no-color.org)."""
    return is_terminal(stream, env) and not env.get("NO_COLOR")


def say(text: str) -> None:
    """Print text for people, one or more lines, cleaned and at once."""
    print(f"{clean(text, lines=True)}\n", end="", flush=True)  # one write: lines of two threads do not mix


def complain(text: str) -> None:
    """Print an error for people on standard error, cleaned."""
    print(f"pnr: {clean(text, lines=True)}", file=sys.stderr, flush=True)


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """Print a JSON document in ASCII, so that nothing in it can act on a terminal."""
    print(json.dumps(document, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f"), flush=True)


def table(
    rows: Sequence[Sequence[str]],
    *,
    colours: Sequence[str | None] = (),
    colour_column: int = 0,
    paint: bool = False,
    width: int | None = None,
) -> list[str]:
    """Aligned lines. Cells are cleaned; with ``paint`` the cell in ``colour_column`` of each row is coloured by
    the name in ``colours``. The last column is not padded, and cut where a line would be wider than ``width``."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    room = None if width is None else max(20, width - sum(widths[:-1]) - 2 * (len(widths) - 1))
    lines = []
    for number, row in enumerate(cells):
        shown = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        last = row[-1]
        shown[-1] = last if room is None or len(last) <= room else f"{last[: room - 1]}…"
        colour = colours[number] if paint and number < len(colours) else None
        if colour is not None:
            shown[colour_column] = f"\x1b[{_CODES[colour]}m{shown[colour_column]}\x1b[0m"
        lines.append("  ".join(shown).rstrip())
    return lines
