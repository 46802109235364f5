"""``pnr graph``: draws which chunk waits for which fact. Needs neither daemon nor engine."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.terminal import complain, print_json, say


def run(args: Namespace) -> int:
    """Draw the graph; an exit code."""
    from reconciler.cli.diagram import dot, graph_of, mermaid
    from reconciler.cli.reading import judge_files

    judged = judge_files(args.file, folders(args), args, with_contents=False)
    graph = graph_of(judged.readable.values())
    if args.json:
        print_json(graph.as_dict())
    else:
        say(dot(graph) if args.format == "dot" else mermaid(graph))
    for errors in judged.errors.values():
        for error in errors:
            complain(str(error))
    return exits.INVALID if judged.errors else exits.OK
