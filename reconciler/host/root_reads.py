"""What this machine runs or reads as root, by the word of its own settings: services of systemd that have no other
user, tables of cron, directories of libraries. Blocking; looked at once as a program starts.

Only what its settings name is found: a script that one of those scripts calls is not. What can't be read is left out.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.policy.world import ReadByRoot

UNITS = ("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system")
TABLES = ("etc/crontab", "etc/cron.d", "etc/anacrontab")
ROOTS_TABLES = ("var/spool/cron/crontabs/root", "var/spool/cron/root", "var/spool/cron/tabs/root", "etc/rc.local")
LIBRARIES = ("etc/ld.so.conf", "etc/ld.so.conf.d")

_LARGEST = 256 * 1024
_MOST_FILES = 5000
_PATH = re.compile(r"(?:(?<=[\s\"'=:@+!|,;<>-])|^)(/[^\s\"';|&<>,:%$*?`()\\]+)")
_RUNS = re.compile(r"^(?:Exec\w+|EnvironmentFile|WorkingDirectory|RootDirectory)\s*=(.*)$", re.MULTILINE)
_USER = re.compile(r"^(User|DynamicUser)\s*=\s*(\S*)", re.MULTILINE)
_FOR_ROOT = re.compile(r"^\s*(?:\S+\s+){5}root\s+(.*)$|^\s*@\w+\s+root\s+(.*)$", re.MULTILINE)
_OWN_SYSTEM = ("/bin/", "/dev/", "/etc/", "/lib/", "/lib64/", "/proc/", "/run/", "/sbin/", "/sys/", "/usr/")
"""What lies there is protected anyway."""

UID_MIN = 1000


def read_by_root(root: str = "/") -> tuple[ReadByRoot, ...]:
    """Everything that is found, each under the path that is named and the one where it lies."""
    found: dict[str, ReadByRoot] = {}
    for path, who in (*_units(root), *_tables(root)):
        for way in dict.fromkeys((os.path.normpath(path), os.path.realpath(path))):
            if way != "/" and not f"{way}/".startswith(_OWN_SYSTEM):
                found.setdefault(way, ReadByRoot(way, who))
    for path, who in _libraries(root):
        for way in dict.fromkeys((os.path.normpath(path), os.path.realpath(path))):
            if way != "/" and not f"{way}/".startswith(_OWN_SYSTEM):
                found[way] = ReadByRoot(way, who, all_below=True)
    return tuple(found.values())


def uid_min(root: str = "/") -> int:
    """From which number on users are people: UID_MIN of login.defs."""
    match = re.search(r"^\s*UID_MIN\s+([0-9]{1,9})\s*$", text_of(Path(root, "etc/login.defs")), re.MULTILINE)
    if match is not None:
        return max(1, int(match[1]))
    return 500 if sys.platform == "darwin" else UID_MIN


def _units(root: str) -> Iterator[tuple[str, str]]:
    texts: dict[str, list[tuple[bool, str, str]]] = {}
    for folder in reversed(UNITS):
        for path in _files(Path(root, folder), ("service", "conf")):
            is_added = path.suffix == ".conf"
            name = path.parent.name.removesuffix(".d") if is_added else path.name
            if name.endswith(".service"):
                part = (is_added, path.name if is_added else "", text_of(path).replace("\\\n", " "))
                texts.setdefault(name, []).append(part)
    for name, parts in texts.items():
        # What is added comes after the service itself, by name: of what is said twice the last holds.
        whole = "\n".join(text for _, _, text in sorted(parts, key=lambda part: part[:2]))
        users = {match[1]: match[2] for match in _USER.finditer(whole)}
        if users.get("User", "root") not in ("", "root", "0") or users.get("DynamicUser") in ("yes", "true", "1", "on"):
            continue
        for match in _RUNS.finditer(whole):
            yield from ((named, name) for named in _named(match[1]))


def _tables(root: str) -> Iterator[tuple[str, str]]:
    for table in TABLES:
        for path in _files(Path(root, table)):
            for match in _FOR_ROOT.finditer(text_of(path)):
                yield from ((one, str(Path("/", path.relative_to(root)))) for one in _named(match[1] or match[2] or ""))
    for table in ROOTS_TABLES:
        for line in text_of(Path(root, table)).splitlines():
            if not line.lstrip().startswith("#"):
                yield from ((one, f"/{table}") for one in _named(line))


def _libraries(root: str) -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        for path in _files(Path(root, name)):
            for line in text_of(path).splitlines():
                if line.strip().startswith("/"):
                    yield line.strip(), "every program of the host (ld.so.conf)"


def _named(words: str) -> Iterator[str]:
    """The paths in a command that it runs or reads as a file: folders among its arguments are what it works on, but for
    one that is all there is (where it begins)."""
    named = [match[1].rstrip(".") for match in _PATH.finditer(words)]
    for number, path in enumerate(named):
        if number == 0 or not _is_folder(path):
            yield path


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _files(path: Path, suffixes: Iterable[str] = ()) -> list[Path]:
    """A file, or the files of a folder and of the folders in it."""
    wanted = tuple(f".{suffix}" for suffix in suffixes)
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    try:
        for folder, _, names in os.walk(path):
            found += [Path(folder, name) for name in sorted(names) if not wanted or name.endswith(wanted)]
            if len(found) > _MOST_FILES:
                break
    except OSError:
        return found
    return found[:_MOST_FILES]


def text_of(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, _LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
