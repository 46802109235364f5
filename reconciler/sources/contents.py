"""Reads what domain files refer to: files, variables, systemd credentials, and files that sops or age open.

Contents are never logged, never put on a command line and never shown in an error; what a tool prints besides them
could hold some of it, so it is not even read. What a tool opened is kept in memory until the file changes, so that
looking again costs nothing; what could not be read is tried again every minute, whether or not the file changed (a
key service that did not answer leaves no trace in the file).
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import IO, TypeVar

from reconciler import links
from reconciler.errors import PnrError
from reconciler.helper_environment import environment
from reconciler.intent.contents import (
    MAX_BYTES,
    ContentsError,
    Source,
    SourceKind,
    SourceMissing,
    SourceTooLarge,
    ToolFailed,
    ToolMissing,
    folder,
    folder_parts,
)
from reconciler.intent.model import Build
from reconciler.sources import build_context, piped, safe_read
from reconciler.sources.context_prints import BuildContexts

T = TypeVar("T")

TOOL_SECONDS = 10.0
RETRY_SECONDS = 60.0
# A second write in the same tick of the file system's clock that keeps the size makes no other stamp: what has just
# changed is read once more.
JUST_NOW_NS = 2_000_000_000

_ON_DISK = frozenset({SourceKind.FILE, SourceKind.CREDENTIAL, SourceKind.SOPS, SourceKind.AGE})


@dataclass(frozen=True, slots=True)
class Places:
    """Where contents are to be found besides files: ``env`` holds the variables that may be used, ``credentials`` is
    systemd's directory of them, ``age_identity`` the file with the key for age."""

    env: Mapping[str, str]
    credentials: str | None = None
    age_identity: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], allowed: Collection[str]) -> Places:
        """As the environment of the process says. Of its own variables only ``allowed`` may be used as contents."""
        return cls(
            {name: value for name, value in environment.items() if name in allowed},
            environment.get("CREDENTIALS_DIRECTORY") or None,
            environment.get("PNR_AGE_IDENTITY") or None,
        )


MayRead = Callable[[str, bool, Source], str]
"""Says why a path may not be read for a source ("": it may); the path is "" where the source is not a file. The second
argument: it is a directory to build from."""


class SourceRefused(ContentsError):
    """The policy of this daemon does not let it be read."""

    code = "PolicyRefused"


Admission = Callable[[], MayRead]
"""Begins one look: what it gives may take it that nothing changes meanwhile but what it is asked for."""


def _anything(path: str, is_folder: bool, source: Source) -> str:
    return ""


