"""What the facts of all domains can come to be, and so which gates can come to hold, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.facts import SYSTEM_READY, TV, UNKNOWN, FactRef, GateEntry, Pnr
from reconciler.intent.model import Chunk, ChunkId, Domain, FactsMode
from reconciler.intent.settings.faults import shown
from reconciler.intent.settings.references import awaited

_MOST_COMPARED = 500
"""Among more names than these the nearest is not looked for: it would take longer than all else."""
_NO = ("no",)
_YES = ("yes",)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chunk with the entry of its gatekeeper that keeps it waiting, or the setting that names another's container."""

    chunk: Chunk
    why: GateEntry | str


@dataclass(frozen=True, slots=True)
class GateBook:
    """All declared facts: how each stands at the start, and who answers it.

    ``keys`` holds, by domain and CPUX, the keys that somebody declares. Of two chunks that answer one fact (which
    is an error in itself) the first counts.
    """

    start: Mapping[FactRef, Pnr]
    answerer: Mapping[FactRef, Chunk]
    keys: Mapping[str, Mapping[str, frozenset[str]]]

    @classmethod
    def of(cls, domains: Iterable[Domain]) -> GateBook:
        """Write down what ``domains`` declare."""
        start: dict[FactRef, Pnr] = {}
        answerer: dict[FactRef, Chunk] = {}
        keys: dict[str, dict[str, frozenset[str]]] = {}
        for domain in domains:
            scopes = keys.setdefault(domain.name, {})
            for cpux in domain.cpuxs:
                start |= {FactRef(domain.name, cpux.name, key): fact for key, fact in cpux.rt_state.items()}
                found = set(cpux.rt_state)
                for chunk in cpux.chunks:
                    found |= set(chunk.flowout)
                    for key in chunk.flowout:
                        answerer.setdefault(chunk.flowout_ref(key), chunk)
                scopes[cpux.name] = frozenset(found)
        return cls(start, answerer, keys)

    def is_foreign(self, ref: FactRef) -> bool:
        """Whether the fact belongs to a domain that is not there, so that nothing can be said of it."""
        return ref != SYSTEM_READY and ref.domain not in self.keys

    def why_unknown(self, ref: FactRef, *, hint: bool = True) -> str | None:
        """Why nobody declares the fact; None when somebody does. ``hint``: name the nearest that is declared, which
        takes a while where there are thousands."""
        if ref == SYSTEM_READY:
            return None
        scopes = self.keys.get(ref.domain, {})
        if ref.cpux not in scopes:
            near = _nearest(ref.cpux, scopes) if hint else ""
            return f"there is no CPUX {ref.cpux} in domain {ref.domain}{near}"
        if ref.key in scopes[ref.cpux]:
            return None
        near = (_elsewhere(ref, scopes) or _nearest(ref.key, scopes[ref.cpux])) if hint else ""
        return f"no chunk and no rt_state of CPUX {ref.cpux} answers {ref.key}{near}"

    def why_never(self, entry: GateEntry) -> str | None:
        """Why the entry can never hold although its fact is declared; None when it can."""
        if self.holds_at_start(entry):
            return None
        answerer = self.answerer.get(entry.ref)
        if answerer is not None and _can_satisfy(answerer, entry):
            return None
        possible = [self.start[entry.ref]] if entry.ref in self.start else []
        who = "rt_state"
        if entry.ref == SYSTEM_READY:
            possible, who = list(_SYSTEM_ANSWERS), "pnr"
        if answerer is not None:
            possible += _answers(answerer, entry.ref.key) or ()
            who = answerer.id.chunk
        if any(entry.holds(fact) for fact in possible):
            return None
        told = ", ".join(dict.fromkeys(_told(fact) for fact in possible))
        return f"{entry.ref.key} can never be {_told(entry.wanted)}: {who} answers {told}"

    def holds_at_start(self, entry: GateEntry) -> bool:
        """Whether the entry holds before any chunk has done anything."""
        return entry.holds(self.start.get(entry.ref, UNKNOWN))

    def waits_for(self, entry: GateEntry) -> Chunk | None:
        """The chunk that must have started before the entry can hold; None when it needs no chunk."""
        if self.holds_at_start(entry):
            return None
        answerer = self.answerer.get(entry.ref)
        return answerer if answerer is not None and _can_satisfy(answerer, entry) else None


