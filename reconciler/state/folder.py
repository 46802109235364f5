"""What is kept of the domains directory itself: ``STATE/folder.json``.

Its identity, so that another one in its place (a disk that is not mounted) is noticed after a restart too, and which
domains were let go of late. Losing the file loses no domain: the directory that is found then counts as the right one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.state import aside, files

log = logging.getLogger("pnr.state")

FILE = "folder.json"
VERSION = 1


class FolderStore:
    """The record, read once and written whole at each change. ``problem`` is why it could not be used."""

    def __init__(self, root: Path) -> None:
        self.problem = ""
        self._path = root / FILE
        self._unusable = False  # what is there is not to be written over
        self._document = self._read()

    def load(self) -> Mapping[str, Any]:
        """What was kept; empty where nothing was, or where it can't be used."""
        return self._document

    def _read(self) -> Mapping[str, Any]:
        try:
            document: Any = json.loads(aside.read(self._path))
            if document["version"] != VERSION:
                raise ValueError(f"it has version {document['version']}, this program knows {VERSION}")
            return {
                "place": str(document["place"]),
                "let_go": [{str(key): value for key, value in one.items()} for one in document["let_go"]],
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            self.problem = f"{self._path} can't be used ({reason}): the domains directory found counts as the right one"
            self._unusable = True
            return {}

    def save(self, document: Mapping[str, Any]) -> None:
        """Keep it. Raises StateWriteFailed."""
        if self._unusable:
            log.warning("%s", aside.put_away(self._path, "see above"))
            self._unusable = False
        files.write(self._path, json.dumps({**document, "version": VERSION}, indent=1).encode())
