"""``pnr images``: for each chunk its image, the digest that runs, and the newest one of its registry."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.client import together
from reconciler.cli.either_way import Answer, daemon_or_self
from reconciler.cli.terminal import print_json, say, table, wants_colour

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions

_HEAD = ("CHUNK", "IMAGE", "RUNNING", "NEWEST", "")
_COLOURS = {"newest": "green", "newer": "yellow", "rejected": "yellow", "unknown": "dim"}
_WORDS = {
    "newest": "up to date",
    "newer": "there is a newer one",
    "rejected": "the newer one was tried and rejected",
    "built": "built here",
    "fixed": "fixed by its digest",
    "not running": "not running",
}
_SHORT = len("sha256:") + 12


def run(args: Namespace) -> int:
    """Show the images; an exit code."""
    message = {"command": "images", "offline": args.offline}
    found = daemon_or_self(args, message, _through_daemon, partial(_alone, args))
    if args.json:
        print_json(found)
    elif not found:
        say("no chunk is declared")
    else:
        for line in lines_of(found, paint=wants_colour()):
            print(line)
    return exits.OK


def _through_daemon(answers: Iterator[Answer]) -> list[dict[str, Any]]:
    return together(answers).get("images") or []


async def _alone(args: Namespace, options: ServiceOptions) -> list[dict[str, Any]]:
    from reconciler.daemon.image_listing import alone, rows

    async with alone(options) as (engine, declared):
        return await rows(engine, declared, ask=not args.offline)


def lines_of(rows: Sequence[Mapping[str, Any]], *, paint: bool = False) -> list[str]:
    """Aligned lines, digests shortened."""
    shown = [_HEAD]
    colours: list[str | None] = [None]
    for row in rows:
        state = str(row["state"])
        said = f"unknown: {row['message'] or 'no reason'}" if state == "unknown" else _WORDS.get(state, state)
        running = ", ".join(str(digest)[:_SHORT] for digest in row["running"])
        newest = str(row["newest"] or "")[:_SHORT]
        shown.append((str(row["chunk"]), str(row["image"]), running or "-", newest or "-", said))
        colours.append(_COLOURS.get(state))
    return table(shown, colours=colours, colour_column=4, paint=paint)
