"""Makes what reads the contents that domain files refer to: for the daemon, and for the process that judges for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from reconciler.intent.contents import Source
from reconciler.policy import Judge
from reconciler.policy.refusal import Refusal
from reconciler.sources.contents import Admission, LocalContents, MayRead, Places
from reconciler.state.key import InstallationKey


def contents_of(state: Path, allowed_env: Collection[str], policy: Judge | None, *, make_key: bool) -> LocalContents:
    """With the key of the installation in ``state``; ``make_key``: see InstallationKey."""
    return contents_with(InstallationKey(state, make=make_key), allowed_env, policy)


def contents_with(key: InstallationKey, allowed_env: Collection[str], policy: Judge | None) -> LocalContents:
    """With this key."""
    places = Places.of(os.environ, frozenset(allowed_env))
    return LocalContents(key, places) if policy is None else LocalContents(key, places, admission=admission(policy))


def admission(policy: Judge, told: Callable[[list[Refusal]], None] = lambda found: None) -> Admission:
    """Says why a policy does not let a file, or a directory to build from, be read; ``told`` gets all of it."""

    def begin() -> MayRead:
        judges: dict[str, Judge] = {}

        def refused(path: str, is_folder: bool, source: Source) -> str:
            if source.reader not in judges:
                judges[source.reader] = policy.for_reading(source.reader)
            found = judges[source.reader].source(source, path, is_folder=is_folder)
            told(found)
            return "; ".join(map(str, found))

        return refused

    return begin
