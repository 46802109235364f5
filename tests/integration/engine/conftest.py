"""What the tests of the Docker engine share: an engine, and a bench that removes what was made on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound as Gone

from reconciler.engine.docker import DockerEngine
from tests.integration.engine.bench import Bench


@pytest.fixture
async def engine(docker_api: APIClient, engine_socket: Path, tmp_path: Path) -> AsyncIterator[DockerEngine]:
    """The engine that is tested, connected."""
    made = DockerEngine(runtime_root=str(tmp_path / "runtime"), docker_host=f"unix://{engine_socket}")
    await made.connect()
    yield made
    await made.close()


@pytest.fixture
def bench(
    engine: DockerEngine, docker_api: APIClient, busybox_image: str, unique: Callable[[str], str]
) -> Iterator[Bench]:
    """Makes chunks under names of their own; all that carries such a name is removed afterwards."""
    made = Bench(engine, docker_api, busybox_image, unique("engine"))
    yield made
    for summary in docker_api.containers(all=True):
        if any(name.startswith(f"/{made.domain}") for name in summary["Names"]):
            _gone(docker_api.remove_container, summary["Id"], v=True, force=True)
    for network in docker_api.networks():
        if network["Name"].startswith(made.domain):
            _gone(docker_api.remove_network, network["Id"])
    for volume in docker_api.volumes()["Volumes"] or ():
        if volume["Name"].startswith(made.domain):
            _gone(docker_api.remove_volume, volume["Name"], force=True)


def _gone(remove: Callable[..., Any], *args: Any, **options: Any) -> None:
    try:
        remove(*args, **options)
    except Gone:
        return
