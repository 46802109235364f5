"""What the tests of images share: a real registry, an engine that uses it, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound as Gone

from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker.images import ImageKeeper, Logins
from reconciler.intent.contents import Source, SourceKind
from reconciler.intent.model import Login
from reconciler.planner.actions import EnsureImage
from reconciler.sources.build_context import pack
from reconciler.sources.contents import LocalContents, Places
from reconciler.state.image_records import ImageStore
from tests.integration.daemon.conftest import Daemon
from tests.integration.images.servers import PASSWORD, USER, Front, Registry, serving_front, serving_registry

STALL_SECONDS = 2.0
LASTING = ("sleep", "86400")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a login."""
    with serving_registry(tmp_path_factory.mktemp("registry")) as serving:
        yield serving


@pytest.fixture
def front(registry: Registry) -> Iterator[Front]:
    """Stands before the registry, and misbehaves as it is told."""
    with serving_front(registry) as serving:
        yield serving


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Docker's own configuration, empty."""
    folder = tmp_path / "docker-config"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


@pytest.fixture
def record(tmp_path: Path) -> ImageStore:
    """Which images were brought in."""
    state = tmp_path / "state"
    state.mkdir()
    return ImageStore(state)


@pytest.fixture
async def engine(
    docker_api: APIClient, engine_socket: Path, tmp_path: Path, record: ImageStore
) -> AsyncIterator[DockerEngine]:
    """An engine that loses patience soon, and does not wait long between tries."""
    contents = LocalContents(lambda: b"k" * 32, Places({}))
    images = ImageKeeper(
        logins=Logins(contents), record=record, pack=pack, stall_seconds=STALL_SECONDS, pauses=(0.05, 0.05, 0.05)
    )
    made = DockerEngine(runtime_root=str(tmp_path / "runtime"), docker_host=f"unix://{engine_socket}", images=images)
    await made.connect()
    yield made
    await made.close()


def log_in(folder: Path, *hosts: str, password: str = PASSWORD, user: str = USER) -> None:
    """As `docker login` leaves it."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": login} for host in hosts}}))


@dataclass
class Bench:
    """Pushes images, and asks the engine for them. ``lines`` is what was told."""

    engine: DockerEngine
    api: APIClient
    registry: Registry
    base: str
    tmp_path: Path
    prefix: str
    lines: list[str] = field(default_factory=list)

    def push(
        self, text: str, tag: str = "1", *, name: str = "app", command: Sequence[str] = LASTING, weight: int = 0
    ) -> str:
        """Put an image that differs by ``text`` into the registry; its digest. The engine forgets it. With ``weight``
        it has a layer of so many bytes of its own."""
        local = f"{self.registry.address}/{self.prefix}/{name}"
        made = self.api.create_container_from_config(  # type: ignore[no-untyped-call]
            {"Image": self.base, "Cmd": list(command), "Labels": {"text": text}}, f"{self.prefix}-made"
        )
        try:
            if weight:
                self.api.put_archive(made["Id"], "/", _noise(weight))
            self.api.commit(made["Id"], repository=local, tag=tag)
        finally:
            self.api.remove_container(made["Id"], force=True)
        digest = ""
        for line in self.api.push(
            local, tag=tag, auth_config={"username": USER, "password": PASSWORD}, stream=True, decode=True
        ):
            assert "error" not in line, line
            digest = (line.get("aux") or {}).get("Digest", digest)
        self.api.remove_image(f"{local}:{tag}")
        return digest

    def retag(self, image: str, name: str) -> None:
        """As `docker tag` does."""
        repository, _, tag = name.rpartition(":")
        self.api.tag(image, repository, tag)

    def name(self, tag: str = "1", *, at: Registry | Front | None = None, name: str = "app") -> str:
        """How the image is called, at the registry or at a front of it."""
        return f"{(at or self.registry).address}/{self.prefix}/{name}:{tag}"

    async def ensure(self, image: str, policy: str = "missing", **more: Any) -> list[str]:
        """Have the engine see to it; what was told, once all of it has been."""
        self.lines = []
        await self.engine.perform(EnsureImage(image, more.pop("build", None), policy, **more), self.lines.append)
        await asyncio.sleep(0)
        return self.lines

    def text_of(self, image: str) -> str | None:
        """The text that an image on the engine was pushed with; None where it is not there."""
        try:
            body = self.api.inspect_image(image)  # type: ignore[no-untyped-call]
        except Gone:
            return None
        return str((body["Config"].get("Labels") or {}).get("text", ""))

    def domain_login(self, password: str = PASSWORD) -> Login:
        """A login from a domain's secrets."""
        file = self.tmp_path / "registry-password"
        file.write_text(f"{password}\n")
        return Login(USER, Source(SourceKind.FILE, str(file)))


@pytest.fixture
def bench(
    engine: DockerEngine,
    docker_api: APIClient,
    registry: Registry,
    busybox_image: str,
    unique: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[Bench]:
    """All that has the bench's prefix in its name, or the label of its tests, is removed afterwards."""
    made = Bench(engine, docker_api, registry, busybox_image, tmp_path, unique("img"))
    yield made
    for container in docker_api.containers(all=True):
        if any(made.prefix in name for name in container["Names"]):
            docker_api.remove_container(container["Id"], v=True, force=True)
    for image in docker_api.images():
        for name in [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]:
            if made.prefix in name:
                _remove(docker_api, name)
    # With all that builds have left without a name.
    while left := docker_api.images(filters={"label": f"test={made.prefix}"}):
        _remove(docker_api, left[0]["Id"])


def _noise(size: int) -> bytes:
    """An archive with a file that can't be packed any smaller."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        entry = tarfile.TarInfo("noise")
        entry.size = size
        file.addfile(entry, io.BytesIO(os.urandom(size)))
    return archive.getvalue()


def _remove(api: APIClient, name: str) -> None:
    try:
        api.remove_image(name, force=True)
    except Gone:
        return


@pytest.fixture
def name(bench: Bench) -> str:
    """The name of the domain."""
    return bench.prefix


@pytest.fixture
def daemon(bench: Bench, tmp_path: Path, docker_api: APIClient, docker_config: Path) -> Iterator[Daemon]:
    """A daemon whose domains and images are removed at the end."""
    running = Daemon(tmp_path, docker_api)
    running.start()
    yield running
    running.end()
