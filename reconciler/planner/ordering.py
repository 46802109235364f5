"""Who depends on whom, by facts and settings: for the order of plans, of removal, and to tell what is stalled. Pure."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass

from reconciler.facts import TV, FactRef, GateEntry, Pnr
from reconciler.intent.model import Chunk, ChunkId, FactsMode
from reconciler.intent.settings.references import awaited
from reconciler.planner.answers import affirmed, denied
from reconciler.states import State


def answerers(chunks: Iterable[Chunk]) -> dict[FactRef, tuple[ChunkId, ...]]:
    """Which chunks answer each fact."""
    found: dict[FactRef, list[ChunkId]] = {}
    for chunk in chunks:
        for key in chunk.flowout:
            found.setdefault(chunk.flowout_ref(key), []).append(chunk.id)
    alike: dict[tuple[ChunkId, ...], tuple[ChunkId, ...]] = {}  # most facts of a chunk are answered by the same copies
    return {ref: alike.setdefault(ids, ids) for ref, ids in ((ref, tuple(ids)) for ref, ids in found.items())}


def dependencies(chunks: Iterable[Chunk]) -> dict[ChunkId, frozenset[ChunkId]]:
    """For each chunk those that its gatekeeper needs to be up (an entry that waits for an N or a U needs nobody), and
    those whose containers its own shares something with or is linked to."""
    chunks = list(chunks)
    who = answerers(chunks)
    names = {chunk.container.name: chunk.id for chunk in chunks}
    return {chunk.id: needed(chunk, who, names) for chunk in chunks}


def needed(chunk: Chunk, who: Mapping[FactRef, Iterable[ChunkId]], names: Mapping[str, ChunkId]) -> frozenset[ChunkId]:
    """The same of one chunk. ``who`` answers each fact, and whose container has which of the ``names``."""
    answerers = (who.get(entry.ref, ()) for entry in chunk.gate if entry.wanted.tv is TV.Y)
    needs = {other for some in {id(some): some for some in answerers}.values() for other in some}
    needs.update(names[name] for name in awaited(chunk.container) if name in names)
    needs.discard(chunk.id)
    return frozenset(needs)


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a chunk when looking for stalls. ``final``: it will not try again by itself."""

    state: State
    final: bool = False


def unreachable_in_steps(
    chunks: Iterable[Chunk], facts: Mapping[FactRef, Pnr], standing: Mapping[ChunkId, Standing]
) -> Generator[int, None, dict[ChunkId, tuple[GateEntry, ...]]]:
    """The waiting chunks whose gate can come to hold by nothing that is declared, with the entries at fault; found step
    by step, each of which tells how many facts and entries were looked at.

    Optimistic: a chunk that executes, or that will try again, may come to give any of its answers. What a completed
    chunk answers stays as it is; what it has not answered yet, as after a start of the program, it may. A chunk that
    waits may answer only once its own gate can be reached.
    """
    prospect = _Prospect(facts)
    waiting: list[Chunk] = []
    for chunk in chunks:
        now = standing.get(chunk.id, Standing(State.READY))
        if now.state in (State.EXECUTING, State.FAILED) and not now.final:
            yield from prospect.may_give(chunk, chunk.flowout)
        elif now.state is State.COMPLETED:
            yield len(chunk.flowout)
            yield from prospect.may_give(chunk, _not_answered(chunk, facts))
        elif now.state is State.READY:
            waiting.append(chunk)
    for chunk in waiting:
        yield from prospect.waits(chunk)
    while prospect.open:
        chunk = prospect.open.pop()
        yield from prospect.may_give(chunk, chunk.flowout)
    left = prospect.never_open()
    return {
        chunk.id: tuple(entry for entry in chunk.gate if not prospect.can_hold(entry))
        for chunk in waiting
        if chunk.id in left
    }


def _not_answered(chunk: Chunk, facts: Mapping[FactRef, Pnr]) -> list[str]:
    """The facts that a chunk is to answer and has not since the program started."""
    found = {key: facts.get(chunk.flowout_ref(key)) for key in chunk.flowout}
    return [key for key, fact in found.items() if fact is None or fact.tv is TV.U]


A_STEP = 200
_NOBODY_KNOWS = Pnr("", (), TV.U)


class _Prospect:
    """What facts may come to be. Each entry of a gate is looked at when it is met, and when its fact may come to be
    something else: what hundreds of chunks wait for in a row is found out in one go along it."""

    def __init__(self, facts: Mapping[FactRef, Pnr]) -> None:
        self._facts = facts
        self._givers: dict[FactRef, list[Chunk]] = {}
        self._shut: dict[FactRef, list[tuple[Chunk, GateEntry]]] = {}
        self._left: dict[ChunkId, int] = {}
        self.open: list[Chunk] = []

    def may_give(self, chunk: Chunk, keys: Collection[str]) -> Generator[int, None, None]:
        """A chunk may come to answer these facts of its own, with a yes or a no."""
        domain, cpux = chunk.id.domain, chunk.id.cpux
        for number, key in enumerate(keys):
            if number % A_STEP == 0:
                yield min(A_STEP, len(keys) - number)
            ref = FactRef(domain, cpux, key)
            givers = self._givers.setdefault(ref, [])
            if givers and givers[-1].id.chunk == chunk.id.chunk:
                continue  # equal copies give the same
            givers.append(chunk)
            shut = self._shut.get(ref)
            if not shut:
                continue
            self._shut[ref] = []
            for waiting, entry in shut:
                if _may_meet(chunk, key, entry):
                    self._left[waiting.id] -= 1
                    if not self._left[waiting.id]:
                        self.open.append(waiting)
                else:
                    self._shut[ref].append((waiting, entry))

    def waits(self, chunk: Chunk) -> Generator[int, None, None]:
        """A chunk waits for its gate."""
        left = 0
        for number, entry in enumerate(chunk.gate):
            if number % A_STEP == 0:
                yield min(A_STEP, len(chunk.gate) - number)
            if not self.can_hold(entry):
                left += 1
                self._shut.setdefault(entry.ref, []).append((chunk, entry))
        self._left[chunk.id] = left
        if not left:
            self.open.append(chunk)

    def never_open(self) -> set[ChunkId]:
        """Those of who waits whose gate can come to hold by nothing, once all that are ``open`` have given theirs."""
        return {id for id, left in self._left.items() if left}

    def can_hold(self, entry: GateEntry) -> bool:
        """Whether an entry of a gate holds, or may come to."""
        ref = entry.ref
        fact, givers = self._facts.get(ref), self._givers.get(ref)
        if not givers:
            return entry.holds(fact if fact is not None else _NOBODY_KNOWS)
        if fact is not None and entry.holds(fact):
            return True
        return any(_may_meet(giver, ref.key, entry) for giver in givers)


def _may_meet(chunk: Chunk, key: str, entry: GateEntry) -> bool:
    """Whether what a chunk may answer is what an entry of a gate wants. What it says itself can be anything."""
    if chunk.facts is not FactsMode.NONE:
        return True
    return entry.holds(affirmed(chunk, key)) or entry.holds(denied(chunk, key))
