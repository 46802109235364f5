"""``pnr schema``: the JSON Schema of a domain file, for editors and for other programs."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.terminal import print_json


def run(args: Namespace) -> int:
    """Print the schema; an exit code."""
    from reconciler.intent.schema import domain_schema
    from reconciler.probes.registry import known_types

    print_json(domain_schema(known_types()))
    return exits.OK
