"""Which chunks can never start as things are declared. Finding that out means following gates from fact to fact: it is
remembered for each domain until something that it follows from has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.controller.known import Known
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.facts import FactRef
from reconciler.intent.model import Chunk, ChunkId
from reconciler.lifecycle import Reason, State
from reconciler.planner.ordering import Standing, unreachable

Stalled = Mapping[ChunkId, tuple[str, ...]]


def waits_for_a_change(record: ChunkRecord) -> bool:
    """Whether what failed is not tried again by itself: it was a verdict on what is declared."""
    given_up = record.reason is Reason.ROLLED_BACK and record.memory.retry_at is None
    return given_up or record.reason is Reason.UPDATE_PAUSED


def stalled_chunks(c: Known, record: DomainRecord) -> Stalled:
    """The chunks of a domain whose gate can come to hold by nothing declared, and the facts at fault."""
    known = c.stalls.get(record.name)
    if known is None or any(c.news.get(domain, 0) != seen for domain, seen in known[0].items()):
        known = c.stalls[record.name] = _found(c, record)
    return known[1]


def is_stalled(c: Known, record: DomainRecord) -> bool:
    """Whether some CPUX of a domain is stalled: none of its chunks executes, and one can never start."""
    if record.wanted is None or record.elsewhere or not c.engine_up:
        return False
    stuck = {id.cpux for id in stalled_chunks(c, record)}
    if not stuck:
        return False
    busy = {id.cpux for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.EXECUTING}
    return bool(stuck - busy)


def _found(c: Known, record: DomainRecord) -> tuple[Mapping[str, int], Stalled]:
    """The same, and of each domain that it follows from how much news there had been."""
    waiting = [id for id, chunk in c.chunks_of(record.name).items() if chunk.state == State.READY]
    domains = {record.name: c.news.get(record.name, 0)}
    if not waiting:
        return domains, {}
    concerned = _concerned(c, waiting, domains)
    standing = {id: Standing(State(c.chunks[id].state), waits_for_a_change(c.chunks[id])) for id in concerned}
    found = unreachable(concerned.values(), c.facts, standing)
    stuck = ((id, found.get(id, ())) for id in waiting)
    return domains, {id: tuple(str(entry.ref) for entry in entries) for id, entries in stuck if entries}


def _concerned(c: Known, waiting: Iterable[ChunkId], domains: dict[str, int]) -> dict[ChunkId, Chunk]:
    """The chunks that wait, and all whose answers they wait for, directly or through others that wait."""
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
            if entry.ref not in asked:
                asked.add(entry.ref)
                domains.setdefault(entry.ref.domain, c.news.get(entry.ref.domain, 0))
                ahead.extend(c.answered_by(entry.ref))
    return found
