"""Tells that the policy file is not what the daemon has read any more. A daemon goes by what it read when it started,
and whoever changed the file may think otherwise. Nothing of it is taken up before a restart.

The file is looked at in a thread, and read only where something of it is another than before.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from reconciler.daemon.policy import find_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.errors import PnrError
from reconciler.policy import Policy
from reconciler.sentences import advised

log = logging.getLogger("pnr.daemon")

LOOK_SECONDS = 2.0

_RESTART = "then restart the daemon (`systemctl restart pnr`), which touches no container"


class PolicyFile:
    """The file that ``policy``, which is in force, was read from; where it was not read from one, the one that a daemon
    without a word about it would read. Looking blocks."""

    def __init__(self, options: ServiceOptions, policy: Policy) -> None:
        self._policy = policy
        self._domains = str(options.domains)
        self._path = policy.file or (str(options.usual_policy or "") if options.policy is None else "")
        self._seen: tuple[object, ...] | None = None
        self._said = ""

    @property
    def is_one(self) -> bool:
        """Whether there is a file to look at."""
        return bool(self._path)

    def look(self) -> str:
        """What people should know of it, for who reads one sentence; "" where it is as it was read."""
        seen = self._signature()
        if seen != self._seen:
            self._said, self._seen = self._look(seen), seen
        return self._said

    def _signature(self) -> tuple[object, ...]:
        try:
            at = os.stat(self._path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            return (error.errno,)
        return at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode, at.st_uid

    def _look(self, seen: tuple[object, ...]) -> str:
        path, is_there = self._path, bool(seen)
        if self._policy.file is None and not is_there:
            return ""
        if not is_there:
            cause = f"the policy {path} was removed since this daemon read it: what it said is in force until a restart"
            return advised(
                cause, f"put it back (or another, after `pnr policy check {path}`) before the daemon restarts"
            )
        try:
            found = find_policy(path, self._domains)
            trouble = found.warnings[0].message if found.warnings else ""
        except PnrError as error:
            found, trouble = None, str(error).partition("\n")[0]
        if found is not None and not trouble and found.policy.digest == self._policy.digest:
            return ""
        if self._policy.file is None:
            cause = f"the policy {path} was made since this daemon was started, which uses {self._policy}"
        elif found is not None and found.policy.digest == self._policy.digest:
            cause = f"the policy {path} is as this daemon read it"
        else:
            cause = f"the policy {path} was changed since this daemon read it: what it said then is in force"
        if trouble:
            cause += f", and no daemon can start with it now ({trouble})"
            return advised(cause, f"correct it until `pnr policy check {path}` has no error, {_RESTART}")
        return advised(cause, f"check it (`pnr policy check {path}`), {_RESTART}")


async def watch_policy(file: PolicyFile, tell: Callable[[str], None]) -> None:
    """Look at the file now and then, and tell what is to be known of it whenever that is another."""
    told = ""
    while file.is_one:
        await asyncio.sleep(LOOK_SECONDS)
        said = await asyncio.to_thread(file.look)
        if said != told:
            told = said
            if said:
                log.warning("%s", said)
            tell(said)
    await asyncio.Event().wait()
