"""What a domain file refers to besides itself: files, variables, credentials. The loader's only door to them. Pure.

The loader is pure; whoever calls it hands it a :class:`Contents`, which is the one that touches the disk. What was
asked of it is remembered in the domain (``Domain.sources``), so that a change there is a reason to load it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from reconciler.errors import PnrError


class SourceKind(StrEnum):
    """Where content comes from."""

    FILE = "file"  # name: an absolute path
    ENVIRONMENT = "environment"  # name: a variable of the daemon's environment
    CREDENTIAL = "credential"  # name: a systemd credential, a file in $CREDENTIALS_DIRECTORY
    SOPS = "sops"  # name: the absolute path of a file that `sops --decrypt` opens
    AGE = "age"  # name: the absolute path of a file that `age --decrypt` opens
    FOLDER = "folder"  # name: the absolute path of a directory (a build context)


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One thing that a domain file refers to."""

    kind: SourceKind
    name: str


class ContentsError(PnrError):
    """A source that can't be read; the message says which, why and what to do, and shows nothing of a value."""

    code = "SourceUnreadable"


class Contents(Protocol):
    """Reads sources. Both methods raise ContentsError."""

    def read(self, source: Source) -> bytes:
        """The content, at most 1 MiB. Not for folders."""
        ...

    def fingerprint(self, source: Source) -> str:
        """A hash (hex) that changes exactly when the content does. It may stand in labels and snapshots: it is keyed
        with a secret of this installation, so that nobody can guess a value from it."""
        ...
