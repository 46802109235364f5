"""Writes down what changed: snapshots at most ten times a second a domain, those of large domains less often, journal
entries in their order.

The loop marks (``touch``) and notes (``journal``); a task beside it writes, off the loop, so that a slow disk
delays nobody. What can't be written (a full disk) is kept and tried again; meanwhile ``trouble`` says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from reconciler.controller.clock import Clock
from reconciler.controller.protocols import FolderRecord, Intents, JournalWriter, Offload, Snapshots, StoredIntent
from reconciler.controller.repeats import Repeats
from reconciler.controller.snapshot_values import known_values
from reconciler.controller.work import MOST_AT_ONCE
from reconciler.errors import PnrError
from reconciler.facts import FactRef, Pnr
from reconciler.intent.model import ChunkId
from reconciler.states import Reason, State

log = logging.getLogger("pnr.recorder")

SHORTEST_PAUSE_SECONDS = 0.1
RETRY_SECONDS = 1.0
PAUSE_FOR_WORK_SECONDS = 0.04
"""So long at least a domain's snapshot stays as it was written, for each step that its document took: writing down a
change of one chunk among a thousand is as much work as writing down all of them."""
LONGEST_PAUSE_SECONDS = 3.0
MOST_ENTRIES_KEPT = 10_000

Build = Callable[[str], Generator[int, None, Mapping[str, Any] | None]]
"""Makes the document of a domain (None: it is not known), step by step; each step tells how much it was."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What the state directory held when the program started."""

    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    intents: Sequence[StoredIntent] = ()
    folder: Mapping[str, Any] = field(default_factory=dict)


