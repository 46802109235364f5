"""Looks at what containers have mounted of this machine, and at what is there now. Blocking; changes nothing.

Where the engine's processes can be looked at (Linux, by root or the containers' own user), what a container has is
seen in the container itself, through ``/proc/PID/root``: whatever was restarted, by whom and while nobody looked.
Elsewhere (another user, Docker Desktop) it is known from a label that is put on a container as it is made: what each
file was then. A container that was started after a file was last changed has that file, whatever its label says.

Of a content only a hash is kept, and none of it is told.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.engine.docker.output import unix
from reconciler.errors import PnrError
from reconciler.planner.mounts import FileChange, FileNews, News, Node, NodeKind, judge, single_mounts
from reconciler.planner.observed import Condition, Container

LARGEST_READ = 16 << 20
"""Files that are larger are known by inode, size and time of writing alone."""
LARGEST_NOTED = 1 << 20
"""How large a file may be whose content stands in a label, as a hash with a key."""
QUIET_SECONDS = 2.0
"""What was written just now may not be whole: it is looked at again."""
_MOST_DIGESTS = 4096
_MOST_LINKS = 40
_ALIVE = (Condition.RUNNING, Condition.PAUSED)
_O_PATH = getattr(os, "O_PATH", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

Key = tuple[str, str, str]  # id and run of a container, and where in it something is mounted


class HostFiles:
    """See the module's text. ``fingerprint`` makes the hash of a content that may stand in a label (None: none may)."""

    def __init__(self, fingerprint: Callable[[bytes], str] | None = None) -> None:
        self._fingerprint = fingerprint
        self._same: dict[Key, tuple[int, int]] = {}
        self._digests: dict[tuple[int, ...], str] = {}
        self._unsettled = False

    def look(self, containers: Iterable[Container]) -> tuple[News, bool]:
        """What is not as these containers have it, by their ids; and whether something was written so shortly before
        that it has to be looked at again first."""
        self._unsettled = False
        found: dict[str, tuple[FileNews, ...]] = {}
        same: dict[Key, tuple[int, int]] = {}
        for container in containers:
            news = []
            for source, target in single_mounts(container):
                one = self._one(container, source, target, same)
                if one is not None:
                    news.append(one)
            found[container.id] = tuple(news)
        self._same = same
        return found, self._unsettled

    def _one(self, container: Container, source: str, target: str, same: dict[Key, tuple[int, int]]) -> FileNews | None:
        key = (container.id, container.run, target)
        try:
            now = self._node(source)
        except OSError:
            return None  # it is there, and can't be looked at: nobody knows
        if now is not None and self._same.get(key) == (now.device, now.inode):
            same[key] = (now.device, now.inode)
            return None
        had = self._had(container, target, now, self._digest_of_path(source, now))
        if had is None:
            return None
        if now is not None and now.kind is NodeKind.FILE and (now.device, now.inode) != (had.device, had.inode):
            now = _with(now, self._digest_of_path(source, now))
        change = judge(had, now)
        if change is FileChange.SAME:
            if now is not None and (now.device, now.inode) == (had.device, had.inode):
                same[key] = (now.device, now.inode)
            return None
        if change is FileChange.REPLACED and now is not None and _is_fresh(source):
            self._unsettled = True
            return None
        return FileNews(source, target, change, self._token(now))

    def note(self, volumes: Iterable[Mapping[str, Any]]) -> str:
        """What the label of a container says that is about to be made: each file that it mounts, as it is now."""
        noted: dict[str, list[Any]] = {}
        for entry in volumes:
            if entry["type"] != "bind" or not entry["source"]:
                continue
            with contextlib.suppress(OSError, PnrError):  # a container is made without, too
                now = self._node(str(entry["source"]))
                if now is not None and now.kind is NodeKind.FILE:
                    noted[str(entry["target"])] = [now.inode, now.size, self._keyed(str(entry["source"]), now)]
        return json.dumps(noted, separators=(",", ":"), sort_keys=True) if noted else ""

    # --- what a container has -------------------------------------------------------------------------------------

    def _had(self, container: Container, target: str, now: Node | None, digest: Callable[[], str]) -> Node | None:
        """What a container has at ``target``; None where nobody can tell."""
        if container.condition in _ALIVE and container.pid > 0 and _O_PATH:
            try:
                return self._inside(container, target, now, digest)
            except OSError:
                pass
        return self._noted(container, target, now)

    def _inside(self, container: Container, target: str, now: Node | None, digest: Callable[[], str]) -> Node:
        descriptor = open_inside(container.pid, container.id, target)
        try:
            had = _node_of(os.fstat(descriptor))
            is_other = now is not None and (now.device, now.inode) != (had.device, had.inode)
            if is_other and had.kind is NodeKind.FILE and now is not None and now.size == had.size and digest():
                return _with(
                    had, lambda: self._digest(f"/proc/self/fd/{descriptor}", had, _times(os.fstat(descriptor)))
                )
            return had
        finally:
            os.close(descriptor)

    def _noted(self, container: Container, target: str, now: Node | None) -> Node | None:
        """From the label. Where it was started after the last change of what is there now, it has that."""
        try:
            inode, size, keyed = json.loads(container.files)[target]
            inode, size = int(inode), int(size)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None  # the label may be one of the image, and anybody's
        if now is None:
            return Node(NodeKind.FILE, 0, inode, size)
        source = next((source for source, where in single_mounts(container) if where == target), "")
        started = unix(container.run) if container.run else None
        with contextlib.suppress(OSError, PnrError):
            if started is None or os.stat(source).st_ctime <= started:
                return now
            if keyed and now.kind is NodeKind.FILE and self._keyed(source, now) == keyed:
                return now
        return Node(NodeKind.FILE, now.device, inode, size, digest="as noted")

    # --- what there is --------------------------------------------------------------------------------------------

    @staticmethod
    def _node(path: str) -> Node | None:
        """What there is at a path of the host; None where there is nothing. Raises OSError where that can't be told."""
        try:
            return _node_of(os.stat(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _digest_of_path(self, path: str, now: Node | None) -> Callable[[], str]:
        def digest() -> str:
            if now is None:
                return ""
            try:
                return self._digest(path, now, _times(os.stat(path)))
            except OSError:
                return ""

        return digest

    def _digest(self, path: str, node: Node, times: tuple[int, int]) -> str:
        """A hash over the content of a file; "" for one that is too large or is not a file any more."""
        if node.size > LARGEST_READ:
            return ""
        key = (node.device, node.inode, node.size, *times)
        if key not in self._digests:
            found = hashlib.sha256()
            with _opened(path) as descriptor:
                while block := os.read(descriptor, 1 << 20):
                    found.update(block)
            if len(self._digests) >= _MOST_DIGESTS:
                self._digests.clear()
            self._digests[key] = found.hexdigest()
        return self._digests[key]

    def _token(self, now: Node | None) -> str:
        """It is kept in the state directory: nobody is to try contents out with it."""
        if now is None:
            return ""
        if now.digest and self._fingerprint is not None:
            with contextlib.suppress(PnrError):
                return self._fingerprint(now.digest.encode())[:16]
        return f"{now.inode}.{now.size}.{now.changed_ns}"

    def _keyed(self, path: str, now: Node) -> str:
        if self._fingerprint is None or now.size > LARGEST_NOTED:
            return ""
        with _opened(path) as descriptor:
            content = os.read(descriptor, LARGEST_NOTED)
        return self._fingerprint(content)[:32]


def open_inside(pid: int, container_id: str, path: str) -> int:
    """What a container has at ``path``, as a descriptor that can only be looked at. Links in the container are followed
    as they lead there, never out of it. Raises OSError; ESRCH where the process is not the container's."""
    with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
        if container_id not in file.read():
            raise OSError(errno.ESRCH, "the process is not the container's")
    flags = _O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    way = [os.open(f"/proc/{pid}/root", _O_PATH | os.O_CLOEXEC)]
    parts, links = path.split("/"), 0
    try:
        while parts:
            part = parts.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                if len(way) > 1:
                    os.close(way.pop())
                continue
            descriptor = os.open(part, flags, dir_fd=way[-1])
            way.append(descriptor)
            if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, "too many links")
            leads = os.readlink("", dir_fd=descriptor)
            os.close(way.pop())
            while leads.startswith("/") and len(way) > 1:
                os.close(way.pop())
            parts = leads.split("/") + parts
        return os.dup(way[-1])
    finally:
        for descriptor in way:
            os.close(descriptor)


@contextlib.contextmanager
def _opened(path: str) -> Any:
    """A file, opened for reading and for nothing that could block. Raises OSError where it is none."""
    descriptor = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        yield descriptor
    finally:
        os.close(descriptor)


def _node_of(at: os.stat_result) -> Node:
    kind = (
        NodeKind.FILE if stat.S_ISREG(at.st_mode) else NodeKind.FOLDER if stat.S_ISDIR(at.st_mode) else NodeKind.OTHER
    )
    return Node(kind, at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns)


def _times(at: os.stat_result) -> tuple[int, int]:
    return at.st_mtime_ns, at.st_ctime_ns


def _with(node: Node, digest: Callable[[], str]) -> Node:
    return Node(node.kind, node.device, node.inode, node.size, node.changed_ns, digest())


def _is_fresh(path: str) -> bool:
    """Whether something was written, or put in its place, just now. A time of the future says nothing."""
    try:
        at = os.stat(path)
    except OSError:
        return True
    return 0.0 <= time.time() - max(at.st_mtime, at.st_ctime) < QUIET_SECONDS
