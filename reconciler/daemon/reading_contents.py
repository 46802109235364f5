"""Makes what reads the contents that domain files refer to: for the daemon, and for the process that judges for it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from reconciler.intent.contents import Source
from reconciler.policy import Judge
from reconciler.sources.contents import LocalContents, MayRead, Places
from reconciler.state.key import InstallationKey


def contents_of(state: Path, allowed_env: Collection[str], policy: Judge | None, *, make_key: bool) -> LocalContents:
    """With the key of the installation in ``state``; ``make_key``: see InstallationKey."""
    return contents_with(InstallationKey(state, make=make_key), allowed_env, policy)


def contents_with(key: InstallationKey, allowed_env: Collection[str], policy: Judge | None) -> LocalContents:
    """With this key."""
    places = Places.of(os.environ, frozenset(allowed_env))
    return LocalContents(key, places) if policy is None else LocalContents(key, places, may_read=may_read(policy))


def may_read(policy: Judge) -> MayRead:
    """Says why a policy does not let a file, or a directory to build from, be read."""

    def refused(path: str, is_folder: bool, source: Source) -> str:
        judge = policy.for_file(source.reader) if source.reader else policy
        return "; ".join(str(refusal) for refusal in judge.source(source, path, is_folder=is_folder))

    return refused
