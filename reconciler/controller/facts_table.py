"""The one table of facts, and who must be told when one changes. Owned by the loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.controller.records import FactState
from reconciler.facts import UNKNOWN, FactRef, Pnr
from reconciler.intent.model import Chunk, ChunkId


class FactsTable(Mapping[FactRef, Pnr]):
    """Facts by their full name. As a mapping it gives the facts as they stand; a fact not in it is U."""

    def __init__(self) -> None:
        self._states: dict[FactRef, FactState] = {}
        self._of: dict[str, dict[FactRef, FactState]] = {}
        self._order: dict[str, list[FactRef]] = {}
        self._askers: dict[FactRef, set[ChunkId]] = {}

    def __getitem__(self, ref: FactRef) -> Pnr:
        return self._states[ref].fact

    def get(self, ref: FactRef, default: Any = None) -> Any:
        """As mappings do; asked tens of thousands of times in a row."""
        state = self._states.get(ref)
        return state.fact if state is not None else default

    def among(self, refs: Iterable[FactRef]) -> dict[FactRef, Pnr]:
        """Those of these that are in the table, as they are now."""
        found = ((ref, self._states.get(ref)) for ref in refs)
        return {ref: state.fact for ref, state in found if state is not None}

    def __iter__(self) -> Iterator[FactRef]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def state(self, ref: FactRef) -> FactState | None:
        """The fact with its time and who answered it."""
        return self._states.get(ref)

    def of(self, domain: str) -> Mapping[FactRef, FactState]:
        """Those of a domain."""
        return self._of.get(domain, {})

    def in_order(self, domain: str) -> Iterator[tuple[FactRef, FactState]]:
        """Those of a domain that it has now, in the order of their names; of each as it is when its turn comes."""
        of = self._of.get(domain, {})
        order = self._order.get(domain)
        if order is None:
            order = self._order[domain] = sorted(of)  # by CPUX and key, as they are of one domain
        return ((ref, of[ref]) for ref in order if ref in of)

    def answer(self, ref: FactRef, fact: Pnr, *, by: str, at: datetime) -> FactState | None:
        """Put an answer in the table; gives what stood there before, or None when nothing changes."""
        before = self._states.get(ref)
        if before is not None and (before.fact is fact or before.fact == fact):
            return None
        if before is None:
            self._order.pop(ref.domain, None)
        self._states[ref] = self._of.setdefault(ref.domain, {})[ref] = FactState(fact, at, by)
        return before or FactState(UNKNOWN, at, "")

    def forget(self, ref: FactRef) -> None:
        """Nobody declares this fact any more."""
        if self._states.pop(ref, None) is not None:
            del self._of[ref.domain][ref]
            self._order.pop(ref.domain, None)

    def askers(self, ref: FactRef) -> Iterable[ChunkId]:
        """The chunks whose gatekeeper or flowin names the fact."""
        return self._askers.get(ref, ())

    def register(self, chunk: Chunk) -> None:
        """A chunk wants to know about the facts of its gate."""
        for ref in (*(entry.ref for entry in chunk.gate), *chunk.flowin.values()):
            self._askers.setdefault(ref, set()).add(chunk.id)

    def unregister(self, chunk: Chunk) -> None:
        """It no longer does."""
        for ref in (*(entry.ref for entry in chunk.gate), *chunk.flowin.values()):
            askers = self._askers.get(ref)
            if askers is not None:
                askers.discard(chunk.id)
                if not askers:
                    del self._askers[ref]
