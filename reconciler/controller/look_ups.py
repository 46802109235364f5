"""Who waits for whom, who answers what and who has which name: what decisions look up, of all domains together.

It follows from the intents alone. Of domains whose chunks have not changed it is remembered, and all of it is made in
steps: there may be thousands of chunks that ask for thousands of facts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

from reconciler.controller.loop_state import LoopState
from reconciler.controller.work import ENTRIES_A_CHUNK, Steps, in_portions, work_of
from reconciler.facts import TV, FactRef
from reconciler.intent.model import Chunk, ChunkId
from reconciler.intent.names import names_in_networks
from reconciler.intent.settings.references import awaited
from reconciler.intent.writers import written
from reconciler.planner.addresses import fixed
from reconciler.planner.ordering import answerers, needed, needed_first
from reconciler.planner.ports import declared

LISTED_A_CHUNK = 10
"""To go through so many chunks is as much work as to decide about one."""

ASKED_A_CHUNK = 100
"""And so is to look for those who answer so many entries of gates."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What follows from the chunks of one domain. ``asked`` are the domains whose facts its gates need."""

    chunks: tuple[Chunk, ...]
    who: Mapping[FactRef, tuple[ChunkId, ...]]
    asked: frozenset[str]


class LookUps:
    """Remembers what followed from the chunks of each domain."""

    def __init__(self, known: LoopState) -> None:
        self._state = known
        self._parts: dict[str, _Part] = {}
        self._needs: dict[ChunkId, frozenset[ChunkId]] = {}

    def renew(self) -> Steps:
        """Bring the look-ups in line with the intents, step by step; until the last one they stay as they were."""
        known, before = self._state, self._parts
        parts: dict[str, _Part] = {}
        for name, records in list(known.by_domain.items()):
            chunks = tuple(record.last for record in records.values() if record.last is not None)
            part = before.get(name)
            if part is None or not _is_same(part.chunks, chunks):
                part = self._part(chunks)
                yield sum(work_of(chunk) for chunk in chunks) // 4
            parts[name] = part
        who: dict[FactRef, tuple[ChunkId, ...]] = {}
        for part in parts.values():
            who.update(part.who)
            yield len(part.who) // (LISTED_A_CHUNK * ENTRIES_A_CHUNK)
        last = [record.last for record in known.chunks.values() if record.last is not None]
        # Of those who need nobody, who has a fixed address begins before who may be given it.
        last.sort(key=lambda chunk: not fixed(chunk.container))
        much = len(last) // LISTED_A_CHUNK
        yield much
        needs = yield from in_portions(self._all_needs(last, parts, who), ASKED_A_CHUNK)
        ranks = {id: n for n, id in enumerate(needed_first(needs))}
        yield much
        dependents: dict[ChunkId, set[ChunkId]] = {}
        for id, others in needs.items():
            for other in others:
                dependents.setdefault(other, set()).add(id)
        yield much
        desired = [chunk for chunk in last if known.desired(chunk.id) is not None]
        guests_in = _by((chunk, chunk.container.guest_in) for chunk in desired)
        names = names_in_networks(desired)
        yield much
        joining = _by((chunk, chunk.container.networks) for chunk in last)
        writers = _by((chunk, written(chunk.container.settings)) for chunk in last)
        yield much
        made: set[str] = set()
        for record in known.domains.values():
            if record.wanted is not None:
                made.update(f"network:{spec.name}" for spec in record.wanted.networks if not spec.external)
                made.update(f"volume:{spec.name}" for spec in record.wanted.volumes if not spec.external)
        self._parts, self._needs = parts, needs
        known.who, known.needs, known.ranks, known.dependents = who, needs, ranks, dependents
        known.fixed_in = _by((chunk, fixed(chunk.container)) for chunk in last)
        known.port_wanted = _by((chunk, _ports(chunk)) for chunk in last)
        known.guests_in, known.joining, known.writers, known.made = guests_in, joining, writers, frozenset(made)
        if names != known.names:
            known.names = names
            for guests in guests_in.values():
                for guest in guests:
                    known.mark(guest)

    def _part(self, chunks: tuple[Chunk, ...]) -> _Part:
        asked = {entry.ref.domain for chunk in chunks for entry in chunk.gate if entry.wanted.tv is TV.Y}
        return _Part(chunks, answerers(chunks), frozenset(asked))

    def _all_needs(
        self, last: list[Chunk], parts: Mapping[str, _Part], who: Mapping[FactRef, tuple[ChunkId, ...]]
    ) -> Generator[int, None, dict[ChunkId, frozenset[ChunkId]]]:
        """Whom each chunk needs, in this order; each step tells how many entries of gates it was, about."""
        names = {chunk.container.name: chunk.id for chunk in last}
        moved = {name for name in parts.keys() | self._parts.keys() if self._parts.get(name) is not parts.get(name)}
        unmoved = {name for name, part in parts.items() if name not in moved and not part.asked & moved}
        found: dict[ChunkId, frozenset[ChunkId]] = {}
        for chunk in last:
            known = self._needs.get(chunk.id)
            if known is not None and chunk.id.domain in unmoved and not awaited(chunk.container):
                found[chunk.id] = known
                continue
            found[chunk.id] = needed(chunk, who, names)
            yield 5 + len(chunk.gate)
        return found


def _is_same(before: tuple[Chunk, ...], now: tuple[Chunk, ...]) -> bool:
    """By identity: intents never change, and are large."""
    return len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))


def _ports(chunk: Chunk) -> Iterable[str]:
    return (str(port.number) for port in declared(chunk.container.settings))


def _by(chunks: Iterable[tuple[Chunk, Iterable[str]]]) -> dict[str, tuple[ChunkId, ...]]:
    found: dict[str, list[ChunkId]] = {}
    for chunk, keys in chunks:
        for key in dict.fromkeys(keys):
            found.setdefault(key, []).append(chunk.id)
    return {key: tuple(ids) for key, ids in found.items()}
