"""``pnr confirm-removal``: a person's yes to removals that are held, through the daemon where one runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from functools import partial
from typing import Any

from reconciler.cli import exits
from reconciler.cli.client import NoDaemon, request
from reconciler.cli.events import event_line
from reconciler.cli.folders import folders
from reconciler.cli.options import engine_options, service_options
from reconciler.cli.present import line_printer
from reconciler.cli.terminal import complain, print_json, say


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Let domains go whose files are gone, and whose removal is held since it looks like an accident (all files\n"
        "gone at once, the folder missing or replaced): all that are held, where none is named. The command is the\n"
        "confirmation: it does not ask. It waits until they are removed, dependents first. Named volumes stay."
    )
    parser.epilog = (
        "examples:\n  pnr status                       # says what is held, and why\n  pnr confirm-removal shop blog\n"
        "  pnr confirm-removal\n\nexit codes: 0 removed (or nothing is held), 4 no engine, 64 no such domain, or its"
        " file is not gone"
    )
    parser.add_argument("domain", nargs="*", help="only these domains")
    parser.add_argument("--json", action="store_true", help='print only {"confirmed": [names]}')
    engine_options(parser)


def run(args: Namespace) -> int:
    """Confirm, and wait until they are gone; an exit code."""
    domains, state = folders(args)
    try:
        names, view = _through_daemon(args, state)
    except NoDaemon:
        names, view = _alone(args, domains, state)
    if args.json:
        print_json({"confirmed": names})
    if names and not view.get("daemon", {}).get("engine_up", True):
        complain(
            f"the engine does not answer: {view['daemon'].get('message', '')}; the removal of {', '.join(names)} is"
            " confirmed, and is done once a daemon and the engine run"
        )
        return exits.UNAVAILABLE
    if not args.json:
        say(f"removed: {', '.join(names)}" if names else "no removal is held")
    return exits.OK


def _through_daemon(args: Namespace, state: str) -> tuple[list[str], dict[str, Any]]:
    show = line_printer()
    names: list[str] = []
    view: dict[str, Any] = {}
    for answer in request(state, {"command": "confirm-removal", "only": args.domain}):
        if "confirmed" in answer:
            names = list(answer["confirmed"])
            _begin(args, names)
        view = answer.get("view") or view
        if names and view and not args.json:
            show(view)
        if view and not view["daemon"].get("engine_up", True):
            break  # they go when the engine is back; nobody waits for that here
    return names, view


def _alone(args: Namespace, domains: str, state: str) -> tuple[list[str], dict[str, Any]]:
    import asyncio

    from reconciler.daemon.service import confirm_removal

    def tell(entry: Mapping[str, Any]) -> None:
        if not args.json:
            say(event_line(entry))

    options = service_options(args, domains, state)
    names = partial(_begin, args)
    return asyncio.run(confirm_removal(options, only=tuple(args.domain), on_names=names, on_journal=tell))


def _begin(args: Namespace, names: list[str]) -> None:
    if names and not args.json:
        say(f"confirmed: the removal of {', '.join(names)}")
