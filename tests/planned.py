"""Plans for tests that state what is wanted, seen and remembered as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.controller.clock import SystemClock
from reconciler.controller.loop_state import LoopState
from reconciler.controller.recorder import Recorder, Restored
from reconciler.controller.records import DomainRecord
from reconciler.controller.snapshots import snapshot_document
from reconciler.controller.status_view import at_once
from reconciler.daemon.rehearsal.ground import Ground
from reconciler.daemon.rehearsal.rehearse import Rehearsed, rehearse
from reconciler.diagnostics import Diagnostic
from reconciler.engine.protocol import EngineInfo
from reconciler.intent.model import ChunkId, Domain
from reconciler.planner.capabilities import Connected
from reconciler.planner.mounts import News
from reconciler.planner.observed import ImageSeen, Network, Observed
from reconciler.planner.retry_state import RetryState
from reconciler.sources.protocol import FileSeen, Scan
from tests.simulation.world import Documents, Stored, Stores, Texts, _direct, _no_none

_BRIDGE = Network("b", "bridge")
NEWEST = Connected("docker 28.5.2", "1.51", "linux")


@dataclass(frozen=True, slots=True)
class Wish:
    """One domain as wanted. ``domain`` None: it is to go; ``last`` is then the intent that was in force."""

    name: str
    domain: Domain | None
    generation: int = 1
    last: Domain | None = None


@dataclass(frozen=True)
class Said:
    """What the files mean."""

    domains: Mapping[str, Domain]
    errors: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    speaks: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def plan_all(
    wishes: Iterable[Wish],
    observed: Observed,
    *,
    memories: Mapping[ChunkId, RetryState] | None = None,
    images: Mapping[str, ImageSeen] | None = None,
    digests: Mapping[str, str] | None = None,
    connected: Connected = NEWEST,
    files: News | None = None,
) -> Rehearsed:
    """What would be done. Of everything that is wanted pnr has heard before."""
    wishes = list(wishes)
    wanted = {wish.domain.name: wish.domain for wish in wishes if wish.domain is not None}
    last = {wish.name: kept for wish in wishes if (kept := wish.domain or wish.last) is not None}
    files_seen = {domain.file: FileSeen(domain.file, b"", None) for domain in wanted.values()}
    product, _, version = connected.engine.partition(" ")
    return rehearse(
        Ground(
            scan=Scan(files_seen, place="a disk"),
            judged=Said(wanted),
            restored=_restored(wishes, last, memories or {}),
            last=last,
            info=EngineInfo(product, version, api_version=connected.api_version, system=connected.system),
            observed=replace(observed, networks={"bridge": _BRIDGE, **observed.networks}),
            images=images or {},
            digests=digests or {},
            files=files or {},
            is_watched=True,
            is_confirmed=True,
        )
    )


def _restored(wishes: Iterable[Wish], last: Mapping[str, Domain], memories: Mapping[ChunkId, RetryState]) -> Restored:
    """What the state directory holds of them."""
    stores, clock = Stores(), SystemClock()
    recorder = Recorder(
        snapshots=Documents(stores), intents=Texts(stores), journal=stores, clock=clock, offload=_direct
    )
    known = LoopState(clock, recorder)
    documents = {}
    for wish in wishes:
        domain = last[wish.name]
        known.domains[wish.name] = DomainRecord(
            wish.name, domain.file, domain, intent=domain.intent, generation=wish.generation
        )
        for chunk in domain.chunks():
            known.chunk_record(chunk.id).memory = memories.get(chunk.id, RetryState())
        documents[wish.name] = _no_none(at_once(snapshot_document(known, wish.name)))
    return Restored(documents, tuple(Stored(name, domain.file, b"") for name, domain in last.items()))
