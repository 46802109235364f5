"""Build contexts: what of a directory belongs to one, and the archive that an engine builds from.

(Their fingerprints are made in :mod:`reconciler.sources.context_prints`.)

What is left out by ``.dockerignore`` (or, as with BuildKit, by ``NAME.dockerignore`` beside the Dockerfile ``NAME``)
is neither looked at nor sent. Links are links: none is followed, so nothing from outside of the directory gets in,
whatever is exchanged for a link while it is read.
Pipes, sockets and devices are left out.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat as modes
import tarfile
import tempfile
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import IO

from reconciler import links
from reconciler.intent import dockerignore
from reconciler.intent.contents import ContentsError, SourceMissing, SourceTooLarge
from reconciler.intent.model import Build
from reconciler.sources import safe_read

MOST_ENTRIES = 100_000
LARGEST_TEXT = 1 << 20
USUAL_DOCKERFILE = "Dockerfile"
OWN_DOCKERFILE = ".pnr.Dockerfile"
"""The name under which a Dockerfile from elsewhere is put into the archive; the engine takes it out again."""

_HAS_MODES = os.name == "posix"

Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a context. ``path`` is relative to it, with ``/``; ``target`` that of a link. Its content can be
    read until the next entry is asked for: the folder that it is in is held open as long."""

    path: str
    full: str
    at: os.stat_result
    folder: safe_read.Folder
    target: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return modes.S_ISREG(self.at.st_mode)

    @property
    def mode(self) -> int:
        """The permission bits; where there are none, as Docker sets them for files from Windows."""
        return modes.S_IMODE(self.at.st_mode) if _HAS_MODES else 0o755

    @property
    def stamp(self) -> Stamp:
        """What changes with the content."""
        at = self.at
        return (at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_ino, at.st_mode)


class Context:
    """A directory and the Dockerfile in it or elsewhere, as they are now.

    ``dockerfile`` is as in :func:`reconciler.intent.contents.folder`. Raises ContentsError where there is none.
    """

    def __init__(self, folder: str, dockerfile: str | None) -> None:
        self.folder = _followed(folder)
        if not os.path.isdir(self.folder):
            raise SourceMissing(
                f"there is no directory {folder} to build from: correct the path, or put a directory with a"
                " Dockerfile there"
            )
        self.dockerfile: str | None = None
        self.inside: str | None = None
        self.list: str | None = None
        if dockerfile != "":
            self.dockerfile = os.path.normpath(os.path.join(self.folder, dockerfile or USUAL_DOCKERFILE))
            if not os.path.isfile(self.dockerfile):
                raise ContentsError(f"there is no Dockerfile {self.dockerfile}: correct its path, or write one")
            self.inside = _below(self.dockerfile, self.folder)
        self._ignored = self._read_ignored()

    @property
    def what(self) -> Hashable:
        """The same for contexts that hold the same entries: the directory, and what of it is left out."""
        return (self.folder, self._ignored.patterns)

    @property
    def sends_list(self) -> bool:
        """Whether the directory's own ``.dockerignore`` belongs into the archive: the engine obeys any that it finds
        there, also where a list of the Dockerfile's own is in force."""
        return self.list in (None, os.path.join(self.folder, dockerignore.FILE))

    def _read_ignored(self) -> dockerignore.Ignored:
        places = [os.path.join(self.folder, dockerignore.FILE)]
        if self.dockerfile is not None:
            places.insert(0, self.dockerfile + dockerignore.FILE)
        for place in places:
            if os.path.lexists(place):
                self.list = place
                try:
                    return dockerignore.parse(read_text(place))
                except dockerignore.BadPattern as error:
                    raise ContentsError(f"{place}, {error}") from error
        return dockerignore.Ignored()

    def entries(self) -> Iterator[Entry]:
        """All that is not left out, in an order that depends on nothing but the names."""
        with _opened(safe_read.folder_at(self.folder), self.folder) as folder:
            inside = self._inside(folder, self.folder, "", dockerignore.NO_PATTERN) if folder is not None else ()
            for count, entry in enumerate(inside):
                if count >= MOST_ENTRIES:
                    raise SourceTooLarge(
                        f"{self.folder} has more than {MOST_ENTRIES} files to build from: leave out what the image does"
                        f" not need, in {dockerignore.FILE}"
                    )
                yield entry

    def _inside(self, folder: safe_read.Folder, full: str, above: str, decided_above: int) -> Iterator[Entry]:
        try:
            found = folder.listing()
        except (FileNotFoundError, NotADirectoryError):
            return  # it has gone meanwhile
        except OSError as error:
            raise unreadable(full, error) from error
        for name, is_folder in found:
            path = f"{above}{name}"
            decided = self._ignored.decided(path, decided_above)
            out = self._ignored.leaves_out(decided)
            if not out:
                entry = _entry(path, folder, os.path.join(full, name), name)
                if entry is not None:
                    yield entry
            if is_folder and not (out and self._ignored.wholly(path)):
                place = os.path.join(full, name)
                with _opened(folder.below(name), place) as below:
                    if below is not None:
                        yield from self._inside(below, place, f"{path}/", decided)

    def always_sent(self) -> Iterator[Entry]:
        """What an engine needs though it may be left out of the image: it then takes it out itself."""
        for path in (dockerignore.FILE if self.sends_list else None, self.inside):
            if path is not None and self._ignored(path):
                full = os.path.join(self.folder, *path.split("/"))
                with _opened(safe_read.folder_at(os.path.dirname(full)), full) as folder:
                    entry = _entry(path, folder, full, os.path.basename(full)) if folder is not None else None
                    if entry is not None:
                        yield entry


