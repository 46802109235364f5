"""Makes a plan of what was done: who comes after whom is said as far as it has to be so, and no further. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.daemon.rehearsal.engine import Done
from reconciler.daemon.rehearsal.touches import How, are_in_turn
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import Plan, Step


@dataclass
class Piece:
    """Work on one object. ``about`` is the chunk or the domain, ``begun_at`` how many actions were done as it began,
    ``done`` its own by their places among all."""

    about: ChunkId | str
    begun_at: int
    causes: list[str] = field(default_factory=list)
    done: list[int] = field(default_factory=list)


def plan_of(
    done: Sequence[Done],
    pieces: Sequence[Piece],
    needs: Mapping[ChunkId, Collection[ChunkId]],
    leaving: Collection[ChunkId],
) -> Plan:
    """The plan. ``needs`` says which chunks one needs; the dependents of one that is ``leaving`` go before it."""
    after, related = _by_touch(done), _Related(pieces, needs, leaving)
    for piece in pieces:
        for one, following in zip(piece.done, piece.done[1:], strict=False):
            after[following].add(one)
        if piece.done:
            after[piece.done[0]] |= related.before(piece)
    places = _in_order(after, pieces)
    reduced = _reduced(after)
    numbers = {place: number for number, place in enumerate(places, 1)}
    told = {
        place: (piece.about, cause) for piece in pieces for place, cause in zip(piece.done, piece.causes, strict=True)
    }
    steps = []
    for place in places:
        about, cause = told[place]
        needed = tuple(sorted(numbers[before] for before in reduced[place]))
        steps.append(Step(numbers[place], str(about), done[place].action, cause, needed))
    return Plan(tuple(steps))


def _by_touch(done: Sequence[Done]) -> list[set[int]]:
    """Those of the earlier ones that each has to come after, for what both have to do with."""
    after: list[set[int]] = [set() for _ in done]
    earlier: dict[str, list[tuple[int, How]]] = {}
    for place, one in enumerate(done):
        for thing, how in one.touches:
            for before, its in earlier.get(thing, ()):
                if are_in_turn([(thing, how)], [(thing, its)]):
                    after[place].add(before)
        for thing, how in one.touches:
            if how is How.CHANGES:
                earlier[thing] = []  # whoever came before comes before this one
            earlier.setdefault(thing, []).append((place, how))
    return after


class _Related:
    """The pieces of work that others may have to wait for, by whom they are about."""

    def __init__(
        self, pieces: Sequence[Piece], needs: Mapping[ChunkId, Collection[ChunkId]], leaving: Collection[ChunkId]
    ) -> None:
        self._needs = needs
        self._leaving = leaving
        self._about: dict[ChunkId | str, list[Piece]] = {}
        self._copies: dict[tuple[str, str, str], set[ChunkId]] = {}
        self._dependents: dict[ChunkId, set[ChunkId]] = {}
        for piece in pieces:
            self._about.setdefault(piece.about, []).append(piece)
            if isinstance(piece.about, ChunkId):
                self._copies.setdefault(_unit(piece.about), set()).add(piece.about)
        for id, needed in needs.items():
            for one in needed:
                self._dependents.setdefault(one, set()).add(id)

    def before(self, piece: Piece) -> set[int]:
        """The last steps of the work that was over as this one began and that it had to wait for."""
        others = [other for about in self._waited_for(piece.about) for other in self._about.get(about, ())]
        return {other.done[-1] for other in others if other.done and other.done[-1] < piece.begun_at}

    def _waited_for(self, about: ChunkId | str) -> Collection[ChunkId | str]:
        if isinstance(about, str):
            return {about}
        if about in self._leaving:
            return {about, *self._dependents.get(about, ())}
        return {about, *self._copies[_unit(about)], *self._needs.get(about, ())}


def _unit(id: ChunkId) -> tuple[str, str, str]:
    return id.domain, id.cpux, id.chunk


def _in_order(after: Sequence[Collection[int]], pieces: Sequence[Piece]) -> list[int]:
    """An order in which all can be done, with the steps of one piece together as far as that goes."""
    order: list[int] = []
    seen: set[int] = set()
    for piece in sorted((piece for piece in pieces if piece.done), key=lambda piece: piece.done[0]):
        for place in piece.done:
            stack = [(place, False)]
            while stack:
                at, is_ready = stack.pop()
                if is_ready:
                    order.append(at)
                elif at not in seen:
                    seen.add(at)
                    stack.append((at, True))
                    stack.extend((before, False) for before in sorted(after[at], reverse=True) if before not in seen)
    return order


def _reduced(after: Sequence[set[int]]) -> list[set[int]]:
    """The same without what follows from the rest."""
    implied: list[int] = []  # as bits: where there are thousands, sets would be too large
    reduced = []
    for before in after:
        further = 0
        for one in before:
            further |= implied[one]
        reduced.append({one for one in before if not further >> one & 1})
        implied.append(further | sum(1 << one for one in before))
    return reduced
