"""Which chunks can never start as things are declared. Finding that out means following gates from fact to fact: it is
remembered for each domain until something that it follows from has changed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping

from reconciler.controller.known import Known
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.controller.work import in_portions
from reconciler.facts import FactRef
from reconciler.intent.model import Chunk, ChunkId
from reconciler.lifecycle import Reason, State
from reconciler.planner.ordering import Standing, unreachable_in_steps

LOOKED_AT_A_CHUNK = 200
"""To look at so many facts is as much work as to decide about a chunk."""

Stalled = Mapping[ChunkId, tuple[str, ...]]


def waits_for_a_change(record: ChunkRecord) -> bool:
    """Whether what failed is not tried again by itself: it was a verdict on what is declared."""
    given_up = record.reason is Reason.ROLLED_BACK and record.memory.retry_at is None
    return given_up or record.reason is Reason.UPDATE_PAUSED


def stalled_chunks(c: Known, record: DomainRecord) -> Generator[int, None, Stalled]:
    """The chunks of a domain whose gate can come to hold by nothing declared, and the facts at fault: as things stood
    when it was begun to find that out, which takes several steps."""
    known = c.stalls.get(record.name)
    if known is None or any(c.news.get(domain, 0) != seen for domain, seen in known[0].items()):
        known = yield from _found(c, record)
        c.stalls[record.name] = known
    return known[1]


def is_stalled(c: Known, record: DomainRecord, stalled: Stalled) -> bool:
    """Whether some CPUX of a domain is stalled: none of its chunks executes, and one can never start."""
    if not stalled or record.wanted is None or record.elsewhere or not c.engine_up:
        return False
    busy = {id.cpux for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.EXECUTING}
    return bool({id.cpux for id in stalled} - busy)


def _found(c: Known, record: DomainRecord) -> Generator[int, None, tuple[Mapping[str, int], Stalled]]:
    """The same, and of each domain that it follows from how much news there had been."""
    waiting = [id for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.READY]
    domains = {record.name: c.news.get(record.name, 0)}
    if not waiting:
        return domains, {}
    concerned, asked = _concerned(c, waiting, domains)
    standing = {id: Standing(State(c.chunks[id].state), waits_for_a_change(c.chunks[id])) for id in concerned}
    given = {chunk.flowout_ref(key) for chunk in concerned.values() for key in chunk.flowout}
    facts = {ref: c.facts[ref] for ref in asked | given if ref in c.facts}
    yield (len(asked) + len(given)) // LOOKED_AT_A_CHUNK
    found = yield from in_portions(unreachable_in_steps(concerned.values(), facts, standing), LOOKED_AT_A_CHUNK)
    stuck = ((id, found.get(id, ())) for id in waiting)
    return domains, {id: tuple(str(entry.ref) for entry in entries) for id, entries in stuck if entries}


def _concerned(
    c: Known, waiting: Iterable[ChunkId], domains: dict[str, int]
) -> tuple[dict[ChunkId, Chunk], set[FactRef]]:
    """The chunks that wait, and all whose answers they wait for, directly or through others that wait; and which facts
    these are."""
    found: dict[ChunkId, Chunk] = {}
    asked: set[FactRef] = set()
    ahead = list(waiting)
    while ahead:
        id = ahead.pop()
        chunk, known = c.desired(id), c.chunks.get(id)
        if chunk is None or known is None or id in found:
            continue
        found[id] = chunk
        for entry in chunk.gate if known.state == State.READY else ():
            ref = entry.ref
            if ref not in asked:
                asked.add(ref)
                if ref.domain not in domains:
                    domains[ref.domain] = c.news.get(ref.domain, 0)
                ahead.extend(other for other in c.answered_by(ref) if other not in found)
    return found, asked
