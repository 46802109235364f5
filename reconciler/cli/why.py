"""``pnr why``: the cause of a chunk's state, and the next step."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.client import status
from reconciler.cli.explain import explain
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json, say
from reconciler.daemon.short_names import UnknownChunk
from reconciler.daemon.viewing import Document, find


def run(args: Namespace) -> int:
    """Explain; an exit code."""
    _, state = folders(args)
    view = status(state)
    text = explain(view, args.chunk)
    if args.json:
        print_json({**_chunk_shown(view, args.chunk), "explanation": text.splitlines()})
    else:
        say(text)
    return exits.OK


def _chunk_shown(view: Document, name: str) -> Document:
    """The chunk as in the status; nothing of one that stands only in a file that was never valid."""
    try:
        found = find(view, name)
    except UnknownChunk:
        return {}
    return {**found.chunk, "full_name": found.name}
