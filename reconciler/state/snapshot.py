"""Snapshots: one TOML file a domain, for people, for scripts, and for the program after a crash.

The format is documented in docs/state-format.md. A snapshot holds no secret values: what is put in is facts, states and
identities, never settings.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from reconciler.state import aside, files
from reconciler.state.files import StateWriteFailed

_MOST_TOLD = 5
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class SnapshotStore:
    """The snapshots in one directory. Blocking; to be called from one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unread: set[str] = set()  # there, and could not be read: not to be written over

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        """Write a domain's snapshot. Raises StateWriteFailed; the old one is then still whole."""
        path = self._path(domain)
        text = tomli_w.dumps(without_none(document))
        if domain in self._unread:
            if os.path.lexists(path):
                self._keep(path)
            self._unread.discard(domain)
        files.write(path, text.encode())

    @staticmethod
    def _keep(path: Path) -> None:
        try:
            aside.set_aside(path)
        except OSError as error:
            raise StateWriteFailed(f"{path} can't be set aside: {error.strerror or error}") from error

    def load_all(self, *, mending: bool = True) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """All snapshots by domain, and what is wrong with those that can't be used. Without ``mending`` nothing is
        touched, since another process may be writing.

        What is not a snapshot of its domain is set aside. One that can't be read for the moment is left where it is
        until this program has one to write. What a snapshot says may still make no sense: see :meth:`set_aside`.
        """
        found: dict[str, dict[str, Any]] = {}
        problems: list[str] = []
        try:
            paths = sorted(self._root.glob("*.toml"))
            if mending and self._root.is_dir():
                files.clear_leftovers(self._root)
        except OSError as error:
            return found, [f"{self._root} can't be read: {error.strerror or error}"]
        for path in paths:
            domain = path.name.removesuffix(".toml")
            try:
                document = tomllib.loads(aside.read(path).decode("utf-8"))
                if document.get("domain", domain) != domain:
                    raise ValueError("it is not a snapshot of this domain")
                if not document:
                    raise ValueError("it is empty")
                found[domain] = document
            except OSError as error:
                reason = error.strerror or str(error)
                if mending and aside.is_lasting(error):
                    problems.append(f"{aside.put_away(path, reason)}; its domain is looked at again")
                else:
                    self._unread.add(domain)
                    problems.append(f"{path} can't be read: {reason}; its domain is looked at again")
            except (ValueError, RecursionError) as error:
                told = aside.put_away(path, error) if mending else f"{path} is damaged: {error}"
                problems.append(f"{told}; its domain is looked at again")
        return found, problems

    def set_aside(self, domain: str, unknown: Sequence[str]) -> str:
        """Keep a copy of a snapshot that says something of which this program can make nothing (``unknown``), for it
        will be rewritten without that; the sentence that tells of it."""
        path = self._path(domain)
        more = f" and {len(unknown) - _MOST_TOLD} more" if len(unknown) > _MOST_TOLD else ""
        what = f"{path} has values that this version of pnr does not know ({'; '.join(unknown[:_MOST_TOLD])}{more})"
        try:
            name = aside.set_aside(path, copy=True)
        except OSError as error:
            return f"{what}, and can't be set aside: {error.strerror or error}; all else in it is taken up"
        return f"{what}: it was set aside as {name}, and all else in it is taken up"

    def remove(self, domain: str) -> None:
        """Forget a domain. Raises StateWriteFailed."""
        files.remove(self._path(domain))

    def _path(self, domain: str) -> Path:
        if not _SAFE_NAME.fullmatch(domain):
            raise StateWriteFailed(f"{domain!r} can't be the name of a snapshot")
        return self._root / f"{domain}.toml"


def without_none(value: Any) -> Any:
    """The same without what TOML can't say: entries that are None, halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {without_none(str(key)): without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(entry) for entry in value if entry is not None]
    return value
