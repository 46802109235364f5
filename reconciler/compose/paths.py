"""Relative paths of a Compose file, made paths from a folder. Pure.

``folder`` may itself be relative: what an extended or included file says is first put before its own folder, and made
absolute with everything else at the end.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.compose.mounts import clean
from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.diagnostics import Diagnostics, Path

_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
_WINDOWS_ROOT = re.compile(r"[^/\\]:[\\/]|[\\/][\\/]")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where paths start: ``~`` at ``home`` (None: not known), others at ``base``. ``real`` follows symbolic links."""

    base: str
    home: str | None
    real: Callable[[str], str]

    def join(self, path: str) -> str:
        """An absolute path as it is, a relative one behind the folder."""
        path = self.expanded(path)
        return path if path.startswith("/") else join(self.base, path)

    def expanded(self, path: str) -> str:
        if path.startswith("~") and self.home is not None:
            return join(self.home, path[1:])
        return path


def join(*parts: str) -> str:
    """As Go's ``path.Join``: empty parts mean nothing, and the result is clean."""
    present = [part for part in parts if part]
    return clean("/".join(present)) if present else ""


def relative(path: str, folder: str) -> str:
    """``path`` as it is written from ``folder``; both absolute."""
    return posixpath.relpath(path, folder)


def resolved(root: Node, folder: Folder, report: Diagnostics) -> Node:
    """``root`` with its relative paths put behind ``folder``."""

    def walk(node: Node, path: Path, rules: Patterns[_Step] | None) -> Node:
        if rules is None:
            return node
        if rules.found is not None:
            try:
                return rules.found(node, folder)
            except ValueError as error:
                report.error(path, "BadValue", str(error), node.place)
                return node
        if isinstance(node.value, dict):
            return node.having({key: walk(part, (*path, key), rules.below(key)) for key, part in node.value.items()})
        if isinstance(node.value, list):
            return node.having([walk(p, (*path, i), rules.below(i)) for i, p in enumerate(node.value)])
        return node

    return walk(root, (), _STEPS)


def _path(node: Node, folder: Folder) -> Node:
    return node.having(folder.join(node.value)) if isinstance(node.value, str) and node.value else node


def _maybe_windows(node: Node, folder: Folder) -> Node:
    if not isinstance(node.value, str):
        return node
    path = folder.expanded(node.value)
    return node.having(path if _is_windows_absolute(path) else folder.join(path))


def _is_windows_absolute(path: str) -> bool:
    return _WINDOWS_ROOT.match(path) is not None


def _context(node: Node, folder: Folder) -> Node:
    if isinstance(node.value, str) and ("://" in node.value or node.value.startswith(("service:", *_REMOTE))):
        return node
    return _path(node, folder)


def _watched(node: Node, folder: Folder) -> Node:
    made = _path(node, folder)
    return made.having(folder.real(made.value)) if isinstance(made.value, str) and made.value else made


def _mount(node: Node, folder: Folder) -> Node:
    kind = node.get("type")
    if kind is None or kind.value != "bind":
        return node
    source = node.get("source")
    if source is None:
        raise ValueError("source is missing: the folder or file of the host that is mounted")
    return node.adding(source=_maybe_windows(source, folder))


def _volume(node: Node, folder: Folder) -> Node:
    """A ``local`` volume with ``o: bind`` is a folder of the host."""
    driver, how, device = node.get("driver"), node.get("driver_opts", "o"), node.get("driver_opts", "device")
    options = node.get("driver_opts")
    if options is None or device is None or driver is None or driver.value != "local" or how is None:
        return node
    if how.value != "bind":
        return node
    return node.adding(driver_opts=options.adding(device=_maybe_windows(device, folder)))


_Step = Callable[[Node, Folder], Node]
_RULES: list[tuple[str, _Step]] = [
    ("services.*.build.context", _context),
    ("services.*.build.additional_contexts.*", _context),
    ("services.*.build.ssh.*", _maybe_windows),
    ("services.*.env_file.*.path", _path),
    ("services.*.label_file.*", _path),
    ("services.*.extends.file", _path),
    ("services.*.develop.watch.*.path", _watched),
    ("services.*.volumes.*", _mount),
    ("configs.*.file", _maybe_windows),
    ("secrets.*.file", _maybe_windows),
    ("volumes.*", _volume),
]
_STEPS = Patterns(_RULES)
