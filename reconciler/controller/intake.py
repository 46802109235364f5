"""Takes scans of the domains directory in: what is declared, what is not valid, and what is gone.

A file that is not valid changes nothing: the last good intent stays in force. A file that goes away takes its
domain down, unless the directory itself is missing or has lost everything at once: that looks like an accident (a
disk that was not mounted, a wrong path), so removal waits until the files are back or a person says ``pnr down``.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.controller.protocols import Judge, Judged, Scan
from reconciler.controller.recorder import Recorder, Restored
from reconciler.controller.records import DomainRecord
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain, Problem

HELD_MISSING = "the domains directory is missing; nothing is removed until it is back, or by `pnr down`"
HELD_EMPTY = (
    "the domains directory is empty: all its files are gone at once; nothing is removed until they are back,"
    " or by `pnr down`"
)


class Intake:
    """Keeps the records of domains in line with the files. ``file_problems`` are those of files that have never
    been a valid domain."""

    def __init__(
        self,
        *,
        domains: dict[str, DomainRecord],
        judge: Judge,
        recorder: Recorder,
        keep_down: Callable[[str], bool] | None = None,
    ) -> None:
        self._domains = domains
        self._keep_down = keep_down or (lambda name: False)
        self._judge = judge
        self._recorder = recorder
        self.file_problems: dict[str, tuple[Problem, ...]] = {}
        self.root_missing = False
        self.last: Scan | None = None  # the newest scan that was taken in
        self._files_seen = False  # whether any scan since the start had a file

    def restore(self, restored: Restored) -> None:
        """Begin with what was in force when the program last ran."""
        recalled = self._judge.recall(restored.intents)
        stored = {intent.domain for intent in restored.intents}
        for name in stored | restored.documents.keys():
            document = restored.documents.get(name, {})
            domain = recalled.get(name)
            self._domains[name] = DomainRecord(
                name=name,
                file=domain.file if domain is not None else str(document.get("file", f"{name}.json")),
                domain=domain,
                intent=str(document.get("intent", domain.intent if domain is not None else "")),
                generation=int(document.get("generation", 1)),
                commit=document.get("commit"),
                down=bool(document.get("down", False)) or self._keep_down(name),
                gone=bool(document.get("gone", False)),
                held=str(document.get("held", "")),
            )

    def take(self, scan: Scan) -> dict[str, Domain | None]:
        """Take a scan in. Gives the domains whose intent changed, with the intent that was in force before."""
        self.last = scan
        self.root_missing = scan.root_missing
        if scan.root_missing:
            for record in self._domains.values():
                if not record.gone and not record.down:
                    record.held = HELD_MISSING
            return {}
        judged = self._judge(scan.files, self._in_force())
        changes: dict[str, Domain | None] = {}
        for domain in judged.domains.values():
            self._declared(domain, scan, changes)
        self._missing(scan, judged, changes)
        for record in self._domains.values():
            self._warn(record, judged.warnings.get(record.file, ()) if not record.gone else ())
        files = {record.file for record in self._domains.values() if not record.gone}
        self.file_problems = {
            file: problems for file, problems in judged.problems.items() if problems and file not in files
        }
        return changes

    def _in_force(self) -> list[InForce]:
        return [InForce(r.name, r.file, r.domain, r.gone) for r in self._domains.values()]

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
            )
            changes[domain.name] = None
            self._keep(domain, scan, "declared")
            return
        before, was_gone = record.wanted, record.gone
        same_text = record.domain is not None and record.domain.digest == domain.digest
        changed = record.intent != domain.intent
        if record.problems or record.held or record.commit != scan.commit or not same_text:
            self._recorder.touch(domain.name)
        record.problems = ()
        record.held = ""
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
            what = "something that it refers to has changed"
            message = f"{domain.file}: generation {record.generation}: {what}"
            self._recorder.journal(kind="intent", domain=domain.name, message=message)

    def _warn(self, record: DomainRecord, warnings: tuple[Problem, ...]) -> None:
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

    def _missing(
        self,
        scan: Scan,
        judged: Judged,
        changes: dict[str, Domain | None],
    ) -> None:
        vanished: list[DomainRecord] = []
        for name, record in self._domains.items():
            if name in judged.domains or record.gone:
                continue
            speaks = judged.speaks.get(name)
            if speaks is not None:
                self._moved(record, speaks)
                broken = judged.problems.get(speaks, ())
                if record.problems != broken:
                    self._recorder.touch(name)
                    for problem in broken:
                        self._recorder.journal(kind="invalid", domain=name, message=str(problem))
                record.problems = broken
                record.held = ""
                continue
            vanished.append(record)
        self._files_seen = self._files_seen or bool(scan.files)
        # An empty directory at the start is a disk that is not mounted yet, more often than a last file that went while
        # nobody looked.
        everything = not scan.files and (len(vanished) > 1 or not self._files_seen)
        for record in vanished:
            if record.held or everything:
                if not record.held:
                    self._recorder.journal(kind="intent", domain=record.name, message=HELD_EMPTY)
                record.held = record.held if record.held == HELD_EMPTY else HELD_EMPTY
                self._recorder.touch(record.name)
                continue
            changes[record.name] = record.wanted
            record.gone = True
            record.problems = ()
            self._recorder.touch(record.name)
            self._recorder.journal(kind="intent", domain=record.name, message=f"{record.file} is gone")
