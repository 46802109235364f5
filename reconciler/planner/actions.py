"""The plan: typed actions, each exactly one call of the engine, each with the reason for it. Pure data.

It prints as text, one line a step (``[1] -> #2 shop/main/web, CreateContainer shop_web, no container yet``); the
numbers in brackets are the steps that must be done before. That text is what ``pnr plan`` shows and tests compare.
Messages and the journal say the same in plain words: ``starting container shop_web``, ``started container shop_web``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.intent.model import Build, Chunk, ChunkId, Login, MountedFile, NetworkSpec, VolumeSpec


@dataclass(frozen=True, slots=True)
class Action:
    """Base of all actions. ``verbs`` are its words for people: while it is done, and once it is."""

    verbs: ClassVar[tuple[str, str]]

    def describe(self) -> str:
        """The action and its object, as one short phrase."""
        return f"{type(self).__name__} {self.object_name}"

    @property
    def doing(self) -> str:
        """What is being done, for people: ``starting container shop_web``."""
        return f"{self.verbs[0]} {self.words}"

    @property
    def done(self) -> str:
        """What was done, for people: ``started container shop_web``."""
        return f"{self.verbs[1]} {self.words}"

    @property
    def words(self) -> str:
        """What is acted on, for people."""
        return self.object_name

    @property
    def object_name(self) -> str:
        """The name of what is acted on."""
        return str(getattr(self, "name", ""))


@dataclass(frozen=True, slots=True)
class CreateNetwork(Action):
    """Make a network of a domain, with our labels."""

    verbs = ("making network", "made network")
    name: str
    domain: str
    spec: NetworkSpec


@dataclass(frozen=True, slots=True)
class RemoveNetwork(Action):
    """Remove a network of a domain. ``disconnect``: containers of pnr are disconnected from it first, those that do not
    run as well; while somebody else's is connected nothing is done. ``id``: this one, where several have the name."""

    verbs = ("removing network", "removed network")
    name: str
    domain: str
    disconnect: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class CreateVolume(Action):
    """Make a named volume of a domain, with our labels."""

    verbs = ("making volume", "made volume")
    name: str
    domain: str
    spec: VolumeSpec


@dataclass(frozen=True, slots=True)
class RemoveVolume(Action):
    """Remove a named volume, and what is in it. Only ever on a person's word: ``pnr down --volumes``, or a ``keep``
    that is false."""

    verbs = ("removing volume", "removed volume")
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class EnsureImage(Action):
    """See to it that the image is there: pull it or, with ``build``, build it, as the policy says. ``platform`` is the
    one it must have, ``logins`` those of the domain by registry; they go before what Docker's configuration has.
    ``digest``: what the registry has under the tag now; it is pulled where the engine has another one there. ``domain``
    is who asks, for whom it is built."""

    verbs = ("checking image", "checked image")
    image: str
    build: Build | None
    policy: str
    platform: str | None = None
    logins: Mapping[str, Login] = field(default_factory=dict)
    digest: str = ""
    domain: str = field(default="", compare=False)  # for which it is asked: others may share what it brings

    @property
    def object_name(self) -> str:
        """The image's name."""
        return self.image


@dataclass(frozen=True, slots=True)
class CreateContainer(Action):
    """Create (not start) the container of ``chunk`` under ``name``. ``flowin`` maps variables to values."""

    verbs = ("creating container", "created container")
    name: str
    chunk: Chunk
    replica: int
    generation: int
    flowin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExamineContainer(Action):
    """Look at a container of somebody else closely: what was asked of it, without what its image brings along."""

    verbs = ("examining container", "examined container")
    name: str


@dataclass(frozen=True, slots=True)
class AdoptContainer(Action):
    """Take over a container that somebody else made. ``matching``: as if it had been made from the chunk's present
    intent; otherwise as one that an update is to replace."""

    verbs = ("taking over container", "took over container")
    name: str
    id: str
    chunk: Chunk
    generation: int
    matching: bool


