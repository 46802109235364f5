"""What a judgement must know besides the request: places of this installation, what a path leads to, what is there
under a name. The doors to it; pure.

The judge is pure. Whoever calls it hands it these: the daemon one that looks at the disk and asks nobody, the guard in
front of the engine one that also asks the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a path on the host leads to, looked at part by part.

    ``real`` is the path without links; ``link`` the first link on the way, where there is one. ``exists``: whether all
    of it is there. ``kind`` is ``file``, ``folder``, ``block``, ``char``, ``socket``, ``pipe`` or "". ``others`` is the
    first part of the way that users other than root and the daemon's may write to or own. ``ids`` are device and inode
    of each part that is there, the root first. ``hidden`` says why this process may see something else there than the
    engine does; "" where it does not.
    """

    real: str
    exists: bool = True
    link: str | None = None
    kind: str = ""
    others: str | None = None
    ids: tuple[tuple[int, int], ...] = ()
    hidden: str = ""
    trouble: str = ""  # why it could not be looked at


@dataclass(frozen=True, slots=True)
class ImageThere:
    """An image that the engine has under a name. ``builder`` is the domain that pnr built it for here, "" where none is
    known; ``delivered`` says that a registry delivered it under that name."""

    builder: str = ""
    delivered: bool = False


Look = Callable[[str], Seen]
"""Looks at an absolute path of the host."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The places of this installation, as absolute paths without links.

    ``domains`` is the directory of the domain files; ``own`` what else belongs to pnr: state and policy; ``program``
    its code. Below
    ``runtime`` lie the directories of ``/runtime``, below each of ``files`` the secrets and configs of containers:
    ``ROOT/DOMAIN/CPUX/UNIT``. ``sockets`` lead to the engine.
    """

    domains: str = ""
    own: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    runtime: str = ""
    files: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


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

    def image(self, name: str) -> ImageThere | None:
        """Nobody has looked."""
        return None

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """Nobody has said so."""
        return False
