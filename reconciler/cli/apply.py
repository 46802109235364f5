"""``pnr apply``: converge once, through the daemon where one runs, else by itself."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.either_way import Answer, daemon_or_self
from reconciler.cli.present import Presenter, line_printer
from reconciler.cli.terminal import complain, print_json, say
from reconciler.daemon.viewing import chosen

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions

View = dict[str, Any]


def run(args: Namespace) -> int:
    """Converge; an exit code."""
    wait = args.wait or args.timeout is not None  # who gives a limit waits
    message = {"command": "apply", "wait": wait, "only": args.domain, "timeout": args.timeout}
    return daemon_or_self(args, message, partial(_through_daemon, args, wait), partial(_alone, args))


def _through_daemon(args: Namespace, wait: bool, answers: Iterator[Answer]) -> int:
    show = _shower(args)
    answer: Answer = {}
    for answer in answers:
        if "view" in answer and wait:
            show(answer["view"])
        if "waiting" in answer:
            complain(answer["waiting"])
    if not wait:
        if args.json:
            print_json(answer.get("view"))
        else:
            say("the daemon is converging; `pnr status --watch` shows the progress")
        return exits.OK
    return _verdict(args, answer.get("view") or {}, answer.get("exit"))


async def _alone(args: Namespace, options: ServiceOptions) -> int:
    from reconciler.daemon.service import apply_once

    with Presenter(_shower(args)) as presenter:
        view, code = await apply_once(
            options,
            only=tuple(args.domain),
            on_view=presenter.show,
            on_word=complain,
            limit_seconds=args.timeout,
        )
        presenter.show(view)
    if code != exits.TIMED_OUT:
        chosen(view, args.domain)  # raises where there is no such domain
    return _verdict(args, view, code)


def _verdict(args: Namespace, view: View, code: object) -> int:
    if args.json:
        print_json(view)
    for domain in view.get("domains", ()):
        if domain.get("held") and (not args.domain or domain["name"] in args.domain):
            complain(f"the removal of {domain['name']} is held: {domain['held']}")
    if code == exits.TIMED_OUT:
        complain(f"not done within {args.timeout:g} s")
        return exits.TIMED_OUT
    if not view.get("daemon", {}).get("engine_up", True):
        complain(f"the engine does not answer: {view['daemon'].get('message', '')}")
        return exits.UNAVAILABLE
    return code if isinstance(code, int) else exits.OK


def _shower(args: Namespace) -> Callable[[View], None]:
    return (lambda view: None) if args.json else line_printer()
