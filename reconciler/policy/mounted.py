"""What a container has really mounted, by the kernel's word, beside what it was to have. Pure.

The kernel tells of each mount which part (``root``) of which disk (``device``) it shows; see proc_pid_mountinfo(5). Two
mounts of one place have both in common, whatever paths lead there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_REMOVED = "//deleted"
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: where, and what it shows."""

    point: str
    device: str
    root: str

    @property
    def place(self) -> tuple[str, str]:
        """What it shows, whatever leads there."""
        return self.device, self.root


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a container was to have at ``target``: a path of the host without links. ``through``: where the engine has
    mounted it for itself, of a volume."""

    source: str
    target: str
    read_only: bool = False
    through: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """What is not mounted as it was to be. ``places`` are the paths of the host of what is there instead; none where
    nobody can tell. ``removed``: it is there, but on no path of the host any more."""

    wanted: Wanted
    places: tuple[str, ...]
    removed: bool = False


def mounts(text: str) -> tuple[Mount, ...]:
    """The mounts that a mountinfo lists, in its order; lines of another form are left out."""
    found = []
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) > 6 and re.fullmatch(r"[0-9]+:[0-9]+", parts[2]):
            found.append(Mount(_plain(parts[4]), parts[2], _plain(parts[3])))
    return tuple(found)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def place_of(path: str, host: Sequence[Mount]) -> tuple[str, str] | None:
    """Which part of which disk a path shows that has no links in it. Of mounts one upon another the last counts."""
    over: Mount | None = None
    for mount in host:
        if _is_below(path, mount.point) and (over is None or len(mount.point) >= len(over.point)):
            over = mount
    return (over.device, _joined(over.root, posixpath.relpath(path, over.point))) if over is not None else None


def paths_of(place: tuple[str, str], host: Iterable[Mount]) -> tuple[str, ...]:
    """The paths that show a part of a disk, as far as nothing else is mounted over them."""
    device, root = place
    host = tuple(host)
    found = []
    for mount in host:
        if mount.device == device and _is_below(root, mount.root):
            path = _joined(mount.point, posixpath.relpath(root, mount.root))
            if place_of(path, host) == place:
                found.append(path)
    return tuple(dict.fromkeys(found))


def not_as_wanted(wanted: Iterable[Wanted], there: Sequence[Mount], host: Sequence[Mount]) -> tuple[Other, ...]:
    """What of ``wanted`` is not among the mounts that are ``there`` in a container. It may stand under another path in
    there: an image may have links on the way, and a process in it may have moved what it stands in."""
    left = list(there)
    missing = list(wanted)
    for is_exact in (True, False):
        for one in tuple(missing):
            place, target = place_of(one.source, host), posixpath.normpath(one.target)
            same = [mount for mount in left if mount.place == place and (not is_exact or mount.point == target)]
            if same:
                left.remove(same[-1])
                missing.remove(one)
    found = []
    for one in missing:
        instead = [mount for mount in left if mount.point == posixpath.normpath(one.target)]
        if instead and instead[-1].root.endswith(_REMOVED):
            found.append(Other(one, (), removed=True))
            continue
        places = paths_of(instead[-1].place, host) if instead else ()
        found.append(Other(one, tuple(path for path in places if path != one.through)))
    return tuple(found)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _joined(folder: str, rest: str) -> str:
    return folder if rest == "." else f"{folder.rstrip('/')}/{rest}"
