"""``pnr prune``: remove images that pnr pulled or built, that no container has and no domain declares."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.client import together
from reconciler.cli.either_way import daemon_or_self
from reconciler.cli.terminal import complain, print_json, say, table
from reconciler.quantities import sizes

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions

_SHORT = len("sha256:") + 12


def run(args: Namespace) -> int:
    """List, ask, remove; an exit code."""
    unused: list[dict[str, Any]] = _asked(args, None).get("unused") or []
    if args.dry_run or not unused:
        if args.json:
            print_json(unused)
        else:
            _list(unused)
        return exits.OK
    if not args.json:
        _list(unused)
    if not args.yes:
        if args.json or not sys.stdin.isatty():
            complain("there is no terminal to ask on: add --yes to remove them, or --dry-run to list them")
            return exits.USAGE
        if input(f"remove {_count(unused)}? [y/N] ").strip().lower() not in ("y", "yes"):
            say("nothing is removed")
            return exits.OK
    removed: list[dict[str, Any]] = _asked(args, [str(image["id"]) for image in unused]).get("removed") or []
    failed = [image for image in removed if image["error"]]
    if args.json:
        print_json(removed)
    else:
        for image in failed:
            complain(f"{_name(image)} stays: {image['error']}")
        say(f"removed {_count([image for image in removed if not image['error']])}")
    return exits.FAILED if failed else exits.OK


def _asked(args: Namespace, ids: list[str] | None) -> dict[str, Any]:
    """The unused images or, with ``ids``, what became of those."""
    message = {"command": "prune"} if ids is None else {"command": "prune", "ids": ids}
    return daemon_or_self(args, message, together, partial(_alone, ids))


async def _alone(ids: list[str] | None, options: ServiceOptions) -> dict[str, Any]:
    from reconciler.daemon.image_listing import alone, document, prunable, prune

    async with alone(options, complete=True) as (engine, declared):
        unused = await prunable(engine, declared)
        if ids is None:
            return {"unused": [document(image) for image in unused]}
        return {"removed": await prune(engine, unused, ids)}


def _list(images: Sequence[Mapping[str, Any]]) -> None:
    if not images:
        say("no image of ours is unused")
        return
    rows = [(str(image["id"])[:_SHORT], sizes.rounded(int(image["bytes"])), _name(image)) for image in images]
    for line in table(rows):
        print(line)
    say(f"unused: {_count(images)}")


def _count(images: Sequence[Mapping[str, Any]]) -> str:
    number = len(images)
    most = sizes.rounded(sum(int(image["bytes"]) for image in images))
    return f"{number} image{'' if number == 1 else 's'} ({most} at most)"


def _name(image: Mapping[str, Any]) -> str:
    return ", ".join(str(name) for name in image["names"]) or "(no name any more)"
