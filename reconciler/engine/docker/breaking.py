"""Breaks off an answer of the engine that another thread is reading."""

from __future__ import annotations

import contextlib
from typing import Any

from docker.errors import DockerException


def break_off(stream: Any) -> None:
    """Close a stream, from any thread; None: there is nothing to close."""
    if stream is None:
        return
    # It ended in this very moment, or goes through ssh, where nothing can be broken off: the thread stays behind until
    # the engine ends the stream.
    with contextlib.suppress(DockerException, OSError, AttributeError):
        stream.close()
