"""Whether work that is under way is still wanted: intents change while it goes on."""

from __future__ import annotations

from reconciler.controller.executor import IsWanted
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord
from reconciler.intent.model import Chunk, Kind, NetworkSpec, VolumeSpec
from reconciler.planner.actions import Work
from reconciler.planner.compare import is_made_from


def chunk_is_wanted(known: LoopState, record: ChunkRecord) -> IsWanted:
    """Says of the work on a chunk that begins now whether it still is. An intent that has changed meanwhile has its own
    work: nothing that serves is interrupted for one that is no more. Where that is done already, what was begun goes on
    so that something serves again, unless what was interrupted is wanted itself, or nothing is."""

    def intent() -> tuple[Chunk | None, int]:
        wanted, domain = known.desired(record.id), known.domains.get(record.id.domain)
        if wanted is None or domain is None:
            return None, 0
        # As it was adopted last: what only says the same in other words is no other intent.
        return record.last, domain.generation if wanted.kind is Kind.JOB else 0

    begun_for = intent()

    def is_wanted(interrupted: bool) -> bool:
        domain, now = known.domains.get(record.id.domain), intent()
        if domain is not None and domain.elsewhere:
            return False
        if now == begun_for or (domain is not None and domain.unknown):
            return True
        wanted = now[0]
        if not interrupted or wanted is None or begun_for[0] is None or wanted.kind is Kind.JOB:
            return False
        return not any(c.run and is_made_from(c, wanted) for c in known.world.of(record.id))

    return is_wanted


def object_is_wanted(known: LoopState, domain: str, work: Work) -> IsWanted:
    """The same of work on a network or volume: it is given up where another one is declared by now, or one at all, and
    nothing was taken away yet."""
    kind, _, name = str(work.key).partition(":")

    def declared() -> NetworkSpec | VolumeSpec | None:
        record = known.domains.get(domain)
        wanted = record.wanted if record is not None else None
        if wanted is None:
            return None
        specs: tuple[NetworkSpec | VolumeSpec, ...] = wanted.networks if kind == "network" else wanted.volumes
        return next((spec for spec in specs if spec.name == name), None)

    begun_for = declared()
    return lambda interrupted: interrupted or declared() == begun_for