@dataclass(frozen=True, slots=True)
class StartContainer(Action):
    """Start a container. Starting one that runs is no error. ``files`` are those that its chunk has now: what of its
    own is gone from the host is made again from them. ``alone``: the ids of containers none of which may run beside it;
    they are looked at right before, since a start that was asked for earlier may come about late, and lose their
    restart policy: an engine that is restarted begins by it what was stopped as well. ``restart`` is the policy that it
    gets where it had lost its own so."""

    verbs = ("starting container", "started container")
    name: str
    files: tuple[MountedFile, ...] = ()
    alone: tuple[str, ...] = ()
    restart: str = ""


@dataclass(frozen=True, slots=True)
class ExamineMounts(Action):
    """Look whether a container that somebody else has started (its engine, most often) has of the host what it may
    have. Where it has not, it is ended, and that is the failure. ``run`` is the one that it is about."""

    verbs = ("looking at the mounts of container", "looked at the mounts of container")
    name: str
    run: str


@dataclass(frozen=True, slots=True)
class UpdateContainer(Action):
    """Change settings of a container as it runs. ``settings`` are all that are declared, ``changed`` the names of
    those that are not as declared."""

    verbs = ("changing settings of container", "changed settings of container")
    name: str
    settings: Mapping[str, Any]
    changed: tuple[str, ...]

    @property
    def words(self) -> str:
        """With what changes."""
        return f"{self.name} ({', '.join(self.changed)})" if self.changed else self.name


@dataclass(frozen=True, slots=True)
class UnpauseContainer(Action):
    """Let a paused container go on."""

    verbs = ("unpausing container", "unpaused container")
    name: str


@dataclass(frozen=True, slots=True)
class StopContainer(Action):
    """Stop with the container's stop signal, and kill after ``grace_seconds``. A stopped one is no error. ``id`` says
    which one is meant, whatever it is called by then (""; the one that has the name)."""

    verbs = ("stopping container", "stopped container")
    name: str
    grace_seconds: float
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RemoveContainer(Action):
    """Remove a container (killing what still runs). One that is gone is no error. ``id`` as with
    :class:`StopContainer`."""

    verbs = ("removing container", "removed container")
    name: str
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RenameContainer(Action):
    """Give a container another name."""

    verbs = ("renaming container", "renamed container")
    name: str
    new_name: str

    @property
    def words(self) -> str:
        """With the new name."""
        return f"{self.name} to {self.new_name}"


@dataclass(frozen=True, slots=True)
class ConnectNetwork(Action):
    """Connect a container to a network under ``aliases``, with the addresses and options of ``endpoint`` (see
    :mod:`reconciler.intent.settings.endpoints`). ``mends`` is the difference for which another connection was
    ended: that comes back at once where this one is refused."""

    verbs = ("connecting container", "connected container")
    name: str
    network: str
    aliases: tuple[str, ...]
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    mends: str = field(default="", compare=False)

    def describe(self) -> str:
        """With the network."""
        return f"{type(self).__name__} {self.name} to {self.network}"

    @property
    def words(self) -> str:
        """With the network."""
        return f"{self.name} to network {self.network}"


@dataclass(frozen=True, slots=True)
class DisconnectNetwork(Action):
    """Disconnect a container from a network. One that is not connected is no error."""

    verbs = ("disconnecting container", "disconnected container")
    name: str
    network: str

    def describe(self) -> str:
        """With the network."""
        return f"{type(self).__name__} {self.name} from {self.network}"

    @property
    def words(self) -> str:
        """With the network."""
        return f"{self.name} from network {self.network}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan. ``after`` lists the numbers of the steps that must be done before (from 1)."""

    number: int
    resource: str
    action: Action
    cause: str
    after: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{list(self.after)} -> #{self.number} {self.resource}, {self.action.describe()}, {self.cause}"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done now about one object, in this order. ``key`` is the chunk, or a domain's ``network``
    or ``volume``: one piece of work a key is in flight at a time."""

    key: ChunkId | str
    steps: tuple[tuple[Action, str], ...]  # action, cause
    label: str = ""  # what it is called while it is done: a Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in an order in which they can be done."""

    steps: tuple[Step, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)
