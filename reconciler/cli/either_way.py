"""Does what a command asks for through the daemon or, where none runs, by itself."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.cli.client import NoDaemon, request
from reconciler.cli.folders import folders
from reconciler.cli.options import service_options

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions

STARTING_SECONDS = 10.0
ASK_AGAIN_SECONDS = 0.2

Answer = dict[str, Any]
T = TypeVar("T")


def daemon_or_self(
    args: Namespace,
    message: Mapping[str, Any],
    through: Callable[[Iterator[Answer]], T],
    alone: Callable[[ServiceOptions], Coroutine[Any, Any, T]],
) -> T:
    """What comes ``through`` of the daemon's answers to a message; where no daemon answers, what comes of doing it
    ``alone``. Raises what :func:`~reconciler.cli.client.request` raises, but for NoDaemon.

    A daemon that starts holds the state directory before it answers: it is asked again for a while.
    """
    domains, state = folders(args)
    end = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return through(request(state, message))
        except NoDaemon:
            import asyncio

            from reconciler.state.lock import StateHeld

            try:
                return asyncio.run(alone(service_options(args, domains, state)))
            except StateHeld:
                if time.monotonic() > end:
                    raise
        time.sleep(ASK_AGAIN_SECONDS)
