"""Compose itself, to hold the reader of Compose files against."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {"HOME": "/home/somebody", "PATH": "/usr/bin:/bin"}
"""The environment in which both read: nothing of the machine's gets in."""


@dataclass(frozen=True)
class Answer:
    """What Compose says: the model (None where it refuses the files), and what stands on standard error."""

    model: dict[str, Any] | None
    said: str


Oracle = Callable[..., Answer]


@pytest.fixture(scope="session")
def compose() -> Oracle:
    """Asks docker-compose for the model of a project, as ``docker-compose config`` prints it."""
    folder = ROOT / ".cache" / "unstable"
    made = subprocess.run(
        [ROOT / "scripts" / "unstable.sh", folder], capture_output=True, text=True, timeout=300, check=False
    )
    assert made.returncode == 0, made.stderr
    binary = folder / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-compose"

    def ask(
        directory: Path,
        files: Sequence[str] = (),
        *,
        profiles: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        env_files: Sequence[str] = (),
        project_name: str | None = None,
    ) -> Answer:
        options = [word for file in files for word in ("-f", file)]
        options += [word for profile in profiles for word in ("--profile", profile)]
        options += [word for file in env_files for word in ("--env-file", file)]
        options += ["-p", project_name] if project_name else []
        done = subprocess.run(
            [binary, *options, "config", "--format", "json", "--no-env-resolution"],
            cwd=directory,
            env={**ENVIRONMENT, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Answer(json.loads(done.stdout) if done.returncode == 0 else None, done.stderr)

    return ask
