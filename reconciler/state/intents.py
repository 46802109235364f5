"""The last good text of each domain's file, so that it stays in force when the file breaks while we are away."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.state import atomic
from reconciler.state.atomic import StateWriteFailed

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

    def save(self, domain: str, file: str, data: bytes) -> None:
        """Keep a text. Raises StateWriteFailed."""
        atomic.write(self._path(domain), json.dumps(file).encode() + b"\n" + data)

    def load_all(self, *, mending: bool = True) -> Sequence[StoredIntent]:
        """All texts. One that can't be read is left out: its domain is then known by its snapshot alone. Without
        ``mending`` nothing is touched, since another process may be writing."""
        found: list[StoredIntent] = []
        if not self._folder.is_dir():
            return found
        if mending:
            atomic.clear_leftovers(self._folder)
        for path in sorted(self._folder.glob("*.intent")):
            try:
                line, _, data = path.read_bytes().partition(b"\n")
                file = str(json.loads(line))
            except (OSError, ValueError) as error:
                log.warning("%s can't be used: %s; its domain is known by its snapshot alone", path, error)
                continue
            found.append(StoredIntent(path.name.removesuffix(".intent"), file, data))
        return found

    def remove(self, domain: str) -> None:
        """Forget a text. Raises StateWriteFailed."""
        atomic.remove(self._path(domain))

    def _path(self, domain: str) -> Path:
        if not _SAFE_NAME.fullmatch(domain):
            raise StateWriteFailed(f"{domain!r} can't be the name of a stored intent")
        return self._folder / f"{domain}.intent"
