"""Secrets and configs in containers of a real engine."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker.client import Address
from reconciler.engine.docker.containers import Containers
from reconciler.engine.docker.mounted_files import MountedFiles
from reconciler.engine.protocol import CreateFailed, StartFailed
from reconciler.intent.contents import Source, SourceKind
from reconciler.intent.model import Chunk, MountedFile
from reconciler.planner.actions import RemoveContainer, StartContainer, StopContainer
from reconciler.planner.observed import Container
from reconciler.sources.contents import LocalContents, Places
from tests.integration.engine.bench import Bench

pytestmark = pytest.mark.docker

CANARY = "canary-5b0f2c"


@dataclass
class Vault:
    """Contents in files of a folder, and the files that containers get of them."""

    folder: Path
    contents: LocalContents = field(default_factory=lambda: LocalContents(lambda: bytes(32), Places({})))

    def file(self, name: str, content: str, **more: Any) -> MountedFile:
        path = self.folder / name
        path.write_text(content)
        source = Source(SourceKind.FILE, str(path))
        given: dict[str, Any] = {"target": f"/run/secrets/{name}", "secret": True, **more}
        return MountedFile(source=source, fingerprint=self.contents.fingerprint(source), **given)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


@pytest.fixture
async def engine(engine_socket: Path, tmp_path: Path, vault: Vault) -> AsyncIterator[DockerEngine]:
    """An engine that puts files into containers."""
    files = MountedFiles(str(tmp_path / "files"), vault.contents)
    made = DockerEngine(runtime_root=None, docker_host=f"unix://{engine_socket}", files=files)
    await made.connect()
    yield made
    await made.close()


def chunk_with(bench: Bench, *files: MountedFile, digest: str = "d1", **written: Any) -> Chunk:
    chunk = bench.chunk(command=["sleep", "500"], digest=digest, **written)
    return replace(chunk, container=replace(chunk.container, files=files))


async def run(bench: Bench, chunk: Chunk) -> Container:
    made = await bench.engine.perform(bench.creation(chunk))
    assert made is not None
    started = await bench.engine.perform(StartContainer(made.name, chunk.container.files))
    assert started is not None
    return started


async def inside(engine: DockerEngine, container: Container, script: str) -> str:
    code, said = await engine.run_inside(container.id, ["sh", "-c", script], 20)
    return f"{code} {said.strip()}"


async def test_a_secret_is_a_file_that_can_only_be_read(engine: DockerEngine, bench: Bench, vault: Vault) -> None:
    secret = vault.file("key", CANARY, uid="65534", gid="65534", mode=0o400)
    config = vault.file("app.conf", "a=1", secret=False, target="/etc/app/app.conf")
    container = await run(bench, chunk_with(bench, secret, config, user="65534", read_only=True))
    assert await inside(engine, container, "cat /run/secrets/key") == f"0 {CANARY}"
    assert await inside(engine, container, "stat -c '%a %u %g' /run/secrets/key") == "0 400 65534 65534"
    assert await inside(engine, container, "cat /etc/app/app.conf") == "0 a=1"
    assert (await inside(engine, container, "stat -c %a /etc/app/app.conf")) == "0 444"
    assert not (await inside(engine, container, "echo x > /run/secrets/key")).startswith("0 ")


async def test_the_engine_shows_where_a_secret_is_and_not_what_it_is(
    engine: DockerEngine, bench: Bench, vault: Vault, docker_api: APIClient
) -> None:
    container = await run(bench, chunk_with(bench, vault.file("key", CANARY)))
    assert CANARY not in json.dumps(docker_api.inspect_container(container.id))
    assert CANARY not in json.dumps(docker_api.containers(all=True))


async def test_our_files_are_none_of_a_containers_volumes(engine: DockerEngine, bench: Bench, vault: Vault) -> None:
    volume = await bench.volume("data")
    container = await run(bench, chunk_with(bench, vault.file("key", CANARY), volumes=[f"{volume}:/data"]))
    assert [entry["target"] for entry in (container.settings or {})["volumes"]] == ["/data"]


async def test_the_old_file_stays_as_long_as_its_container(
    engine: DockerEngine, bench: Bench, vault: Vault, tmp_path: Path
) -> None:
    old = chunk_with(bench, vault.file("key", "old"))
    before = await run(bench, old)
    shared = tmp_path / "files" / bench.domain / "main" / "web"
    new = chunk_with(bench, vault.file("key", "new"), digest="d2")
    renamed = replace(new, container=replace(new.container, name=bench.name("web2")))
    after = await run(bench, renamed)
    assert len(list(shared.iterdir())) == 2
    await engine.perform(StopContainer(before.name, 0))
    await engine.perform(StartContainer(before.name, renamed.container.files))
    assert await inside(engine, before, "cat /run/secrets/key") == "0 old"
    await engine.perform(RemoveContainer(before.name))
    assert len(list(shared.iterdir())) == 1
    assert await inside(engine, after, "cat /run/secrets/key") == "0 new"
    await engine.perform(RemoveContainer(after.name))
    assert not (tmp_path / "files" / bench.domain).exists()


async def test_a_container_that_was_only_created_keeps_its_files(
    engine: DockerEngine, bench: Bench, vault: Vault
) -> None:
    before = await run(bench, chunk_with(bench, vault.file("key", "old")))
    new = chunk_with(bench, vault.file("key", "new"), digest="d2")
    new = replace(new, container=replace(new.container, name=bench.name("web2")))
    await engine.perform(bench.creation(new))
    await engine.perform(RemoveContainer(before.name))
    started = await engine.perform(StartContainer(new.container.name))
    assert started is not None
    assert await inside(engine, started, "cat /run/secrets/key") == "0 new"


async def test_after_a_reboot_the_files_are_written_again(
    engine: DockerEngine, bench: Bench, vault: Vault, tmp_path: Path, docker_api: APIClient
) -> None:
    chunk = chunk_with(bench, vault.file("key", CANARY))
    container = await run(bench, chunk)
    await engine.perform(StopContainer(container.name, 0))
    _empty(tmp_path / "files")
    with pytest.raises(Exception, match="bind source path does not exist"):
        docker_api.start(container.id)
    assert not list((tmp_path / "files").rglob("*"))
    healed = await engine.perform(StartContainer(container.name, chunk.container.files))
    assert healed is not None
    assert await inside(engine, healed, "cat /run/secrets/key") == f"0 {CANARY}"


async def test_what_a_daemon_with_another_root_put_there_goes_with_its_container(
    engine: DockerEngine, bench: Bench, vault: Vault, tmp_path: Path, engine_socket: Path
) -> None:
    container = await run(bench, chunk_with(bench, vault.file("key", CANARY)))
    files = MountedFiles(str(tmp_path / "elsewhere"), vault.contents)
    other = DockerEngine(runtime_root=None, docker_host=f"unix://{engine_socket}", files=files)
    await other.connect()
    try:
        await other.perform(RemoveContainer(container.name))
    finally:
        await other.close()
    assert not list((tmp_path / "files").iterdir())


async def test_what_can_not_be_written_again_is_a_reason_to_make_the_container_anew(
    engine: DockerEngine, bench: Bench, vault: Vault, tmp_path: Path
) -> None:
    container = await run(bench, chunk_with(bench, vault.file("key", "old")))
    await engine.perform(StopContainer(container.name, 0))
    _empty(tmp_path / "files")
    with pytest.raises(StartFailed, match="recreated"):
        await engine.perform(StartContainer(container.name, (vault.file("key", "new"),)))


async def test_an_engine_elsewhere_is_refused_before_anything_is_made(
    bench: Bench, vault: Vault, tmp_path: Path, docker_api: APIClient
) -> None:
    files = MountedFiles(str(tmp_path / "files"), vault.contents)
    chunk = chunk_with(bench, vault.file("key", CANARY))
    remote = Containers(docker_api, None, Address("tcp://192.0.2.7:2376"), None, files)
    with pytest.raises(CreateFailed, match=r"the engine at tcp://192\.0\.2\.7:2376 can't see them"):
        remote.create(bench.creation(chunk))
    assert not (tmp_path / "files").exists()


def _empty(folder: Path) -> None:
    for root, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(root, name))
        for name in folders:
            os.rmdir(os.path.join(root, name))
