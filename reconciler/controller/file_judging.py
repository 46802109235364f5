"""Judges scans of the domains directory beside the loop: one at a time, always the newest, beside what is in force.

A file may take long to be judged, whoever wrote it, and the loop has other domains to see to. What is in force may
change meanwhile (a domain is gone): then it is judged again before it is taken in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from reconciler.controller.intake import Intake
from reconciler.controller.protocols import Judge, Judged, Scan
from reconciler.controller.records import Message, ScanJudged
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain

log = logging.getLogger("pnr.judging")

RETRY_SECONDS = 5.0


class FileJudging:
    """Takes scans, and posts :class:`ScanJudged`. ``seen`` counts the scans that came, ``taken`` is the number of the
    newest that was taken in."""

    def __init__(self, *, judge: Judge, intake: Intake, post: Callable[[Message], None]) -> None:
        self.seen = 0
        self.taken = 0
        self._judge = judge
        self._intake = intake
        self._post = post
        self._newest: Scan | None = None
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether a scan is not taken in yet."""
        return self._task is not None or self._number > self.taken

    def take(self, scan: Scan) -> None:
        """Judge a scan as soon as may be; of several that came meanwhile only the newest."""
        self.seen += 1
        self._newest, self._number = scan, self.seen
        self._begin()

    def again(self) -> None:
        """Judge the newest scan again, where there is one."""
        if self._newest is not None:
            self.take(self._newest)

    def judged(self, message: ScanJudged) -> dict[str, Domain | None] | None:
        """Take in what a scan means, as :meth:`Intake.take`; None where it has to be judged again first."""
        self._task = None
        in_force = self._intake.in_force()
        if not _is_same(message.in_force, in_force) and not message.scan.root_missing:
            if self._number == message.number:
                self.seen += 1
                self._number = self.seen
            self._begin()
            return None
        self.taken = message.number
        self._begin()
        return self._intake.take(message.scan, message.judged)

    async def close(self) -> None:
        """Stop what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self) -> None:
        if self._task is None and self._newest is not None and self._number > self.taken:
            work = self._work(self._newest, self._number, self._intake.in_force())
            self._task = asyncio.get_running_loop().create_task(work, name="judge files")

    async def _work(self, scan: Scan, number: int, in_force: list[InForce]) -> None:
        judged: Judged | None = None
        while judged is None and not scan.root_missing:
            try:
                judged = await self._judge(scan.files, in_force)
            except Exception:
                log.exception("the files can't be judged; it is tried again in %g s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)
        self._post(ScanJudged(scan, number, in_force, judged))


def _is_same(before: list[InForce], now: list[InForce]) -> bool:
    """Whether the same is in force. Domains are compared by identity: they never change, and are large."""
    return len(before) == len(now) and all(
        (one.name, one.file, one.gone, one.absent) == (other.name, other.file, other.gone, other.absent)
        and one.domain is other.domain
        for one, other in zip(before, now, strict=True)
    )
