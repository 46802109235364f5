"""``pnr logs``: what a chunk's container prints, through the daemon."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.client import request
from reconciler.cli.folders import folders
from reconciler.cli.terminal import complain, print_json, say


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
