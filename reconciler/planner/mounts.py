"""Files of the host that containers have mounted one by one, and what became of them since. Pure.

A file that is mounted by itself is mounted as what it was: whoever writes a new file and renames it into its place
(git, most editors) or lets a link lead elsewhere leaves the container with the old one, until it is started again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.intent.model import Chunk, Kind, OnFileChange
from reconciler.planner.compare import Difference
from reconciler.planner.observed import Container

VOLUMES = "volumes"


class NodeKind(StrEnum):
    """What there is at a path."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"  # a socket, a device, a pipe


@dataclass(frozen=True, slots=True)
class Node:
    """What there is at a path, on the host or in a container. ``digest`` is a hash over a file's content; "" where it
    was not read (one that is too large), and then ``changed_ns`` stands for it."""

    kind: NodeKind
    device: int
    inode: int
    size: int = 0
    changed_ns: int = 0  # the time of its last writing
    digest: str = ""


class FileChange(StrEnum):
    """What became of something that is mounted."""

    SAME = "same"
    REPLACED = "replaced"  # by another file with another content
    MISSING = "missing"
    NO_FILE = "no file"  # something else is in its place
    FOLDER_REPLACED = "folder replaced"


@dataclass(frozen=True, slots=True)
class FileNews:
    """That something is not as the container has it: ``source`` on the host, mounted at ``target``. ``token`` stands
    for what is there now: it is another one when that is replaced again."""

    source: str
    target: str
    change: FileChange
    token: str = ""


News = Mapping[str, tuple[FileNews, ...]]
"""By the id of the container."""


def judge(had: Node, now: Node | None) -> FileChange:
    """What became of a mount that led to ``had`` when the container was started, and leads to ``now``.

    Sockets and devices are never told of: there is no content that they could be compared by, and a new one under the
    old name (the engine's own socket after its restart) is no wish to start anything again.
    """
    if now is None:
        return FileChange.MISSING if had.kind is not NodeKind.OTHER else FileChange.SAME
    if had.kind is NodeKind.OTHER or (had.device, had.inode) == (now.device, now.inode):
        return FileChange.SAME
    if now.kind is NodeKind.FILE:
        # A folder before: the engine makes one where a file is missing.
        same = had.kind is NodeKind.FILE and had.size == now.size and _same_content(had, now)
        return FileChange.SAME if same else FileChange.REPLACED
    if had.kind is NodeKind.FILE:
        return FileChange.NO_FILE
    return FileChange.FOLDER_REPLACED if now.kind is NodeKind.FOLDER else FileChange.NO_FILE


def _same_content(had: Node, now: Node) -> bool:
    if had.digest and now.digest:
        return had.digest == now.digest
    return had.changed_ns == now.changed_ns


def single_mounts(container: Container) -> Iterator[tuple[str, str]]:
    """Source and target of what a container has of the host."""
    for entry in (container.settings or {}).get(VOLUMES) or ():
        if entry["type"] == "bind" and entry["source"]:
            yield str(entry["source"]), str(entry["target"])


def differences(chunk: Chunk, container: Container, news: News) -> Iterator[Difference]:
    """The files for which a container has to be recreated, as for a config that has changed."""
    if not _follows(chunk) or VOLUMES in chunk.ignore_drift:
        return
    for one in news.get(container.id, ()):
        if one.change is FileChange.REPLACED:
            said = (
                f"{one.source} was replaced on the host: the container still has, at {one.target}, the file of before"
            )
            yield Difference(VOLUMES, said, is_passing=True)


def token(chunk: Chunk, containers: Iterable[Container], news: News) -> str:
    """Stands for what the files are now that containers of the chunk do not have; "" where they have them all."""
    if not _follows(chunk):
        return ""
    found = {
        f"{one.source}={one.token}"
        for container in containers
        for one in news.get(container.id, ())
        if one.change is FileChange.REPLACED
    }
    return " ".join(sorted(found))


def notes(chunk: Chunk, container: Container, news: News) -> Iterator[str]:
    """What people should know of files for which nothing is done."""
    for one in news.get(container.id, ()):
        keeps = f"container {container.name} keeps, at {one.target}, what it was started with"
        match one.change:
            case FileChange.REPLACED if not _follows(chunk) or VOLUMES in chunk.ignore_drift:
                why = "volumes is in ignore_drift" if VOLUMES in chunk.ignore_drift else "on_file_change is ignore"
                yield f"{one.source} was replaced on the host, and {keeps}: {why}"
            case FileChange.FOLDER_REPLACED:
                yield f"the directory {one.source} was replaced by another on the host, and {keeps}: restart it"
            case FileChange.MISSING:
                yield f"{one.source} is gone from the host; {keeps}, and can't be started again as it was: put it back"
            case FileChange.NO_FILE:
                yield f"{one.source} is not a file any more on the host; {keeps}: put the file back"
            case _:
                continue


def _follows(chunk: Chunk) -> bool:
    return chunk.kind is Kind.SERVICE and chunk.on_file_change is OnFileChange.RECREATE
