"""Small projects for tests, written into a folder and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.compose.project import ComposeError, Project
from reconciler.compose.reading import load
from reconciler.diagnostics import Diagnostic

Read = Callable[..., Project]


def project(folder: Path, files: Mapping[str, str] | str, *named: str, **options: Any) -> Project:
    """The project in ``folder``; one text stands for its ``compose.yaml``."""
    for name, text in ({"compose.yaml": files} if isinstance(files, str) else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    options.setdefault("environment", {})
    return load([folder / name for name in named or ("compose.yaml",)], **options)


def problems(folder: Path, files: Mapping[str, str] | str, *named: str, **options: Any) -> tuple[Diagnostic, ...]:
    """What is wrong with the project in ``folder``."""
    with pytest.raises(ComposeError) as caught:
        project(folder, files, *named, **options)
    return caught.value.errors


def where(problem: Diagnostic) -> tuple[str, int, int, str]:
    """File's name, line, column and path of a problem."""
    return Path(problem.place.file).name, problem.place.line, problem.place.column, problem.where
