"""The directories that are mounted as ``/runtime``: made before a container is created, emptied before each start.

What a container wrote there in an earlier run must not count as an answer of the next. The directory belongs to us,
what is in it to the container, so nothing in it is followed or trusted.
"""

from __future__ import annotations

import os
import shutil
import stat

from reconciler.intent.model import ChunkId


def path(root: str, chunk: ChunkId) -> str:
    """Where a chunk's directory is. The names are safe file names (the loader sees to that)."""
    return os.path.join(root, chunk.domain, chunk.cpux, chunk.chunk)


def prepare(root: str, chunk: ChunkId) -> str:
    """Make the directory and empty it; its path. Raises OSError."""
    os.makedirs(root, mode=0o700, exist_ok=True)
    folder = path(root, chunk)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    if os.path.islink(folder):
        os.unlink(folder)
    os.makedirs(folder, exist_ok=True)
    # Whatever user the container runs as must be able to write here; the root above keeps others out.
    os.chmod(folder, 0o777)
    empty(folder)
    return folder


def empty(folder: str) -> None:
    """Remove what is in a directory, following nothing. Raises OSError."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False) and not stat.S_ISLNK(entry.stat(follow_symlinks=False).st_mode):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
