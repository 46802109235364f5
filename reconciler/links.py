"""Where a path leads when its links are followed, as the kernel would: at most forty of them, and never by recursion;
and folders that are made without following any.

The standard library's ``realpath`` goes as deep as somebody has chained links, and fails where one of them may not be
read. What is asked for here comes from files that anybody may have written.

This module owns the difference between platforms: Windows resolves paths itself, in one call.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from itertools import accumulate

MOST_LINKS = 40


def follow(path: str) -> str:
    """The absolute path without links of what is there, or would be: what is missing is taken as it is written.

    Raises OSError, where links lead in a circle or are chained too long (ELOOP), or where one may not be read.
    """
    if os.name == "nt":
        return os.path.realpath(path)
    if "\0" in path:
        raise OSError(errno.EINVAL, "a NUL is in the path", path)
    rest = os.path.join(os.getcwd(), path).split("/")[::-1] if not path.startswith("/") else path.split("/")[::-1]
    at, links = "/", 0
    while rest:
        part = rest.pop()
        if part in ("", "."):
            continue
        if part == "..":
            at = os.path.dirname(at)
            continue
        beyond = os.path.join(at, part)
        try:
            is_link = stat.S_ISLNK(os.lstat(beyond).st_mode)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            is_link = False
        if not is_link:
            at = beyond
            continue
        links += 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, f"more than {MOST_LINKS} symbolic links follow one another", path)
        try:
            target = os.readlink(beyond)
        except OSError as error:
            raise OSError(error.errno, f"the symbolic link {beyond} can't be read: {error.strerror}", path) from error
        at = "/" if target.startswith("/") else at
        rest += target.split("/")[::-1]
    return at


def make_folders(root: str, *names: str, mode: int = 0o777) -> str:
    """Make the folder ``root`` and, in it, one in another: the path of the last. Those that are there are left as they
    are. Raises OSError, also where one of them is a link: it would lead to what is not ours."""
    os.makedirs(os.path.dirname(os.path.abspath(root)), exist_ok=True)
    folder = root
    for folder in accumulate((root, *names), os.path.join):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, mode)
        if os.path.islink(folder):
            raise OSError(f"{folder} is a symbolic link, which is not followed: remove it")
    return folder
