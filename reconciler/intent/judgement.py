"""What is to be in force of all that the files of a folder declare, beside what is in force already. Pure.

One judge for everybody: the daemon, ``pnr validate`` and ``pnr plan`` ask :func:`judge_domains` and nothing else. It
finds the largest change that leaves everything working together:

* What is valid of the files takes effect; where a file is not valid, what is in force of it stays, with all that it
  has: it is judged as if its file still said so.
* Names and ports that an intent in force has are its file's (:mod:`reconciler.intent.claims`). Of newcomers that want
  one thing, the file whose name sorts first gets it.
* A change is at fault for what it makes impossible elsewhere: a file that no longer answers what the gate of an intent
  in force waits for has the error, and not the file with the gate.

Refusing one file may make another impossible, or possible. So it is judged in rounds, until no more is refused: what is
wrong in itself first, then what does not go together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.intent import writers
from reconciler.intent.checks import GateFault, answers, gate_cycle, gates, health_ports, names_shared, reserved_names
from reconciler.intent.chunks import copies_of
from reconciler.intent.claims import Claims, Table, table_of
from reconciler.intent.file_names import stem
from reconciler.intent.gates import GateBook, Waiting, find_cycles
from reconciler.intent.model import ChunkId, Domain
from reconciler.intent.sharing import Borrowed, Key, in_use, names_taken, not_shared, owned, uses

MOST_ROUNDS = 50
"""Edits that can only be judged one after another: a chain of more is refused as a whole."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The intent in force of a domain, and the file that it belongs to.

    ``domain`` is None where nobody can tell what it says. ``absent``: no file declared it when it was judged last, and
    what that means is not decided, or waits for a person; ``gone``: it is being removed.
    """

    name: str
    file: str
    domain: Domain | None
    gone: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """``accepted``: what the files declare and what is to be in force, by the domain's name. ``speaks``: which file
    stands for a domain that is in force, by its name; none does where its file is gone. ``diagnostics``: all
    that is wrong or looks wrong, in the order of the files."""

    accepted: Mapping[str, Domain]
    diagnostics: tuple[Diagnostic, ...]
    speaks: Mapping[str, str]


def judge_domains(
    candidates: Sequence[Domain],
    in_force: Collection[InForce] = (),
    *,
    broken: Mapping[str, str | None] | None = None,
    refused: Collection[Diagnostic] = (),
    borrowed: Mapping[str, Collection[Borrowed]] | None = None,
) -> Judgement:
    """Judge what files declare.

    ``broken`` are the files that mean nothing, each with the name of the domain that it would declare, where that can
    be told. ``refused`` are errors that were found before; ``borrowed`` is what each file asks for that only an owner's
    sharing would allow.
    """
    case = _Case(sorted(candidates, key=lambda domain: domain.file), in_force, broken or {}, borrowed or {})
    return case.judge(refused)


def wrong_in_itself(domain: Domain) -> list[Diagnostic]:
    """The errors of a domain that are there whatever others declare."""
    now = _Case([domain], (), {}, {}).look()
    return [one for one in now.own if one.severity == "error"]


@dataclass
class _Round:
    """One look at everything, with some files refused. ``effective`` is what would be in force."""

    speaks: Mapping[str, str]
    effective: Mapping[str, Domain]
    accepted: Mapping[str, Domain]
    own: list[Diagnostic] = field(default_factory=list)
    between: list[tuple[Diagnostic, frozenset[str]]] = field(
        default_factory=list
    )  # with the other domains that it is of
    claims: list[tuple[Diagnostic, frozenset[str]]] = field(default_factory=list)

    def reasons(self, file: str) -> list[frozenset[str]]:
        """Of each error of a file: the other domains that it is for; none where it is wrong in itself."""
        alone: list[tuple[Diagnostic, frozenset[str]]] = [(one, frozenset()) for one in self.own]
        every = (*alone, *self.between, *self.claims)
        return [because for one, because in every if one.place.file == file and one.severity == "error"]

    def of(self, file: str) -> list[Diagnostic]:
        """All of one file."""
        every = (*self.own, *(one for one, _ in self.between), *(one for one, _ in self.claims))
        return [one for one in every if one.place.file == file]


class _Case:
    def __init__(
        self,
        ordered: Sequence[Domain],
        in_force: Collection[InForce],
        broken: Mapping[str, str | None],
        borrowed: Mapping[str, Collection[Borrowed]],
    ) -> None:
        self.borrowed = borrowed
        self.ordered = ordered
        self.by_file = {domain.file: domain for domain in ordered}
        self.in_force = {one.name: one for one in in_force}
        self.broken = broken
        self.order = {file: n for n, file in enumerate(sorted({*self.by_file, *broken}))}

    # --- the rounds -----------------------------------------------------------------------------------------

    def look(self) -> _Round:
        """Everything, with no file refused yet."""
        return self._round(set())

    def judge(self, refused: Collection[Diagnostic]) -> Judgement:
        rejected: set[str] = set()
        causes: dict[str, frozenset[str]] = {}  # of files that were rejected only for what others are
        led_to: dict[str, frozenset[str]] = {}  # the files without whose being rejected it would not have been
        once_more: set[str] = set()
        found: dict[str, list[Diagnostic]] = {}
        number = 0
        while True:
            now = self._round(rejected)
            if number == 0:
                now.own += refused
            steps = (
                _errors(now.own),
                _errors(one for one, _ in now.between),
                _errors(one for one, _ in now.claims),
            )
            bad = next((files for files in steps if files - rejected), set()) - rejected
            if not bad:
                break
            if number == MOST_ROUNDS:
                too_much = {domain.file for domain in self.ordered if self._is_changed(domain)} - rejected - bad
                now.own += [_unsettled(self.by_file[file]) for file in too_much]
                bad |= too_much
                once_more |= set(self.by_file)
            number += 1
            for file in bad:
                found[file] = now.of(file)
                reasons = now.reasons(file)
                if all(reasons):
                    causes[file] = frozenset().union(*reasons)
                led_to[file] = self._led_to(file, reasons, rejected | bad, led_to)
            rejected |= bad
            for file in self._right_after_all(bad, causes, led_to):
                # What it got in the way of, or waited for, is not to come: it may be right beside what is there now.
                if file not in once_more:
                    once_more.add(file)
                    del causes[file]
                    rejected.discard(file)
        risky = list(writers.warnings(now.effective.values()))
        for domain in self.ordered:
            if domain.file not in rejected:
                found[domain.file] = [one for one in now.of(domain.file) if one.severity != "error"]
                found[domain.file] += [one for one in risky if one.place.file == domain.file]
        everything = tuple(one for file in sorted(found, key=self.order.__getitem__) for one in found[file])
        return Judgement(now.accepted, everything, now.speaks)

    def _led_to(
        self,
        file: str,
        reasons: Sequence[frozenset[str]],
        rejected: Collection[str],
        led_to: Mapping[str, frozenset[str]],
    ) -> frozenset[str]:
        """The files without whose being rejected this one would not have been: those that each of its reasons goes back
        to."""

        def roots(names: frozenset[str]) -> frozenset[str]:
            direct = [other for other in rejected if other != file and self.by_file[other].name in names]
            return frozenset(direct).union(*(led_to.get(other, frozenset()) for other in direct))

        every = [roots(names) for names in reasons]
        return every[0].intersection(*every[1:]) if every else frozenset()

    def _right_after_all(
        self, bad: Collection[str], causes: Mapping[str, frozenset[str]], led_to: Mapping[str, frozenset[str]]
    ) -> list[str]:
        """Those that were rejected for the sake of one that is rejected now, and not because they were."""
        return [
            file
            for file, names in causes.items()
            if any(other != file and self.by_file[other].name in names and file not in led_to[other] for other in bad)
        ]

    def _round(self, rejected: set[str]) -> _Round:
        speaks = self._speaks(rejected)
        effective: dict[str, Domain] = {}
        accepted: dict[str, Domain] = {}
        for name, file in speaks.items():
            held = self.in_force[name].domain
            stays = file in rejected or file not in self.by_file
            if not stays:
                accepted[name] = self.by_file[file]
            if (domain := held if stays else self.by_file[file]) is not None:
                effective[name] = domain
        own: list[Diagnostic] = []
        for domain in self.ordered:
            if domain.file in rejected or accepted.get(domain.name) is domain:
                continue
            owner = speaks.get(domain.name) or (accepted[domain.name].file if domain.name in accepted else None)
            if owner is not None:
                text = f"the domain {domain.name} is declared in {owner} already; give one another name"
                own.append(Diagnostic(("name",), "DuplicateDomain", text, place=Place(domain.file)))
            else:
                accepted[domain.name] = effective[domain.name] = domain
        now = _Round(speaks, effective, accepted, own)
        self._check_facts(now)
        self._check_borrowed(now)
        self._check_claims(now, rejected)
        return now

    def _speaks(self, rejected: set[str]) -> dict[str, str]:
        """The file that stands for each domain in force: its own, else one that it was moved to."""
        speaks: dict[str, str] = {}
        # The last good intent of a file stays: not one that the file had given up before, and that is not removed yet.
        current = {held.file for held in self.in_force.values() if not (held.gone or held.absent)}
        for name, held in self.in_force.items():
            declared = self.by_file.get(held.file)
            is_there = held.file in self.broken or held.file in rejected
            given_up = held.gone or (held.absent and held.file in current)
            if (declared is not None and declared.name == name) or (is_there and not given_up):
                speaks[name] = held.file
        taken = set(speaks.values())
        for name, held in self.in_force.items():
            if name in speaks:
                continue
            moved = [d for d in self.ordered if d.name == name and d.file not in taken]
            if moved:
                before = held.domain.digest if held.domain is not None else ""
                speaks[name] = min(moved, key=lambda d: (d.digest != before, d.file)).file
            else:
                unread = [file for file, said in self.broken.items() if said == name and file not in taken]
                if unread and not held.gone:
                    speaks[name] = min(unread)
        return {
            name: file
            for name, file in speaks.items()
            if not (self.in_force[name].gone and (file in rejected or file not in self.by_file))
        }

    def _is_changed(self, domain: Domain) -> bool:
        """Whether it is another than the one in force."""
        held = self.in_force.get(domain.name)
        return held is None or held.domain is None or held.domain.intent != domain.intent

    # --- what each looks at ---------------------------------------------------------------------------------

    def _check_facts(self, now: _Round) -> None:
        book = GateBook.of(now.effective.values())
        absent = self._absent(now)
        for name, domain in now.effective.items():
            is_candidate = now.accepted.get(name) is domain
            if is_candidate:
                now.own += answers(domain)
                now.own += health_ports(domain)
                now.own += reserved_names(domain)
            for fault in gates(domain, book, absent):
                self._place(fault, domain, now, is_candidate=is_candidate)
        now.own += names_shared(now.effective.values(), now.accepted)
        everyone = [chunk for domain in now.effective.values() for chunk in domain.chunks()]
        places: dict[ChunkId, Path] | None = None
        for ring in find_cycles(book, everyone):
            if places is None:
                places = {chunk.id: path for domain in now.effective.values() for chunk, path in copies_of(domain)}
            self._place_cycle(ring, now, places)

    def _place(self, fault: GateFault, domain: Domain, now: _Round, *, is_candidate: bool) -> None:
        """At whose file to tell what stands in the way of a gate: the one whose change has made it so."""
        other = now.accepted.get(fault.ref.domain)
        if fault.error.severity != "error":
            if is_candidate:
                now.own.append(fault.error)
            return
        if fault.ref.domain == domain.name or other is None:
            if is_candidate:
                mine = fault.ref.domain in (domain.name, "")
                if mine:
                    now.own.append(fault.error)
                else:
                    now.between.append((fault.error, frozenset({fault.ref.domain})))
            return
        stands = not is_candidate or not self._is_changed(domain)
        if stands and self._is_changed(other) and self._could_hold(fault):
            text = (
                f"chunk {fault.chunk.id} ({domain.file}) waits for {fault.ref}, which this change takes away:"
                f" {fault.error.message}"
            )
            where: Path = ("cpuxs", fault.ref.cpux)
            blamed = Diagnostic(where, "UnsatisfiableGate", text, place=Place(other.file))
            now.between.append((blamed, frozenset({domain.name})))
        elif is_candidate:
            now.between.append((fault.error, frozenset({fault.ref.domain})))

    def _could_hold(self, fault: GateFault) -> bool:
        """Whether the gate could come to hold by what is in force."""
        entry, book = fault.entry, self._book_in_force
        if entry is None or book.is_foreign(entry.ref) or book.why_unknown(entry.ref, hint=False) is not None:
            return False
        return book.why_never(entry) is None

    @cached_property
    def _book_in_force(self) -> GateBook:
        return GateBook.of(held.domain for held in self.in_force.values() if held.domain is not None)

    def _place_cycle(self, ring: list[Waiting], now: _Round, places: Mapping[ChunkId, Path]) -> None:
        declared = [now.accepted.get(waiting.chunk.id.domain) for waiting in ring]
        at_fault = [d for d in declared if d is not None and self._is_changed(d)] or [
            d for d in declared if d is not None
        ]
        if not at_fault:
            return
        last = max(at_fault, key=lambda domain: domain.file)
        start = next(n for n, domain in enumerate(declared) if domain is last)
        error = gate_cycle([*ring[start:], *ring[:start]], last, places[ring[start].chunk.id])
        others = frozenset(waiting.chunk.id.domain for waiting in ring) - {last.name}
        if others:
            now.between.append((error, others))
        else:
            now.own.append(error)

    def _absent(self, now: _Round) -> dict[str, str]:
        """Why domains that are known of answer nothing."""
        said = {name: file for file, name in self.broken.items() if name is not None}
        said |= {domain.name: domain.file for domain in self.ordered}
        found = {name: f"{file}, which declares domain {name}, is not valid" for name, file in said.items()}
        for name, held in self.in_force.items():
            if name not in now.speaks:
                is_there = held.file in self.by_file or held.file in self.broken
                found[name] = (
                    f"{held.file} does not declare domain {name} any more"
                    if is_there
                    else f"{held.file}, which declared domain {name}, is gone"
                )
        return {name: why for name, why in found.items() if name not in now.effective}

    def _check_borrowed(self, now: _Round) -> None:
        """What of others a domain asks for and may not have."""
        asking = {name: self.borrowed[d.file] for name, d in now.accepted.items() if self.borrowed.get(d.file)}
        for name, borrowed in asking.items():
            for error, one, owner in not_shared(now.accepted[name], borrowed, now.effective.values()):
                if owner is None:
                    now.own.append(error)
                elif self._is_claimed_from(name, owner, (one.kind, one.name), now):
                    taken = in_use(now.accepted[owner], (one.kind, one.name), now.accepted[name])
                    now.between.append((taken, frozenset({name})))
                else:
                    now.between.append((error, frozenset({owner})))
        for error, owner in names_taken(now.accepted.values(), now.effective.values()):
            now.between.append((error, frozenset({owner})))

    def _is_claimed_from(self, user: str, owner: str, key: Key, now: _Round) -> bool:
        """Whether an owner declares only now what a domain in force has used before as somebody else's: whoever claims
        the name of a network that everybody uses must not be in everybody's way."""
        held, before = self.in_force.get(user), self.in_force.get(owner)
        if owner not in now.accepted or held is None or held.domain is None or key not in uses(held.domain):
            return False
        had = before.domain if before is not None else None
        return had is None or key not in dict(owned(had))

    def _check_claims(self, now: _Round, rejected: set[str]) -> None:
        wrong = _errors(now.own) | _errors(one for one, _ in now.between)
        claims = Claims(self._called)
        for name, held in self.in_force.items():
            file = now.speaks.get(name)
            declared = now.accepted.get(name)
            if held.domain is None:
                continue
            if declared is None or declared.file != file:
                claims.reserve(held.domain, file or held.file, leaving=file is None)
            elif self._is_changed(declared):
                claims.reserve(declared, declared.file, only=self._had[name])
            else:
                claims.reserve(declared, declared.file)
        newcomers = [domain for domain in self.ordered if domain.name not in self.in_force]
        known = [domain for domain in self.ordered if domain.name in self.in_force]
        for domain in (*known, *newcomers):
            if domain.file in rejected or now.accepted.get(domain.name) is not domain:
                continue
            clashes, own = claims.clashes(domain)
            for error, holder in clashes:
                if holder == domain.name:
                    now.own.append(error)
                else:
                    now.claims.append((error, frozenset({holder})))
            if not clashes and domain.file not in wrong:
                claims.let_in.add(own)

    @cached_property
    def _called(self) -> Mapping[str, set[str]]:
        """The files by their own names, and by those of their domains."""
        found: dict[str, set[str]] = {}
        named = [(domain.name, domain.file) for domain in self.ordered]
        named += [(held.name, held.file) for held in self.in_force.values()]
        named += [(said, file) for file, said in self.broken.items() if said is not None]
        for name, file in (*named, *((stem(file), file) for file in (*self.by_file, *self.broken))):
            found.setdefault(name, set()).add(file)
        return found

    @cached_property
    def _had(self) -> Mapping[str, Table]:
        return {name: table_of(held.domain) for name, held in self.in_force.items() if held.domain is not None}


def _errors(diagnostics: Iterable[Diagnostic]) -> set[str]:
    """The files that have errors."""
    return {one.place.file for one in diagnostics if one.severity == "error"}


def _unsettled(domain: Domain) -> Diagnostic:
    text = (
        f"more than {MOST_ROUNDS} edits stand in one another's way, so that none of them is taken up: correct the"
        " errors of the other files first"
    )
    return Diagnostic(("name",), "Unsettled", text, place=Place(domain.file))
