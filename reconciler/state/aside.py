"""What lies in the state directory and can't be used: it is read without being hurt by it, and set aside, not lost."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

MOST_KEPT = 3
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "O_BINARY"))
LARGEST = 64 << 20


def read(path: Path) -> bytes:
    """The content of a file of ours. Raises OSError, also where it is not a file (which could block for ever), or is
    larger than any that pnr writes."""
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        if status.st_size > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


def is_lasting(error: OSError) -> bool:
    """Whether reading will fail the next time too: what is there is not what it should be."""
    return error.errno in (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EINVAL, errno.EFBIG, errno.ENXIO)


def set_aside(path: Path, *, copy: bool = False) -> str:
    """Move what is at ``path`` (or copy it) to ``NAME.unknown-1`` … ``-3`` beside it; the new name. Where all of these
    are there the oldest goes. Raises OSError."""
    places = [path.with_name(f"{path.name}.unknown-{number}") for number in range(1, MOST_KEPT + 1)]
    free = next((place for place in places if not os.path.lexists(place)), None)
    if free is None:
        free = min(places, key=lambda place: place.lstat().st_mtime_ns)
        if free.is_dir() and not free.is_symlink():
            shutil.rmtree(free)
        else:
            free.unlink()
    if copy:
        shutil.copyfile(path, free)
        free.chmod(0o600)
    else:
        path.replace(free)
        # It is as old as its being set aside: the oldest of them goes first.
        os.utime(free, follow_symlinks=False) if os.utime in os.supports_follow_symlinks else os.utime(free)
    return free.name


def put_away(path: Path, reason: object) -> str:
    """Set aside what can't be used; the sentence that tells of it."""
    try:
        aside = set_aside(path)
    except OSError as failure:
        return f"{path} can't be used ({reason}) and can't be set aside: {failure.strerror or failure}"
    return f"{path} can't be used ({reason}); it was set aside as {aside}"


def put_away_folder(path: Path) -> str:
    """Set aside a directory that stands where a file should; the sentence that tells of it, "" where there is none."""
    return put_away(path, "it is a directory") if path.is_dir() and not path.is_symlink() else ""
