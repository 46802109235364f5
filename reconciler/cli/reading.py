"""Reads domain files for commands that work without a daemon, and judges them as the daemon would."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.cli.options import allowed_env, policy_name
from reconciler.daemon.intake import Entry, Judged, Loading, judge, what_is_in_force
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.reading_contents import admission
from reconciler.diagnostics import Diagnostic
from reconciler.errors import PnrError
from reconciler.intent.contents import PATHS, Contents, Source, SourceKind, folder_parts
from reconciler.probes.registry import known_types
from reconciler.sources import safe_read
from reconciler.sources.contents import Admission, LocalContents, Places, SourceRefused
from reconciler.sources.files import Files
from reconciler.sources.protocol import FileSeen
from reconciler.state.intents import IntentStore
from reconciler.state.snapshot import SnapshotStore

LARGEST_FILE = 1 << 20
THROW_AWAY_KEY = secrets.token_bytes(32)


class DomainsMissing(PnrError):
    """The domains directory is not there or can't be read."""

    code = "DomainsMissing"


class _Unread:
    """Contents that are all there and empty: for commands to which it does not matter what they are."""

    def read(self, source: Source) -> bytes:
        return b""

    def fingerprint(self, source: Source) -> str:
        return ""

    def fingerprint_of(self, content: bytes) -> str:
        return ""

    def stamp(self, source: Source) -> Hashable:
        return None


def judge_files(
    names: Sequence[str],
    folders: tuple[str, str],
    args: Namespace,
    *,
    with_contents: bool = True,
    on_other_host: bool = False,
) -> Judged:
    """Judge the files of these names, or all of the domains directory where none is named.

    ``folders`` are those of domains and state: what the state says to be in force keeps its names, as with the daemon.
    ``args`` has the options that decide about a file. Named files are
    judged together, apart from the directory, and what they refer to is looked for beside them. Without
    ``with_contents`` it does not matter whether the secrets and other files that they refer to are there.
    ``on_other_host``: they are for another machine, so that nothing of this one counts: no path of it, no state, not
    who may write the policy. Raises DomainsMissing, and PnrError for a policy that can't be used.
    """
    loads = _Loads(folders, args, beside=bool(names), with_contents=with_contents, on_other_host=on_other_host)
    if names:
        return judge(loads, {str(path): _read(path, str(path)) for path in map(Path, names)})
    if on_other_host:
        return judge(loads, _files_of(Path(folders[0])))
    state = Path(folders[1])
    documents, _ = SnapshotStore(state).load_all(mending=False)
    in_force = what_is_in_force(loads, IntentStore(state).load_all(mending=False), documents)
    return judge(loads, _files_of(Path(folders[0])), in_force=in_force)


class _Elsewhere(_Unread):
    """Contents on another machine: all there and empty, but for what the policy does not let be read."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._may_read = admission()

    def glance(self) -> _Elsewhere:
        return _Elsewhere(self._admission)

    def read(self, source: Source) -> bytes:
        self._admit(source)
        return b""

    def fingerprint(self, source: Source) -> str:
        self._admit(source)
        return ""

    def _admit(self, source: Source) -> None:
        is_folder = source.kind is SourceKind.FOLDER
        path = folder_parts(source)[0] if is_folder else source.name if source.kind in PATHS else ""
        why = self._may_read(path, is_folder, source)
        if why:
            raise SourceRefused(f"the policy refuses {why}")


class _Loads:
    """Loads files of the domains directory or, ``beside`` one another, files from anywhere: each of these as if the
    folder that it lies in were the domains directory. So a checkout is judged as it will be judged where it is put."""

    def __init__(
        self, folders: tuple[str, str], args: Namespace, *, beside: bool, with_contents: bool, on_other_host: bool
    ) -> None:
        self._domains, self._state = folders
        self._beside = beside
        self._with_contents = with_contents
        self._on_other_host = on_other_host
        self._allowed = frozenset(allowed_env(args))
        self._policy = policy_name(args)
        self._check_types = known_types()
        self._by_folder: dict[str, Loading] = {}
        if not beside:
            self._of(os.path.abspath(self._domains))

    def load(self, name: str, data: bytes) -> Entry:
        """Load one file. Raises PnrError for a policy that can't be used."""
        return self._of(os.path.abspath(os.path.dirname(name) if self._beside else self._domains)).load(name, data)

    def _path_of(self, name: str) -> str:
        """The path of a file in the domains directory: one that lies elsewhere is judged as if it were put there."""
        if not self._beside:
            return name
        path = os.path.relpath(os.path.abspath(name), os.path.abspath(self._domains))
        is_below = not os.path.isabs(path) and path.split(os.sep)[0] != os.pardir
        return path.replace(os.sep, "/") if is_below else os.path.basename(name)

    def _of(self, folder: str) -> Loading:
        if folder not in self._by_folder:
            options = ServiceOptions(Path(folder), Path(self._state), engine="docker", policy=self._policy)
            is_put = os.path.realpath(folder) == os.path.realpath(self._domains)
            policy = make_policy(options, on_other_host=self._on_other_host)
            policy = policy.placed(replace(policy.places, elsewhere=self._beside and not is_put))
            env: Mapping[str, str] = {name: os.environ[name] for name in self._allowed if name in os.environ}
            # What is judged here is not compared with any container: any key will do.
            contents: Contents = (
                _Elsewhere(admission(policy))
                if self._on_other_host
                else LocalContents(
                    lambda: THROW_AWAY_KEY, Places.of(os.environ, self._allowed), admission=admission(policy)
                )
                if self._with_contents
                else _Unread()
            )
            self._by_folder[folder] = Loading(
                folder, env, self._allowed, self._check_types, contents, policy, self._path_of
            )
        return self._by_folder[folder]


def _files_of(domains: Path) -> Mapping[str, FileSeen]:
    """The files as the daemon sees them."""
    try:
        return Files(str(domains), 0.0).look(0.0, hold=False)[0]
    except OSError as error:
        raise DomainsMissing(
            f"can't read the domains directory {domains}: {error.strerror or error};"
            " name it with --domains, or name the files to look at"
        ) from error


def _read(path: Path, name: str) -> FileSeen:
    try:
        return FileSeen(name, safe_read.read(str(path), LARGEST_FILE))
    except safe_read.Refused as refused:
        if refused.code == "Gone":
            return FileSeen(
                name, None, Diagnostic.of_file(name, "FileMissing", "there is no such file: correct the name")
            )
        return FileSeen(name, None, Diagnostic.of_file(name, refused.code, refused.message))
