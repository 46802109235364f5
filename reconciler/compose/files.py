"""The only place in this room that touches the world: it reads files, and looks where they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from reconciler.compose.parsing import MAX_BYTES

LIMIT = MAX_BYTES + 1
"""How much of a file is read: one byte more than is allowed, so that its reader can tell."""


STANDARD_INPUT = "-"
"""The name of what comes in by itself instead of a file, as with Compose."""


class Unreadable(Exception):
    """A file that is not there or can't be read; the text is the reason."""


def read(path: str) -> bytes:
    """The content of a file, or of standard input, up to ``LIMIT`` bytes. Raises Unreadable."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(LIMIT)
    if os.path.isdir(path):
        raise Unreadable("it is a folder")
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None


def is_file(path: str) -> bool:
    """Whether there is something at ``path`` that is no folder."""
    return os.path.exists(path) and not os.path.isdir(path)


def exists(path: str) -> bool:
    """Whether there is anything at ``path``."""
    return os.path.exists(path)


def real(path: str) -> str:
    """``path`` with its symbolic links followed."""
    return os.path.realpath(path)


def here(said: str | None) -> str:
    """The working directory: as it is ``said`` to be (by a shell, in ``PWD``) if that is the same folder, which it may
    have reached by a symbolic link.
    """
    try:
        if said and os.path.isabs(said) and os.path.samefile(said, "."):
            return said
    except OSError:
        return os.getcwd()
    return os.getcwd()


def home() -> str | None:
    """The home of the user who runs the program, if it is known."""
    return os.environ.get("HOME") or None


def absolute(path: Path, folder: str) -> str:
    """``path`` from ``folder``, cleaned, links left alone; standard input stays what it is."""
    if str(path) == STANDARD_INPUT:
        return STANDARD_INPUT
    return os.path.normpath(os.path.join(folder, path))
