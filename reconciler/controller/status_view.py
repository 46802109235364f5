"""What the loop knows, as the document of ``pnr status --json``. Reads only."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Mapping
from typing import Any, TypeVar

from reconciler import __version__
from reconciler.controller.clock import iso
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import DomainRecord
from reconciler.controller.stalls import is_stalled, stalled_chunks
from reconciler.controller.status_parts import FilesTold, as_documents, most_errors
from reconciler.controller.telling_chunks import ChunksTold, file_notes
from reconciler.diagnostics import Diagnostic
from reconciler.intent.networks import network_needs
from reconciler.planner import networks_and_volumes
from reconciler.planner.arranged import Belongings
from reconciler.planner.capabilities import Connected, unmet, worth_doing
from reconciler.planner.cleaning import sentence
from reconciler.states import State

T = TypeVar("T")

FACTS_A_STEP = 200


def is_settled(c: LoopState, record: DomainRecord) -> bool:
    """Whether all that a domain declares is completed, and all that it declares no more (or all, when it is to go) is
    gone."""
    if record.unknown or record.missed_at is not None:
        return False
    if record.wanted is None:
        return not c.world.has_owners(record.name) and not record.gone
    if record.name in c.adopting or is_removing(c, record):
        return False
    chunks = c.chunks_of(record.name)
    known = (chunks.get(chunk.id) for chunk in record.wanted.chunks())
    return all(one is not None and one.state == State.COMPLETED and not one.is_new for one in known)


def is_removing(c: LoopState, record: DomainRecord) -> bool:
    """Whether something of chunks that a domain declares no more is still there, or being seen to."""
    if record.elsewhere:
        return False  # what there is is another's
    if record.wanted is None:
        return record.gone
    declared = record.wanted.by_id
    left = (id for id in c.chunks_of(record.name) if id not in declared)
    return any(c.world.by_owner.get(id) or c.chunks[id].busy is not None for id in left)


def at_once(making: Generator[int, None, T]) -> T:
    """What is made step by step."""
    while True:
        try:
            next(making)
        except StopIteration as made:
            result: T = made.value
            return result


def view(
    c: LoopState,
    images: Images,
    file_errors: Mapping[str, tuple[Diagnostic, ...]],
    said: Mapping[str, tuple[str, ...]],
    files: FilesTold,
    chunks: ChunksTold,
    *,
    ready: bool,
    only: Collection[str] = (),
) -> Generator[int, None, dict[str, Any]]:
    """The document of ``pnr status --json`` (documented in docs/commands.md); of the domains named in ``only``, or of
    all. ``said`` are the names in files that are not valid; ``files`` and ``chunks`` remember what was told of them. It
    is made step by step, so that others can have their turn."""
    info = c.engine_info
    most = most_errors([*file_errors.values(), *(r.errors for r in c.domains.values() if r.errors)])
    domains: list[dict[str, Any]] = []
    for name, record in sorted(c.domains.items()):
        if not only or name in only:
            domains.append((yield from _domain_view(c, images, chunks, record, said, most)))
    chunks.forget_others(c.domains)
    strays = files.documents(file_errors, said, most)
    return {
        "daemon": {
            "pid": os.getpid(),
            "version": __version__,
            "engine": str(info) if info is not None else "",
            "ready": ready,
            "engine_up": c.engine_up or not c.engine_asked,
            "live_restore": info.live_restore if info is not None else None,
            "message": c.engine_message or c.recorder.trouble,
            "notes": [
                *([c.files_wait] if c.files_wait else []),
                *c.files_remarks,
                *([c.policy_remark] if c.policy_remark else []),
                *(text for domain, text in c.recorder.remarks if domain is None or domain not in c.domains),
            ],
            "files_wait": c.files_wait,
        },
        "domains": domains + [one for one in strays if not only or one["name"] in only],
    }


def _domain_view(
    c: LoopState,
    images: Images,
    told: ChunksTold,
    record: DomainRecord,
    said: Mapping[str, tuple[str, ...]],
    most: int,
) -> Generator[int, None, dict[str, Any]]:
    stuck = (yield from stalled_chunks(c, record)) if c.engine_up and record.wanted is not None else {}
    by_cpux: dict[str, list[dict[str, Any]]] = {}
    shown = record.domain.cpuxs if record.domain is not None else ()
    for cpux in shown:
        by_cpux[cpux.name] = []
    order = {chunk.id: n for n, chunk in enumerate(record.domain.chunks())} if record.domain is not None else {}
    own = dict(c.chunks_of(record.name))
    in_order = sorted(own.items(), key=lambda item: (order.get(item[0], 1 << 30), item[0]))
    yield 1
    chunks = yield from told.documents(c, images, record.name, [chunk for _, chunk in in_order], stuck)
    for cpux_name, document in chunks:
        by_cpux.setdefault(cpux_name, []).append(document)
    facts = yield from _facts_view(c, record.name)
    yield 1
    left = _left(c, record)
    arranging, remarks = _arranged(c, record, left)
    yield 1
    leaving = is_removing(c, record)
    yield 1
    return {
        "name": record.name,
        "file": record.file,
        "generation": record.generation,
        "digest": record.domain.digest if record.domain is not None else None,
        "commit": record.commit,
        "settled": is_settled(c, record) and not record.errors and not arranging,
        "stalled": is_stalled(c, record, stuck),
        "suspended": record.down,
        "errors": [*as_documents(record.errors, most), *as_documents(_elsewhere(record), most)],
        "said": list(said.get(record.file, ())) if record.errors else [],
        "warnings": [warning.as_dict() for warning in record.warnings],
        "notes": [
            *(note.message for note in (record.domain.notes if record.domain is not None else ())),
            *([_not_known(record)] if record.unknown and not (record.errors or record.elsewhere) else []),
            *remarks,
            *(text for domain, text in c.recorder.remarks if domain == record.name),
            *(note for id in own for note in file_notes(c, id)),
        ],
        "held": record.held,
        "held_reason": record.hold.value if record.hold is not None else "",
        "held_since": iso(record.held_since) if record.held_since is not None else None,
        "vanished": record.vanished,
        "unknown": record.unknown,
        "removing": record.gone,
        "leaving": leaving,
        "asking_registries": images.is_waited_for(record.name),
        "arranging": arranging,
        "cpuxs": [{"name": name, "facts": facts.get(name, {}), "chunks": chunks} for name, chunks in by_cpux.items()],
    }


def _not_known(record: DomainRecord) -> str:
    return (
        f"what {record.file} declared before can't be read any more, so its containers are left as they are, and the"
        f" states here are those of that time: put {record.file} back, or remove the domain with `pnr confirm-removal"
        f" {record.name}`"
    )


def _elsewhere(record: DomainRecord) -> tuple[Diagnostic, ...]:
    return (Diagnostic.of_file(record.file, "WorkedOnElsewhere", record.elsewhere),) if record.elsewhere else ()


def _left(c: LoopState, record: DomainRecord) -> Belongings:
    """The networks and volumes of a domain that are to go."""
    wanted = record.wanted
    return networks_and_volumes.leftovers(
        record.name, wanted, record.domain, c.world.observed(), volumes_too=record.volumes_too
    )


def _arranged(c: LoopState, record: DomainRecord, left: Belongings) -> tuple[bool, list[str]]:
    """Whether networks or volumes of the domain are still to be made, recreated or removed, and what stands in the way
    of them. One that failed is not counted: it is told, and tried again."""
    if record.unknown or not c.world.complete:
        return False, []
    wanted = record.wanted
    work, remarks = list(left.work), list(left.missing.values())
    is_arranging = any(str(one.key) not in c.object_trouble for one in left.work)
    if wanted is not None:
        info, seen = c.engine_info, c.world.observed()
        plain, of_volumes = networks_and_volumes.networks(wanted, seen), networks_and_volumes.volumes(wanted, seen)
        of_networks = plain
        if any(spec.name in c.network_changes for spec in wanted.networks):
            of_networks = networks_and_volumes.networks(wanted, seen, c.network_changes, now=c.clock.monotonic())
        declared = [*of_networks.work, *of_volumes.work]
        work += declared
        remarks += [*of_networks.back.values(), *networks_and_volumes.remarks(wanted, seen, plain, of_volumes)]
        engine, api = str(info), info.api_version if info is not None else ""
        for spec in wanted.networks:
            remarks += unmet(network_needs(spec), engine=engine, api_version=api)
        ahead = [one for one in declared if str(one.key) not in c.object_trouble]
        if info is not None and ahead:
            connected = Connected(str(info), info.api_version, info.system)
            is_arranging = is_arranging or bool(worth_doing(ahead, wanted, connected))
    remarks += _not_removed(c, record)
    troubles = (c.object_trouble[str(one.key)] for one in work if str(one.key) in c.object_trouble)
    return is_arranging and not record.held and c.engine_info is not None, [*remarks, *troubles]


def _not_removed(c: LoopState, record: DomainRecord) -> list[str]:
    """The containers of a domain that are to go and that the engine did not let go."""
    return [
        f"{id.cpux}/{id.chunk}: {sentence(c.world.containers[one.id], one)}"
        for id, chunk in c.chunks_of(record.name).items()
        for one in chunk.memory.leftovers
        if one.id in c.world.containers
    ]


def _facts_view(c: LoopState, domain: str) -> Generator[int, None, dict[str, dict[str, Any]]]:
    """The facts of each CPUX."""
    found: dict[str, dict[str, Any]] = {}
    for number, (ref, state) in enumerate(c.facts.in_order(domain)):
        found.setdefault(ref.cpux, {})[ref.key] = state.document
        if number % FACTS_A_STEP == 0:
            yield 1
    return found
