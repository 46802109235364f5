"""Paths on the host: what a container may have of it, and what a domain may refer to. Pure.

A path is judged twice, as it is written and as it leads: neither may be outside of what is allowed, nor inside or above
what is protected. A place that is protected is known under another name too (a bind mount of it, say), by its device
and inode.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from glob import escape

from reconciler.policy import paths
from reconciler.policy.checks import kinds
from reconciler.policy.checks.case import Case
from reconciler.policy.refusal import Against
from reconciler.policy.rule import Profile
from reconciler.policy.values import COMMON, DOMAIN, DOMAINS
from reconciler.policy.world import Seen

_GLOB = frozenset("*?[")


def host_path(
    case: Case,
    path: str,
    field: str,
    *,
    read_only: bool = False,
    what: str = "the host's",
    relabels: bool = False,
    makes: bool = False,
) -> None:
    """Refuse a path that a container may not have. ``relabels``: the engine gives it another label of SELinux, which
    takes it from the host's own services; ``makes``: the engine makes a directory of it where nothing is there. Either
    changes the host, even where the container may only read."""
    policy = case.policy
    if not paths.is_absolute(path):
        case.refuse("binds.allowed", field, f"{what} {path!r}: it is not an absolute path")
        return
    seen = case.look(path)
    if _cannot_be_seen(case, path, seen, field, what):
        return
    ways = dict.fromkeys((paths.normal(path), seen.real))
    if _leads_to_engine(case, seen):
        if not _may_have_engine(case):
            said = (
                f"{what} {path}: it is the engine's socket, which makes its holder root on the host{_whose_name(case)}"
            )
            case.refuse("binds.engine_socket", field, said, _name_of(case))
            return
        if policy.profile is not Profile.OPEN:  # which may have been made stricter in other rules
            return
    mine = _whose(case, ways, seen, is_folder=True)
    is_made = makes and not (seen.exists or seen.trouble or seen.hidden)
    is_named = read_only and all(paths.covering(policy.words("binds.read_only"), way) for way in ways)
    # Where a file is judged on another machine, nobody knows what is there on the engine's: it is told as it is made.
    writes = relabels or (is_made and is_named and case.world.is_complete and not _may_have_engine(case))
    is_readable = is_named and not writes
    if is_readable and (mine is None or _may_have_engine(case)):
        return  # who has the engine is root on the host, and so may read all of it
    is_given = all(paths.covering(policy.words("binds.write"), way) for way in ways)
    rule = "binds.read_only" if read_only and not writes else "binds.excepted"
    named = [] if is_readable else [(rule, escape(way)) for way in ways]
    if mine is not None:
        wants = [*named, ("binds.engine_socket", _name_of(case))] if read_only else []
        case.refuse("binds.protected", field, f"{what} {path}: it {mine}", wants=wants)
    if seen.link is not None and not policy.flag("binds.links"):
        said = f"{what} {path}: it leads through the link {seen.link}; write {seen.real}, if that is what is meant"
        case.refuse("binds.links", field, said)
    if not seen.exists and not policy.flag("binds.missing"):
        said = f"{what} {path}: it is not there, and has to be made first"
        case.refuse("binds.missing", field, said, against=Against.HOST)
    if seen.others is not None and not policy.flag("binds.others_may_write"):
        said = f"{what} {path}: others than root and pnr's user may change {seen.others}, which is on the way to it"
        case.refuse("binds.others_may_write", field, said)
    if is_given:
        return  # but for what is pnr's own, which was told
    for way in ways:
        if paths.covering(kinds.expanded(case, policy.words("binds.allowed")), way) is None:
            allowed = ", ".join(policy.words("binds.allowed")) or "none"
            said = f"{what} {way}: it is not below a directory that containers may have (allowed: {allowed})"
            case.refuse("binds.allowed", field, said, escape(way))
            return
    if mine is not None or all(paths.covering(policy.words("binds.excepted"), way) for way in ways):
        return
    whose = _of_domains(case, ways)
    why = _protected(case, ways, seen, is_folder=True, excepted=whose is not None)
    if why is not None:
        how = _how_it_writes(relabels=relabels, is_made=is_made) if is_named else ""
        case.refuse("binds.protected", field, f"{what} {path}: it {why}{how}", wants=named)
    elif whose == "" or (whose in (DOMAIN, COMMON) and not read_only):
        case.refuse("binds.allowed", field, f"{what} {path}: {_about_domains(case, whose)}", DOMAINS)
    elif whose is None and (not read_only or relabels or is_made):
        kinds.writing(case, ways, seen, field, f"{what} {path}", is_only_made=read_only and not relabels)


def _how_it_writes(*, relabels: bool, is_made: bool) -> str:
    if relabels:
        return "; to relabel it (z, Z) is to write to it"
    if is_made:
        return (
            "; it is not there, and the engine would make a directory of it: make it first, or write it in the long"
            " form (`type: bind`), with which nothing is made"
        )
    return ""


def _of_domains(case: Case, ways: dict[str, None]) -> str | None:
    """By which word of the policy a path below the directory of the domain files may be had: a longer path of the
    policy's own, ``@domains`` or, read-only, ``@domain`` or ``@common``; "" where by none. None where it lies
    elsewhere."""
    if not any(_is_below_domains(case, way) for way in ways):
        return None
    allowed = case.policy.words("binds.allowed")
    named = [p for p in kinds.expanded(case, [p for p in allowed if p != DOMAIN]) if _is_below_domains(case, p)]
    if all(paths.covering(named, way) for way in ways):
        return DOMAINS
    if DOMAINS in allowed or case.policy.profile is Profile.OPEN:
        return DOMAINS
    own = kinds.own_folder(case)
    if DOMAIN in allowed and own and all(paths.covers(escape(own), way) for way in ways):
        return DOMAIN
    is_common = all(_is_below_domains(case, way) and kinds.is_common(case, way) for way in ways)
    return COMMON if COMMON in allowed and is_common else ""


def _about_domains(case: Case, whose: str) -> str:
    own = kinds.own_folder(case)
    if whose in (DOMAIN, COMMON):
        return "it may be had read-only (`:ro`): what a container changes there can't be pulled any more"
    folder = f" ({own}), read-only" if own else ""
    whole = "it lies in the directory of the domain files"
    common = ", and folders that are called as no domain file" if COMMON in case.policy.words("binds.allowed") else ""
    return f"{whole}, of which a container has only its domain's own folder{folder}{common}"


def file(case: Case, path: str, field: str, *, is_folder: bool = False) -> None:
    """Refuse a file, or a directory to build from, that a domain may not refer to. Links are followed."""
    policy = case.policy
    seen = case.look(path)
    if _cannot_be_seen(case, path, seen, field, "the file"):
        return
    ways = dict.fromkeys((paths.normal(path), seen.real))
    mine = _whose(case, ways, seen, is_folder=is_folder, is_read=True)
    if mine is not None:
        case.refuse("binds.protected", field, f"the file {path}: it {mine}")
        return
    excepted = policy.words("files.excepted")
    left = {way: None for way in ways if paths.covering(excepted, way) is None}
    for way in left:
        if paths.covering(kinds.expanded(case, policy.words("files.allowed")), way) is None:
            allowed = ", ".join((*policy.words("files.allowed"), *excepted)) or "none"
            said = f"the file {way}: it is not below a directory that a domain may refer to (allowed: {allowed})"
            case.refuse("files.allowed", field, said, wants=[("files.excepted", escape(way))])
            return
    if left:
        in_domains = DOMAINS in policy.words("files.allowed")
        why = _protected(case, left, seen, is_folder=is_folder, excepted=in_domains)
        if why is not None:
            wants = [("files.excepted", escape(way)) for way in left]
            case.refuse("binds.protected", field, f"the file {path}: it {why}", wants=wants)


def _cannot_be_seen(case: Case, path: str, seen: Seen, field: str, what: str) -> bool:
    why = seen.hidden or (f"pnr's user can't look at it ({seen.trouble})" if seen.trouble else "")
    if not why or case.policy.flag("binds.unseen"):
        return False
    said = f"{what} {path}: it is not known where it leads, since {why}"
    case.refuse("binds.unseen", field, said, against=Against.ASKED if seen.hidden else Against.HOST)
    return True


def _whose(case: Case, ways: dict[str, None], seen: Seen, *, is_folder: bool, is_read: bool = False) -> str | None:
    """Why a path is pnr's own or the engine's, in words that go on after it. No list of a policy makes it allowed."""
    own = _own(case, is_read=is_read)
    for way in ways:
        found = paths.covering(own, way) or (paths.below(own, way) if is_folder else None)
        if found is not None:
            return f"{_relation(found, way)}, which is pnr's own or the engine's"
    engine = kinds.holds_engine(case, ways) if case.policy.profile is not Profile.OPEN else None
    if engine is not None:
        return f"is, or lies in, {engine}, where an engine keeps its data"
    under_another = case.policy.profile is not Profile.OPEN and _leads_to_engine(case, seen)
    return "is the engine's socket under another name" if under_another else None


def _protected(case: Case, ways: dict[str, None], seen: Seen, *, is_folder: bool, excepted: bool) -> str | None:
    """Why a path is protected by the policy, in words that go on after it."""
    patterns = case.policy.words("binds.protected")
    for way in ways:
        in_domains = excepted and _is_below_domains(case, way)
        held = [p for p in patterns if p.startswith(paths.ANYWHERE)] if in_domains else list(patterns)
        found = paths.covering(held, way) or (paths.below(held, way) if is_folder else None)
        if found is not None:
            return f"{_relation(found, way)}, which is protected"
    if case.policy.profile is Profile.OPEN and not patterns:
        return None
    if not all(excepted and _is_below_domains(case, way) for way in ways):
        known = _protected_ids(case)
        alias = next((known[id] for id in seen.ids[1:] if id in known), None)
        if alias is not None:
            return f"is, or lies in, {alias} under another name"
    return None


def _relation(pattern: str, way: str) -> str:
    if paths.normal(way) == pattern:
        return f"is {pattern}"
    return f"lies in {pattern}" if paths.covers(pattern, way) else f"holds {pattern}"


def _own(case: Case, *, is_read: bool = False) -> list[str]:
    """pnr's own places and the engine's, whatever the policy says; the profile open protects none. What is only read,
    as the content of a secret or of a build, may be the program or the domain files."""
    if case.policy.profile is Profile.OPEN:
        return []
    places = case.places
    own = [*places.own, *places.engine, *places.files, *places.sockets, *([places.runtime] if places.runtime else [])]
    if is_read:
        return list(map(escape, own))
    # The directory of the domain files is not to be had as a whole, nor is a domain file.
    own += places.program
    domains = [f"{escape(places.domains)}/*.json"] if places.domains else []
    return [*map(escape, own), *domains]


def _is_below_domains(case: Case, way: str) -> bool:
    domains = case.places.domains
    return bool(domains) and paths.covers(domains, way) and len(paths.parts_of(way)) > len(paths.parts_of(domains))


def _protected_ids(case: Case) -> dict[tuple[int, int], str]:
    memory = case.protected
    if memory.ids is None:
        memory.ids = {}
        for pattern in ("/", *case.policy.words("binds.protected"), *_own(case, is_read=True)):
            seen = memory.look(pattern) if not _GLOB & set(pattern) else None
            if seen is not None and seen.exists and seen.ids:
                memory.ids[seen.ids[-1]] = pattern
    return memory.ids


def _leads_to_engine(case: Case, seen: Seen) -> bool:
    """Whether it is the socket of the engine: by its own path, by another, or as a hard link."""
    if seen.real in case.places.sockets:
        return True
    if not seen.ids or not seen.exists:
        return False
    sockets = (case.protected.look(socket) for socket in case.places.sockets)
    return any(socket.exists and socket.ids[-1:] == seen.ids[-1:] for socket in sockets)


def _may_have_engine(case: Case) -> bool:
    return any(_has_name(case, given) and _is_of(case, given) for given in case.policy.words("binds.engine_socket"))


def _has_name(case: Case, given: str) -> bool:
    return given == "*" or fnmatchcase(_name_of(case), given)


def _is_of(case: Case, given: str) -> bool:
    """Whether what is given to a name is given to this file: in a section for some files it is; elsewhere the name of
    a domain stands for the file of that name."""
    domain = given.partition("/")[0]
    return "binds.engine_socket" in case.policy.by_section or bool(_GLOB & set(domain)) or case.is_owner(domain)


def _whose_name(case: Case) -> str:
    """Why a name that the policy gives it to does not help, in words that go on after others."""
    owner, file = case.owner, case.file
    if owner is None or not any(_has_name(case, given) for given in case.policy.words("binds.engine_socket")):
        return ""
    return (
        f"; the policy gives it to domain {owner.domain} of the file {owner.domain}.json, and this one is"
        f" {file or 'of an unknown file'}"
    )


def _name_of(case: Case) -> str:
    """The chunk that this is about, as a policy names it; "" where that is not known."""
    owner = case.owner
    return f"{owner.domain}/{owner.cpux}/{owner.chunk}" if owner is not None else ""