class LocalContents:
    """See :class:`reconciler.intent.contents.Contents`. ``key`` gives the key of the installation; it is asked for it
    when a first fingerprint is wanted. What ``admission`` gives is asked before anything is read, each time."""

    def __init__(self, key: Callable[[], bytes], places: Places, *, admission: Admission = lambda: _anything) -> None:
        self._admission = admission
        self._at_a_glance: MayRead | None = None
        self._key = key
        self._places = places
        self._lock = threading.Lock()
        self._contexts = BuildContexts()
        self._opened: dict[Source, tuple[Hashable, bytes]] = {}
        self._failed_at: dict[Source, float] = {}

    def glance(self) -> LocalContents:
        """See :class:`reconciler.intent.contents.Glancing`."""
        made = copy.copy(self)
        made._contexts = self._contexts.glance()
        made._at_a_glance = self._at_a_glance or self._admission()
        return made

    def admitting(self, admission: Admission) -> LocalContents:
        """The same contents with another word on what may be read."""
        made = copy.copy(self)
        made._admission, made._at_a_glance = admission, None
        return made

    def _may_read(self, path: str, is_folder: bool, source: Source) -> str:
        ask = self._at_a_glance or self._admission()
        return ask(path, is_folder, source)

    def read(self, source: Source) -> bytes:
        """The content. Raises ContentsError."""
        return self._attempt(source, lambda: self._read(source))

    def _attempt(self, source: Source, read: Callable[[], T]) -> T:
        """Read, and take note of a failure that leaves no trace in what is read."""
        try:
            found = read()
        except (SourceMissing, SourceTooLarge):
            raise
        except ContentsError:
            with self._lock:
                self._failed_at.setdefault(source, time.monotonic())
            raise
        with self._lock:
            self._failed_at.pop(source, None)
        return found

    def fingerprint(self, source: Source) -> str:
        """HMAC-SHA256 of the content; of a build context, which holds nothing that an image would hide, a plain hash.
        Raises ContentsError."""
        if source.kind is SourceKind.FOLDER:
            self._admit_context(source)
            return self._attempt(source, lambda: self._contexts.fingerprint(*folder_parts(source)))
        return self.fingerprint_of(self.read(source))

    def fingerprint_of(self, content: bytes) -> str:
        """HMAC-SHA256 of a content. Raises ContentsError where there is no key."""
        try:
            key = self._key()
        except PnrError as error:
            raise ContentsError(f"no fingerprint can be made: {error}") from error
        return hmac.new(key, content, hashlib.sha256).hexdigest()

    def stamp(self, source: Source) -> Hashable:
        """What tells that a content may have changed, by looking at its file only."""
        with self._lock:
            failed_at = self._failed_at.get(source)
        attempt = None if failed_at is None else int((time.monotonic() - failed_at) / RETRY_SECONDS)
        if source.kind is SourceKind.ENVIRONMENT:
            return (self._places.env.get(source.name) is not None, attempt)
        if source.kind is SourceKind.FOLDER and self._context_refusal(source):
            return ("refused", attempt)  # it may be the whole disk: nobody walks through it
        if source.kind is SourceKind.FOLDER:
            return (self._contexts.stamp(*folder_parts(source)), attempt)
        return (self._file_stamp(source), attempt)

    def forget_others(self, used: Collection[Source]) -> None:
        """Keep in memory only what of these was opened."""
        self._contexts.forget_others({folder_parts(source) for source in used if source.kind is SourceKind.FOLDER})
        with self._lock:
            for remembered in (self._opened, self._failed_at):  # in place: glances share them
                for source in [source for source in remembered if source not in used]:
                    del remembered[source]

    # --- what may be read -----------------------------------------------------------------------------------------

    def pack(self, build: Build) -> tuple[IO[bytes], str]:
        """See :func:`reconciler.sources.build_context.pack`. Raises ContentsError, OSError."""
        dockerfile = "" if build.dockerfile_inline is not None else build.dockerfile
        self._admit_context(folder(build.context, dockerfile, build.reader))
        return build_context.pack(build)

    def _admit_context(self, source: Source) -> None:
        why = self._context_refusal(source)
        if why:
            raise SourceRefused(f"the policy refuses {why}")

    def _context_refusal(self, source: Source) -> str:
        context, dockerfile = folder_parts(source)
        named = os.path.normpath(os.path.join(context, dockerfile)) if dockerfile else ""
        ignored = [
            f"{named or os.path.join(context, 'Dockerfile')}.dockerignore",
            os.path.join(context, ".dockerignore"),
        ]
        files = [
            path for path in (named, os.path.join(context, "Dockerfile"), *ignored) if path and os.path.lexists(path)
        ]
        refusals = (self._may_read(path, False, source) for path in files)
        return self._may_read(context, True, source) or next((why for why in refusals if why), "")

    def _admitted(self, source: Source) -> str:
        """The path to read for a source, without links. Raises SourceRefused."""
        path = self._path(source)
        real = _followed(source, path)  # before it is judged, so that what is judged is what is read
        if source.kind is SourceKind.CREDENTIAL:
            self._admit_name(source)
            return real
        why = self._may_read(path, False, source) or (self._may_read(real, False, source) if real != path else "")
        if why:
            raise SourceRefused(f"the policy refuses {why}")
        return real

    def _admit_name(self, source: Source) -> None:
        why = self._may_read("", False, source)
        if why:
            raise SourceRefused(f"the policy refuses {why}")

    # --- the kinds ------------------------------------------------------------------------------------------------

    def _read(self, source: Source) -> bytes:
        match source.kind:
            case SourceKind.TEXT:
                return source.name.encode()
            case SourceKind.ENVIRONMENT:
                return self._variable(source)
            case SourceKind.FILE | SourceKind.CREDENTIAL:
                return self._file(source)
            case SourceKind.SOPS:
                return self._opened_by("sops", source, ["--decrypt"])
            case SourceKind.AGE:
                return self._opened_by("age", source, ["--decrypt", "--identity", self._identity(source)])
        raise ContentsError(f"{source}: a {source.kind} has no content")

    def _file(self, source: Source) -> bytes:
        real = self._admitted(source)
        content = _file(source, self._path(source), real)
        if _followed(source, self._path(source)) != real:
            raise SourceRefused(f"{source} leads elsewhere than a moment ago: it is looked at again")
        return content

    def _variable(self, source: Source) -> bytes:
        self._admit_name(source)
        value = self._places.env.get(source.name)
        if value is None:
            raise SourceMissing(f"{source} is not set for the daemon")
        content = os.fsencode(value)
        if len(content) > MAX_BYTES:
            raise SourceTooLarge(f"{source} has {len(content)} bytes; {MAX_BYTES} are the most")
        return content

    def _path(self, source: Source) -> str:
        if source.kind is not SourceKind.CREDENTIAL:
            return source.name
        if self._places.credentials is None:
            raise SourceMissing(
                f"{source} can't be read: the daemon was given no credentials; add LoadCredential={source.name}:PATH to"
                " its systemd unit (and LoadCredentialEncrypted= where it is encrypted)"
            )
        return os.path.join(self._places.credentials, source.name)

    def _identity(self, source: Source) -> str:
        path = self._places.age_identity
        if path is None:
            raise ToolMissing(f"{source} can't be opened: PNR_AGE_IDENTITY names no file with the key for age")
        if not os.path.isfile(path):
            raise ToolMissing(f"{source} can't be opened: {path}, which PNR_AGE_IDENTITY names, is not a file")
        return path

    def _opened_by(self, tool: str, source: Source, arguments: list[str]) -> bytes:
        self._admitted(source)
        stamp = self._file_stamp(source)
        with self._lock:
            kept = self._opened.get(source)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        # First as a file: a missing, unreadable or outsized one is told in clearer words than the tool's exit code. And
        # the tool opens what was read then: it would follow a link that somebody puts in the file's place meanwhile.
        closed = self._file(source)
        with tempfile.TemporaryDirectory(prefix="pnr-") as folder:
            # The name's ending tells sops the format.
            copied = os.path.join(folder, os.path.basename(source.name))
            with open(copied, "wb") as file:
                file.write(closed)
            content = _run(tool, source, [*arguments, copied])
        with self._lock:
            self._opened[source] = (stamp, content)
        return content

    def _file_stamp(self, source: Source) -> Hashable:
        if source.kind not in _ON_DISK:
            return None
        try:
            at = os.stat(self._path(source))
        except ContentsError:
            return None
        except OSError as error:
            return ("error", error.errno)
        fresh = time.time_ns() - max(at.st_mtime_ns, at.st_ctime_ns) < JUST_NOW_NS
        return (at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_ino, at.st_dev, fresh)