def pack(build: Build) -> tuple[IO[bytes], str]:
    """The archive of a build's context, which removes itself when it is closed, and the name of the Dockerfile in it.

    Raises ContentsError, OSError.
    """
    inline = build.dockerfile_inline
    context = Context(build.context, "" if inline is not None else build.dockerfile)
    text = inline if context.dockerfile is None else (None if context.inside else read_text(context.dockerfile))
    packed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for entry in context.entries():
                if entry.path != dockerignore.FILE or (text is None and context.sends_list):
                    _pack(archive, entry)
            if text is None:
                for entry in context.always_sent():
                    _pack(archive, entry)
            else:
                _pack_text(archive, OWN_DOCKERFILE, text)
                _pack_text(archive, dockerignore.FILE, _ignoring_ours(context))
        packed.seek(0)
    except BaseException:
        packed.close()
        raise
    return packed, (context.inside or USUAL_DOCKERFILE) if text is None else OWN_DOCKERFILE


def _ignoring_ours(context: Context) -> str:
    """A ``.dockerignore`` with which the engine takes out of the context what was only put there for it."""
    own = os.path.join(context.folder, dockerignore.FILE)
    lines = [dockerignore.FILE]
    if os.path.isfile(own) and context.sends_list:
        try:
            lines = [safe_read.read_at(own, LARGEST_TEXT).decode("utf-8", "replace")]
        except safe_read.Refused as refused:
            # Behind a link it is obeyed, as by Docker's own client, but may be anybody's: it is not put in.
            if refused.code != "Symlink":
                raise ContentsError(f"{own} can't be read: {refused.message}") from refused
    return "\n".join([*lines, OWN_DOCKERFILE]) + "\n"


def _pack(archive: tarfile.TarFile, entry: Entry) -> None:
    # Owners are not sent: whoever builds, the image is the same.
    header = tarfile.TarInfo(entry.path)
    header.mode = entry.mode
    header.mtime = max(0, int(entry.at.st_mtime))
    if entry.target is not None:
        header.type, header.linkname = tarfile.SYMTYPE, entry.target
        archive.addfile(header)
    elif not entry.is_file:
        header.type = tarfile.DIRTYPE
        archive.addfile(header)
    else:
        try:
            content = open_file(entry)
        except FileNotFoundError:
            return  # it has gone meanwhile
        with content:
            header.size = os.fstat(content.fileno()).st_size
            try:
                archive.addfile(header, content)
            except OSError as error:
                if "unexpected end of data" not in str(error):
                    raise
                raise ContentsError(f"{entry.full} was cut short while it was read: it is tried again") from error


def _pack_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    header = tarfile.TarInfo(name)
    header.size = len(content)
    archive.addfile(header, io.BytesIO(content))


def _followed(path: str) -> str:
    try:
        return links.follow(path)
    except OSError as error:
        raise ContentsError(f"{path} can't be used: {error.strerror or error}") from error


def read_text(path: str) -> str:
    """A small text file, also behind a link. Raises ContentsError."""
    try:
        return safe_read.read(_followed(path), LARGEST_TEXT).decode("utf-8", "replace")
    except safe_read.Refused as refused:
        raise ContentsError(f"{path} can't be read: {refused.message}") from refused


def _entry(path: str, folder: safe_read.Folder, full: str, name: str) -> Entry | None:
    try:
        at, target = folder.look(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(full, error) from error
    is_sent = target is not None or modes.S_ISREG(at.st_mode) or modes.S_ISDIR(at.st_mode)
    return Entry(path, full, at, folder, target) if is_sent else None


@contextlib.contextmanager
def _opened(
    opening: contextlib.AbstractContextManager[safe_read.Folder], full: str
) -> Iterator[safe_read.Folder | None]:
    """A folder of a context; None where it has gone meanwhile, or become a link. Raises ContentsError."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(opening)
        except (FileNotFoundError, NotADirectoryError):
            folder = None
        except OSError as error:
            raise unreadable(full, error) from error
        yield folder


def _below(path: str, folder: str) -> str | None:
    """``path`` relative to ``folder`` with ``/``, or None where it lies elsewhere."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return None
    parts = relative.split(os.sep)
    return None if parts[0] == os.pardir else "/".join(parts)


def unreadable(path: str, error: OSError) -> ContentsError:
    """The error for something of a context that its user may not read, say."""
    return ContentsError(
        f"{path} can't be read: {error.strerror or error}; let the daemon's user read it, or leave it out in"
        f" {dockerignore.FILE}"
    )


def open_file(entry: Entry) -> IO[bytes]:
    """Open what was a regular file a moment ago: it may have become a link or a pipe. Raises FileNotFoundError."""
    try:
        return entry.folder.open(os.path.basename(entry.full))
    except FileNotFoundError:
        raise
    except safe_read.Refused as refused:
        raise ContentsError(f"{entry.full} is not a regular file any more: it is tried again") from refused
    except OSError as error:
        raise unreadable(entry.full, error) from error
