"""The last good text of each domain's file, so that it stays in force when the file breaks while we are away."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.state import aside, files
from reconciler.state.files import StateWriteFailed

log = logging.getLogger("pnr.state")

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """A domain's last good text, and the name of the file that it stood in."""

    domain: str
    file: str
    data: bytes


class IntentStore:
    """The texts in ``ROOT/intents``: the first line of each is the file's name (as JSON writes a string), the rest its
    bytes as they were."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "intents"
        self.problems: list[str] = []

    def save(self, domain: str, file: str, data: bytes) -> None:
        """Keep a text. Raises StateWriteFailed."""
        files.write(self._path(domain), json.dumps(file).encode() + b"\n" + data)

    def load_all(self, *, mending: bool = True) -> Sequence[StoredIntent]:
        """All texts. One that can't be used is left out: its domain is then known by its snapshot alone. Without
        ``mending`` nothing is touched, since another process may be writing; with it such are set aside. ``problems``
        tells of them."""
        found: list[StoredIntent] = []
        try:
            if mending and os.path.lexists(self._folder) and not self._is_ours():
                self._tell(aside.put_away(self._folder, "it should be a directory"))
            if mending and self._is_ours():
                files.clear_leftovers(self._folder)
            paths = sorted(self._folder.glob("*.intent")) if self._is_ours() else []
        except OSError as error:
            self._tell(f"{self._folder} can't be read: {error.strerror or error}")
            return found
        for path in paths:
            try:
                line, _, data = aside.read(path).partition(b"\n")
                file = json.loads(line)
                if not isinstance(file, str):
                    raise ValueError("its first line is not a file name")
                found.append(StoredIntent(path.name.removesuffix(".intent"), file, data))
            except (OSError, ValueError, RecursionError) as error:
                lasting = not isinstance(error, OSError) or aside.is_lasting(error)
                reason = getattr(error, "strerror", None) or error
                said = aside.put_away(path, reason) if mending and lasting else f"{path} can't be used: {reason}"
                self._tell(f"{said}; its domain is known by its snapshot alone")
        return found

    def _is_ours(self) -> bool:
        """Whether the folder is there, and no link to another."""
        return self._folder.is_dir() and not self._folder.is_symlink()

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            log.warning("%s", problem)

    def remove(self, domain: str) -> None:
        """Forget a text. Raises StateWriteFailed."""
        files.remove(self._path(domain))

    def _path(self, domain: str) -> Path:
        if not _SAFE_NAME.fullmatch(domain):
            raise StateWriteFailed(f"{domain!r} can't be the name of a stored intent")
        if self._folder.is_symlink():
            raise StateWriteFailed(f"{self._folder} is a symbolic link, which is not followed: remove it")
        return self._folder / f"{domain}.intent"
