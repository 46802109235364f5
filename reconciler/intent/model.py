"""What a domain file comes to mean, once it is read, interpolated and checked. Pure values.

:mod:`reconciler.intent.document` describes the file as people write it; :mod:`reconciler.intent.loader` turns
one into the other. Everything after the loader (planner, engines, probes) sees only what is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.facts import FactRef, Gate, Pnr
from reconciler.intent.contents import Source


@dataclass(frozen=True, slots=True, order=True)
class ChunkId:
    """The full name of a design chunk, or of one of its equal copies.

    A chunk with replicas is converged copy by copy, each with states, setbacks and health of its own; ``replica``
    counts them from 1. What they are together (the facts, the state that is shown) is put together from them.
    """

    domain: str
    cpux: str
    chunk: str
    replica: int = 1

    def __str__(self) -> str:
        return f"{self.domain}/{self.cpux}/{self.unit}"

    @property
    def unit(self) -> str:
        """The chunk's name, with the number of the copy from the second on: ``web``, ``web#2``. Safe as a file name."""
        return self.chunk if self.replica == 1 else f"{self.chunk}#{self.replica}"

    @classmethod
    def of_unit(cls, domain: str, cpux: str, unit: str) -> ChunkId:
        """The way back from :attr:`unit`."""
        chunk, _, replica = unit.partition("#")
        return cls(domain, cpux, chunk, counted(replica, 1))

    def copies(self, replicas: int) -> tuple[ChunkId, ...]:
        """The names of all equal copies of the chunk."""
        return _copies(self.domain, self.cpux, self.chunk, replicas)


_COUNTED = re.compile(r"[0-9]{1,9}")


def counted(text: str | None, default: int) -> int:
    """The number that a label or a name says; ``default`` where it says none. Anybody may have written it, into an
    image for example: what ``int`` fails on (digits that are no decimal ones, thousands of them) is no number."""
    return int(text) if text is not None and _COUNTED.fullmatch(text) else default


@lru_cache(maxsize=1024)
def _copies(domain: str, cpux: str, chunk: str, replicas: int) -> tuple[ChunkId, ...]:
    return tuple(ChunkId(domain, cpux, chunk, number + 1) for number in range(replicas))


class Kind(StrEnum):
    """``service``: to be kept up. ``job``: to be run to exit 0 once a generation."""

    SERVICE = "service"
    JOB = "job"


class FactsMode(StrEnum):
    """Whether ``/runtime`` is mounted in the container, and what silence there means.

    ``none``: not mounted. ``own``: mounted; what the container writes there becomes its facts.
    ``offered``: mounted, for files in the manner of the original Go program (a chunk with ``status``, without
    ``health_check`` and ``facts``): the container's answers win; one that stays silent for
    ``OFFERED_SILENCE_SECONDS`` counts as up because it runs; one that answered and exited 0 is done.
    """

    NONE = "none"
    OWN = "own"
    OFFERED = "offered"


OFFERED_SILENCE_SECONDS = 5.0

STABLE_SECONDS = 5.0
"""For so long what has no health check must have run before it counts as up, unless its file says otherwise."""


class Strategy(StrEnum):
    """In which order an update replaces a container. ``auto`` is resolved by the loader, never seen later."""

    STOP_FIRST = "stop-first"
    START_FIRST = "start-first"


class OnFailure(StrEnum):
    """What happens when the new container of an update does not come up."""

    ROLLBACK = "rollback"
    PAUSE = "pause"


class OnGateClose(StrEnum):
    """What happens to a completed chunk when its gatekeeper stops holding."""

    KEEP = "keep"
    STOP = "stop"
    RESTART = "restart"


class OnFileChange(StrEnum):
    """What happens to a container when a file of the host that it has mounted by itself is replaced by another."""

    RECREATE = "recreate"
    IGNORE = "ignore"


class Adopt(StrEnum):
    """What happens to a foreign container of the chunk's name: ``no``: NameConflict. ``matching``: it is taken over
    where its settings match. ``replace``: one that does not match is replaced."""

    NO = "no"
    MATCHING = "matching"
    REPLACE = "replace"


