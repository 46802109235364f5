"""docker-compose on the real engine, in folders and under names of its own; what it made goes at the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound

from reconciler.engine.docker.composed import LABEL_PROJECT

ROOT = Path(__file__).resolve().parents[4]
LIMIT_SECONDS = 120


class Compose:
    """``docker-compose`` for one project in a folder."""

    def __init__(self, binary: Path, folder: Path, project: str, api: APIClient) -> None:
        self.folder = folder
        self.project = project
        self.api = api
        self._binary = binary

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, and insist that it ends well."""
        done = subprocess.run(
            [self._binary, "-p", self.project, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env={**os.environ, "COMPOSE_IGNORE_ORPHANS": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def inspected(self) -> dict[str, dict[str, Any]]:
        """The containers that it made, by their names."""
        found = self.api.containers(all=True, filters={"label": f"{LABEL_PROJECT}={self.project}"})
        bodies = (self.api.inspect_container(summary["Id"]) for summary in found)
        return {body["Name"].lstrip("/"): body for body in bodies}

    def runs(self) -> Mapping[str, tuple[str, str]]:
        """Identity and start time of each."""
        return {name: (body["Id"], body["State"]["StartedAt"]) for name, body in self.inspected().items()}


@pytest.fixture(scope="session")
def compose_binary() -> Path:
    """The newest docker-compose."""
    folder = ROOT / ".cache" / "unstable"
    made = subprocess.run(
        [ROOT / "scripts" / "unstable.sh", folder], capture_output=True, text=True, timeout=300, check=False
    )
    assert made.returncode == 0, made.stderr
    return folder / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-compose"


@pytest.fixture
def composed(
    compose_binary: Path, docker_api: APIClient, tmp_path: Path, unique: Callable[[str], str]
) -> Iterator[Compose]:
    """Compose in a folder of its own, for a project of a name of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Compose(compose_binary, folder, unique("moved"), docker_api)
    yield made
    remove_project(docker_api, made.project)


def remove_project(api: APIClient, project: str) -> None:
    """Remove all that Compose has made of a project, whoever has it now."""
    label = {"label": f"{LABEL_PROJECT}={project}"}
    for summary in api.containers(all=True, filters=label):
        _gone(api.remove_container, summary["Id"], v=True, force=True)
    for network in api.networks(filters=label):
        _gone(api.remove_network, network["Id"])
    for volume in api.volumes(filters=label)["Volumes"] or ():
        _gone(api.remove_volume, volume["Name"], force=True)


def _gone(remove: Callable[..., Any], *args: Any, **options: Any) -> None:
    try:
        remove(*args, **options)
    except NotFound:
        return
