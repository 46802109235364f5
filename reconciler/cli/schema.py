"""``pnr schema``: the JSON Schema of a domain file, for editors and for other programs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from reconciler.cli import exits
from reconciler.cli.terminal import print_json


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Print the JSON Schema of a domain file, the installed health-check types included. An editor completes\n"
        'and checks a domain file that names it: {"$schema": "./pnr.schema.json", "name": …}.'
    )
    parser.epilog = "example:\n  pnr schema > pnr.schema.json\n\nexit codes: 0 printed"
    parser.add_argument("--json", action="store_true", help="accepted, since it is always JSON")


def run(args: Namespace) -> int:
    """Print the schema; an exit code."""
    from reconciler.intent.schema import domain_schema
    from reconciler.probes.registry import known_types

    print_json(domain_schema(known_types()))
    return exits.OK
