"""``pnr confirm-removal``: a person's yes to removals that are held, through the daemon where one runs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.either_way import Answer, daemon_or_self
from reconciler.cli.events import event_line
from reconciler.cli.present import line_printer
from reconciler.cli.terminal import complain, print_json, say

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions


def run(args: Namespace) -> int:
    """Confirm, and wait until they are gone; an exit code."""
    message = {"command": "confirm-removal", "only": args.domain}
    names, view = daemon_or_self(args, message, partial(_through_daemon, args), partial(_alone, args))
    if args.json:
        print_json({"confirmed": names})
    if names and not view.get("daemon", {}).get("engine_up", True):
        complain(
            f"the engine does not answer: {view['daemon'].get('message', '')}; the removal of {', '.join(names)} is"
            " confirmed, and starts when a daemon and the engine run"
        )
        return exits.UNAVAILABLE
    if not args.json:
        say(f"removed: {', '.join(names)}" if names else "no removal is held")
    return exits.OK


def _through_daemon(args: Namespace, answers: Iterator[Answer]) -> tuple[list[str], dict[str, Any]]:
    show = line_printer()
    names: list[str] = []
    view: dict[str, Any] = {}
    for answer in answers:
        if "confirmed" in answer:
            names = list(answer["confirmed"])
            _begin(args, names)
        view = answer.get("view") or view
        if names and view and not args.json:
            show(view)
        if view and not view["daemon"].get("engine_up", True):
            break  # they go when the engine is back; nobody waits for that here
    return names, view


async def _alone(args: Namespace, options: ServiceOptions) -> tuple[list[str], dict[str, Any]]:
    from reconciler.daemon.service import confirm_removal

    def tell(entry: Mapping[str, Any]) -> None:
        if not args.json:
            say(event_line(entry))

    names = partial(_begin, args)
    return await confirm_removal(options, only=tuple(args.domain), on_names=names, on_journal=tell)


def _begin(args: Namespace, names: list[str]) -> None:
    if names and not args.json:
        say(f"confirmed: the removal of {', '.join(names)}")
