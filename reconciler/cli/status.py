"""``pnr status``: how every chunk stands. Talks to the daemon; imports nothing heavy unless told to watch."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.cli import exits
from reconciler.cli.client import request, status
from reconciler.cli.folders import folders
from reconciler.cli.terminal import STATE_COLOURS, is_terminal, print_json, table, wants_colour
from reconciler.daemon.viewing import ago, chosen, chunks, held_lines, problem_text

View = Mapping[str, Any]
_HEAD = ("DOMAIN", "CPUX", "CHUNK", "STATE", "REASON", "SINCE", "RESTARTS", "MESSAGE")


def run(args: Namespace) -> int:
    """Show the status; an exit code."""
    _, state = folders(args)
    if args.watch:
        return _watch(args, request(state, {"command": "watch"}))
    view = status(state, args.domain)
    if args.json:
        print_json(view)
    else:
        for line in status_lines(view, datetime.now(UTC), paint=wants_colour(), width=_width()):
            print(line)
    return exits.OK


def _watch(args: Namespace, answers: Any) -> int:
    from reconciler.cli.present import line_printer

    views = (answer["view"] for answer in answers if "view" in answer)
    filtered = ({**view, "domains": chosen(view, args.domain)} if args.domain else view for view in views)
    if args.json:
        for view in filtered:
            print_json(view, indent=None)
    elif is_terminal():
        from reconciler.daemon.live import LiveView

        with LiveView(hint="Ctrl-C ends the watch; the daemon goes on") as live:
            for view in filtered:
                live.show(view)
    else:
        show = line_printer()
        for view in filtered:
            show(view)
    return exits.OK


def _width() -> int | None:
    """The terminal's width in columns; None where lines may be of any length."""
    if not is_terminal():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def status_lines(view: View, now: datetime, *, paint: bool = False, width: int | None = None) -> list[str]:
    """The status as cleaned lines: the table, then what is wrong with engine, files and domains. Pure."""
    rows = [_HEAD]
    colours: list[str | None] = [None]
    for found in chunks(view["domains"]):
        chunk = found.chunk
        rows.append(
            (
                str(found.domain["name"]),
                str(found.cpux["name"]),
                str(chunk["name"]),
                found.state,
                found.reason,
                ago(chunk.get("since"), now),
                str(chunk.get("restarts", 0)),
                found.message.partition("\n")[0],  # what is on lines of its own (the end of a build) is for `pnr why`
            )
        )
        colours.append(STATE_COLOURS.get(found.state))
    lines = table(rows, colours=colours, colour_column=3, paint=paint, width=width) if len(rows) > 1 else []
    lines.extend(line for text in remarks(view) for line in table([(text,)]))
    return lines


def remarks(view: View) -> list[str]:
    """What is to be said beside the table."""
    daemon = view["daemon"]
    said = []
    if not daemon.get("engine_up", True):
        said.append(f"the engine does not answer: {daemon.get('message') or 'no word from it'}")
    elif daemon.get("message"):
        said.append(f"trouble: {daemon['message']}")
    said.extend(f"note: {note}" for note in daemon.get("notes", ()))
    if not view["domains"]:
        said.append("no domain is declared")
    for domain in view["domains"]:
        said.extend(f"not valid: {problem_text(problem)}" for problem in domain["errors"])
        said.extend(f"warning: {problem_text(problem)}" for problem in domain.get("warnings", ()))
        said.extend(f"{domain['file']}: note: {note}" for note in domain.get("notes", ()))
        if domain.get("vanished"):
            said.append(
                f"{domain['name']}: {domain['file']} is gone; pnr removes the domain or holds the removal once the"
                " folder is quiet"
            )
        if domain["stalled"]:
            said.append(f"{domain['name']} is stalled: `pnr why CHUNK` says what is missing")
    said.extend(held_lines({domain["name"]: domain["held"] for domain in view["domains"] if domain.get("held")}))
    return said
