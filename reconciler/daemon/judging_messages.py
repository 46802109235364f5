"""What the daemon and the process that judges files say to each other: pickles of these, each after its length.

Only the daemon's own child writes them, over a pipe that nobody else has.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reconciler.daemon.intake import Entry, Judged, Key
from reconciler.intent.model import Domain
from reconciler.policy import Judge

LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message: all that judging takes besides the files, and how much memory there is for it."""

    state: Path
    base_dir: str
    env: Mapping[str, str]
    allowed_env: frozenset[str]
    policy: Judge | None
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Load:
    """Load a file, and remember what it means. The answer is its Entry, without the data that the asker has."""

    id: int
    cpu_seconds: int
    key: Key
    data: bytes


@dataclass(frozen=True, slots=True)
class Stale:
    """Which of what is remembered may have changed. The answer is a list of keys."""

    id: int
    cpu_seconds: int


@dataclass(frozen=True, slots=True)
class Put:
    """Remember what a file means that was loaded elsewhere."""

    key: Key
    entry: Entry


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember a domain by a number: one that is in force, whatever its file says now."""

    number: int
    domain: Domain


@dataclass(frozen=True, slots=True)
class EngineFolders:
    """Where the engine keeps its data, as soon as it has told: what was judged before is stale."""

    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget what nobody asks for any more."""

    keys: tuple[Key, ...]
    numbers: tuple[int, ...]


Ref = Key | int
"""A domain that both sides have: by its file's key, or by a number."""


@dataclass(frozen=True, slots=True)
class Together:
    """Judge what files mean beside what is in force: its name, file, domain, whether it is gone, and absent.
    ``broken`` are files that mean nothing, with the names of the domains that they would declare. The answer is a
    Verdict."""

    id: int
    cpu_seconds: int
    files: Mapping[str, Key]
    broken: Mapping[str, str | None]
    in_force: tuple[tuple[str, str, Ref | None, bool, bool], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A Judged, with references instead of domains, and of the files that were asked about."""

    domains: Mapping[str, Ref]
    readable: Mapping[str, Ref]
    judged: Judged


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request; ``id`` 0: the process is ready."""

    id: int
    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """Something for the daemon's log."""

    level: int
    name: str
    message: str


def packed(message: object) -> bytes:
    """A message as it is written."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


def read(stream: IO[bytes]) -> Any:
    """The next message of a stream; None at its end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return unpacked(stream.read(LENGTH.unpack(head)[0]))


def unpacked(body: bytes) -> Any:
    """What a message says."""
    return pickle.loads(body)  # noqa: S301 - of our own child, over a pipe that nobody else has