def _followed(source: Source, path: str) -> str:
    try:
        return links.follow(path)
    except OSError as error:
        raise ContentsError(f"{source} can't be used: {error.strerror or error}") from error


def _file(source: Source, path: str, real: str) -> bytes:
    """A regular file, also one that a link leads to: certificates and credentials are often kept so."""
    try:
        return safe_read.read_at(real, MAX_BYTES)
    except safe_read.Refused as refused:
        if refused.code == "Gone":
            where = source if path == source.name else f"{source} ({path})"
            raise SourceMissing(f"{where} does not exist: make it, or correct the name") from refused
        kind = SourceTooLarge if refused.code == "TooLarge" else ContentsError
        raise kind(f"{source} can't be used: {refused.message}") from refused


def _run(tool: str, source: Source, arguments: list[str]) -> bytes:
    program = shutil.which(tool)
    if program is None:
        raise ToolMissing(f"{source} can't be opened: {tool} is not installed, or not in the PATH of the daemon")
    try:
        own = environment(tool, os.environ)
        code, content = piped.output([program, *arguments], limit_bytes=MAX_BYTES, limit_seconds=TOOL_SECONDS, env=own)
    except piped.TooMuch:
        raise SourceTooLarge(f"{source} holds more than {MAX_BYTES} bytes") from None
    except piped.TooLong:
        raise ToolFailed(f"{source} can't be opened: {tool} did not end within {TOOL_SECONDS:g} s") from None
    except OSError as error:
        raise ToolFailed(f"{source} can't be opened: {tool} can't be run: {error.strerror or error}") from error
    if code != 0:
        raise ToolFailed(
            f"{source} can't be opened: {tool} ended with {code} (what it said is not shown, it might hold some of the"
            f" content); run `{tool} --decrypt` on it as the daemon's user to see why"
        )
    return content
