"""Writes a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import ClassVar

from reconciler.errors import PnrError

TEMPORARY_PREFIX = ".pnr-"
TEMPORARY_SUFFIX = ".tmp"


class StateWriteFailed(PnrError):
    """The state directory can't be written: a full disk, missing rights. What was there is still whole."""

    code: ClassVar[str] = "StateWriteFailed"


def write(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, mode 0600. Raises StateWriteFailed; the old file is then untouched."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StateWriteFailed(
            f"{path} can't be written: {error.strerror or error}; check the disk and the rights of {path.parent};"
            " pnr tries again"
        ) from error


def remove(path: Path) -> None:
    """Remove a file for good; one that is gone is fine. Raises StateWriteFailed."""
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as error:
        raise StateWriteFailed(f"{path} can't be removed: {error.strerror or error}") from error


def sync_folder(folder: Path) -> None:
    """Make a rename last. Windows can't open folders; there the file system does it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no fsync of a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def clear_leftovers(folder: Path) -> None:
    """Remove temporary files that a crash has left."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
        with contextlib.suppress(OSError):
            leftover.unlink()
