"""The directories that are mounted as ``/runtime``: made before a container is created, emptied before each start.

What a container wrote there in an earlier run must not count as an answer of the next. The directory belongs to us,
what is in it to the container, so nothing in it is followed or trusted.
"""

from __future__ import annotations

import os

from reconciler import links, trees
from reconciler.intent.model import ChunkId

TARGET = "/runtime"


def path(root: str, chunk: ChunkId) -> str:
    """Where a chunk's directory is. The names are safe file names (the loader sees to that)."""
    return os.path.join(root, chunk.domain, chunk.cpux, chunk.unit)


def prepare(root: str, chunk: ChunkId) -> str:
    """Make the directory and empty it; its path. Raises OSError."""
    folder = ensure(root, chunk)
    empty(folder)
    return folder


def ensure(root: str, chunk: ChunkId) -> str:
    """Make the directory, where it is not there yet; its path. Raises OSError."""
    links.make_folders(root)
    # Whatever user the container runs as must be able to write into its directory; the root keeps all others out.
    os.chmod(root, 0o700)
    folder = path(root, chunk)
    if os.path.islink(folder):
        os.unlink(folder)
    links.make_folders(root, chunk.domain, chunk.cpux, chunk.unit)
    os.chmod(folder, 0o777)  # noqa: S103 - the root above it keeps others out
    return folder


def empty(folder: str) -> None:
    """Remove what is in a directory, following nothing. Raises OSError.

    A directory in it that belongs to another user can't be emptied by us unless we are root: it is left, for nothing
    is ever read from below.
    """
    trees.empty(folder)
