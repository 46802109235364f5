"""What a judgement must know besides the request: places of this installation, what a path leads to, what is there
under a name. The doors to it; pure.

The judge is pure. Whoever calls it hands it these: the daemon one that looks at the disk and asks nobody, the guard in
front of the engine one that also asks the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a path on the host leads to, looked at part by part.

    ``real`` is the path without links; ``link`` the first link on the way, where there is one. ``exists``: whether all
    of it is there. ``kind`` is ``file``, ``folder``, ``block``, ``char``, ``socket``, ``pipe`` or "". ``others`` is the
    first part of the way that users other than root and the daemon's may write to or own. ``ids`` are device and inode
    of each part that is there, the root first. ``hidden`` says why this process may see something else there than the
    engine does; "" where it does not. ``owner`` is the user number whom the last part that is there belongs to; None
    where nobody can tell.
    """

    real: str
    exists: bool = True
    link: str | None = None
    kind: str = ""
    others: str | None = None
    ids: tuple[tuple[int, int], ...] = ()
    hidden: str = ""
    trouble: str = ""  # why it could not be looked at
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class ImageThere:
    """An image that the engine has under a name. ``builder`` is the domain that pnr built it for here, "" where none is
    known; ``delivered`` says that a registry delivered it under that name."""

    builder: str = ""
    delivered: bool = False


Look = Callable[[str], Seen]
"""Looks at an absolute path of the host."""


@dataclass(frozen=True, slots=True)
class ReadByRoot:
    """A path that something of the host runs or reads as root: ``who`` does, as ``agent.service``. ``all_below``: what
    lies below it as well."""

    path: str
    who: str
    all_below: bool = False


@dataclass(frozen=True, slots=True)
class HostNet:
    """What networks this machine has of its own: the routes to somewhere, as subnet and interface (what leads
    everywhere, and what leads nowhere, is left out); its addresses, and those of its gateways and resolvers; its
    interfaces, each with whether it is a bridge; names that its own table of hosts gives to addresses. ``hidden`` says
    why all this is not known; "" where it is."""

    routes: tuple[tuple[str, str], ...] = ()
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    interfaces: tuple[tuple[str, bool], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    hidden: str = ""


LookAtNetworks = Callable[[], HostNet]
"""Looks at the networks of the machine that the engine runs on."""


def nobody_looked() -> HostNet:
    """The look of those who have none."""
    return HostNet(hidden="the networks of the engine's machine are not known yet")


@dataclass(frozen=True, slots=True)
class Installation:
    """The places of this installation, as absolute paths without links.

    ``domains`` is the directory of the domain files; ``own`` what else belongs to pnr: state and policy; ``program``
    its code. Below
    ``runtime`` lie the directories of ``/runtime``, below each of ``files`` the secrets and configs of containers:
    ``ROOT/DOMAIN/CPUX/UNIT``. ``sockets`` lead to the engine. ``read_by_root`` is what the host runs or reads as root
    by the word of its own settings. Users are ordinary ones from the number ``uid_min`` on. ``elsewhere``: the domain
    files are judged at another place than they are put to, so that only paths which are relative lead to what is beside
    them. ``engine`` is where the engine says that it keeps its data: told once it was asked, to all who have these
    places. ``net`` looks at the networks of the engine's machine.
    """

    domains: str = ""
    own: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    runtime: str = ""
    files: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    read_by_root: tuple[ReadByRoot, ...] = ()
    uid_min: int = 1000
    elsewhere: bool = False
    engine: list[str] = field(default_factory=list, compare=False)
    net: LookAtNetworks = nobody_looked


class World(Protocol):
    """What is there. Each gives None where nothing is, or where nobody can tell."""

    def container(self, name: str) -> Body | None:
        """A container by name or id, as ``GET /containers/{id}/json`` shows it, with our labels where it was taken
        over."""
        ...

    def volume(self, name: str) -> Body | None:
        """A volume, as ``GET /volumes/{name}`` shows it."""
        ...

    def network(self, name: str) -> Body | None:
        """A network by name or id, as ``GET /networks/{id}`` shows it."""
        ...

    def bridges(self) -> frozenset[str] | None:
        """The interfaces of this machine that the engine made for its networks; None where nobody can tell."""
        ...

    def addresses(self, host: str) -> tuple[str, ...]:
        """What a name of a host stands for now; nothing where nobody has asked, or nobody knows."""
        ...

    def image(self, name: str) -> ImageThere | None:
        """An image, by name or id."""
        ...

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """Whether domain ``owner`` lets ``domain`` have its network or volume (``kind``) of this name."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether None means that there is none: else it means that nobody has looked."""
        ...


class Nothing:
    """A world that nobody has looked at."""

    is_complete = False

    def container(self, name: str) -> Body | None:
        """Nobody has looked."""
        return None

    def volume(self, name: str) -> Body | None:
        """Nobody has looked."""
        return None

    def network(self, name: str) -> Body | None:
        """Nobody has looked."""
        return None

    def bridges(self) -> frozenset[str] | None:
        """Nobody has looked."""
        return None

    def addresses(self, host: str) -> tuple[str, ...]:
        """Nobody has asked."""
        return ()

    def image(self, name: str) -> ImageThere | None:
        """Nobody has looked."""
        return None

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """Nobody has said so."""
        return False
