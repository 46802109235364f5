"""Which images pnr pulled, or built and for which domain, and when it asked registries for them last:
``STATE/images.json``.

The engine tells neither: labels of an image are inherited by whatever is built from it, so that they can't say whose it
is. Losing the file costs a pull that was not due yet, leaves images to be removed by hand, and lets what was built
before count as nobody's; nothing else.
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

FILE = "images.json"
VERSION = 1


class ImageStore:
    """The record, read once and written whole at each change. See :class:`reconciler.engine.protocol.ImageRecord`."""

    def __init__(self, root: Path) -> None:
        self.problem = ""  # why the record could not be used
        self._unusable = False  # what is there is not to be written over
        self._path = root / FILE
        self._lock = threading.Lock()
        self._own: dict[str, tuple[str, ...]] = {}
        self._asked: dict[str, float] = {}
        self._built: dict[str, str] = {}
        self._building: frozenset[str] = frozenset()
        self._read()

    def _read(self) -> None:
        try:
            document: Any = json.loads(aside.read(self._path))
            if document["version"] != VERSION:
                raise ValueError(f"it has version {document['version']}, this program knows {VERSION}")
            own = {str(id): tuple(str(name) for name in names) for id, names in document["own"].items()}
            asked = {str(image): float(at) for image, at in document["asked"].items()}
            built = {str(id): str(domain) for id, domain in document.get("built", {}).items()}
            building = frozenset(map(str, document.get("building", ())))
            self._own, self._asked, self._built, self._building = own, asked, built, building
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            self.problem = (
                f"{self._path} can't be used ({reason}): `pnr prune` knows no image that was brought in before"
            )
            self._unusable = True

    def asked_at(self, image: str) -> float | None:
        """When ``image`` was last asked for, as a Unix time."""
        with self._lock:
            return self._asked.get(image)

    def asked(self, image: str, at: float) -> None:
        """``image`` was asked for. Raises StateWriteFailed."""
        with self._lock:
            self._write(self._own, {**self._asked, image: at}, self._built)

    def own(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of the images that pnr brought in, with their names then."""
        with self._lock:
            return dict(self._own)

    def built_by(self, image_id: str, said: str = "", names: Collection[str] = ()) -> str:
        """The domain that pnr built an image for; "" where it did not. ``said`` is what its label says: that counts
        while something is built under one of its ``names``, until it is recorded."""
        with self._lock:
            known = self._built.get(image_id, "")
            return said if not known and not self._building.isdisjoint(names) else known

    def builds(self, names: Collection[str]) -> None:
        """Something is about to be built under these names. Written down, so that what comes of it is not nobody's
        where the program ends meanwhile. Raises StateWriteFailed."""
        with self._lock:
            more = self._building | frozenset(names)
            if more != self._building:
                self._building = more
                self._write(self._own, self._asked, self._built)

    def add(self, image_id: str, names: Collection[str], built_by: str = "") -> None:
        """pnr brought this one in: pulled it, or built it for a domain. Raises StateWriteFailed; whose it is, is then
        known until the program ends."""
        with self._lock:
            every = tuple(dict.fromkeys([*self._own.get(image_id, ()), *names]))
            changed = self._own.get(image_id) != every
            if built_by:
                left = self._building - frozenset(names)
                changed = changed or self._built.get(image_id) != built_by or left != self._building
                self._built, self._building = {**self._built, image_id: built_by}, left
            if changed:
                self._write({**self._own, image_id: every}, self._asked, self._built)

    def keep(self, present: Collection[str]) -> None:
        """Forget those that are gone. Raises StateWriteFailed."""
        with self._lock:
            left = {id: names for id, names in self._own.items() if id in present}
            if len(left) < len(self._own):
                self._write(left, self._asked, {id: by for id, by in self._built.items() if id in present})

    def write_again(self) -> None:
        """Rewrite the record where the state directory has lost it. Raises StateWriteFailed."""
        with self._lock:
            if self._own or self._asked:
                self._write(self._own, self._asked, self._built)

    def _write(self, own: dict[str, tuple[str, ...]], asked: dict[str, float], built: dict[str, str]) -> None:
        document = {"version": VERSION, "own": own, "asked": asked, "built": built, "building": sorted(self._building)}
        if self._unusable:
            log.warning("%s", aside.put_away(self._path, "see above"))
            self._unusable = False
        files.write(self._path, json.dumps(document, indent=1, sort_keys=True).encode())
        self._own, self._asked, self._built = own, asked, built
