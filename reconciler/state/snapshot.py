"""Snapshots: one TOML file a domain, for people, for scripts, and for the program after a crash.

The format is documented in docs/state-format.md. A snapshot holds no secret values: what is put in is facts, states and
identities, never settings.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from reconciler.state import atomic
from reconciler.state.atomic import StateWriteFailed

VERSION = 1
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class SnapshotStore:
    """The snapshots in one directory. Blocking; to be called from one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._newer: set[str] = set()

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        """Write a domain's snapshot. Raises StateWriteFailed; the old one is then still whole."""
        path = self._path(domain)
        text = tomli_w.dumps(without_none(document))
        tomllib.loads(text)
        if domain in self._newer:
            self._keep_newer(path)
            self._newer.discard(domain)
        atomic.write(path, text.encode())

    @staticmethod
    def _keep_newer(path: Path) -> None:
        aside = path.with_name(path.name + ".newer")
        try:
            path.replace(aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateWriteFailed(
                f"{path} is of a newer version and can't be set aside as {aside.name}: {error.strerror or error}"
            ) from error

    def load_all(self, *, mending: bool = True) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """All snapshots by domain, and what is wrong with those that can't be used. Without ``mending`` nothing is
        touched, since another process may be writing.

        A damaged one is set aside as ``NAME.toml.damaged``; one of a newer version is left as it is, and set aside as
        ``NAME.toml.newer`` when this program has to write one. One that can't be read at all is left where it is.
        """
        found: dict[str, dict[str, Any]] = {}
        problems: list[str] = []
        if not self._root.is_dir():
            return found, problems
        if mending:
            atomic.clear_leftovers(self._root)
        for path in sorted(self._root.glob("*.toml")):
            try:
                document = tomllib.loads(path.read_text(encoding="utf-8"))
                version = document.get("version")
                if isinstance(version, int) and version > VERSION:
                    self._newer.add(path.name.removesuffix(".toml"))
                    problems.append(
                        f"{path} has version {version}, this program knows {VERSION}: its domain is looked at anew;"
                        " to go on from it, stop and use the newer program"
                    )
                    continue
                if version != VERSION or document.get("domain") != path.name.removesuffix(".toml"):
                    raise ValueError("it is no snapshot of this domain")
                found[str(document["domain"])] = document
            except OSError as error:
                problems.append(f"{path} can't be read: {error.strerror or error}; its domain is looked at anew")
            except (ValueError, RecursionError) as error:
                problems.append(self._set_aside(path, error) if mending else f"{path} is damaged: {error}")
        return found, problems

    def _set_aside(self, path: Path, error: Exception) -> str:
        aside = path.with_name(path.name + ".damaged")
        try:
            path.replace(aside)
        except OSError as failure:
            return f"{path} is damaged ({error}) and can't be set aside: {failure}"
        return f"{path} is damaged ({error}); it was set aside as {aside.name}, and its domain is looked at anew"

    def remove(self, domain: str) -> None:
        """Forget a domain. Raises StateWriteFailed."""
        atomic.remove(self._path(domain))

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
