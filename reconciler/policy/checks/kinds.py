"""What kind of place a path of the host is: data of applications, or something that the host itself lives on. Pure.

A list of protected places holds those that somebody has thought of. What a container may write to is judged by kind as
well: where data of applications is kept, whoever owns it; elsewhere only what belongs to an ordinary user, or lies on a
disk of its own. And nowhere what the host runs or reads as root.
"""

from __future__ import annotations

from collections.abc import Iterable
from glob import escape

from reconciler.policy import paths
from reconciler.policy.checks.case import Case
from reconciler.policy.rule import Profile
from reconciler.policy.values import COMMON, DOMAIN, DOMAINS
from reconciler.policy.world import ReadByRoot, Seen

_DYNAMIC = range(61184, 65536)
"""User numbers that systemd gives to services for as long as they run, and those of nobody: no people's."""

_PROGRAMS = ("bin", "sbin", "lib", "lib64", "libexec", "embedded")
_ADDED = "/opt/*"
"""Where packages put what is not the distribution's: each has its programs there, which services run as root."""

_OF_A_SYSTEM = ("etc/passwd", "usr/bin")
"""What tells that a folder is the root of a system: another one on this machine, or a spare one of its own."""

_OF_AN_ENGINE = (
    "volumes/metadata.db",
    "engine-id",
    "io.containerd.metadata.v1.bolt",
    "overlay-containers",
    "runtime-runc",
)
"""What tells that an engine keeps its data there, wherever that is."""

_SHARED_DISKS = frozenset({"var", "home", "opt", "srv", "tmp", "Users", "private"})
"""Below ``/`` these are often disks of their own, and hold more than data."""


def is_ordinary(uid: int, uid_min: int) -> bool:
    """Whether a user number is one of people, and not root's or that of a service of the host."""
    return uid >= uid_min and uid not in _DYNAMIC


def holds_engine(case: Case, ways: Iterable[str]) -> str | None:
    """Where an engine keeps its data, if a path is that or lies in it."""
    for way in ways:
        for folder in _there(case, way):
            if any(_is_there(case, folder, name) for name in _OF_AN_ENGINE):
                return folder
    return None


def writing(case: Case, ways: Iterable[str], seen: Seen, field: str, said: str, *, is_only_made: bool = False) -> None:
    """Refuse that a container writes to a place that is no data of applications. ``said`` is the place in words.
    ``is_only_made``: the engine makes an empty directory there, and the container may not write to it."""
    policy = case.policy
    ways = list(ways)
    wants = [("binds.excepted", escape(way)) for way in ways]
    if not is_only_made and not policy.flag("binds.read_by_root"):
        why = next((why for way in ways if (why := _read_by_root(case, way, seen)) is not None), None)
        if why is not None:
            case.refuse("binds.read_by_root", field, f"{said}: it {why}", wants=wants)
            return
    if policy.profile is Profile.OPEN and "binds.data" not in policy.lines:
        return
    named = [p for p in expanded(case, policy.words("binds.allowed")) if p != "/"]
    data = [*policy.words("binds.data"), *named]
    left = [way for way in ways if paths.covering(data, way) is None and way.startswith("/")]
    if not left or _is_disk_of_its_own(seen):
        return
    if seen.owner is not None and is_ordinary(seen.owner, case.places.uid_min):
        return
    whose = "its owner is not known" if seen.owner is None else f"it is {_user(seen.owner)}"
    if not seen.exists:
        whose = "it is not there, and the engine would make it as root"
    advice = "a container may have it read-only" + ("" if seen.exists else " once it is there")
    case.refuse(
        "binds.data",
        field,
        f"{said}: {whose}, and it lies in no directory for data of applications, so that programs of the host may"
        f" trust its content; {advice}",
        wants=[("binds.data", escape(way)) for way in left],
    )


def expanded(case: Case, patterns: Iterable[str]) -> tuple[str, ...]:
    """Patterns of paths with what their words stand for; without those whose words stand for nothing here."""
    words = {DOMAINS: escape(case.places.domains), DOMAIN: escape(own_folder(case)), COMMON: ""}
    name = _name(case)
    found = []
    for pattern in patterns:
        head, slash, rest = pattern.partition("/")
        parts = rest.split("/")
        if (head in words and not words[head]) or (DOMAIN in parts and not name):
            continue
        inner = "/".join(escape(name) if part == DOMAIN else part for part in parts)
        found.append(f"{words.get(head, head)}{slash}{inner}")
    return tuple(found)


def is_common(case: Case, way: str) -> bool:
    """Whether a path below the directory of the domain files is, or lies in, a folder that is called as no domain file.
    Such a folder is nobody's, and what lies in it is nobody's secret: every file may refer to it."""
    domains = case.places.domains.rstrip("/")
    first, *rest = paths.parts_of(way)[len(paths.parts_of(domains)) :]
    is_folder = bool(rest) or case.look(f"{domains}/{first}").kind == "folder"
    hidden = any(part.startswith(".") for part in (first, *rest))
    return is_folder and not hidden and not case.look(f"{domains}/{first}.json").exists


def own_folder(case: Case) -> str:
    """The domain file's own folder, which is called as the file is; "" where that is not known."""
    name = _name(case)
    return f"{case.places.domains.rstrip('/')}/{name}" if case.places.domains and name else ""


def _name(case: Case) -> str:
    name = case.own_name
    return "" if {"", ".", ".."} & set(name.split("/")) or "\\" in name else name


def _user(uid: int) -> str:
    return "root's" if uid == 0 else f"a service's of the host (user number {uid})"


def _read_by_root(case: Case, way: str, seen: Seen) -> str | None:
    """Why the host would run or read as root what is written there, in words that go on after it."""
    for one in case.places.read_by_root:
        relation = _relation(one, way)
        if relation is not None:
            return f"{relation}, which {one.who} runs or reads as root"
    if seen.owner is not None and is_ordinary(seen.owner, case.places.uid_min):
        return None
    for folder in _there(case, way):
        if any(_is_there(case, folder, name) for name in _OF_A_SYSTEM):
            return f"{'is' if folder == way else 'lies in'} {folder}, which is the root of a system"
    if paths.covers(_ADDED, way):
        inside = paths.parts_of(way)[2:]
        if any(part in _PROGRAMS for part in inside):
            return "holds programs of the host"
        found = next((name for name in _PROGRAMS if _is_there(case, way, name)), None)
        if found is not None:
            return f"holds programs of the host ({found})"
    return None


def _relation(one: ReadByRoot, way: str) -> str | None:
    if way == one.path:
        return f"is {one.path}"
    if paths.covers(escape(way), one.path):
        return f"holds {one.path}"
    return f"lies in {one.path}" if one.all_below and paths.covers(escape(one.path), way) else None


def _there(case: Case, way: str) -> list[str]:
    """Of the path and all that it lies in, but for the root, what is there: in what is not, there is nothing."""
    found: list[str] = []
    for part in paths.parts_of(way) if way.startswith("/") else ():
        folder = f"{found[0] if found else ''}/{part}"
        if not case.protected.look(folder).exists:
            break
        found.insert(0, folder)
    return found


def _is_there(case: Case, folder: str, name: str) -> bool:
    seen = case.protected.look(f"{folder}/{name}")
    return seen.exists and bool(seen.ids)  # and not only by its name


def _is_disk_of_its_own(seen: Seen) -> bool:
    """Whether it lies on a disk that is mounted directly below the root: what people attach is data."""
    first = next(iter(paths.parts_of(seen.real)), "")
    return len(seen.ids) > 1 and seen.ids[1][0] != seen.ids[0][0] and first not in _SHARED_DISKS
