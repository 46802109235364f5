"""What the files of a domains directory come to mean: loaded, and checked against one another. Pure.

Shared by the daemon and by ``pnr validate``, ``plan`` and ``graph``, so that all of them judge alike.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler.daemon.unjudged import at_fault, cant_be_judged
from reconciler.diagnostics import Diagnostic
from reconciler.intent.check_types import CheckType
from reconciler.intent.contents import Contents, Glancing, NoContents, Source, SourceKind
from reconciler.intent.judgement import InForce, Judgement, judge_domains
from reconciler.intent.loader import load
from reconciler.intent.locating import Locator
from reconciler.intent.model import Domain, Loaded
from reconciler.intent.named_in_file import said_names
from reconciler.intent.sharing import Borrowed
from reconciler.policy import Judge
from reconciler.policy.domain import borrowed, judge_domain
from reconciler.policy.restarts import amended
from reconciler.policy.world import HostNet, Seen

log = logging.getLogger("pnr.judging")


class FileRead(Protocol):
    """One file as it was read: its bytes, or the error that stood in the way."""

    @property
    def data(self) -> bytes | None: ...
    @property
    def error(self) -> Diagnostic | None: ...


class Stored(Protocol):
    """The text that is in force of a domain, and the file that it stood in."""

    @property
    def domain(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """The valid domains by name; by file name what is wrong (all of it), and what only looks wrong.

    ``readable`` has, by file name, the valid domains and those that only do not go together with the rest; ``speaks``
    the file that stands for each domain in force, where one does; ``said`` the names that a file with errors has in
    it.
    """

    domains: Mapping[str, Domain]
    errors: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    readable: Mapping[str, Domain] = field(default_factory=dict)
    speaks: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Key = tuple[str, bytes]
"""A file by its name and the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file with this content came to mean, and how what it refers to looked just before it was read."""

    loaded: Loaded
    data: bytes
    stamps: Mapping[Source, Hashable]
    refused: tuple[Diagnostic, ...] = ()  # what the policy does not allow of it
    borrowed: tuple[Borrowed, ...] = ()  # what of others it does not allow, unless they share it
    looked: Mapping[str, Seen] = field(default_factory=dict)  # what that depends on besides: paths of the host
    engine: tuple[str, ...] = ()  # where the engine was known to keep its data then
    net: HostNet | None = None  # the host's networks, where something was refused and they were looked at
    said: tuple[str, ...] = ()  # the names that it speaks of
    cost: float = 0.0  # in seconds of processor time: to judge what it declares beside nothing else

    @property
    def refers(self) -> bool:
        """Whether it may come to mean something else while the file stays as it is."""
        return bool(self.stamps or self.looked or self.net)


class LoadCache:
    """What the files of the last judgement came to mean, by their content.

    One cache serves calls of :func:`judge` whose other arguments are the same.
    """

    def __init__(self) -> None:
        self.loaded: dict[Key, Entry] = {}


def glance(contents: Contents) -> Contents:
    """The same for one look."""
    return contents.glance() if isinstance(contents, Glancing) else contents


class _Stamping:
    """Contents that take note of the stamp of each source before it is read."""

    def __init__(self, contents: Contents) -> None:
        self._contents = glance(contents)
        self.stamps: dict[Source, Hashable] = {}

    def read(self, source: Source) -> bytes:
        self._note(source)
        return self._contents.read(source)

    def fingerprint(self, source: Source) -> str:
        self._note(source)
        return self._contents.fingerprint(source)

    def fingerprint_of(self, content: bytes) -> str:
        return self._contents.fingerprint_of(content)

    def stamp(self, source: Source) -> Hashable:
        return self._contents.stamp(source)

    def _note(self, source: Source) -> None:
        if source.kind is not SourceKind.TEXT and source not in self.stamps:
            self.stamps[source] = self._contents.stamp(source)


@dataclass(frozen=True, slots=True)
class Loading:
    """All that loading a file takes besides the file; see :func:`reconciler.intent.loader.load`."""

    base_dir: str
    env: Mapping[str, str]
    allowed_env: Collection[str]
    check_types: Mapping[str, CheckType]
    contents: Contents = field(default_factory=NoContents)
    policy: Judge | None = None
    path_of: Callable[[str], str | None] = str

    def load(self, name: str, data: bytes) -> Entry:
        """Load one file. What the policy says of it by its path in the domains directory is in force: ``path_of`` tells
        that of a file's name, or that nobody knows it yet. Whatever loading raises is the file's own error."""
        contents = _Stamping(self.contents)
        looked: dict[str, Seen] = {}
        try:
            return replace(self._load(name, data, contents, looked), said=said_names(data))
        except Exception as error:  # noqa: BLE001 - it is told of the file
            failed = cant_be_judged(name, error)
            return Entry(Loaded(name, None, (failed,)), data, contents.stamps, looked=looked)

    def _load(self, name: str, data: bytes, contents: _Stamping, looked: dict[str, Seen]) -> Entry:
        path = self.path_of(name)
        policy = self.policy.for_file(path) if self.policy is not None and path is not None else self.policy
        loaded = load(
            data,
            name,
            base_dir=self.base_dir,
            env=self.env,
            allowed_env=policy.environment(self.allowed_env) if policy is not None else self.allowed_env,
            check_types=self.check_types,
            contents=contents,
            reader=path or "",
            defaults=policy.policy.defaults() if policy is not None else None,
        )
        if policy is None or loaded.domain is None:
            return Entry(loaded, data, contents.stamps)
        loaded = replace(loaded, domain=amended(policy.policy, loaded.domain))
        assert loaded.domain is not None
        engine = tuple(policy.places.engine)
        nets: list[HostNet] = []
        tree = json.loads(data)
        refused = tuple(judge_domain(policy.noting(looked, nets), loaded.domain, tree))
        of_others = tuple(borrowed(policy, loaded.domain, tree))
        # What was accepted stays so: a VPN that comes up takes nothing away from what runs.
        net = nets[0] if nets and refused else None
        return Entry(loaded, data, contents.stamps, refused, of_others, looked, engine, net)

    def seems_stale(self, name: str, entry: Entry, contents: Contents) -> bool:
        """As :meth:`is_stale`; False where nobody can tell."""
        try:
            return self.is_stale(entry, contents)
        except Exception:
            log.debug("what %s refers to can't be looked at", name, exc_info=True)
            return False

    def is_stale(self, entry: Entry, contents: Contents | None = None) -> bool:
        """Whether something that the file refers to, or that the policy looked at for it, may have changed; looking
        with ``contents``, a glance at those that it was loaded with, where there are many to be looked at."""
        contents = self.contents if contents is None else contents
        if any(contents.stamp(source) != stamp for source, stamp in entry.stamps.items()):
            return True
        if self.policy is None:
            return False
        if (entry.loaded.domain is not None or entry.engine) and entry.engine != tuple(self.policy.places.engine):
            return True
        if entry.net is not None and self.policy.places.net() != entry.net:
            return True
        return any(self.policy.look(path) != seen for path, seen in entry.looked.items())


class Loads(Protocol):
    """Loads one file: :class:`Loading`, or several of them for files that lie in several places."""

    def load(self, name: str, data: bytes) -> Entry: ...


def recall(loading: Loads, stored: Sequence[Stored], cache: LoadCache | None = None) -> dict[str, Domain]:
    """What the stored texts mean now, by the domain's name. It is not judged again beside others: it was in force. Left
    out is what means nothing now (a file that it refers to can't be read), what the policy does not allow any more,
    and what another domain's name stands in."""
    found: dict[str, Domain] = {}
    loaded = cache.loaded if cache is not None else {}
    for one in stored:
        key = (one.file, hashlib.sha256(one.data).digest())
        entry = loaded.get(key) or loading.load(one.file, one.data)
        domain = entry.loaded.domain
        is_refused = any(one.severity == "error" for one in entry.refused)
        if domain is not None and not entry.loaded.errors and not is_refused and domain.name == one.domain:
            found[domain.name] = domain
    return found


def what_is_in_force(
    loading: Loads, stored: Sequence[Stored], documents: Mapping[str, Mapping[str, object]]
) -> list[InForce]:
    """What a state directory says to be in force, by its stored texts and snapshots: as a daemon begins with it."""
    recalled = recall(loading, stored)
    files = {name: file for name, document in documents.items() if isinstance(file := document.get("file"), str)}
    gone = {name for name, document in documents.items() if document.get("gone") is True}
    absent = {name for name, document in documents.items() if document.get("held")}
    files |= {one.domain: one.file for one in stored}
    return [
        InForce(name, file, recalled.get(name), name in gone, name in absent) for name, file in sorted(files.items())
    ]


def judge(
    loading: Loads,
    files: Mapping[str, FileRead],
    *,
    in_force: Sequence[InForce] = (),
    cache: LoadCache | None = None,
) -> Judged:
    """Judge files by their names. An error holds back the file that it is in, and no other.

    ``in_force`` is what was accepted before: its names are its own, and where a file is not valid it stays. With
    ``cache`` only what changed since the last call is loaded.
    """
    before = cache.loaded if cache is not None else {}
    now: dict[Key, Entry] = {}
    errors: dict[str, tuple[Diagnostic, ...]] = {}
    broken: dict[str, str | None] = {}
    for name, file in sorted(files.items()):
        if file.error is not None:
            errors[name] = (file.error,)
            broken[name] = None
        if file.data is None or file.error is not None:
            continue
        key = (name, hashlib.sha256(file.data).digest())
        now[key] = before.get(key) or loading.load(name, file.data)
    if cache is not None:
        cache.loaded = now
    entries = {name: entry for (name, _), entry in now.items()}
    judged = judge_loaded(entries, broken=broken, in_force=in_force)
    return replace(judged, errors={**errors, **judged.errors})


def judge_loaded(
    entries: Mapping[str, Entry],
    *,
    broken: Mapping[str, str | None],
    in_force: Sequence[InForce] = (),
    locator: Locator | None = None,
) -> Judged:
    """Judge what files came to mean, by their names; see :func:`judge`. ``broken`` are further ones that mean nothing,
    each with the name of the domain that it would declare, where that can be told: nothing is told of these."""
    loaded: dict[str, Domain] = {}
    refused: list[Diagnostic] = []
    of_others: dict[str, tuple[Borrowed, ...]] = {}
    errors: dict[str, tuple[Diagnostic, ...]] = {}
    broken = dict(broken)
    locator = locator or Locator()
    locator.begin()
    for name, entry in sorted(entries.items()):
        result = entry.loaded
        if result.errors:
            errors[name] = result.errors
            broken[name] = result.name
        elif result.domain is not None:
            loaded[name] = result.domain
            refused += entry.refused
            of_others[name] = entry.borrowed

    def together(domains: Sequence[Domain], held: Sequence[InForce]) -> Judgement:
        return judge_domains(domains, held, broken=broken, refused=refused, borrowed=of_others)

    try:
        judgement = together(list(loaded.values()), in_force)
    except Exception as error:  # noqa: BLE001 - it is told of the files that it comes from
        failed = at_fault(list(loaded.values()), in_force, together, error)
        errors |= {name: (one,) for name, one in failed.items()}
        broken |= {name: loaded.pop(name).name for name in failed}
        refused = [one for one in refused if one.place.file in loaded]
        judgement = together(list(loaded.values()), in_force)
    texts = {name: (entries[name].data, domain.name) for name, domain in loaded.items()}
    errors |= locator.places([one for one in judgement.diagnostics if one.severity == "error"], texts)
    warnings = locator.places([one for one in judgement.diagnostics if one.severity != "error"], texts)
    said = {name: entry.said for name, entry in entries.items() if name in errors}
    return Judged(judgement.accepted, errors, warnings, loaded, judgement.speaks, said)
