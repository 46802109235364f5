"""The probes against containers of a real Docker engine."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tarfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import docker
import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.intent.model import HealthCheck
from reconciler.planner.observed import Container
from reconciler.probes import registry
from reconciler.probes.ask import ask
from reconciler.probes.protocol import ProbeResult
from reconciler.probes.target import resolve
from reconciler.sentences import taken_apart
from tests.unit.probes.build import check

pytestmark = pytest.mark.docker

PREFIX = "pnr-test-probes"
LIMIT_SECONDS = 20
SERVE = "mkdir -p /www && echo it is up > /www/index.html && httpd -f -p 8080 -h /www"

Start = Callable[..., str]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    made = docker.APIClient(version="auto")
    yield made
    made.close()


@pytest.fixture(scope="module")
def image(client: docker.APIClient) -> Iterator[str]:
    """A tiny image: a statically linked busybox and names for what is used of it."""
    busybox = shutil.which("busybox")
    assert busybox is not None, "install busybox-static: the image of these tests is made of it"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(os.path.realpath(busybox), "bin/busybox")
        for name in ("sh", "httpd", "nc", "sleep", "cat", "echo", "mkdir", "test", "touch"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    name = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
    client.import_image_from_data(packed.getvalue(), repository=name, tag="1")
    yield f"{name}:1"
    client.remove_image(f"{name}:1", force=True)


@pytest.fixture
def start(client: docker.APIClient, image: str) -> Iterator[Start]:
    """Starts a container that runs a line of shell; removes it afterwards."""
    made: list[str] = []

    def start(line: str, *, publish: int | None = None, **options: Any) -> str:
        ports: dict[int | str, Any] | None = {publish: ("127.0.0.1",)} if publish else None
        host_config = client.create_host_config(port_bindings=ports, init=True)
        container_id: str = client.create_container(
            image,
            ["/bin/sh", "-c", line],
            name=f"{PREFIX}-{uuid.uuid4().hex[:8]}",
            ports=[publish] if publish else None,
            host_config=host_config,
            **options,
        )["Id"]
        made.append(container_id)
        client.start(container_id)
        return container_id

    yield start
    for container_id in made:
        client.remove_container(container_id, force=True)


@pytest.fixture
async def engine() -> AsyncIterator[DockerEngine]:
    made = DockerEngine(runtime_root=None)
    await made.connect()
    yield made
    await made.close()


async def _ask(engine: DockerEngine, container_id: str, health: HealthCheck) -> ProbeResult:
    seen: Container | None = await engine.look(container_id)
    assert seen is not None
    target = resolve(health, seen)
    if isinstance(target, ProbeResult):
        return target
    probe = registry.make(health, engine)
    try:
        return await ask(probe, target, health.timeout_seconds)
    finally:
        await probe.close()


async def _until(engine: DockerEngine, container_id: str, health: HealthCheck, *, ok: bool = True) -> ProbeResult:
    """The first result that is as wanted."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            result = await _ask(engine, container_id, health)
            if result.ok is ok:
                return result
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("publish", [8080, None])
@pytest.mark.parametrize("type", ["tcp", "http"])
async def test_a_server_is_found_with_and_without_a_published_port(
    engine: DockerEngine, start: Start, type: str, publish: int | None
) -> None:
    container_id = start(SERVE, publish=publish)
    result = await _until(engine, container_id, check(type, "8080"))
    assert result.message in {"tcp 8080 answered", "http 8080 answered 200"}


@pytest.mark.parametrize("publish", [8080, None])
@pytest.mark.parametrize("type", ["tcp", "http"])
async def test_a_port_on_which_nothing_listens_is_never_taken_for_up(
    engine: DockerEngine, start: Start, type: str, publish: int | None
) -> None:
    container_id = start("sleep 1000", publish=publish)
    for _ in range(50):
        result = await _ask(engine, container_id, check(type, "8080"))
        assert not result.ok
        assert "raised" not in result.message


async def test_a_silent_server_behind_a_published_port_is_up(engine: DockerEngine, start: Start) -> None:
    await _until(engine, start("nc -ll -p 8080 -e /bin/cat", publish=8080), check("tcp", "8080"))


