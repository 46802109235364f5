"""Who depends on whom, by facts and settings: for the order of plans, of removal, and to tell what is stalled. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from reconciler.facts import TV, FactRef, GateEntry, Pnr
from reconciler.intent.model import Chunk, ChunkId, FactsMode
from reconciler.intent.settings.references import awaited
from reconciler.lifecycle import State
from reconciler.planner.answers import affirmed, denied


def answerers(chunks: Iterable[Chunk]) -> dict[FactRef, tuple[ChunkId, ...]]:
    """Which chunks answer each fact."""
    found: dict[FactRef, tuple[ChunkId, ...]] = {}
    for chunk in chunks:
        for key in chunk.flowout:
            ref = chunk.flowout_ref(key)
            found[ref] = (*found.get(ref, ()), chunk.id)
    return found


def dependencies(chunks: Iterable[Chunk]) -> dict[ChunkId, frozenset[ChunkId]]:
    """For each chunk those that its gatekeeper needs to be up (an entry that waits for an N or a U needs nobody), and
    those whose containers its own shares something with or is linked to."""
    chunks = list(chunks)
    who = answerers(chunks)
    names = {chunk.container.name: chunk.id for chunk in chunks}
    found = {}
    for chunk in chunks:
        by_facts = (who.get(entry.ref, ()) for entry in chunk.gate if entry.wanted.tv is TV.Y)
        needs = {other for some in by_facts for other in some}
        needs |= {names[name] for name in awaited(chunk.container) if name in names}
        found[chunk.id] = frozenset(needs - {chunk.id})
    return found


def needed_first(needs: Mapping[ChunkId, Iterable[ChunkId]]) -> list[ChunkId]:
    """An order in which nobody comes before those that they need. Cycles are cut where they begin."""
    order: list[ChunkId] = []
    seen: set[ChunkId] = set()
    for id in needs:
        stack: list[tuple[ChunkId, bool]] = [(id, False)]
        while stack:
            at, done = stack.pop()
            if done:
                order.append(at)
                continue
            if at in seen:
                continue
            seen.add(at)
            stack.append((at, True))
            stack.extend((need, False) for need in sorted(needs.get(at, ())) if need not in seen)
    return order


def dependents_first(chunks: Iterable[Chunk]) -> list[ChunkId]:
    """An order for removal: nobody goes before those that depend on it."""
    return list(reversed(needed_first(dependencies(chunks))))


def dependents_of(target: ChunkId, chunks: Iterable[Chunk]) -> frozenset[ChunkId]:
    """Those that directly depend on ``target``."""
    return frozenset(id for id, needs in dependencies(chunks).items() if target in needs)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a chunk when looking for stalls. ``final``: it will not try again by itself."""

    state: State
    final: bool = False


def unreachable(
    chunks: Iterable[Chunk], facts: Mapping[FactRef, Pnr], standing: Mapping[ChunkId, Standing]
) -> dict[ChunkId, tuple[GateEntry, ...]]:
    """The waiting chunks whose gate can come to hold by nothing that is declared, with the entries at fault.

    Optimistic: a chunk that executes, or that will try again, may come to give any of its answers. What a completed
    chunk answers stays as it is; what it has not answered yet, as after a start of the program, it may. A chunk that
    waits may answer only once its own gate can be reached.
    """
    chunks = list(chunks)
    possible: dict[FactRef, list[Pnr]] = {ref: [fact] for ref, fact in facts.items()}
    anything: set[FactRef] = set()
    waiting: dict[ChunkId, Chunk] = {}
    for chunk in chunks:
        now = standing.get(chunk.id, Standing(State.READY))
        if now.state in (State.EXECUTING, State.FAILED) and not now.final:
            _add(chunk, chunk.flowout, possible, anything)
        elif now.state is State.COMPLETED:
            _add(chunk, _not_answered(chunk, facts), possible, anything)
        elif now.state is State.READY:
            waiting[chunk.id] = chunk
    changed = True
    while changed:
        changed = False
        for id, chunk in list(waiting.items()):
            if not _unreached(chunk, possible, anything):
                del waiting[id]
                _add(chunk, chunk.flowout, possible, anything)
                changed = True
    return {id: _unreached(chunk, possible, anything) for id, chunk in waiting.items()}


def _not_answered(chunk: Chunk, facts: Mapping[FactRef, Pnr]) -> list[str]:
    """The facts that a chunk is to answer and has not since the program started."""
    found = {key: facts.get(chunk.flowout_ref(key)) for key in chunk.flowout}
    return [key for key, fact in found.items() if fact is None or fact.tv is TV.U]


def _add(chunk: Chunk, keys: Iterable[str], possible: dict[FactRef, list[Pnr]], anything: set[FactRef]) -> None:
    for key in keys:
        ref = chunk.flowout_ref(key)
        if chunk.facts is not FactsMode.NONE:
            anything.add(ref)
        possible.setdefault(ref, []).extend((affirmed(chunk, key), denied(chunk, key)))


def _unreached(chunk: Chunk, possible: Mapping[FactRef, list[Pnr]], anything: Set[FactRef]) -> tuple[GateEntry, ...]:
    return tuple(
        entry
        for entry in chunk.gate
        if entry.ref not in anything
        and not any(entry.holds(fact) for fact in possible.get(entry.ref, [Pnr("", (), TV.U)]))
    )
