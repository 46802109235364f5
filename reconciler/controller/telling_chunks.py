"""What is told of chunks, for ``pnr status --json``. Reads only.

There may be thousands of them, and from one answer to the next most stay as they were: the document of each is made and
encoded again only where something that it follows from is another.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

from reconciler.controller import telling_images
from reconciler.controller.clock import iso, wall
from reconciler.controller.copies import is_up, together
from reconciler.controller.image_state import Images
from reconciler.controller.lasting_document import LastingDocument
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord
from reconciler.controller.stalls import Stalled, tried_again_at, waits_for_a_change
from reconciler.facts import UNKNOWN, missing
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner import mounts
from reconciler.planner.observed import Condition, Container
from reconciler.sentences import LAST_ATTEMPT, advised, taken_apart
from reconciler.states import Reason, State

CHUNKS_A_STEP = 20

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Basis:
    """All that the document of one copy follows from. ``values`` never change: where each is the very same, it says the
    same. ``now`` is what follows from the clock, from images and from files, as it is told."""

    values: tuple[object, ...]
    now: tuple[object, ...]

    def is_same(self, other: _Basis) -> bool:
        """Whether the same follows from both."""
        return (
            len(self.values) == len(other.values) and all(map(is_, self.values, other.values)) and self.now == other.now
        )


@dataclass(slots=True)
class _Told:
    """What was told of the chunks of a domain."""

    copies: dict[ChunkId, tuple[_Basis, View]] = field(default_factory=dict)
    chunks: dict[tuple[str, str], tuple[Sequence[View], LastingDocument]] = field(default_factory=dict)


class ChunksTold:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def documents(
        self, c: LoopState, images: Images, domain: str, records: Iterable[ChunkRecord], stuck: Stalled
    ) -> Generator[int, None, list[tuple[str, LastingDocument]]]:
        """Those of the chunks of a domain, each with its CPUX, in their order; equal copies are told as one."""
        before, now = self._told.get(domain, _Told()), _Told()
        copies: dict[tuple[str, str], list[View]] = {}
        for record in records:
            found = self._copy(c, images, record, stuck.get(record.id, ()), before)
            now.copies[record.id] = found
            copies.setdefault((record.id.cpux, record.id.chunk), []).append(found[1])
            yield 1
        for number, (key, views) in enumerate(copies.items()):
            if number % CHUNKS_A_STEP == 0:
                yield 1
            told = before.chunks.get(key)
            is_same = told is not None and len(told[0]) == len(views) and all(map(is_, told[0], views))
            now.chunks[key] = told if told is not None and is_same else (views, LastingDocument(together(views)))
        self._told[domain] = now
        return [(cpux, document) for (cpux, _), (_, document) in now.chunks.items()]

    def forget_others(self, domains: Collection[str]) -> None:
        """Only these are told of any more."""
        for domain in self._told.keys() - set(domains):
            del self._told[domain]

    @staticmethod
    def _copy(
        c: LoopState, images: Images, record: ChunkRecord, stuck: tuple[str, ...], before: _Told
    ) -> tuple[_Basis, View]:
        told, containers = before.copies.get(record.id), c.world.of(record.id)
        basis = _basis(c, images, record, stuck, containers)
        if told is not None and told[0].is_same(basis):
            return told
        return basis, _document(c, images, record, stuck, containers)


def _basis(
    c: LoopState, images: Images, record: ChunkRecord, stuck: tuple[str, ...], containers: tuple[Container, ...]
) -> _Basis:
    chunk = record.last
    waits: tuple[object, ...] = ()
    if record.reason is Reason.WAITING_FOR_GATEKEEPER and chunk is not None:
        waits = (c.who, *(c.facts.get(entry.ref) for entry in chunk.gate))
    return _Basis(
        (
            chunk,
            record.memory,
            record.health,
            record.judged,
            record.own_problems,
            record.mended,
            record.ended_away,
            record.ending,
            *containers,
            *waits,
        ),
        (
            record.state,
            record.reason,
            record.message,
            record.since,
            record.restarts,
            record.attempts_total,
            stuck,
            _next_try(c, record),
            _probed_at(c, record),
            file_notes(c, record.id),
            telling_images.auto_update(c, images, record, chunk),
            telling_images.image_moved(c, images, record, chunk),
        ),
    )


def file_notes(c: LoopState, id: ChunkId) -> list[str]:
    """What people should know of files that a chunk's containers have mounted."""
    chunk = c.desired(id) if c.files else None
    if chunk is None:
        return []
    return [f"{id}: {note}" for container in c.world.of(id) for note in mounts.notes(chunk, container, c.files)]