async def test_a_server_that_ends_is_seen_to_be_gone(engine: DockerEngine, start: Start) -> None:
    container_id = start(f"({SERVE}) & until test -f /stop; do sleep 0.05; done; kill $!; sleep 1000", publish=8080)
    await _until(engine, container_id, check("tcp", "8080"))
    await _until(engine, container_id, check("exec", command=["touch", "/stop"]))
    await _until(engine, container_id, check("tcp", "8080"), ok=False)


async def test_the_body_is_matched(engine: DockerEngine, start: Start) -> None:
    container_id = start(SERVE, publish=8080)
    await _until(engine, container_id, check("http", "8080", path="/index.html", body_regex="^it is up$"))
    assert not (await _ask(engine, container_id, check("http", "8080", path="/nowhere"))).ok


async def test_a_command_inside_the_container_decides(engine: DockerEngine, start: Start) -> None:
    container_id = start("sleep 1000")
    assert (await _ask(engine, container_id, check("exec", command="test -d /bin"))).ok
    result = await _ask(engine, container_id, check("exec", command="echo one; echo two; exit 7"))
    assert (result.ok, taken_apart(result.message)[0]) == (False, "the command exited 7: two")
    missing = await _ask(engine, container_id, check("exec", command=["/no/such/command"]))
    assert not missing.ok
    assert "raised" not in missing.message


async def test_a_command_in_a_container_that_is_gone_is_a_failure(
    engine: DockerEngine, start: Start, client: docker.APIClient
) -> None:
    container_id = start("sleep 1000")
    client.kill(container_id)
    client.wait(container_id)
    result = await _ask(engine, container_id, check("exec", command="true"))
    assert not result.ok
    assert "raised" not in result.message


async def test_the_images_own_healthcheck_decides(engine: DockerEngine, start: Start) -> None:
    second = 1_000_000_000
    healthcheck = {"test": ["CMD", "/bin/test", "-f", "/up"], "interval": second, "timeout": second, "retries": 1}
    container_id = start("sleep 2; touch /up; sleep 1000", healthcheck=healthcheck)
    first = await _ask(engine, container_id, check("docker"))
    assert not first.ok
    assert first.message in {"starting", "unhealthy"}
    assert (await _until(engine, container_id, check("docker"))).message == "healthy"


async def test_an_image_without_a_healthcheck_says_so(engine: DockerEngine, start: Start) -> None:
    result = await _ask(engine, start("sleep 1000"), check("docker"))
    assert not result.ok
    assert "no HEALTHCHECK" in result.message


async def test_a_line_of_the_output_decides(engine: DockerEngine, start: Start) -> None:
    container_id = start("echo starting; sleep 1; echo ready on 8080 >&2; sleep 1000")
    assert not (await _ask(engine, container_id, check("log", pattern="never printed"))).ok
    await _until(engine, container_id, check("log", pattern=r"^ready on \d+$"))


async def test_only_the_output_of_the_current_run_counts(
    engine: DockerEngine, start: Start, client: docker.APIClient
) -> None:
    container_id = start("sleep 0.5; test -f /ran || echo ready; touch /ran; sleep 1000")
    health = check("log", pattern="^ready$")
    probe = registry.make(health, engine)
    await _until(engine, container_id, health)
    client.restart(container_id, timeout=0)
    seen = await engine.look(container_id)
    assert seen is not None
    target = resolve(health, seen)
    assert not isinstance(target, ProbeResult)
    for _ in range(20):
        assert not (await ask(probe, target, 5.0)).ok
        await asyncio.sleep(0.05)
    await probe.close()


async def test_a_line_printed_at_the_very_start_counts(engine: DockerEngine, start: Start) -> None:
    # The engine may stamp the first line a fraction of a millisecond before the start of the container.
    for _ in range(8):
        container_id = start("echo ready; sleep 1000")
        await _until(engine, container_id, check("log", pattern="^ready$"))


async def test_a_container_that_does_not_run_has_no_address(
    engine: DockerEngine, start: Start, client: docker.APIClient
) -> None:
    container_id = start("sleep 1000", publish=8080)
    client.kill(container_id)
    client.wait(container_id)
    result = await _ask(engine, container_id, check("tcp", "8080"))
    assert not result.ok
    assert "no address" in result.message
