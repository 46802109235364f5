"""The key of this installation, with which fingerprints of secrets are made: ``ROOT/key``, 32 random bytes.

It is made once, when a first domain has a secret. A lost key is no loss of secrets: a new one is made, and the
containers that use secrets or configs are recreated with it, once.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import ClassVar

from reconciler.errors import PnrError
from reconciler.state import aside, files

NAME = "key"
KEY_BYTES = 32


class KeyUnusable(PnrError):
    """The key is there and can't be used."""

    code: ClassVar[str] = "KeyUnusable"


class InstallationKey:
    """The key, read when it is first wanted. ``make``: whether one that is not there is made and kept (the daemon) or
    made up for this process alone (commands that change nothing)."""

    def __init__(self, root: Path, *, make: bool) -> None:
        self._path = root / NAME
        self._make = make
        self._key: bytes | None = None
        self._making = threading.Lock()  # files are loaded in several threads, and there is to be one key

    def __call__(self) -> bytes:
        """The key. Raises KeyUnusable, StateWriteFailed."""
        with self._making:
            if self._key is None:
                self._key = self._read() or self._new()
            return self._key

    def write_again(self) -> None:
        """Put the key back where the state directory has lost it. Raises StateWriteFailed."""
        if self._key is not None and self._make and not self._path.exists():
            files.write(self._path, self._key)

    def _read(self) -> bytes | None:
        try:
            key = aside.read(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyUnusable(
                f"{self._path} can't be read: {error.strerror or error}; run this as the daemon's user"
            ) from error
        if len(key) != KEY_BYTES:
            raise KeyUnusable(
                f"{self._path} has {len(key)} bytes and should have {KEY_BYTES}: put it back from a backup, or remove"
                " it (containers with secrets or configs are then recreated, once)"
            )
        return key

    def _new(self) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        if self._make:
            files.write(self._path, key)
        return key
