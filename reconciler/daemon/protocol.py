"""What the command line and the daemon say to each other, and what the service is started with.

One JSON object a line. A connection carries one request; the answers follow, until one has ``"done": true`` or
``"error": {"code", "message"}``. Empty lines in between only say that the daemon lives. The socket is internal:
scripts use ``pnr status --json``, whose document is the ``view`` in these answers. What is not said here is refused:
see :mod:`reconciler.daemon.requests`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

"""The document of ``pnr status --json``, described in docs/commands.md."""


@dataclass(frozen=True)
class ServiceOptions:
    """What a service is started with.

    ``domains`` is the directory of domain files, ``state`` the one that lasts; ``engine`` is ``docker`` or
    ``simulated``; ``polling`` looks at the directory on a timer instead of asking the kernel for events;
    ``allowed_env`` are names of the daemon's environment that ``${NAME}`` in a domain file may take. ``policy`` names a
    policy file, or a profile; None is the profile standard, since there is no file ``usual_policy``.
    ``insecure_folders`` goes on where others can write to a directory.
    """

    domains: Path
    state: Path
    engine: str = "docker"
    polling: bool = False
    allowed_env: tuple[str, ...] = ()
    policy: str | None = None
    insecure_folders: bool = False
    usual_policy: str | None = None


class Ask(TypedDict):
    """``ping``: is anybody there; ``watch``: a ``view`` now and after each change."""

    command: Literal["ping", "watch"]


class AskStatus(TypedDict):
    """One ``view``, of the domains or files that are named in ``only`` (of all, where it is empty)."""

    command: Literal["status"]
    only: NotRequired[list[str]]


class AskApply(TypedDict):
    """Look now. With ``wait`` a ``view`` after each change until the outcome is known: ``exit`` says which; for
    ``timeout`` seconds at most. ``waiting`` in an answer says what is waited for, for people."""

    command: Literal["apply"]
    only: NotRequired[list[str]]
    wait: NotRequired[bool]
    timeout: NotRequired[float | None]


class AskDown(TypedDict):
    """Take domains down (all, where ``only`` is empty), and their named volumes with ``volumes``."""

    command: Literal["down"]
    only: NotRequired[list[str]]
    volumes: NotRequired[bool]
    wait: NotRequired[bool]


class AskVolumes(TypedDict):
    """The ``volumes`` of domains (of all, where ``only`` is empty), with their sizes."""

    command: Literal["volumes"]
    only: NotRequired[list[str]]


class AskConfirmRemoval(TypedDict):
    """Let domains go whose files are gone (all of these, where ``only`` is empty): they are ``confirmed``."""

    command: Literal["confirm-removal"]
    only: NotRequired[list[str]]


class AskLogs(TypedDict):
    """The last ``tail`` lines of the containers of a chunk as ``text``; with ``follow`` what comes then: of these,
    and of those that come in their place. ``note`` in an answer is a word of the daemon's own."""

    command: Literal["logs"]
    chunk: str
    tail: NotRequired[int]
    follow: NotRequired[bool]


class AskImages(TypedDict):
    """The ``images`` of all chunks; with ``offline`` no registry is asked."""

    command: Literal["images"]
    offline: NotRequired[bool]


class AskPrune(TypedDict):
    """The images of ours that are ``unused``; with ``ids`` those of them are ``removed``."""

    command: Literal["prune"]
    ids: NotRequired[list[str]]


Request = Ask | AskStatus | AskApply | AskDown | AskVolumes | AskConfirmRemoval | AskLogs | AskImages | AskPrune
