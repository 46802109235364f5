"""``pnr graph``: draws which chunk waits for which fact. Needs neither daemon nor engine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.options import file_options
from reconciler.cli.terminal import complain, print_json, say


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = "Draw chunks as nodes and the facts that they wait for as edges, from the domain files."
    parser.epilog = (
        "examples:\n  pnr graph > stack.mmd\n  pnr graph --format dot shop.json | dot -Tsvg > shop.svg\n\n"
        "exit codes: 0 drawn, 2 a file is not valid (what can be read is drawn), 4 the directory can't be read"
    )
    parser.add_argument("file", nargs="*", metavar="FILE", help="these files, else all of the domains directory")
    parser.add_argument("--format", choices=("mermaid", "dot"), default="mermaid", help="mermaid")
    parser.add_argument("--json", action="store_true", help="nodes and edges as JSON")
    file_options(parser)


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
    for problems in judged.problems.values():
        for problem in problems:
            complain(str(problem))
    return exits.INVALID if judged.problems else exits.OK
