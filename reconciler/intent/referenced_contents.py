"""Gathers what a domain file refers to: the fingerprints of secrets and configs, the variables in files. Pure.

:func:`crosscheck` judges the references themselves (names that must be declared, targets that collide) in the file's
tree as it was written; :func:`gather` reads, through the :class:`~reconciler.intent.contents.Contents` that it is
given, what a valid document refers to. Only what a container uses is read. No content of a secret leaves
this module: the intent holds fingerprints.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent import bounds, document, envfile, files
from reconciler.intent.chunks import chunks_of_file, chunks_of_tree
from reconciler.intent.contents import Contents, ContentsError, Source, SourceKind, SourceMissing
from reconciler.intent.files import EnvFile
from reconciler.intent.image_sources import BuildGatherer
from reconciler.intent.interpolation import Variables, found
from reconciler.intent.lenient import list_in, parsed
from reconciler.intent.model import Build, Login, MountedFile
from reconciler.intent.settings import SETTINGS, security_options
from reconciler.intent.settings.faults import shown
from reconciler.intent.settings.values import is_windows_path
from reconciler.intent.settings.words import OWN_LABELS

KINDS = {"secrets": "secret", "configs": "config"}
SOURCES = ("file", "environment", "credential", "sops", "age")
FILES_OF = {"env_file": "environment", "label_file": "labels"}
RUNTIME_TARGET = "/runtime"

ChunkKey = tuple[str, str]
"""The names of a CPUX and of a chunk in it."""


def absolute(base_dir: str | None, path: str) -> str:
    """A path in a domain file as an absolute one: relative ones are below ``base_dir``."""
    if base_dir is None or is_windows_path(path):
        return path if is_windows_path(path) else os.path.normpath(path)
    return os.path.normpath(os.path.join(base_dir, path))


# --- what the tree alone shows ------------------------------------------------------------------------------------


def crosscheck(tree: Mapping[str, Any], report: Diagnostics) -> None:
    """What is wrong with the domain's secrets and configs and with the containers' uses of them."""
    declared = {kind: tree.get(kind) for kind in KINDS}
    for kind, entries in declared.items():
        for name, entry in (entries if isinstance(entries, dict) else {}).items():
            if isinstance(entry, dict):
                _one_source(kind, entry, report.at(kind, name))
    for chunk, path in chunks_of_tree(tree):
        if isinstance(chunk.get("container"), dict):
            _uses(chunk["container"], report.at(*path, "container"), declared)


def _one_source(kind: str, entry: Mapping[str, Any], report: Diagnostics) -> None:
    known = (*SOURCES, "content") if kind == "configs" else SOURCES
    if any(entry.get(key) for key in ("external", "content")) and kind == "secrets":
        return  # what is wrong is said of that key
    given = [key for key in known if entry.get(key) is not None]
    if not given and not entry.get("external"):
        report.error((), "MissingKey", f"where its content comes from is missing: one of {', '.join(known)}")
    for key in given[1:]:
        report.error((key,), "Conflict", f"{given[0]} says where the content is already: leave one out")


def _uses(container: Mapping[str, Any], report: Diagnostics, declared: Mapping[str, Any]) -> None:
    targets: dict[str, str] = {RUNTIME_TARGET: "/runtime, pnr's own directory"}
    for volume in parsed(SETTINGS["volumes"].parse, container.get("volumes")) or ():
        targets.setdefault(str(volume["target"]), f"the volume on {volume['target']}")
    for kind, singular in KINDS.items():
        names = tuple(declared[kind]) if isinstance(declared[kind], dict) else ()
        read = files.secret_uses if kind == "secrets" else files.config_uses
        uses = (
            (index, use) for index, item in enumerate(list_in(container, kind)) for use in parsed(read, [item]) or ()
        )
        for index, use in uses:
            if use.name not in names:
                message = f"no {singular} {found(use.name)} in the domain's {kind}{report.nearest(use.name, names)}"
                report.error((kind, index), f"Unknown{singular.capitalize()}", message)
            if use.target in targets:
                message = f"{shown(use.target)} is the place of {targets[use.target]} already: give one another target"
                report.error((kind, index), "DuplicateTarget", message)
            targets[use.target] = f"the {singular} {shown(use.name)}"


# --- what has to be read ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the references of a document lead to.

    ``contents`` has, by kind (``secrets``, ``configs``) and name, the source and its fingerprint; ``sources`` is all
    that was asked for, also where it could not be read. ``environment`` and ``labels`` hold what files say of a
    container, by CPUX and chunk; what the domain file itself says goes before. ``builds`` are by CPUX and chunk,
    ``logins`` by registry, ``profiles`` (of seccomp) by the path as it is written.
    """

    contents: Mapping[tuple[str, str], tuple[Source, str]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    environment: Mapping[ChunkKey, Mapping[str, str]] = field(default_factory=dict)
    labels: Mapping[ChunkKey, Mapping[str, str]] = field(default_factory=dict)
    builds: Mapping[ChunkKey, Build] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    logins: Mapping[str, Login] = field(default_factory=dict)

    def files(self, container: Any) -> tuple[MountedFile, ...]:
        """The files of a container, by target."""
        made = []
        for kind in KINDS:
            for use in getattr(container, kind) or ():
                source, fingerprint = self.contents[kind, use.name]
                secret = kind == "secrets"
                made.append(MountedFile(use.target, source, fingerprint, secret, use.uid, use.gid, use.mode))
        return tuple(sorted(made, key=lambda file: file.target))


def gather(
    file: document.DomainFile,
    tree: Mapping[str, Any],
    *,
    base_dir: str | None,
    contents: Contents,
    variables: Variables,
    report: Diagnostics,
    reader: str = "",
) -> Gathered:
    """Read what ``file``, whose tree is ``tree``, refers to, and report what can't be read. ``variables`` says which
    names of the daemon's environment may be used, and has the values for files of variables; ``reader`` is as in
    Source."""
    gatherer = _Gatherer(base_dir, contents, variables, report, reader)
    for kind in KINDS:
        used = {use.name for chunk, _ in chunks_of_file(file) for use in getattr(chunk.container, kind) or ()}
        if kind == "secrets":
            used |= {registry.password_secret for registry in file.registries.values()}
        for name, entry in getattr(file, kind).items():
            if name in used:
                gatherer.fingerprint(kind, name, entry)
    declared: dict[str, dict[ChunkKey, dict[str, str]]] = {setting: {} for setting in FILES_OF.values()}
    written = {path: chunk["container"] for chunk, path in chunks_of_tree(tree)}
    for chunk, path in chunks_of_file(file):
        where, container = (*path, "container"), written[path]
        for key, setting in FILES_OF.items():
            values: dict[str, str] = {}
            own = {} if setting == "labels" else _set_by(chunk.container)
            for number, one in enumerate(getattr(chunk.container, key) or ()):
                place = (*where, key, number) if isinstance(container.get(key), list) else (*where, key)
                values |= gatherer.variables_of(one, place, own, values, labels=setting == "labels")
            if len(values) > bounds.MAX_ENTRIES:
                said = f"{len(values)} entries in all of its files; a container may have at most {bounds.MAX_ENTRIES}"
                report.error((*where, key), "TooMany", f"{said} from files: shorten them")
            elif values:
                declared[setting][str(path[1]), chunk.name] = values
        for number, option in enumerate(container.get("security_opt") or ()):
            gatherer.profile_of(option, (*where, "security_opt", number))
    building = BuildGatherer(base_dir, contents, variables, report, reader)
    builds = building.gather(file)
    logins = {
        host: Login(registry.username, *gatherer.found["secrets", registry.password_secret])
        for host, registry in file.registries.items()
        if ("secrets", registry.password_secret) in gatherer.found
    }
    return Gathered(
        gatherer.found,
        tuple(dict.fromkeys([*gatherer.sources, *building.sources])),
        declared["environment"],
        declared["labels"],
        builds,
        gatherer.profiles,
        logins,
    )


class _Gatherer:
    def __init__(
        self, base_dir: str | None, contents: Contents, variables: Variables, report: Diagnostics, reader: str
    ) -> None:
        self._base_dir = base_dir
        self._reader = reader
        self._contents = contents
        self._variables = variables
        self.found: dict[tuple[str, str], tuple[Source, str]] = {}
        self.sources: list[Source] = []
        self.profiles: dict[str, str] = {}
        self._report = report
        self._read: dict[Source, bytes | ContentsError] = {}
        self._lines = self._bytes = 0
        self._may_read_more = True

    def profile_of(self, option: str, path: Path) -> None:
        """Read the seccomp profile that a security option names, if it does."""
        name = security_options.profile_file(security_options.parse([option])[0])
        if name is None or name in self.profiles:
            return
        source = self._source(SourceKind.FILE, name)
        try:
            self.profiles[name] = security_options.profile(self._content(source).decode("utf-8-sig"))
        except ContentsError as error:
            self._report.error(path, error.code, str(error))
        except (UnicodeDecodeError, ValueError):
            message = (
                f"{source} holds no seccomp profile: expected a JSON object with defaultAction, syscalls and so on"
            )
            self._report.error(path, "InvalidValue", message)

    def fingerprint(self, kind: str, name: str, entry: document.Content) -> None:
        """Take note of the fingerprint of a secret or config."""
        key, value = next((key, getattr(entry, key)) for key in (*SOURCES, "content") if _given(entry, key))
        path: Path = (kind, name, key)
        if key == "environment" and value not in self._variables.allowed:
            message = (
                f"the variable {value} of the daemon's environment may not be used here: allow it with"
                f" --allow-env {value} or in PNR_ALLOWED_ENV"
            )
            self._report.error(path, "VariableNotAllowed", message)
            return
        source = self._source(SourceKind(key), value)
        try:
            self.found[kind, name] = (source, self._contents.fingerprint(source))
        except ContentsError as error:
            self._report.error(path, error.code, str(error))

    def variables_of(
        self, file: EnvFile, path: Path, own: Mapping[str, str], before: Mapping[str, str], *, labels: bool
    ) -> dict[str, str]:
        """The variables in a file of a container that sets ``own`` itself, behind the files that gave ``before``. None
        where it need not be there and is not, or where it can't be read."""
        source = self._source(SourceKind.FILE, file.path)
        try:
            content = self._content(source)
            if not self._has_room_for(content, path):
                return {}
            values = envfile.parse(content, self._variables, raw=file.raw, own=own, before=before)
            pnrs = next((name for name in values if labels and name.startswith(OWN_LABELS)), None)
            if pnrs is not None:
                raise envfile.BadEnvFile(f"labels that begin with {OWN_LABELS} are pnr's own; {pnrs} is one of them")
            return values
        except SourceMissing as error:
            if not file.required:
                return {}
            self._report.error(path, error.code, str(error))
        except (ContentsError, envfile.BadEnvFile) as error:
            said = str(error) if isinstance(error, ContentsError) else f"{source}, {error}"
            self._report.error(path, error.code, said)
        return {}

    def _content(self, source: Source) -> bytes:
        """The content of a file, which is read once, however often it is named. Raises ContentsError."""
        if source not in self._read:
            try:
                self._read[source] = self._contents.read(source)
            except ContentsError as error:
                self._read[source] = error
        found = self._read[source]
        if isinstance(found, ContentsError):
            raise found.with_traceback(None)
        return found

    def _has_room_for(self, content: bytes, path: Path) -> bool:
        """Whether a file of variables may be used once more; the first that may not is reported."""
        self._lines += content.count(b"\n") + 1
        self._bytes += len(content)
        self._may_read_more = self._may_read_more and bounds.check_read(
            self._lines, self._bytes, self._report.at(*path)
        )
        return self._may_read_more

    def _source(self, kind: SourceKind, value: str) -> Source:
        if kind in (SourceKind.FILE, SourceKind.SOPS, SourceKind.AGE):
            value = absolute(self._base_dir, value)
        source = Source(kind, value, self._reader)
        if kind is not SourceKind.TEXT:
            self.sources.append(source)
        return source


def _set_by(container: Any) -> dict[str, str]:
    """The variables that a container's own ``environment`` sets; those that it removes are not among them."""
    both = {**(container.env or {}), **(getattr(container, "environment", None) or {})}
    return {name: value for name, value in both.items() if value is not None}


def _given(entry: document.Content, key: str) -> bool:
    return getattr(entry, key, None) is not None
