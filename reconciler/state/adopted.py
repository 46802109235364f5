"""Which containers that somebody else made have been taken over: ``STATE/adopted.json``.

The labels of a container can't be changed, so what they would say stands here, by the container's id. Losing the file
loses no container: those in it are somebody else's again, until their chunks take them over again.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from reconciler.state import aside, files

log = logging.getLogger("pnr.state")

FILE = "adopted.json"
VERSION = 1


class AdoptedStore:
    """The record, read once and written whole at each change. See :class:`reconciler.engine.protocol.Adopted`.

    Containers are taken over by several threads at the same time, and each must find what the others wrote.
    """

    def __init__(self, root: Path) -> None:
        self.problem = ""  # why the record could not be used
        self._unusable = False  # what is there is not to be written over
        self._path = root / FILE
        self._writing = threading.Lock()
        self._labels = self._read()

    def _read(self) -> dict[str, Mapping[str, str]]:
        try:
            document: Any = json.loads(aside.read(self._path))
            if document["version"] != VERSION:
                raise ValueError(f"it has version {document['version']}, this program knows {VERSION}")
            return {str(id): {str(k): str(v) for k, v in labels.items()} for id, labels in document["adopted"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            self.problem = (
                f"{self._path} can't be used ({reason}): containers that were taken over count as not made by pnr"
            )
            self._unusable = True
            return {}

    def labels(self, container_id: str) -> Mapping[str, str]:
        """What the labels of a container would say; empty for one that was not taken over."""
        return self._labels.get(container_id, {})

    def adopt(self, container_id: str, labels: Mapping[str, str]) -> None:
        """Take a container over. Raises StateWriteFailed; it is then not taken over."""
        with self._writing:
            self._write({**self._labels, container_id: dict(labels)})

    def keep(self, present: Collection[str]) -> None:
        """Forget those that are gone. Raises StateWriteFailed."""
        with self._writing:
            left = {id: labels for id, labels in self._labels.items() if id in present}
            if len(left) < len(self._labels):
                self._write(left)

    def write_again(self) -> None:
        """Rewrite the record where the state directory has lost it. Raises StateWriteFailed."""
        with self._writing:
            if self._labels:
                self._write(dict(self._labels))

    def _write(self, labels: dict[str, Mapping[str, str]]) -> None:
        text = json.dumps({"version": VERSION, "adopted": labels}, indent=1, sort_keys=True)
        if self._unusable:
            log.warning("%s", aside.put_away(self._path, "see above"))
            self._unusable = False
        files.write(self._path, text.encode())
        self._labels = labels
