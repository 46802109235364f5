"""``pnr down``: take domains down, through the daemon where one runs, else by itself."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.client import together
from reconciler.cli.either_way import Answer, daemon_or_self
from reconciler.cli.events import event_line
from reconciler.cli.present import line_printer
from reconciler.cli.terminal import complain, print_json, say, table
from reconciler.daemon.viewing import chosen, worked_on_elsewhere
from reconciler.quantities import sizes

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions


def run(args: Namespace) -> int:
    """Take down; an exit code."""
    if bool(args.domain) == args.all:
        complain("name the domains to take down, or use --all, but not both; `pnr status` lists the domains")
        return exits.USAGE
    if args.volumes and not args.yes:
        refused = _ask(args)
        if refused is not None:
            return refused
    asked = {"command": "down", "only": args.domain, "volumes": args.volumes, "wait": True}
    view = daemon_or_self(args, asked, partial(_through_daemon, args), partial(_alone, args))
    if args.json:
        print_json(view)
    if not view.get("daemon", {}).get("engine_up", True):
        complain(f"the engine does not answer: {view['daemon'].get('message', '')}; nothing can be removed")
        return exits.UNAVAILABLE
    left_alone = worked_on_elsewhere(view, args.domain)
    for message in left_alone:
        complain(message)
    if left_alone:
        return exits.FAILED
    if not args.json:
        say(f"down: {', '.join(dict.fromkeys(args.domain)) if args.domain else 'all domains'}")
    return exits.OK


def _ask(args: Namespace) -> int | None:
    """Ask whether the volumes may go; an exit code where they may not."""
    if args.json or not sys.stdin.isatty():
        complain("--volumes deletes what is in the volumes for good, and there is no terminal to ask on: add --yes")
        return exits.USAGE
    found = _volumes(args)
    if not found:
        return None
    _list(found)
    content = (
        "the volume and everything in it" if len(found) == 1 else f"the {len(found)} volumes and everything in them"
    )
    what = ", ".join(args.domain) if args.domain else "all domains"
    if input(f"take down {what}, and delete {content} for good? [y/N] ").strip().lower() in ("y", "yes"):
        return None
    say("nothing is taken down")
    return exits.FAILED


def _volumes(args: Namespace) -> list[dict[str, Any]]:
    def through(answers: Iterator[Answer]) -> list[dict[str, Any]]:
        return together(answers).get("volumes") or []

    async def alone(options: ServiceOptions) -> list[dict[str, Any]]:
        from reconciler.daemon.volumes import rows_alone

        return await rows_alone(options, args.domain)

    return daemon_or_self(args, {"command": "volumes", "only": args.domain}, through, alone)


def _list(volumes: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            str(one["domain"]),
            str(one["name"]),
            "size unknown" if one["bytes"] is None else sizes.rounded(int(one["bytes"])),
        )
        for one in volumes
    ]
    for line in table([("DOMAIN", "VOLUME", "SIZE"), *rows]):
        say(line)


def _through_daemon(args: Namespace, answers: Iterator[Answer]) -> dict[str, Any]:
    show = line_printer()
    view: dict[str, Any] = {}
    for answer in answers:
        view = answer.get("view") or view
        if not view:
            continue
        if not args.json:
            show(view)
        if not view["daemon"].get("engine_up", True):
            break  # it will be removed when the engine is back; nobody waits for that here
    return view


async def _alone(args: Namespace, options: ServiceOptions) -> dict[str, Any]:
    from reconciler.daemon.service import take_down

    seen: set[object] = set()

    def tell(entry: Mapping[str, Any]) -> None:
        seen.add(entry.get("domain"))
        if not args.json:
            say(event_line(entry))

    view = await take_down(options, only=tuple(args.domain), volumes=args.volumes, on_journal=tell)
    # One whose file went away before is in the view no more once it is gone; the journal has told of it.
    chosen(view, [name for name in args.domain if name not in seen])
    return view
