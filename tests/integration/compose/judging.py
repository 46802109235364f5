"""The loader of domain files as an import asks it, for a domain that would stand in a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from reconciler.compose.converting.validating import Judge
from reconciler.intent import loader
from reconciler.intent.contents import Contents
from reconciler.probes.registry import known_types


def judge_in(folder: Path, contents: Contents) -> Judge:
    """What ``pnr validate`` says of a text there, where no variables are allowed."""
    return partial(
        loader.load,
        file="domain.json",
        base_dir=str(folder),
        env={},
        allowed_env=frozenset(),
        check_types=known_types(),
        contents=contents,
    )
