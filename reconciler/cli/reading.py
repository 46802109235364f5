"""Reads domain files for commands that work without a daemon, and judges them as the daemon would."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli.options import allowed_env, policy_name
from reconciler.daemon.intake import Judged, judge
from reconciler.daemon.parts import may_read
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.errors import PnrError
from reconciler.intent.contents import Source
from reconciler.intent.model import Place, Problem
from reconciler.probes.registry import known_types
from reconciler.sources import safe_read
from reconciler.sources.contents import LocalContents, Places

LARGEST_FILE = 1 << 20
THROW_AWAY_KEY = secrets.token_bytes(32)


class DomainsMissing(PnrError):
    """The domains directory is not there or can't be read."""

    code = "DomainsMissing"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as it was read."""

    data: bytes | None
    problem: Problem | None = None


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
    names: Sequence[str], folders: tuple[str, str], args: Namespace, *, with_contents: bool = True
) -> Judged:
    """Judge the files of these names, or all of the domains directory where none is named.

    ``folders`` are those of domains and state, ``args`` has the options that decide about a file. Named files are
    judged together, apart from the directory. Without ``with_contents`` it does not matter whether the
    secrets and other files that they refer to are there. Raises DomainsMissing, and PnrError for a policy that can't be
    used.
    """
    domains, state = map(Path, folders)
    allowed = allowed_env(args)
    policy = make_policy(ServiceOptions(domains, state, engine="docker", policy=policy_name(args)))
    paths = [Path(name) for name in names] if names else _files_of(domains)
    files = {str(path) if names else path.name: _read(path, str(path) if names else path.name) for path in paths}
    env: Mapping[str, str] = {name: os.environ[name] for name in allowed if name in os.environ}
    return judge(
        files,
        base_dir=str(domains.absolute()),
        env=env,
        allowed_env=frozenset(allowed),
        policy=policy,
        check_types=known_types(),
        # What is judged here is not compared with any container: any key will do.
        contents=LocalContents(
            lambda: THROW_AWAY_KEY, Places.of(os.environ, frozenset(allowed)), may_read=may_read(policy)
        )
        if with_contents
        else _Unread(),
    )


def _files_of(domains: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(domains))
    except OSError as error:
        raise DomainsMissing(
            f"can't read the domains directory {domains}: {error.strerror or error};"
            " name it with --domains, or name the files to look at"
        ) from error
    return [domains / name for name in names if name.endswith(".json") and not name.startswith(".")]


def _read(path: Path, name: str) -> ReadFile:
    try:
        return ReadFile(safe_read.read(str(path), LARGEST_FILE))
    except safe_read.Refused as refused:
        return ReadFile(None, Problem(Place(name), refused.code, refused.message))
