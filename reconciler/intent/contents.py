"""What a domain file refers to besides itself: files, variables, credentials. The loader's only door to them. Pure.

The loader is pure; whoever calls it hands it a :class:`Contents`, which is the one that touches the disk. What was
asked of it is remembered in the domain (``Domain.sources``), so that a change there is a reason to load it again.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from reconciler.errors import PnrError

MAX_BYTES = 1 << 20
"""How large a content may be."""


class SourceKind(StrEnum):
    """Where content comes from."""

    FILE = "file"  # name: an absolute path
    ENVIRONMENT = "environment"  # name: a variable of the daemon's environment
    CREDENTIAL = "credential"  # name: a systemd credential, a file in $CREDENTIALS_DIRECTORY
    SOPS = "sops"  # name: the absolute path of a file that `sops --decrypt` opens
    AGE = "age"  # name: the absolute path of a file that `age --decrypt` opens
    FOLDER = "folder"  # a build context: see :func:`folder`
    TEXT = "content"  # name: the content itself, as it stands in the domain file


PATHS = frozenset({SourceKind.FILE, SourceKind.SOPS, SourceKind.AGE})
"""Those whose name is the path of a file."""


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Source:
    """One thing that a domain file refers to. As text it says where the content is and shows none of it. ``reader`` is
    the domain file, by its path in the domains directory: what it may read is not what another one may."""

    kind: SourceKind
    name: str
    reader: str = ""

    def __str__(self) -> str:
        match self.kind:
            case SourceKind.ENVIRONMENT:
                return f"the environment variable {self.name}"
            case SourceKind.CREDENTIAL:
                return f"the credential {self.name}"
            case SourceKind.TEXT:
                return "the content in the domain file"
            case SourceKind.FOLDER:
                return folder_parts(self)[0]
        return self.name

    __repr__ = __str__


def folder(context: str, dockerfile: str | None, reader: str = "") -> Source:
    """The directory ``context`` (an absolute path) as a source, with the Dockerfile (relative to it, or absolute) that
    says what is left out of it. None is the usual one; "" where there is none because it stands in the domain file."""
    return Source(SourceKind.FOLDER, context if dockerfile is None else f"{context}\n{dockerfile}", reader)


def folder_parts(source: Source) -> tuple[str, str | None]:
    """The way back from :func:`folder`."""
    context, sign, dockerfile = source.name.partition("\n")
    return context, dockerfile if sign else None


class ContentsError(PnrError):
    """A source that can't be read; the message says which, why and what to do, and shows nothing of a value."""

    code = "SourceUnreadable"


class SourceMissing(ContentsError):
    """There is no such file, variable or credential."""

    code = "SourceMissing"


class SourceTooLarge(ContentsError):
    """The content has more than MAX_BYTES."""

    code = "SourceTooLarge"


class ContentsUnread(ContentsError):
    """Nobody reads sources here."""


class ToolMissing(ContentsError):
    """The program that opens the file is not installed, or lacks what it needs."""

    code = "ToolMissing"


class ToolFailed(ContentsError):
    """The program that opens the file did not."""

    code = "ToolFailed"


class Contents(Protocol):
    """Reads sources. May be called from several threads."""

    def read(self, source: Source) -> bytes:
        """The content, at most MAX_BYTES. Not for folders. Raises ContentsError."""
        ...

    def fingerprint(self, source: Source) -> str:
        """A hash (hex) that changes exactly when the content does. It may stand in labels and snapshots: it is keyed
        with a secret of this installation, so that nobody can guess a value from it. Raises ContentsError."""
        ...

    def fingerprint_of(self, content: bytes) -> str:
        """The fingerprint of a source that has this content. Raises ContentsError."""
        ...

    def stamp(self, source: Source) -> Hashable:
        """Cheap to have, and different when the content may be: a reason to read it again."""
        ...


@runtime_checkable
class Glancing(Protocol):
    """Contents that can spare work where many sources are looked at in one go."""

    def glance(self) -> Contents:
        """The same contents for one look, in which nothing is taken to change: a directory is walked through once for
        all that are built from it. To be used by one thread."""
        ...


class NoContents:
    """Stands in where a file is looked at without what it refers to: there is nothing to be read."""

    def read(self, source: Source) -> bytes:
        """Raises ContentsUnread."""
        raise ContentsUnread(f"{source} is not read here")

    def fingerprint(self, source: Source) -> str:
        """Raises ContentsUnread."""
        raise ContentsUnread(f"{source} is not read here")

    def fingerprint_of(self, content: bytes) -> str:
        """Raises ContentsUnread."""
        raise ContentsUnread("there is no key for fingerprints here")

    def stamp(self, source: Source) -> Hashable:
        """Never another one."""
        return None
