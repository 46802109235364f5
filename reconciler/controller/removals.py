"""Which domains have lost their files, how long that is so, and what is to be done about it.

A file that was deleted may be on its way back (an upload, an editor), and the first of many looks like the only one. So
nothing goes before the folder has been quiet for a while; then all that went is judged together, see
:mod:`reconciler.planner.removal`. What git's own commit removes goes at once: there the quiet was git's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.controller.clock import Clock
from reconciler.controller.protocols import Scan
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import DomainRecord
from reconciler.errors import PnrError
from reconciler.planner.removal import Absent, Folder, Hold, LetGo, Place, judge

QUIET_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 60.0
"""Somebody may write in the folder without end: then what went is judged all the same."""
WINDOW_SECONDS = 60.0
MOST_NAMES = 8


class NotHeld(PnrError):
    """A domain whose removal can't be confirmed, since it is not to be removed."""

    code = "NotHeld"


@dataclass(frozen=True, slots=True)
class _Gone:
    """A domain that was let go: when the stir began in which its file went, and when it was let go."""

    stir_at: float
    at: float
    by_commit: bool


class Removals:
    """Keeps account of what is absent. ``stirred_at`` gives the moment, on the clock's own scale, at which something in
    the folder was last seen to change."""

    def __init__(
        self, *, domains: Mapping[str, DomainRecord], recorder: Recorder, clock: Clock, stirred_at: Callable[[], float]
    ) -> None:
        self._domains = domains
        self._recorder = recorder
        self._clock = clock
        self._stirred_at = stirred_at
        self._scan: Scan | None = None
        self._place = ""  # the folder that had all files that were known
        self._let_go: dict[str, _Gone] = {}
        self._missed: dict[str, None] = {}  # the domains without a file, as far as they are still known
        self._names: dict[str, frozenset[str] | None] = {}  # what commits have, while one scan is looked at
        self._asked_at: float | None = None
        self._stir_at = float("-inf")  # when the present stir began: changes in the folder with no quiet between them
        self._last_stir_at = float("-inf")
        recorder.attach_folder(self.document)

    # --- what lasts -------------------------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """What is kept of the folder: its identity, and what was let go of late."""
        moment, now = self._clock.now(), self._clock.monotonic()

        def at(time: float) -> str:
            return (moment + timedelta(seconds=time - now)).isoformat()

        gone = [
            {"domain": name, "stir_at": at(one.stir_at), "at": at(one.at), "by_commit": one.by_commit}
            for name, one in self._let_go.items()
        ]
        return {"place": self._place, "let_go": gone}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Begin with what was kept."""
        moment, now = self._clock.now(), self._clock.monotonic()

        def since(text: object) -> float:
            return now + min(0.0, (datetime.fromisoformat(str(text)) - moment).total_seconds())

        self._place = str(document.get("place", ""))
        for one in document.get("let_go", ()):
            with contextlib.suppress(KeyError, TypeError, ValueError):  # damaged, or of another version
                gone = _Gone(since(one["stir_at"]), since(one["at"]), bool(one.get("by_commit")))
                self._let_go[str(one["domain"])] = gone

    # --- what is seen -----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A scan comes: take note of the stir in the folder that it is part of."""
        stirred_at = self._stirred_at()
        if stirred_at - self._last_stir_at > QUIET_SECONDS:
            self._stir_at = self._clock.monotonic()
        self._last_stir_at = max(self._last_stir_at, stirred_at)

    def back(self, record: DomainRecord) -> None:
        """The file of a domain is there."""
        record.seen = True
        self._missed.pop(record.name, None)
        self._let_go.pop(record.name, None)
        if record.hold is not None:
            self._tell(record, f"{record.file} is there again: its removal is no longer held")
        record.missed_at, record.hold, record.held, record.held_since = None, None, "", None

    def look(self, scan: Scan, absent: Collection[DomainRecord]) -> list[DomainRecord]:
        """Take a scan in, in which no file declares these domains any more. Gives those that are to go now."""
        now = self._clock.monotonic()
        was_asked = self._asked_at is not None and scan is not self._scan
        self._asked_at = None if was_asked else self._asked_at
        self._scan, self._names = scan, {}
        self._missed = {record.name: None for record in absent}
        for record in absent:
            if record.missed_at is None:
                record.missed_at, record.stir_at = now, self._stir_at
                self._recorder.touch(record.name)
        self._word()
        if all(record.hold is not None for record in absent):
            self._settle()
        due = self.due()
        if due is not None and now >= due and was_asked:
            return self.judge()
        return self._go(name for name in judge(self._folder()).go if self._by_commit(self._domains[name]))

    def due(self) -> float | None:
        """When what is absent can be judged; None where nothing is to be judged."""
        missed = [record.missed_at for record in self._absent() if record.hold is None and record.missed_at is not None]
        if not missed or self._scan is None or self._scan.unfinished:
            return None
        quiet = max(*missed, self._stirred_at()) + QUIET_SECONDS
        due = min(quiet, min(missed) + LONGEST_WAIT_SECONDS)
        return due if self._asked_at is None else max(due, self._asked_at + QUIET_SECONDS)

    def asked(self) -> None:
        """One more look at the folder was asked for, which is then judged."""
        self._asked_at = self._clock.monotonic()

    # --- what is done about it ----------------------------------------------------------------------------------

    def judge(self) -> list[DomainRecord]:
        """Judge all that is absent now. Gives those that are to go; the others are held."""
        verdict = judge(self._folder())
        new = [self._domains[name] for name in verdict.held if self._domains[name].hold is None]
        for record in (self._domains[name] for name in verdict.held):
            record.held_since = record.held_since or self._clock.now()
            if verdict.hold is not None:
                record.hold, record.gone_of = verdict.hold, (verdict.gone, verdict.known)
        gone = self._go(verdict.go)
        self._word()
        for record in new:
            what = f"{record.file} declares another domain now" if self._is_there(record) else f"{record.file} is gone"
            self._tell(record, f"{what}, and its removal is held: {record.held}")
        self._settle()
        return gone

    def chosen(self, names: Collection[str]) -> list[str]:
        """Of which domains a person can confirm the removal: of these, or of all whose files are gone. Raises
        NotHeld."""
        absent = [record.name for record in self._absent()]
        wrong = [name for name in names if name not in absent]
        if wrong:
            verb = "is" if len(wrong) == 1 else "are"
            listed = f"held are: {', '.join(sorted(absent))}" if absent else "no removal is held"
            raise NotHeld(f"{', '.join(wrong)} {verb} not held, and not without a file; {listed}")
        return sorted(names or absent)

    def confirm(self, names: Collection[str]) -> list[DomainRecord]:
        """A person wants these to go (all that is absent, where none is named). Gives those that are to go."""
        chosen = [record for record in self._absent() if not names or record.name in names]
        for record in chosen:
            self._tell(record, "its removal was confirmed by a person")
            self._let_go.pop(record.name, None)
            record.hold, record.held, record.held_since = None, "", None
        self._word()
        return chosen

    # --- inside -------------------------------------------------------------------------------------------------

    def _absent(self) -> list[DomainRecord]:
        found = (self._domains.get(name) for name in self._missed)
        return [record for record in found if record is not None and not record.gone]

    def _folder(self) -> Folder:
        now = self._clock.monotonic()
        self._let_go = {name: one for name, one in self._let_go.items() if now - one.at <= WINDOW_SECONDS}
        return Folder(
            known={record.name: record.known_since for record in self._domains.values() if not record.gone},
            absent={
                record.name: Absent(
                    at=record.stir_at,
                    seen=record.seen,
                    confirmed=record.down,
                    by_commit=self._by_commit(record),
                    held=record.hold is not None,
                )
                for record in self._absent()
            },
            let_go={name: LetGo(one.stir_at, one.by_commit) for name, one in self._let_go.items()},
            place=self._where(),
        )

    def _is_there(self, record: DomainRecord) -> bool:
        """Whether the file of a domain is there, and declares another one."""
        return self._scan is not None and record.file in self._scan.files

    def _where(self) -> Place:
        scan = self._scan
        if scan is None or scan.root_missing:
            return Place.MISSING
        replaced = bool(self._place) and bool(scan.place) and scan.place != self._place
        return Place.REPLACED if replaced else Place.SAME

    def _by_commit(self, record: DomainRecord) -> bool:
        """Whether the commit that is now checked out is another one than that with the domain's file, and has it no
        more."""
        scan, before = self._scan, record.commit
        if scan is None or scan.unfinished or scan.commit is None or before is None or scan.commit == before:
            return False
        for commit in {before, scan.commit} - self._names.keys():
            self._names[commit] = scan.names_in(commit)
        had, has = self._names[before], self._names[scan.commit]
        return had is not None and has is not None and record.file in had and record.file not in has

    def _go(self, names: Iterable[str]) -> list[DomainRecord]:
        now = self._clock.monotonic()
        gone = [self._domains[name] for name in names]
        for record in gone:
            if not record.down:
                by_commit = self._by_commit(record)
                self._let_go[record.name] = _Gone(record.stir_at, now, by_commit)
            record.hold, record.held, record.held_since = None, "", None
        if gone:
            self._recorder.touch_folder()
        return gone

    def _settle(self) -> None:
        """What is there now is what is known: from here on this folder is the one to compare with."""
        scan = self._scan
        if scan is not None and not scan.root_missing and scan.place and scan.place != self._place:
            self._place = scan.place
            self._recorder.touch_folder()

    def _word(self) -> None:
        """Say of all that is held why, and what to do, with the names of all of them."""
        held = sorted((record for record in self._absent() if record.hold is not None), key=lambda one: one.name)
        names = [record.name for record in held]
        command = " ".join(["pnr confirm-removal", *(names if len(names) <= MOST_NAMES else ())])
        for record in held:
            back = "its file is" if len(names) == 1 else "their files are"
            text = f"{self._why(record)}; nothing is removed until {back} back, or a person says `{command}`"
            if record.held != text:
                record.held = text
                self._recorder.touch(record.name)

    def _why(self, record: DomainRecord) -> str:
        gone, known = record.gone_of
        match record.hold:
            case Hold.FOLDER_MISSING if self._where() is Place.MISSING:
                return "the domains directory is missing"
            case Hold.FOLDER_MISSING:
                return "its file has not come back with the domains directory"
            case Hold.FOLDER_REPLACED:
                return "another directory was put in the place of the domains directory, without its file"
            case Hold.NONE_AT_START:
                return "no file declared a known domain when the daemon started"
            case Hold.ALL_GONE if not known:  # held since before this start, and the numbers were not kept
                return "the files of all known domains disappeared within a minute"
            case Hold.ALL_GONE:
                others = len(self._domains) > known
                more = " (domains that have come since do not count)" if others else ""
                return f"the files of all {known} known domains disappeared within a minute{more}"
            case _ if not known:
                return "the files of most known domains disappeared within a minute"
            case _:
                return f"the files of {gone} of the {known} known domains disappeared within a minute"

    def _tell(self, record: DomainRecord, message: str) -> None:
        self._recorder.touch(record.name)
        self._recorder.journal(kind="held", domain=record.name, message=message)