class AutoUpdatePolicy(StrEnum):
    """Whose tag a chunk follows: the one that the ``registry`` has, or the ``local`` one of the engine."""

    REGISTRY = "registry"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class AutoUpdate:
    """That a chunk is updated when its image's tag moves. ``interval_seconds``: how often the registry is asked."""

    policy: AutoUpdatePolicy
    interval_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that a health check gives: the key of a flowout fact, and the fact as it then stands."""

    key: str
    fact: Pnr


DOCKER_CHECK = "docker"
"""The type of a health check that the engine makes by itself."""
FACT_CHECK = "fact"
"""That of one that nobody makes: the container answers itself."""


@dataclass(frozen=True)
class HealthCheck:
    """How to find out whether a chunk is up. Times in seconds.

    ``options`` holds what only this ``type`` knows (``path``, ``expected_code``, ``command``, ``pattern``, …), as
    declared, defaults filled in. ``port_key`` is the container port as ``"27017"`` or ``"53/udp"``.
    ``asks_from_outside`` and ``url_scheme`` are what the type says of itself (:class:`CheckType`). ``has_variables``:
    values of variables were put into it, which may be secret.
    """

    type: str
    port_key: str | None = None
    interval_seconds: float = 5.0
    interval_declared: bool = False
    timeout_seconds: float = 2.0
    failure_threshold: int = 3
    success_threshold: int = 1
    start_period_seconds: float = 0.0
    deadline_seconds: float = 300.0
    on_success: tuple[Answer, ...] = ()
    on_failure: tuple[Answer, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    asks_from_outside: bool = False
    url_scheme: str | None = None
    has_variables: bool = field(default=False, compare=False)

    @cached_property
    def said_of_success(self) -> Mapping[str, Pnr]:
        """What success answers, by the key of the fact."""
        return {answer.key: answer.fact for answer in reversed(self.on_success)}

    @cached_property
    def said_of_failure(self) -> Mapping[str, Pnr]:
        """What failure answers, by the key of the fact."""
        return {answer.key: answer.fact for answer in reversed(self.on_failure)}


@dataclass(frozen=True, slots=True)
class MountedFile:
    """A secret or a config as a file in the container. ``fingerprint`` changes exactly when its content does.

    ``target`` is an absolute path in the container, ``mode`` the permission bits; ``uid`` and ``gid`` are None where
    nothing is said of them. The content itself is never part of the intent: whoever creates the container reads
    ``source``.
    """

    target: str
    source: Source
    fingerprint: str
    secret: bool
    uid: str | None = None
    gid: str | None = None
    mode: int = 0o444


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in to a registry: a user and where the password is. ``fingerprint`` changes with the password; the
    password itself is never part of the intent: whoever pulls reads ``password``."""

    username: str
    password: Source
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """How the image of a chunk is built; the names are Compose's.

    ``context`` is an absolute path; ``dockerfile`` is relative to it, or absolute; ``shm_size`` in bytes.
    ``fingerprint`` is a hash over all that shapes the image, the content of the context included: an image that carries
    it needs no new build. It is "" where nobody has looked at the content.
    """

    context: str
    fingerprint: str = ""
    dockerfile: str | None = None
    dockerfile_inline: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str | None = None
    platform: str | None = None
    isolation: str | None = None
    no_cache: bool = False
    pull: bool = False
    shm_size: int | None = None
    cache_from: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()  # name:address
    tags: tuple[str, ...] = ()  # further names of the image
    ulimits: Mapping[str, list[int]] = field(default_factory=dict)  # soft and hard
    reader: str = ""  # the domain file that it is declared in: see Source


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """The container of a chunk. ``settings`` maps each declared Compose name to its normal form.

    The normal forms are plain JSON values, documented row by row in :mod:`reconciler.intent.settings`;
    ``digest`` is a hash over them and changes exactly when a new container is needed.
    ``logins`` are the domain's own, by registry. ``networks`` are engine-side names with the aliases in each, the
    domain's own network first unless the chunk declared otherwise. ``after`` names containers of linked chunks: they
    must be there before this one begins. ``guest_in`` are the networks that are not the domain's own: there the
    container answers to ``full_alias``, and to ``short_alias`` where nobody else does (see
    :mod:`reconciler.intent.names`). ``restart_of_ours`` is the restart policy that was declared and that the engine is
    not told: pnr starts the container again. ``judged``: it has something of the host, which is judged before each
    start.
    """

    name: str
    image: str
    digest: str
    settings: Mapping[str, Any]
    networks: Mapping[str, tuple[str, ...]]
    build: Build | None = None
    pull_policy: str = "missing"
    stop_grace_seconds: float = 10.0
    named: bool = False  # the file gives the container's name
    files: tuple[MountedFile, ...] = ()
    fixed: str = ""  # a hash over what can't be changed in a container that is there; "" where none was made
    endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by network: what is more than aliases
    logins: Mapping[str, Login] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    guest_in: tuple[str, ...] = ()
    short_alias: str = ""
    full_alias: str = ""
    restart_of_ours: str = ""
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """One design chunk as intended."""

    id: ChunkId
    container: ContainerSpec
    gate: Gate = ()
    flowin: Mapping[str, FactRef] = field(default_factory=dict)
    flowout: Mapping[str, Pnr] = field(default_factory=dict)
    health: HealthCheck | None = None
    kind: Kind = Kind.SERVICE
    facts: FactsMode = FactsMode.NONE
    strategy: Strategy = Strategy.STOP_FIRST
    on_failure: OnFailure = OnFailure.ROLLBACK
    on_gate_close: OnGateClose = OnGateClose.KEEP
    replicas: int = 1
    min_ready: int = 1  # so many healthy replicas make the facts hold
    ignore_drift: tuple[str, ...] = ()  # names of settings that may differ from what was declared
    adopt: Adopt = Adopt.NO
    auto_update: AutoUpdate | None = None
    auto_strategy: bool = False  # the file says nothing of the strategy: it is what the container's settings ask for
    stable_seconds: float = STABLE_SECONDS  # so long it must have run to count as up where nothing else tells
    on_file_change: OnFileChange = OnFileChange.RECREATE

    def flowout_ref(self, key: str) -> FactRef:
        """The full name of one of the chunk's own flowout facts."""
        return FactRef(self.id.domain, self.id.cpux, key)


