"""``pnr facts``: all facts, with their answers, since when, and by whom."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.cli import exits
from reconciler.cli.client import status
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json, say, table, wants_colour
from reconciler.daemon.viewing import ago, chosen

_HEAD = ("FACT", "TV", "RESPONSE", "SINCE", "BY", "PROMPT")
_COLOURS = {"Y": "green", "N": "red", "U": "yellow"}


def run(args: Namespace) -> int:
    """Show the facts; an exit code."""
    _, state = folders(args)
    found = facts_of(status(state), args.domain)
    if args.json:
        print_json(found)
    elif found:
        for line in facts_lines(found, datetime.now(UTC), paint=wants_colour()):
            print(line)
    else:
        say("no fact is declared")
    return exits.OK


def facts_of(view: Mapping[str, Any], only: list[str]) -> list[dict[str, Any]]:
    """The facts of a view as a flat list. Raises UnknownDomain."""
    return [
        {"fact": f"{domain['name']}/{cpux['name']}/{key}", **fact}
        for domain in chosen(view, only)
        for cpux in domain["cpuxs"]
        for key, fact in cpux["facts"].items()
    ]


def facts_lines(facts: list[dict[str, Any]], now: datetime, *, paint: bool = False) -> list[str]:
    """The facts as cleaned, aligned lines."""
    rows = [_HEAD]
    colours: list[str | None] = [None]
    for fact in facts:
        tv = str(fact.get("tv", "U"))
        response = ", ".join(str(word) for word in fact.get("response") or ())
        since, by, prompt = ago(fact.get("since"), now), str(fact.get("by") or ""), str(fact.get("prompt") or "")
        rows.append((str(fact["fact"]), tv, response, since, by, prompt))
        colours.append(_COLOURS.get(tv))
    return table(rows, colours=colours, colour_column=1, paint=paint)
