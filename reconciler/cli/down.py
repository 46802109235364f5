"""``pnr down``: take domains down, through the daemon where one runs, else by itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from reconciler.cli import exits
from reconciler.cli.client import NoDaemon, request
from reconciler.cli.events import event_line
from reconciler.cli.folders import folders
from reconciler.cli.options import engine_options, service_options
from reconciler.cli.present import line_printer
from reconciler.cli.terminal import complain, print_json, say
from reconciler.daemon.viewing import chosen


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Take domains down (all, where none is named): stop and remove their containers and networks, dependents\n"
        "first. Files and named volumes stay. `pnr apply`, or a change of its file, brings a domain back."
    )
    parser.epilog = (
        "examples:\n  pnr down shop\n  pnr down --volumes\n\nexit codes: 0 gone, 4 no engine, 64 no such domain"
    )
    parser.add_argument("domain", nargs="*", help="only these domains")
    parser.add_argument("--volumes", action="store_true", help="remove their named volumes too, and what is in them")
    parser.add_argument("--json", action="store_true", help="print only the last view, as in `pnr status --json`")
    engine_options(parser)


def run(args: Namespace) -> int:
    """Take down; an exit code."""
    domains, state = folders(args)
    try:
        view = _through_daemon(args, state)
    except NoDaemon:
        view = _alone(args, domains, state)
    if args.json:
        print_json(view)
    if not view.get("daemon", {}).get("engine_up", True):
        complain(f"the engine does not answer: {view['daemon'].get('message', '')}; nothing can be removed")
        return exits.UNAVAILABLE
    if not args.json:
        say(f"down: {', '.join(args.domain) if args.domain else 'all domains'}")
    return exits.OK


def _through_daemon(args: Namespace, state: str) -> dict[str, Any]:
    show = line_printer()
    view: dict[str, Any] = {}
    message = {"command": "down", "only": args.domain, "volumes": args.volumes, "wait": True}
    for answer in request(state, message):
        view = answer.get("view") or view
        if not view:
            continue
        if not args.json:
            show(view)
        if not view["daemon"].get("engine_up", True):
            break  # it will be removed when the engine is back; nobody waits for that here
    return view


def _alone(args: Namespace, domains: str, state: str) -> dict[str, Any]:
    import asyncio

    from reconciler.daemon.service import take_down

    seen: set[object] = set()

    def tell(entry: Mapping[str, Any]) -> None:
        seen.add(entry.get("domain"))
        if not args.json:
            say(event_line(entry))

    options = service_options(args, domains, state)
    view = asyncio.run(take_down(options, only=tuple(args.domain), volumes=args.volumes, on_journal=tell))
    # One whose file went away before is in the view no more once it is gone; the journal has told of it.
    chosen(view, [name for name in args.domain if name not in seen])
    return view
