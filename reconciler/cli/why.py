"""``pnr why``: the cause of a chunk's state, and the next step."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from reconciler.cli import exits
from reconciler.cli.client import request
from reconciler.cli.explain import explain
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json, say
from reconciler.daemon.short_names import UnknownChunk
from reconciler.daemon.viewing import Document, find


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = "Say why a chunk is as it is: first the cause, second what to do, then what bears them out."
    parser.epilog = (
        "examples:\n  pnr why web\n  pnr why shop/main/web\n\n"
        "exit codes: 0 said, 4 no daemon answers, 64 no such chunk, or more than one"
    )
    parser.add_argument("chunk", metavar="CHUNK", help="chunk, cpux/chunk or domain/cpux/chunk")
    parser.add_argument(
        "--json",
        action="store_true",
        help="the chunk as in `pnr status --json`, with `explanation`; of a file that was never valid, that alone",
    )


def run(args: Namespace) -> int:
    """Explain; an exit code."""
    _, state = folders(args)
    for answer in request(state, {"command": "status"}):
        if "view" not in answer:
            continue
        text = explain(answer["view"], args.chunk)
        if args.json:
            print_json({**_chunk_shown(answer["view"], args.chunk), "explanation": text.splitlines()})
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
