"""``pnr run``: the daemon, with a live picture on a terminal and plain lines elsewhere."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import queue
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.options import service_options
from reconciler.cli.present import Presenter, Show, line_printer, wants_live
from reconciler.cli.signals import stop_on_signals
from reconciler.cli.terminal import say
from reconciler.daemon.clean import clean

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions

_HINT = "Ctrl-C ends the daemon; the containers go on"


def run(args: Namespace) -> int:
    """Run the daemon until it is asked to end; an exit code."""
    domains, state = folders(args)
    options = service_options(args, domains, state)
    with ExitStack() as stack:
        stack.enter_context(_logging())
        presenter = None
        if not args.quiet:
            show: Show
            if wants_live(args.plain):
                from reconciler.daemon.live import LiveView

                show = stack.enter_context(LiveView(hint=_HINT)).show
            else:
                with suppress(OSError):  # nobody reads; the work goes on unseen
                    policy = options.policy or "standard"
                    say(f"pnr: domains {domains}, state {state}, engine {args.engine}, policy {policy}")
                show = line_printer()
            presenter = stack.enter_context(Presenter(show))
        from reconciler.daemon.turns import measured_loop

        with asyncio.Runner(loop_factory=measured_loop) as runner:
            runner.run(_serve(options, presenter))
    return exits.OK


async def _serve(options: ServiceOptions, presenter: Presenter | None) -> None:
    from reconciler.daemon.service import serve

    stop = asyncio.Event()
    stop_on_signals(stop)
    await serve(options, stop=stop, on_view=presenter.show if presenter is not None else None)


class _ToStderr(logging.Handler):
    """Prints cleaned records to what is standard error at that time: the live picture puts itself before it."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            print(clean(self.format(record), lines=True), file=sys.stderr, flush=True)


@contextmanager
def _logging() -> Iterator[None]:
    """Warnings go to standard error, from a thread of their own: a held terminal holds up nobody."""
    handler = _ToStderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s", "%H:%M:%S"))
    entries: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    forward = logging.handlers.QueueHandler(entries)
    listener = logging.handlers.QueueListener(entries, handler)
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.addHandler(forward)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(forward)
        listener.stop()