def _next_try(c: LoopState, record: ChunkRecord) -> str | None:
    """When what failed is tried again; None where no time brings that about: the previous container serves."""
    if waits_for_a_change(record):
        return None
    rolled_back = record.reason is Reason.ROLLED_BACK
    return wall(c.clock, tried_again_at(record) if rolled_back else record.memory.not_before)


def _probed_at(c: LoopState, record: ChunkRecord) -> str | None:
    """When it was probed last."""
    return wall(c.clock, record.health.last_at) if record.health.run else None


def _last_failure(record: ChunkRecord) -> str:
    """Why the last attempt failed, until the chunk is up again."""
    m = record.memory
    return m.last_error if (m.attempts or m.crashes) and m.proven_at is None else ""


def _document(
    c: LoopState, images: Images, record: ChunkRecord, stuck: tuple[str, ...], containers: tuple[Container, ...]
) -> View:
    chunk = record.last
    message = record.message
    if stuck and record.reason is Reason.WAITING_FOR_GATEKEEPER:
        message = f"stalled: nothing that is declared can come to answer {', '.join(stuck)} as wanted; {message}"
    failure, _ = taken_apart(_last_failure(record))
    if record.state == State.EXECUTING and failure and failure not in message:
        now, step = taken_apart(message)
        message = advised(f"{now}{LAST_ATTEMPT}{failure}", step or taken_apart(_last_failure(record))[1])
    document: View = {
        "name": record.id.chunk,
        "number": record.id.replica,
        "up": is_up(record, containers),
        "state": record.state,
        "reason": record.reason.value,
        "message": message,
        "since": iso(record.since),
        "image": chunk.container.image if chunk is not None else "",
        "restarts": record.restarts,
        "attempts": record.attempts_total,
        "crashes": record.memory.crashes,
        "replicas": [
            {"container": x.name, "id": x.id, "image": x.image_id, "condition": x.condition.value} for x in containers
        ],
        "waiting_for": _waiting_view(c, chunk) if record.reason is Reason.WAITING_FOR_GATEKEEPER else [],
        "next_try": _next_try(c, record),
        "last_error": record.memory.last_error,
        "last_failure": _last_failure(record),
        "mended": {"at": iso(record.mended[0]), "text": record.mended[1]} if record.mended is not None else None,
        "ended_away": iso(record.ended_away) if record.ended_away is not None else None,
        "stalled": bool(stuck),
        "facts_problems": list(record.own_problems),
        "file_notes": file_notes(c, record.id),
        "urls": [],
        "auto_update": telling_images.auto_update(c, images, record, chunk),
        "image_moved": telling_images.image_moved(c, images, record, chunk),
    }
    check = record.judged.health if record.judged is not None else None
    if check is not None and record.health.run:
        h = record.health
        document["probe"] = {
            "type": check.type,
            "failures": h.failures,
            "successes": h.successes,
            "total_failures": h.total_failures,
            "last_error": h.last_error,
            "last_at": _probed_at(c, record),
        }
    if record.ending is not None:
        e = record.ending
        document["exit"] = {"code": e.code, "oom": e.oom, "output": e.output, "earlier_output": e.earlier}
    for x in containers:
        if x.condition is Condition.RUNNING:
            scheme = chunk.health.url_scheme if chunk is not None and chunk.health is not None else None
            if scheme is not None:
                for ports in x.published.values():
                    for port in ports:
                        host = "127.0.0.1" if port.ip in ("0.0.0.0", "", "::") else port.ip  # noqa: S104 - as the engine says it
                        host = f"[{host}]" if ":" in host else host
                        document["urls"].append(f"{scheme}://{host}:{port.port}")
    return document


def _waiting_view(c: LoopState, chunk: Chunk | None) -> list[dict[str, Any]]:
    if chunk is None:
        return []
    return [
        {
            "fact": str(entry.ref),
            "wanted": entry.wanted.tv.value,
            "wanted_response": list(entry.wanted.response),
            "found": c.facts.get(entry.ref, UNKNOWN).tv.value,
            "answered_by": [str(id) for id in c.answered_by(entry.ref)],
        }
        for entry in missing(chunk.gate, c.facts)
    ]
