"""Takes scans of the domains directory in: what is declared, what is not valid, and what is gone.

A file that is not valid changes nothing: the last good intent stays in force. A file that goes away takes its
domain down, but not at once and not always: see :mod:`reconciler.controller.removals`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.controller.clock import Clock
from reconciler.controller.protocols import Judge, Judged, Scan, StoredIntent
from reconciler.controller.recorder import Recorder, Restored
from reconciler.controller.records import DomainRecord
from reconciler.controller.removals import Removals
from reconciler.diagnostics import Diagnostic
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain
from reconciler.planner.removal import Hold

MOST_JOURNALED = 10
"""So many errors of a file are written to the journal."""


class Intake:
    """Keeps the records of domains in line with the files. ``file_errors`` are those of files that have never
    been a valid domain, ``said`` the names in the files that are not valid."""

    def __init__(
        self,
        *,
        domains: dict[str, DomainRecord],
        judge: Judge,
        recorder: Recorder,
        clock: Clock,
        stirred_at: Callable[[], float],
        keep_down: Callable[[str], bool] | None = None,
    ) -> None:
        self._domains = domains
        self._keep_down = keep_down or (lambda name: False)
        self._judge = judge
        self._recorder = recorder
        self.file_errors: dict[str, tuple[Diagnostic, ...]] = {}
        self.said: dict[str, tuple[str, ...]] = {}
        self.root_missing = False
        self.removals = Removals(domains=domains, recorder=recorder, clock=clock, stirred_at=stirred_at)
        self._clock = clock

    def restore(self, restored: Restored) -> None:
        """Begin with what was in force when the program last ran."""
        self._domains.update(restored_domains(restored, self._judge.recall, self._keep_down))
        self.removals.restore(restored.folder)

    def take(self, scan: Scan, judged: Judged | None) -> dict[str, Domain | None]:
        """Take a scan in, and what its files were judged to mean. Gives the domains whose intent changed, with the
        intent that was in force before."""
        self.root_missing = scan.root_missing
        self.removals.begin()
        changes: dict[str, Domain | None] = {}
        if scan.root_missing or judged is None:
            absent = [record for record in self._domains.values() if not record.gone]
            self._let_go(self.removals.look(scan, absent), changes)
            return changes
        for domain in judged.domains.values():
            self._declared(domain, scan, changes)
        gone = self.removals.look(scan, self._absent(judged))
        for record in self._domains.values():
            self._warn(record, judged.warnings.get(record.file, ()) if not record.gone else ())
        files = {record.file for record in self._domains.values() if not record.gone}
        never_valid = {file: errors for file, errors in judged.errors.items() if errors and file not in files}
        for file, errors in never_valid.items():
            if errors != self.file_errors.get(file):
                for text in _told(errors):
                    self._recorder.journal(kind="invalid", message=text, file=file)
        self.file_errors = never_valid
        broken = [file for file, errors in judged.errors.items() if errors and file in scan.files]
        self.said = {file: judged.said.get(file, ()) for file in broken}
        self._let_go(gone, changes)
        return changes

    def confirm(self, names: Collection[str]) -> dict[str, Domain | None]:
        """A person confirms removals; as :meth:`take`."""
        changes: dict[str, Domain | None] = {}
        self._let_go(self.removals.confirm(names), changes)
        return changes

    def in_force(self) -> list[InForce]:
        """What was accepted before, beside which files are judged."""
        return in_force(self._domains.values())

    def _declared(self, domain: Domain, scan: Scan, changes: dict[str, Domain | None]) -> None:
        record = self._domains.get(domain.name)
        if record is None:
            self._domains[domain.name] = DomainRecord(
                domain.name,
                domain.file,
                domain,
                intent=domain.intent,
                commit=scan.commit,
                down=self._keep_down(domain.name),
                known_since=self._clock.monotonic(),
            )
            self.removals.back(self._domains[domain.name])
            changes[domain.name] = None
            self._keep(domain, scan, "declared")
            return
        before, was_gone = record.wanted, record.gone
        same_text = record.domain is not None and record.domain.digest == domain.digest
        changed = record.intent != domain.intent
        if record.errors or record.missed_at is not None or record.commit != scan.commit or not same_text:
            self._recorder.touch(domain.name)
        self.removals.back(record)
        record.errors = ()
        record.gone = False
        moved = f"moved here from {record.file}" if record.file != domain.file else ""
        record.file = domain.file
        record.commit = scan.commit
        if changed:
            record.generation += 1
            record.intent = domain.intent
            record.down = self._keep_down(domain.name)
        stale = record.domain is None or record.domain.intent != domain.intent
        record.domain = domain
        if changed or was_gone or stale:
            changes[domain.name] = before
        if not same_text or was_gone or moved:
            what = f"generation {record.generation}" if changed else moved or "rewritten, same intent"
            self._keep(domain, scan, f"{moved}, {what}" if changed and moved else what)
        elif changed:
            what = "something that the file refers to has changed"
            message = f"{domain.file}: generation {record.generation}: {what}"
            self._recorder.journal(kind="intent", domain=domain.name, message=message)

    def _warn(self, record: DomainRecord, warnings: tuple[Diagnostic, ...]) -> None:
        """What only looks wrong may come and go with the files of others."""
        for warning in warnings:
            if warning not in record.warnings:
                self._recorder.journal(kind="warning", domain=record.name, message=str(warning))
        record.warnings = warnings

    def _keep(self, domain: Domain, scan: Scan, what: str) -> None:
        data = scan.files[domain.file].data
        if data is not None:
            self._recorder.keep_intent(domain.name, domain.file, data)
        commit = f" (commit {scan.commit[:12]})" if scan.commit else ""
        self._recorder.journal(kind="intent", domain=domain.name, message=f"{domain.file}: {what}{commit}")

    def _moved(self, record: DomainRecord, file: str) -> None:
        """The domain stands in another file now, which is not valid: it stays, and the file is its own."""
        if record.file != file:
            self._recorder.journal(kind="intent", domain=record.name, message=f"{file}: moved here from {record.file}")
            record.file = file
            self._recorder.intent_moved(record.name, file)
            self._recorder.touch(record.name)

    def _absent(self, judged: Judged) -> list[DomainRecord]:
        """The domains that no file stands for any more. One whose file is not valid stays as it is."""
        absent: list[DomainRecord] = []
        for name, record in self._domains.items():
            if name in judged.domains or record.gone:
                continue
            speaks = judged.speaks.get(name)
            if speaks is not None:
                self._moved(record, speaks)
                broken = judged.errors.get(speaks, ())
                if record.errors != broken:
                    self._recorder.touch(name)
                    for text in _told(broken):
                        self._recorder.journal(kind="invalid", domain=name, message=text)
                record.errors = broken
                self.removals.back(record)
                continue
            if record.errors:
                record.errors = ()  # those of a file that was its own
                self._recorder.touch(name)
            absent.append(record)
        return absent

    def _let_go(self, records: Collection[DomainRecord], changes: dict[str, Domain | None]) -> None:
        for record in records:
            changes[record.name] = record.wanted
            record.gone = True
            record.errors = ()
            self._recorder.touch(record.name)
            self._recorder.journal(kind="intent", domain=record.name, message=f"{record.file} is gone")


def restored_domains(
    restored: Restored,
    recall: Callable[[Sequence[StoredIntent]], Mapping[str, Domain]],
    keep_down: Callable[[str], bool] = lambda name: False,
) -> dict[str, DomainRecord]:
    """The records of domains as the state directory tells them; ``recall`` gives what the stored texts mean."""
    recalled = recall(restored.intents)
    found = {}
    for name in {intent.domain for intent in restored.intents} | restored.documents.keys():
        document = restored.documents.get(name, {})
        domain = recalled.get(name)
        found[name] = DomainRecord(
            name=name,
            file=domain.file if domain is not None else str(document.get("file", f"{name}.json")),
            domain=domain,
            intent=str(document.get("intent", domain.intent if domain is not None else "")),
            generation=int(document.get("generation", 1)),
            commit=document.get("commit"),
            down=bool(document.get("down", False)) or keep_down(name),
            gone=bool(document.get("gone", False)),
            held=str(document.get("held", "")),
            hold=_hold(document),
            held_since=_moment(document.get("held_since")),
        )
    return found


def in_force(records: Iterable[DomainRecord]) -> list[InForce]:
    """What was accepted before, beside which files are judged."""
    return [InForce(r.name, r.file, r.domain, r.gone, r.missed_at is not None or bool(r.held)) for r in records]


def _told(errors: tuple[Diagnostic, ...]) -> list[str]:
    """What the journal says of a file that is not valid: as much as people read."""
    more = len(errors) - MOST_JOURNALED
    told = [str(error) for error in errors[:MOST_JOURNALED]]
    return told if more <= 0 else [*told, f"{errors[0].place.file}: … and {more} more, which `pnr validate` tells"]


def _hold(document: Mapping[str, Any]) -> Hold | None:
    """Why a removal is held, of a snapshot. It stays held, whatever the reason."""
    return Hold(document.get("held_reason", Hold.ALL_GONE)) if document.get("held") else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
