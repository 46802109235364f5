"""What is seen of an engine: plain values, the same for Docker, Swarm and the simulated engine. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from reconciler.intent.model import ChunkId, Ipam

LABEL_DOMAIN = "io.pnr.domain"
LABEL_CPUX = "io.pnr.cpux"
LABEL_CHUNK = "io.pnr.chunk"
LABEL_REPLICA = "io.pnr.replica"
LABEL_SPEC = "io.pnr.spec"
LABEL_GENERATION = "io.pnr.generation"
LABEL_FIXED = "io.pnr.fixed"
LABEL_MARK = "io.pnr.mark"  # random, so that no image has it: see engine/docker/ownership.py
LABEL_KEEP = "io.pnr.keep"  # of a volume: "false" where it goes with its declaration
LABEL_FILES = "io.pnr.files"  # what single files of the host that are mounted were: see engine/docker/host_files.py
LABEL_BUILD = "io.pnr.build"  # of an image: the fingerprint of what it was built from
LABEL_BUILT_BY = "io.pnr.built-by"  # of an image: the domain that it was built for, or that of what it was made from


class Condition(StrEnum):
    """What Docker calls the state of a container."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where a container's port is published on the host."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container as it is now.

    ``owner`` is None for a container without our labels (a *foreign* one: it is never touched). ``networks``
    maps the name of each connected network to the container's address there ("" while it does not run);
    ``ipv6_addresses`` has those that are IPv6.
    ``published`` maps ``"80/tcp"`` to host addresses. ``run`` changes with every start of the container: results
    that were found before it are stale. ``began`` is when the run began, by the engine's clock (seconds of the
    epoch), ``finished`` when the last run that ended did; None where the engine does not tell. ``restarts`` is how
    often the engine has started it again by itself since somebody did. ``exit_code`` is None unless it has run and
    ended. ``health`` is Docker's own word (``starting``, ``healthy``, ``unhealthy``) or None. ``settings`` holds the
    settings as read back from the engine, in the normal forms of :mod:`reconciler.intent.settings`; None where
    the engine showed only a summary. ``endpoints`` tells of each connected network how the container is connected, in
    the form of :mod:`reconciler.intent.settings.endpoints` (with ``aliases``); a network of which that is not known
    is not in it. ``brought`` are the settings that come from the image, of a container of somebody else that was
    examined, and those that its engine gives where nothing is asked; ``unsaid`` are sentences about what was asked of
    it that no setting can say. ``warnings`` are the engine's words when it made or changed the container just now, and
    ``was_there`` says of a creation that it found it: only who asked for that sees them. ``pid`` is that of its first
    process on the engine's machine (0: it does not run), ``files`` what the label of the same name says.
    ``health_output`` is what the image's own check printed last, and ``finished`` when its last run ended (Unix time).
    """

    id: str
    name: str
    image: str
    image_id: str
    condition: Condition
    owner: ChunkId | None = None
    replica: int = 1
    spec: str = ""
    generation: int = 0
    run: str = ""
    networks: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, tuple[HostPort, ...]] = field(default_factory=dict)
    exit_code: int | None = None
    oom_killed: bool = False
    health: str | None = None
    settings: Mapping[str, Any] | None = None
    fixed: str = ""
    ipv6_addresses: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    brought: Mapping[str, Any] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    pid: int = 0
    files: str = ""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    was_there: bool = field(default=False, compare=False)
    began: float | None = field(default=None, compare=False)
    health_output: str = ""
    finished: float | None = field(default=None, compare=False)
    restarts: int = 0

    @property
    def lasted(self) -> float | None:
        """How long its last run was, of one that does not run; None where the engine does not tell."""
        has_ended = self.condition in (Condition.EXITED, Condition.DEAD, Condition.RESTARTING)
        if self.began is None or self.finished is None or not has_ended:
            return None
        return max(0.0, self.finished - self.began)


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """An image that an engine has. ``names`` are its tags (``redis:7``), ``digests`` what registries call it
    (``redis@sha256:…``), ``platform`` such as ``linux/arm64/v8``, ``size`` in bytes. ``built_by`` is the domain
    that pnr built it for; "" where it did not."""

    id: str
    names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    platform: str = ""
    built_by: str = ""


@dataclass(frozen=True, slots=True)
class ImageNews:
    """What is known of the image that a chunk names, as far as it can change without the chunk.

    ``id`` is what the engine has under the name ("" where it has nothing, or nobody has looked yet), ``digests`` what
    the registry of that name calls it. ``newest`` is the digest that the registry has under the tag ("" where that is
    not known). ``fetching`` says how far a fetch ahead of the chunk's own work is; "" where none is under way.
    ``stranger`` is another domain that has built what the engine has under the name, where the policy does not let that
    be taken up.
    """

    id: str = ""
    digests: frozenset[str] = frozenset()
    newest: str = ""
    fetching: str = ""
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """A network as it is now; ``domain`` is None for a foreign one. ``labels`` are those of others, not our own;
    ``spec`` is the digest of what it was made from ("" where none was noted). ``driver`` is "" and ``enable_ipv4`` None
    where the engine does not tell; ``ipam`` holds what the engine chose as well. ``twins`` are further networks of the
    same name."""

    id: str
    name: str
    domain: str | None = None
    spec: str = ""
    driver: str = ""
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    enable_ipv4: bool | None = None
    enable_ipv6: bool = False
    ipam: Ipam = field(default_factory=Ipam)
    labels: Mapping[str, str] = field(default_factory=dict)
    twins: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume as it is now; ``domain`` is None for a foreign one. ``keep`` as it was declared when it was made;
    ``labels`` are those of others, not our own. ``driver`` is "" where the engine does not tell."""

    name: str
    domain: str | None = None
    keep: bool = True
    driver: str = ""
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


