"""Finds out whom a chunk waits for that is to have a port of the host. Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.controller.loop_state import LoopState
from reconciler.facts import TV, missing
from reconciler.intent.claims import Port
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner import ports
from reconciler.planner.compare import is_made_from
from reconciler.planner.observed import Condition, Container
from reconciler.planner.ports import Exchange, Party
from reconciler.planner.retry_state import is_held_off
from reconciler.planner.situation import ALIVE
from reconciler.sentences import advised
from reconciler.states import Reason

_WAITS = (Exchange.BEHIND, Exchange.MADE, Exchange.OFF)


class PortPassing:
    """See the module's text."""

    def __init__(self, known: LoopState) -> None:
        self._state = known

    def of(self, id: ChunkId, chunk: Chunk | None) -> tuple[Exchange, tuple[str, tuple[Reason, str] | None] | None]:
        """What the chunk is to do for the sake of ports, and what it waits for, with the failure that this is where the
        port does not come free by itself."""
        if chunk is None:
            return Exchange.NONE, None
        holders = list(self._holders(id, chunk))
        waiting = self._waiting(id)
        if not holders and not waiting:
            return Exchange.NONE, None
        found: dict[ChunkId, Party] = {}

        def party(of: ChunkId) -> Party:
            if of not in found:
                found[of] = self._party(of)
            return found[of]

        now = ports.exchange(id, party, waiting)
        if not holders or now not in _WAITS:
            return now, None
        return now, next((told for told in map(self._told, holders) if told[1] is not None), self._told(holders[0]))

    def _holders(self, id: ChunkId, chunk: Chunk) -> Iterator[tuple[Container, Port]]:
        """The containers of other chunks that have a port which the chunk is to have, and are to give it up."""
        if not chunk.container.settings.get("ports"):
            return
        for port in ports.lacking(chunk, self._state.world.of(id)):
            for c in self._state.world.publishing(port.number):
                owner = c.owner
                domain = self._state.domains.get(owner.domain) if owner is not None else None
                if owner is None or owner == id or domain is None or domain.unknown:
                    continue
                if c.condition not in ALIVE or not any(ports.meet(port, its) for its in ports.held(c)):
                    continue
                is_leaving = domain.missed_at is not None or ports.is_given_up(c, port, self._state.desired(owner))
                if is_leaving:
                    yield c, port

    def _waiting(self, id: ChunkId) -> list[ChunkId]:
        """Those who wait for a port that a container of the chunk has."""
        numbers = {port.number for c in self._state.world.of(id) for port in ports.held(c)}
        others = {other for number in numbers for other in self._state.port_wanted.get(str(number), ()) if other != id}
        return [other for other in others if id in self._party(other).holders]

    def _party(self, id: ChunkId) -> Party:
        chunk, record = self._state.desired(id), self._state.chunks.get(id)
        if chunk is None or record is None:
            return Party(is_going=True)
        own, left = self._state.world.of(id), {one.id for one in record.memory.leftovers}
        made = any(c.condition is Condition.CREATED and is_made_from(c, chunk) and c.id not in left for c in own)
        lacking = missing(chunk.gate, self._state.facts)
        needed = [self._state.answered_by(entry.ref) if entry.wanted.tv is TV.Y else () for entry in lacking]
        held_off = is_held_off(record.memory, self._state.clock.monotonic())
        return Party(
            holders=frozenset(c.owner for c, _ in self._holders(id, chunk) if c.owner is not None),
            answerers=tuple(frozenset(some) - {id} for some in needed),
            is_made=made and not held_off,
            has_stopped=made and not any(c.condition in ALIVE for c in own),
            is_ready=all(needed) and not held_off,
            is_going=record.busy is not None,
        )

    def _told(self, holding: tuple[Container, Port]) -> tuple[str, tuple[Reason, str] | None]:
        c, port = holding
        assert c.owner is not None
        domain, record = self._state.domains[c.owner.domain], self._state.chunks.get(c.owner)
        whose = f"container {c.name} of {c.owner}"
        held = f"host port {port.number} is held by {whose}"
        if domain.hold is not None and domain.missed_at is not None:
            step = f"`pnr confirm-removal {domain.name}` has it removed"
            return whose, (Reason.PORT_IN_USE, advised(f"{held}, whose file is gone and whose removal is held", step))
        is_wanted = self._state.desired(c.owner) is not None and domain.missed_at is None
        if is_wanted and record is not None and is_held_off(record.memory, self._state.clock.monotonic()):
            step = f"see to that one: `pnr why {c.owner}`"
            return whose, (Reason.PORT_IN_USE, advised(f"{held}, which keeps it until its own update succeeds", step))
        return f"{whose} to give up host port {port.number}", None