@dataclass(frozen=True, slots=True)
class Cpux:
    """A named path of work: the scope in which facts live."""

    name: str
    rt_state: Mapping[str, Pnr]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """A range of addresses of a network. ``subnet`` and ``ip_range`` as ``10.0.0.0/24``, in their shortest form;
    ``aux_addresses`` are taken already, by the name of who has them."""

    subnet: str
    ip_range: str | None = None
    gateway: str | None = None
    aux_addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ipam:
    """Where a network's addresses come from; what is left out, the engine chooses."""

    driver: str | None = None
    pools: tuple[Pool, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network of the domain. ``name`` is the engine-side name. External ones are required, never made.

    None leaves the choice to the engine. ``digest`` is a hash over what was declared besides the name; "" where none
    was made. ``shared_with`` are patterns of the names of domains that may join it.
    """

    name: str
    external: bool = False
    internal: bool = False
    driver: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    attachable: bool = False
    enable_ipv4: bool | None = None
    enable_ipv6: bool | None = None
    ipam: Ipam = field(default_factory=Ipam)
    digest: str = field(default="", compare=False)
    shared_with: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A named volume of the domain. ``name`` is the engine-side name. ``keep``: it stays when it is no longer
    declared, or its domain goes. ``shared_with`` are patterns of the names of domains that may have it."""

    name: str
    external: bool = False
    driver: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True
    shared_with: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Domain:
    """A stack that is deployed as a whole.

    ``file`` is the file's name in the domains directory; ``digest`` the SHA-256 of its bytes (hex);
    ``intent`` a hash of what it means: reformatting a file changes ``digest`` but not ``intent``, and only a
    changed ``intent`` makes a new generation. ``notes`` are remarks for people (an ignored key, for example).
    """

    name: str
    file: str
    digest: str
    intent: str
    cpuxs: tuple[Cpux, ...]
    networks: tuple[NetworkSpec, ...] = ()
    volumes: tuple[VolumeSpec, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    sources: tuple[Source, ...] = ()  # what was read besides the file: a change there is a reason to load it again
    unused_volumes: tuple[VolumeSpec, ...] = ()  # declared, mounted by no chunk: not made, and not to be removed either

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, in the order of the file."""
        for cpux in self.cpuxs:
            yield from cpux.chunks

    @cached_property
    def by_id(self) -> Mapping[ChunkId, Chunk]:
        """The chunks by their full name."""
        return {chunk.id: chunk for chunk in self.chunks()}

    def networks_named(self, names: Iterable[str]) -> list[NetworkSpec]:
        """Those that have one of these names, in the order of the file."""
        return [self.networks[at] for at in sorted(at for name in set(names) for at in self._networks_at.get(name, ()))]

    def volumes_named(self, names: Iterable[str]) -> list[VolumeSpec]:
        """The same of volumes."""
        return [self.volumes[at] for at in sorted(at for name in set(names) for at in self._volumes_at.get(name, ()))]

    @cached_property
    def _networks_at(self) -> Mapping[str, list[int]]:
        return _places(self.networks)

    @cached_property
    def _volumes_at(self) -> Mapping[str, list[int]]:
        return _places(self.volumes)


def _places(specs: Sequence[NetworkSpec | VolumeSpec]) -> dict[str, list[int]]:
    """Where in the order of the file each name stands."""
    found: dict[str, list[int]] = {}
    for at, spec in enumerate(specs):
        found.setdefault(spec.name, []).append(at)
    return found


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the loader makes of one file: a domain, or the errors that stand in the way (all of them).

    ``name`` is the domain's name where it could be read even though the file is not valid; ``sources`` what was read
    besides the file, or could not be.
    """

    file: str
    domain: Domain | None
    errors: tuple[Diagnostic, ...] = ()
    name: str | None = None
    sources: tuple[Source, ...] = ()
