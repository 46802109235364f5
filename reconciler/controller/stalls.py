"""Which chunks can never start as things are declared. Finding that out means following gates from fact to fact: it is
remembered for each domain until something that it follows from has changed."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.controller.work import in_portions
from reconciler.facts import FactRef
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner.ordering import A_STEP, Standing, unreachable_in_steps
from reconciler.states import Reason, State

TRIES = 3
LOOKED_AT_A_CHUNK = 80
"""To look at so many facts is as much work as to decide about a chunk."""

Stalled = Mapping[ChunkId, tuple[str, ...]]


def waits_for_a_change(record: ChunkRecord) -> bool:
    """Whether what failed is not tried again by itself: it was a verdict on what is declared."""
    given_up = record.reason is Reason.ROLLED_BACK and tried_again_at(record) is None
    return given_up or record.reason is Reason.UPDATE_PAUSED


def tried_again_at(record: ChunkRecord) -> float | None:
    """When what was rolled back is tried again by itself."""
    m = record.memory
    moments = (m.retry_at, *(one.not_before for one in m.kept if one.failure))
    return min((at for at in moments if at is not None), default=None)


def stalled_chunks(c: LoopState, record: DomainRecord) -> Generator[int, None, Stalled]:
    """The chunks of a domain whose gate can come to hold by nothing declared, and the facts at fault: as things stood
    when it was begun to find that out, which takes several steps."""
    known = c.stalls.get(record.name)
    if known is None or any(c.news.get(domain, 0) != seen for domain, seen in known[0].items()):
        known = yield from _found(c, record)
        c.stalls[record.name] = known
    return known[1]


def is_stalled(c: LoopState, record: DomainRecord, stalled: Stalled) -> bool:
    """Whether some CPUX of a domain is stalled: none of its chunks executes, and one can never start."""
    if not stalled or record.wanted is None or record.elsewhere or not c.engine_up:
        return False
    busy = {id.cpux for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.EXECUTING}
    return bool({id.cpux for id in stalled} - busy)


def _found(c: LoopState, record: DomainRecord) -> Generator[int, None, tuple[Mapping[str, int], Stalled]]:
    """The same, and of each domain that it follows from how much news there had been."""
    for _ in range(TRIES):
        search = _Search(c, record)
        yield from in_portions(search.steps(), LOOKED_AT_A_CHUNK)
        if search.is_of_now():
            break
    else:
        search = _Search(c, record)  # there is news all the time: in one go
        for _ in search.steps():
            pass
    standing = {
        id: Standing(State(known.state), waits_for_a_change(known))
        for id in search.chunks
        if (known := c.chunks.get(id)) is not None
    }
    facts = c.facts.among(search.facts)
    yield len(facts) // LOOKED_AT_A_CHUNK
    looking = unreachable_in_steps(search.chunks.values(), facts, standing)
    found = yield from in_portions(looking, LOOKED_AT_A_CHUNK)
    stuck = ((id, found.get(id, ())) for id in search.waiting)
    return search.domains, {id: tuple(str(entry.ref) for entry in entries) for id, entries in stuck if entries}


class _Search:
    """Looks for the chunks of a domain that are ``waiting``, for all ``chunks`` whose answers these wait for, directly
    or through others that wait, and for the ``facts`` that this is about."""

    def __init__(self, c: LoopState, record: DomainRecord) -> None:
        ready = (id for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.READY)
        self._c = c
        self.waiting = [id for id in ready if (chunk := c.desired(id)) is not None and chunk.gate]
        self.domains = {record.name: c.news.get(record.name, 0)}
        self.chunks: dict[ChunkId, Chunk] = {}
        self.facts: set[FactRef] = set()

    def is_of_now(self) -> bool:
        """Whether nothing has changed since it was begun."""
        return all(self._c.news.get(domain, 0) == seen for domain, seen in self.domains.items())

    def steps(self) -> Generator[int, None, None]:
        """Each tells how many facts were looked at."""
        c, asked = self._c, set[FactRef]()
        ahead = list(self.waiting)
        while ahead:
            id = ahead.pop()
            chunk, known = c.desired(id), c.chunks.get(id)
            if chunk is None or known is None or id in self.chunks:
                continue
            self.chunks[id] = chunk
            for number, key in enumerate(chunk.flowout):
                if number % A_STEP == 0:
                    yield min(A_STEP, len(chunk.flowout) - number)
                self.facts.add(FactRef(id.domain, id.cpux, key))
            gate = chunk.gate if known.state == State.READY else ()
            for number, entry in enumerate(gate):
                if number % A_STEP == 0:
                    yield min(A_STEP, len(gate) - number)
                ref = entry.ref
                if ref not in asked:
                    asked.add(ref)
                    if ref.domain not in self.domains:
                        self.domains[ref.domain] = c.news.get(ref.domain, 0)
                    ahead.extend(other for other in c.answered_by(ref) if other not in self.chunks)
        self.facts |= asked
