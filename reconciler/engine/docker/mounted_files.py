"""Secrets and configs as files in containers: read-only bind mounts of files of ours. Blocking.

A container's files lie in ``ROOT/DOMAIN/CPUX/CHUNK``, each under a name made of its fingerprint: a changed content is
another file, so that the one of the container that is being replaced stays until that container is gone. They are
written before a container is created, and again before a start where they are gone (the root is best a file system in
memory, which is empty after a reboot). Only the root's owner can come to them from outside a container.

This module owns the difference between platforms: where there are no owners of files, none can be given.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from reconciler import links
from reconciler.engine.protocol import CreateFailed, EngineError, StartFailed
from reconciler.intent.contents import Contents, ContentsError, SourceKind
from reconciler.intent.model import ChunkId, MountedFile

log = logging.getLogger("pnr.engine")

_NAME_LENGTH = 64
_PLAIN = (SourceKind.FILE, SourceKind.TEXT)

Mount = Mapping[str, Any]


def is_own(mount: Mount, chunk: ChunkId) -> bool:
    """Whether a mount of a container of ``chunk`` is a file that pnr put there. ``mount`` as in ``HostConfig``."""
    folder, name = os.path.split(str(mount.get("Source", "")))
    return (
        mount.get("Type") == "bind"
        and bool(mount.get("ReadOnly"))
        and len(name) == _NAME_LENGTH
        and all(digit in "0123456789abcdef" for digit in name)
        and folder.endswith(os.path.join(os.sep, chunk.domain, chunk.cpux, chunk.unit))
    )


def own_mounts(body: Mapping[str, Any], chunk: ChunkId) -> list[Mount]:
    """Those of our files among the mounts of a container of ``chunk``, from its inspection."""
    mounts = (body.get("HostConfig") or {}).get("Mounts") or ()
    return [mount for mount in mounts if is_own(mount, chunk)]


def without_own(body: Mapping[str, Any], chunk: ChunkId) -> Mapping[str, Any]:
    """The inspection of a container of ``chunk`` as if it had none of our files: they are none of its volumes."""
    own = own_mounts(body, chunk)
    if not own:
        return body
    host = body["HostConfig"]
    return {**body, "HostConfig": {**host, "Mounts": [mount for mount in host["Mounts"] if mount not in own]}}


class MountedFiles:
    """Writes and removes the files below ``root``. Configs that may be executed go below ``executable_root``, since
    file systems in memory seldom allow that; nothing that was not in plain text on the disk before goes there."""

    def __init__(self, root: str, contents: Contents, *, executable_root: str | None = None) -> None:
        self._root = root
        self._executable_root = executable_root or root
        self._contents = contents

    def put(self, chunk: ChunkId, files: Iterable[MountedFile]) -> list[dict[str, Any]]:
        """Write the files of a container that is about to be created; its mounts. Raises CreateFailed, OSError."""
        return [
            {
                "Type": "bind",
                "Source": self._write(chunk, file, CreateFailed),
                "Target": file.target,
                "ReadOnly": True,
            }
            for file in files
        ]

    def restore(self, body: Mapping[str, Any], chunk: ChunkId, files: Collection[MountedFile]) -> None:
        """Write what of its files a container that is about to start lacks. ``files`` are those that its chunk has
        now. Raises StartFailed where what is lacking is none of these, OSError."""
        for mount in own_mounts(body, chunk):
            source = str(mount["Source"])
            if os.path.isfile(source):
                continue
            file = next((file for file in files if self._path(chunk, file) == source), None)
            if file is None:
                raise StartFailed(
                    f"the file for {mount.get('Target')} is gone ({source}) and its content has changed since the"
                    " container was made; it has to be recreated"
                )
            self._write(chunk, file, StartFailed)

    def sweep(self, chunk: ChunkId, used: Collection[str]) -> None:
        """Remove the chunk's files but those that are ``used``: the sources of the mounts of its containers. An engine
        may show another path to them (as Docker Desktop does), so it is the names that count.
        """
        kept = _names(used)
        for root in {self._root, self._executable_root}:
            folder = self._folder(root, chunk)
            try:
                names = os.listdir(folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("%s can't be looked at, so that its files stay: %s", folder, error.strerror or error)
                continue
            for name in names:
                if name not in kept:
                    _remove(os.path.join(folder, name))
            _remove_empty(folder)

    def has_any(self, chunk: ChunkId) -> bool:
        """Whether there may be files of the chunk."""
        return any(os.path.isdir(self._folder(root, chunk)) for root in (self._root, self._executable_root))

    @staticmethod
    def remove_elsewhere(mounts: Iterable[Mount], used: Collection[str]) -> None:
        """Remove the files of mounts of ours (:func:`own_mounts`) that are not ``used``, wherever they lie: another
        pnr, as a service or by hand, may have had another root."""
        kept = _names(used)
        for source in {str(mount["Source"]) for mount in mounts}:
            if os.path.basename(source) not in kept and os.path.isfile(source):
                _remove(source)
                _remove_empty(os.path.dirname(source))

    # --- one file -------------------------------------------------------------------------------------------------

    @staticmethod
    def _folder(root: str, chunk: ChunkId) -> str:
        return os.path.join(root, chunk.domain, chunk.cpux, chunk.unit)

    def _path(self, chunk: ChunkId, file: MountedFile) -> str:
        executable = not file.secret and file.mode & 0o111 and file.source.kind in _PLAIN
        named = f"{file.fingerprint} {file.uid} {file.gid} {file.mode:o}"
        name = hashlib.sha256(named.encode()).hexdigest()
        return os.path.join(self._folder(self._executable_root if executable else self._root, chunk), name)

    def _write(self, chunk: ChunkId, file: MountedFile, failed: type[EngineError]) -> str:
        """Write one file; its path. One that is there as it should be is left alone."""
        path = self._path(chunk, file)
        content = self._content(file, failed)
        owner = _owner(file, failed)
        _make_folder(path)
        if os.path.isfile(path) and not os.path.islink(path) and _holds(path, content):
            return path
        temporary = os.path.join(os.path.dirname(path), f".{secrets.token_hex(8)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as out:
                out.write(content)
            if owner is not None:
                os.chown(temporary, *owner)
            os.chmod(temporary, file.mode)
            os.replace(temporary, path)
        except BaseException:
            _remove(temporary)
            raise
        return path

    def _content(self, file: MountedFile, failed: type[EngineError]) -> bytes:
        try:
            content = self._contents.read(file.source)
            same = self._contents.fingerprint_of(content) == file.fingerprint
        except ContentsError as error:
            raise failed(f"the content of {file.target} can't be read: {error}") from error
        if not same:
            raise failed(
                f"the content of {file.target} ({file.source}) is no longer the one that was declared; pnr reads it"
                " again, and creates the container with that content"
            )
        return content


def _owner(file: MountedFile, failed: type[EngineError]) -> tuple[int, int] | None:
    """The owner to give to a file; None where it is to be our own."""
    if file.uid is None and file.gid is None:
        return None
    uid, gid = (-1 if number is None else int(number) for number in (file.uid, file.gid))
    own_uid = os.geteuid() if hasattr(os, "geteuid") else None
    if own_uid is None:
        raise failed(f"{file.target}: files have no uid and gid on this platform: leave them out")
    if uid in (-1, own_uid) and gid in (-1, os.getegid()):
        return None
    if own_uid != 0 and (uid not in (-1, own_uid) or gid not in os.getgroups()):
        raise failed(
            f"{file.target}: only root can give a file to {_asked(file)}, and pnr runs as uid {own_uid};"
            ' leave it out and give a mode such as "0444", or run pnr as root'
        )
    return uid, gid


def _asked(file: MountedFile) -> str:
    named = {"uid": file.uid, "gid": file.gid}
    return " and ".join(f"{word} {number}" for word, number in named.items() if number is not None)


def _make_folder(path: str) -> None:
    root, *names = path.rsplit(os.sep, 4)[:-1]
    links.make_folders(root, mode=0o700)
    # Whoever reads a file in its container must not come to it here.
    os.chmod(root, 0o700)
    links.make_folders(root, *names, mode=0o700)


def _holds(path: str, content: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(content) + 1) == content
    except PermissionError:
        return False  # of a mode that keeps us out: it is rewritten


def _names(paths: Iterable[str]) -> set[str]:
    return {os.path.basename(path) for path in paths}


def _remove_empty(folder: str) -> None:
    """Remove a chunk's folder, its CPUX's and its domain's, as far as they are empty."""
    for _ in range(3):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        folder = os.path.dirname(folder)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s can't be removed: %s", path, error.strerror or error)