class Recorder:
    """See the module's text. The methods but :meth:`run` and :meth:`flush` return at once. ``remarks`` are what was not
    right about the state directory at the start, with the domain that it is about."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        intents: Intents,
        journal: JournalWriter,
        clock: Clock,
        offload: Offload,
        folder: FolderRecord | None = None,
        on_journal: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.trouble = ""
        self.remarks: list[tuple[str | None, str]] = []
        self._snapshots = snapshots
        self._intents = intents
        self._journal = journal
        self._clock = clock
        self._offload = offload
        self._on_journal = on_journal
        self._folder = folder
        self._folder_touched = False
        self._build_folder: Callable[[], Mapping[str, Any]] | None = None
        self._build: Build | None = None
        self._touched: dict[str, None] = {}
        self._stays_until: dict[str, float] = {}  # the snapshots that were written a moment ago
        self._forgotten: dict[str, None] = {}
        self._kept: dict[str, tuple[str, bytes]] = {}  # still to be written
        self._texts: dict[str, tuple[str, bytes]] = {}  # of every domain
        self._entries: list[dict[str, Any]] = []
        self._repeats = Repeats()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._whole = asyncio.Event()
        self._whole.set()
        self._begun: set[asyncio.Task[bool]] = set()

    @property
    def is_up_to_date(self) -> bool:
        """Whether all that was noted is written."""
        return not (
            self._entries or self._kept or self._touched or self._forgotten or self._folder_touched or self._begun
        )

    def hold(self) -> None:
        """What there is to write down is in the middle of a change: nothing is, until :meth:`go_on`."""
        self._whole.clear()

    def go_on(self) -> None:
        """It is whole again."""
        self._whole.set()

    def attach(self, build: Build) -> None:
        """Where the documents come from."""
        self._build = build

    def attach_folder(self, build: Callable[[], Mapping[str, Any]]) -> None:
        """Where what is kept of the domains directory comes from."""
        self._build_folder = build

    def load(self) -> Restored:
        """Read what is there (blocking, once, before the loop runs)."""
        found, problems = self._snapshots.load_all()
        for problem in problems:
            self.remark(problem)
            log.warning("%s", problem)
        documents: dict[str, Mapping[str, Any]] = {}
        for domain, document in found.items():
            documents[domain], unknown = known_values(document)
            if unknown:
                problem = self._snapshots.set_aside(domain, unknown)
                self.remark(problem, domain=domain)
                log.warning("%s", problem)
        intents = self._intents.load_all()
        for problem in self._intents.problems:
            self.remark(problem)
        self._texts = {intent.domain: (intent.file, intent.data) for intent in intents}
        return Restored(documents, intents, self._folder.load() if self._folder is not None else {})

    def remark(self, problem: str, *, domain: str | None = None) -> None:
        """Something about the state directory was not right at the start: it is told in the journal and the status."""
        if (domain, problem) not in self.remarks:
            self.remarks.append((domain, problem))
        self.journal(kind="state", domain=domain, message=problem)

    def touch(self, domain: str) -> None:
        """The domain's snapshot is out of date."""
        self._touched[domain] = None
        self._forgotten.pop(domain, None)
        self._wake.set()

    def touch_folder(self) -> None:
        """What is kept of the domains directory is out of date."""
        self._folder_touched = True
        self._wake.set()

    def forget(self, domain: str) -> None:
        """The domain is gone: so are its snapshot and its stored intent."""
        self._touched.pop(domain, None)
        self._kept.pop(domain, None)
        self._texts.pop(domain, None)
        self._stays_until.pop(domain, None)
        self._repeats.forget(domain)
        self._forgotten[domain] = None
        self._wake.set()

    def keep_intent(self, domain: str, file: str, data: bytes) -> None:
        """The text is the domain's last good one."""
        self._kept[domain] = self._texts[domain] = (file, data)
        self._wake.set()

    def write_again(self) -> None:
        """The state directory has lost what it held: all last good texts are to be written."""
        self._kept = {**self._texts, **self._kept}
        self._wake.set()

    def intent_moved(self, domain: str, file: str) -> None:
        """The file that the domain's last good text stood in has another name now."""
        if domain in self._texts:
            self.keep_intent(domain, file, self._texts[domain][1])

    def journal(
        self,
        *,
        kind: str,
        message: str,
        domain: str | None = None,
        chunk: ChunkId | None = None,
        reason: Reason | str | None = None,
        **more: Any,
    ) -> None:
        """Note what happened, and why."""
        entry: dict[str, Any] = {"at": stamp(self._clock), "kind": kind}
        if chunk is not None:
            entry.update(domain=chunk.domain, cpux=chunk.cpux, chunk=chunk.unit)
        elif domain is not None:
            entry["domain"] = domain
        entry.update(more)
        if reason is not None:
            entry["reason"] = str(reason)
        entry["message"] = message
        for said in self._repeats.take(entry, self._clock.monotonic()):
            if len(self._entries) < MOST_ENTRIES_KEPT:
                self._entries.append(said)
            if self._on_journal is not None:
                self._on_journal(said)
        self._wake.set()

    def transition(
        self, id: ChunkId, trigger: str, source: State, destination: State, reason: Reason, message: str
    ) -> None:
        """Note that a chunk's machine has moved."""
        self.journal(
            kind="transition",
            chunk=id,
            reason=reason,
            message=message,
            trigger=trigger,
            **{"from": source.value, "to": destination.value},
        )

    def fact_changed(self, ref: FactRef, before: Pnr, now: Pnr, by: str) -> None:
        """Note that a fact has another answer."""
        self.journal(
            kind="fact",
            domain=ref.domain or None,
            message=f"{ref}: {before.tv} -> {now.tv}",
            fact=str(ref),
            tv=now.tv.value,
            response=list(now.response),
            by=by,
        )

    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            ok = await self._write(at_once=False)
            await asyncio.sleep(SHORTEST_PAUSE_SECONDS if ok else RETRY_SECONDS)
            if not ok or self._touched:
                self._wake.set()

    async def flush(self) -> bool:
        """Write all that is noted now; False when something could not be written."""
        return await self._write(at_once=True)

    async def _write(self, *, at_once: bool) -> bool:
        """The same; of snapshots, where it need not be ``at_once``, those that may be written again.

        A write that has begun goes on to its end though its caller is cancelled, since a thread can't be called back;
        the next one waits for it, so that no older document comes after a newer one.
        """
        write = asyncio.create_task(self._in_turn(at_once))
        self._begun.add(write)
        write.add_done_callback(self._begun.discard)
        return await asyncio.shield(write)

    async def _in_turn(self, at_once: bool) -> bool:
        async with self._writing:
            await self._whole.wait()
            return await self._flush(at_once)

    def _take_touched(self, at_once: bool) -> dict[str, None]:
        """The domains whose snapshots are to be written now; the others stay touched."""
        now = self._clock.monotonic()
        staying = {} if at_once else {domain: at for domain, at in self._stays_until.items() if at > now}
        touched = {domain: None for domain in self._touched if domain not in staying}
        self._touched = {domain: None for domain in self._touched if domain in staying}
        self._stays_until = staying
        return touched

    async def _documents(self, domains: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The documents of those that are known, made in several turns where they are much work. Each has what was so
        when it was begun, or came later; its domain is then out of date again."""
        found: dict[str, Mapping[str, Any]] = {}
        done = 0
        for domain in domains:
            await self._whole.wait()
            steps = self._build(domain) if self._build is not None else None
            work = 0
            while steps is not None:
                try:
                    step = next(steps)
                    work, done = work + step, done + step
                except StopIteration as made:
                    pause = min(work * PAUSE_FOR_WORK_SECONDS, LONGEST_PAUSE_SECONDS)
                    if pause > SHORTEST_PAUSE_SECONDS:
                        self._stays_until[domain] = self._clock.monotonic() + pause
                    document: Mapping[str, Any] | None = made.value
                    if document is not None:
                        found[domain] = document
                    break
                if done >= MOST_AT_ONCE:
                    done = 0
                    await asyncio.sleep(0)
                    await self._whole.wait()
        return found

    async def _flush(self, at_once: bool) -> bool:
        entries, self._entries = self._entries, []
        kept, self._kept = self._kept, {}
        touched = self._take_touched(at_once)
        forgotten, self._forgotten = self._forgotten, {}
        folder_touched, self._folder_touched = self._folder_touched, False
        build = self._build_folder if folder_touched and self._folder is not None else None
        folder = build() if build is not None else None
        documents = await self._documents(touched)
        trouble: list[str] = []
        done: set[tuple[str, str]] = set()

        def write() -> None:
            def attempt(kind: str, name: str, call: Callable[[], None]) -> None:
                try:
                    call()
                    done.add((kind, name))
                except PnrError as error:
                    trouble.append(str(error))

            for domain, (file, data) in kept.items():
                attempt("intent", domain, partial(self._intents.save, domain, file, data))
            for domain, document in documents.items():
                attempt("snapshot", domain, partial(self._snapshots.save, domain, document))
            if folder is not None and self._folder is not None:
                attempt("folder", "", partial(self._folder.save, folder))
            for domain in forgotten:
                attempt("forget", domain, partial(self._remove, domain))
            if entries:
                attempt("journal", "", partial(self._journal.append, entries))

        if entries or kept or documents or forgotten or folder is not None:
            await self._offload(write)
        if not trouble:
            if self.trouble:
                self.trouble = ""
            return True
        if self.trouble != trouble[0]:
            log.error("%s", trouble[0])
        self.trouble = trouble[0]
        for domain, text in kept.items():
            if ("intent", domain) not in done:
                self._kept.setdefault(domain, text)
        for domain in documents:
            if ("snapshot", domain) not in done:
                self._touched.setdefault(domain, None)
        for domain in forgotten:
            if ("forget", domain) not in done and domain not in self._touched:
                self._forgotten.setdefault(domain, None)
        self._folder_touched = self._folder_touched or (folder is not None and ("folder", "") not in done)
        if entries and ("journal", "") not in done:
            self._entries = [*entries, *self._entries][:MOST_ENTRIES_KEPT]
        return False

    def _remove(self, domain: str) -> None:
        self._snapshots.remove(domain)
        self._intents.remove(domain)


def stamp(clock: Clock) -> str:
    """Now, as ISO 8601 in UTC with milliseconds."""
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
