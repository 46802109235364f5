"""Keeps the state directory while the daemon runs: one that vanishes is made again, with all that was in it.

Its lock lies in it: without one, a second daemon could come to act beside this one. So it is looked after every second,
and where it can't be had again the daemon ends.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import ClassVar

from reconciler.daemon.assembly import Parts
from reconciler.daemon.control import AlreadyRunning, ControlServer
from reconciler.errors import PnrError
from reconciler.state.files import StateWriteFailed
from reconciler.state.lock import StateLocked

log = logging.getLogger("pnr.daemon")

LOOK_SECONDS = 1.0


class StateLost(PnrError):
    """The state directory went away while the daemon ran, and can't be had again."""

    code: ClassVar[str] = "StateLost"


async def keep_state(state: Path, parts: Parts, server: ControlServer) -> None:
    """Look after the directory, its lock and its socket. Raises StateLost, which ends the daemon."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if not parts.lock.is_there():
            await _make_again(state, parts, server)
        elif not server.is_there():
            try:
                await server.open_again()
            except PnrError as error:
                raise StateLost(f"the control socket in {state} is gone and can't be made again: {error}") from error
            _tell(parts, f"the control socket in {state} was gone: it was made again")


async def _make_again(state: Path, parts: Parts, server: ControlServer) -> None:
    is_same = parts.lock.is_same_directory()
    try:
        parts.lock.acquire_again()
        await server.open_again()
    except (StateLocked, AlreadyRunning) as error:
        raise StateLost(
            f"the state directory {state} was removed or replaced while this daemon ran, and can't be used again:"
            f" {error}; this daemon ends, and leaves all containers as they are"
        ) from error
    except (OSError, PnrError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StateLost(
            f"the state directory {state} was removed while this daemon ran, and can't be made again: {reason};"
            " this daemon ends, and leaves all containers as they are"
        ) from error
    parts.controller.write_state_again()
    for write in parts.records.write_again:
        try:
            await asyncio.to_thread(write)
        except StateWriteFailed as error:
            log.error("%s", error)
    if is_same:
        _tell(parts, f"the lock in {state} was gone: it was made again")
    else:
        _tell(parts, f"the state directory {state} was gone: it was made again; what its journal held is lost")


def _tell(parts: Parts, message: str) -> None:
    log.warning("%s", message)
    parts.controller.known.recorder.remark(message)
