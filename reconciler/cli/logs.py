"""``pnr logs``: what a chunk's container prints, through the daemon."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from reconciler.cli import exits
from reconciler.cli.client import request
from reconciler.cli.folders import folders
from reconciler.cli.terminal import complain, print_json, say

MOST_LINES = 10_000


def _lines(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_LINES:
        raise ArgumentTypeError(f"{text!r} is not a number of lines from 1 to {MOST_LINES}")
    return int(text)


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Show what a chunk's container prints, both streams, without control characters; of several replicas\n"
        "each line with the replica's name before it. With --follow it goes on with the next container when one is\n"
        "replaced, and ends when the chunk is gone."
    )
    parser.epilog = (
        "examples:\n  pnr logs web\n  pnr logs shop/main/api --tail 20 --follow\n\n"
        "exit codes: 0 shown, 4 no daemon answers, 64 no such chunk, or more than one"
    )
    parser.add_argument("chunk", metavar="CHUNK", help="chunk, cpux/chunk or domain/cpux/chunk; chunk#2: one replica")
    parser.add_argument("--tail", type=_lines, default=100, metavar="N", help="how many lines to begin with (100)")
    parser.add_argument("--follow", "-f", action="store_true", help="go on showing what it prints, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help='one JSON object {"text": …} a line')


def run(args: Namespace) -> int:
    """Show the output; an exit code."""
    _, state = folders(args)
    message = {"command": "logs", "chunk": args.chunk, "tail": args.tail, "follow": args.follow}
    for answer in request(state, message):
        text = str(answer.get("text") or "")
        if answer.get("note"):
            complain(str(answer["note"]))
        if text and args.json:
            print_json({"text": text}, indent=None)
        elif text:
            say(text.removesuffix("\n"))
    return exits.OK