class Belonging(Protocol):
    """A network or volume: what a domain may own."""

    @property
    def domain(self) -> str | None:
        """Whose it is."""
        ...


B = TypeVar("B", bound=Belonging)


class Owned(dict[str, B], Generic[B]):
    """Networks or volumes by name, with those of each domain at hand: there may be thousands, of a thousand domains."""

    def __init__(self, of: Mapping[str, B] | None = None) -> None:
        super().__init__()
        self._by_domain: dict[str, dict[str, None]] = {}
        for name, one in (of or {}).items():
            self[name] = one

    def __setitem__(self, name: str, one: B) -> None:
        self._lose(name)
        super().__setitem__(name, one)
        for domain in _domains(one):
            self._by_domain.setdefault(domain, {})[name] = None

    def __delitem__(self, name: str) -> None:
        self._lose(name)
        super().__delitem__(name)

    def pop(self, name: str, *default: Any) -> Any:
        """As a dictionary does."""
        self._lose(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, one: B) -> B:
        """As a dictionary does."""
        if name not in self:
            self[name] = one
        return self[name]

    def of(self, domain: str) -> list[B]:
        """Those that are a domain's, or have a twin that is."""
        return [self[name] for name in self._by_domain.get(domain, ())]

    def _lose(self, name: str) -> None:
        before = self.get(name)
        for domain in _domains(before) if before is not None else ():
            names = self._by_domain.get(domain)
            if names is not None:
                names.pop(name, None)
                if not names:
                    del self._by_domain[domain]


def _domains(one: Belonging) -> Iterable[str]:
    every = (one, *getattr(one, "twins", ()))
    return dict.fromkeys(each.domain for each in every if each.domain)


def owned(everything: Mapping[str, B], domain: str) -> list[B]:
    """Those of a domain, or with a twin of that name that is."""
    if isinstance(everything, Owned):
        return everything.of(domain)
    return [one for one in everything.values() if domain in _domains(one)]


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that an engine shows. Containers and networks of others are in it, so that conflicts can be
    named; ``owner`` and ``domain`` tell them apart. ``looked_at`` are the containers that were examined just now, by
    their ids: of others an engine's list may show for seconds what they no longer are."""

    containers: Mapping[str, Container] = field(default_factory=dict)  # by id
    networks: Mapping[str, Network] = field(default_factory=dict)  # by name
    volumes: Mapping[str, Volume] = field(default_factory=dict)  # by name
    looked_at: frozenset[str] = frozenset()