_SYSTEM_ANSWERS = (Pnr("", _YES, TV.Y), Pnr("", _NO, TV.N))


def find_cycles(book: GateBook, chunks: Sequence[Chunk]) -> list[list[Waiting]]:
    """The cycles of chunks that each need another's answer or container first, one for each knot of them.

    In a cycle each chunk waits for the following one, and the last for the first.
    """
    names = {chunk.container.name: chunk.id for chunk in chunks}
    edges: dict[ChunkId, list[tuple[GateEntry | str, ChunkId]]] = {
        chunk.id: [
            *((entry, needed.id) for entry in chunk.gate if (needed := book.waits_for(entry)) is not None),
            *((setting, names[name]) for name, setting in awaited(chunk.container).items() if name in names),
        ]
        for chunk in chunks
    }
    by_id = {chunk.id: chunk for chunk in chunks}
    cycles: list[list[Waiting]] = []
    done: set[ChunkId] = set()
    told: set[ChunkId] = set()
    for chunk in chunks:
        root = chunk.id
        if root in done:
            continue
        # Depth first, with a stack of our own: a chain of chunks may be longer than Python's.
        trail: dict[ChunkId, GateEntry | str | None] = {root: None}
        stack = [(root, iter(edges[root]))]
        while stack:
            at, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                trail.pop(at)
                done.add(at)
                continue
            why, onward = step
            if onward in trail:
                if onward not in told and at not in told:
                    trail[at] = why
                    ring = _from(onward, trail, by_id)
                    told |= {waiting.chunk.id for waiting in ring}
                    cycles.append(ring)
            elif onward not in done and onward in edges:
                trail[at] = why
                trail[onward] = None
                stack.append((onward, iter(edges[onward])))
    return cycles


def _from(
    first: ChunkId, trail: Mapping[ChunkId, GateEntry | str | None], by_id: Mapping[ChunkId, Chunk]
) -> list[Waiting]:
    ids = list(trail)
    ring = ids[ids.index(first) :]
    return [Waiting(by_id[at], why) for at in ring if (why := trail[at]) is not None]


def _can_satisfy(chunk: Chunk, entry: GateEntry) -> bool:
    possible = _answers(chunk, entry.ref.key)
    return possible is None or any(entry.holds(fact) for fact in possible)


def _answers(chunk: Chunk, key: str) -> tuple[Pnr, ...] | None:
    """The ways in which a chunk can answer one of its flowout facts; None for "in any way"."""
    if chunk.facts is not FactsMode.NONE:
        return None
    mapped = () if chunk.health is None else (*chunk.health.on_success, *chunk.health.on_failure)
    declared = chunk.flowout[key]
    answers = (declared, *(answer.fact for answer in mapped if answer.key == key))
    return (*answers, Pnr(declared.prompt, _NO, TV.N), Pnr(declared.prompt, (), TV.U))


def _told(fact: Pnr) -> str:
    responses = ", ".join(shown(response) for response in fact.response[:3])
    return f"{fact.tv} ({responses})" if responses else str(fact.tv)


def _nearest(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word[:80], known, n=1) if len(known) <= _MOST_COMPARED else ()
    return f"; did you mean {close[0]}?" if close else ""


def _elsewhere(ref: FactRef, scopes: Mapping[str, frozenset[str]]) -> str:
    for cpux, keys in scopes.items():
        if ref.key in keys:
            return f"; did you mean {cpux}/{ref.key}?"
    return ""
