"""Ports of the host: who publishes one that a chunk is to have, and how it passes from one to the other. Pure.

A port is one container's at a time. Who is to have one that a container of ours publishes and is to give up waits for
that before anything of its own is interrupted. Where some wait for one another in a circle, each makes its new
container beside the old one, then all stop the old ones, and each starts the new one as soon as its ports are free. The
circle may also lead through gates: whose gate needs one that waits for its port gives that up before the gate opens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.intent.claims import Port
from reconciler.intent.model import Chunk, ChunkId
from reconciler.intent.settings.ports import EVERYWHERE, addresses
from reconciler.planner.compare import is_made_from
from reconciler.planner.observed import Condition, Container


class Exchange(StrEnum):
    """What a chunk is to do about ports that others have, or are to have."""

    NONE = "none"
    BEHIND = "behind"  # wait until they are free
    MAKE = "make"  # it waits in a circle: make the new container, and stop nothing yet
    MADE = "made"  # that is done, and others in the circle have not come as far
    STOP = "stop"  # all in the circle have
    GIVE_UP = "give up"  # one that has stopped for it waits for its port
    OFF = "off"  # it has stopped for a port that it does not get for now


@dataclass(frozen=True, slots=True)
class Party:
    """How far a chunk is with its new ports: whose ports it waits for, and who can answer each entry of its gate that
    does not hold; whether the container that is to have them is made, and whether it has stopped all others of its own
    for that; whether nothing else holds it back, and whether it is at work or has only to go (so that its ports come
    free by themselves)."""

    holders: frozenset[ChunkId] = frozenset()
    answerers: tuple[frozenset[ChunkId], ...] = ()
    is_made: bool = False
    has_stopped: bool = False
    is_ready: bool = False
    is_going: bool = False

    @property
    def waits_for(self) -> frozenset[ChunkId]:
        """All for whom it waits."""
        return self.holders.union(*self.answerers)

    def waits_within(self, around: frozenset[ChunkId]) -> bool:
        """Whether nothing but these keeps it waiting."""
        return self.is_ready and self.holders <= around and all(some & around for some in self.answerers)


def declared(settings: Mapping[str, Any] | None) -> Iterator[Port]:
    """The ports that a container is to have, but for those that the engine chooses."""
    for entry in (settings or {}).get("ports") or ():
        if entry["published"] and "until" not in entry:
            protocol = entry["target"].partition("/")[2]
            for ip in addresses(entry["host_ip"]):
                yield Port(ip, entry["published"], protocol)


def held(c: Container) -> Iterator[Port]:
    """The ports that a container has; of one that its engine is about to start again those that it will have."""
    if c.condition is Condition.RESTARTING:
        yield from declared(c.settings)
        return
    for key, ports in c.published.items():
        for port in ports:
            for ip in addresses(port.ip or EVERYWHERE):
                yield Port(ip, port.port, key.partition("/")[2] or "tcp")


def meet(one: Port, other: Port) -> bool:
    """Whether two can't be published at one time. Which addresses ``::`` takes is the engine's and the kernel's."""
    same = (one.number, one.protocol) == (other.number, other.protocol)
    return same and (one.ip == other.ip or one.is_every_address or other.is_every_address)


def lacking(chunk: Chunk, own: Iterable[Container]) -> list[Port]:
    """The ports that a chunk is to have, and that none of its ``own`` containers has."""
    there = {port for c in own for port in held(c)}
    return [port for port in declared(chunk.container.settings) if port not in there]


def is_given_up(c: Container, port: Port, wanted: Chunk | None) -> bool:
    """Whether a container is to go that has a port, and what is ``wanted`` of its chunk instead (None: nothing) is not
    to have it."""
    if wanted is None:
        return True
    return not is_made_from(c, wanted) and not any(meet(port, one) for one in declared(wanted.container.settings))


def circle(id: ChunkId, waits_for: Callable[[ChunkId], Collection[ChunkId]]) -> frozenset[ChunkId]:
    """Those who wait for one another around a chunk, itself among them; nobody where it waits in no circle."""
    return frozenset(other for other in _reached(id, waits_for) if id in _reached(other, waits_for))


def _reached(id: ChunkId, waits_for: Callable[[ChunkId], Collection[ChunkId]]) -> set[ChunkId]:
    found: set[ChunkId] = set()
    left = [*waits_for(id)]
    while left:
        at = left.pop()
        if at not in found:
            found.add(at)
            left += waits_for(at)
    return found


def exchange(id: ChunkId, party: Callable[[ChunkId], Party], waiting: Collection[ChunkId]) -> Exchange:
    """What a chunk is to do now; ``waiting`` are those who wait for ports of its own."""
    me = party(id)
    if me.is_made and not me.has_stopped and any(party(other).has_stopped for other in waiting):
        return Exchange.GIVE_UP
    if not me.holders and not (me.answerers and waiting):
        return Exchange.NONE
    around = circle(id, lambda one: party(one).waits_for)
    parties = [party(one) for one in around]
    waits = Exchange.BEHIND if me.holders else Exchange.NONE
    if not around or not all(one.waits_within(around) for one in parties):
        is_off = me.has_stopped and not all(one.is_made or one.is_going for one in map(party, me.holders))
        return Exchange.OFF if is_off else waits
    if not me.is_made and not me.answerers:
        return Exchange.MAKE
    are_made = all(one.is_made or one.answerers or not one.holders for one in parties)
    if me.answerers:
        return Exchange.GIVE_UP if are_made and waiting else waits
    return Exchange.STOP if are_made and waiting else Exchange.MADE
