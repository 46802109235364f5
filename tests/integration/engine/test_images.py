"""Images: there, pulled, built, or the reason why not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import ImageBuildFailed, ImagePullFailed
from reconciler.planner.actions import EnsureImage, StartContainer
from tests.integration.engine.bench import Bench, eventually

pytestmark = pytest.mark.docker

NOWHERE = "127.0.0.1:1/nothing/here:1"


@pytest.fixture
def built(bench: Bench) -> Iterator[str]:
    """The name of an image that a test builds."""
    name = f"{bench.domain}-built:1"
    yield name
    # With all that builds have left without a name.
    while left := bench.client.images(filters={"label": f"test={bench.domain}"}):
        bench.client.remove_image(left[0]["Id"], force=True)


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> Path:
    """A directory with a Dockerfile."""
    made = tmp_path / "source"
    made.mkdir()
    (made / "Dockerfile").write_text(
        f"FROM {bench.image}\nLABEL test={bench.domain}\nCOPY . /src\nCMD cat /src/hello\n"
    )
    (made / "hello").write_text("hello\n")
    (made / "secret").write_text("secret\n")
    (made / ".dockerignore").write_text("secret\n")
    return made


@pytest.mark.parametrize("policy", ["missing", "never"])
async def test_an_image_that_is_there_is_enough(engine: DockerEngine, bench: Bench, policy: str) -> None:
    lines: list[str] = []
    assert await engine.perform(EnsureImage(bench.image, None, policy), lines.append) is None
    assert lines == []


async def test_a_registry_that_refuses_is_told_in_its_words(engine: DockerEngine) -> None:
    with pytest.raises(ImagePullFailed) as caught:
        await engine.perform(EnsureImage(NOWHERE, None, "missing"))
    assert NOWHERE in str(caught.value)
    assert "refused" in str(caught.value)
    assert "docker login" in str(caught.value)


async def test_an_image_that_may_not_be_pulled_is_not_asked_for(engine: DockerEngine) -> None:
    with pytest.raises(ImagePullFailed, match="pull_policy is never"):
        await engine.perform(EnsureImage(NOWHERE, None, "never"))


async def test_always_asks_the_registry_though_the_image_is_there(engine: DockerEngine, bench: Bench) -> None:
    tag = "127.0.0.1:1/nothing/here"
    bench.client.tag(bench.image, tag, "2")
    try:
        await engine.perform(EnsureImage(f"{tag}:2", None, "missing"))
        with pytest.raises(ImagePullFailed, match="refused"):
            await engine.perform(EnsureImage(f"{tag}:2", None, "always"))
    finally:
        bench.client.remove_image(f"{tag}:2")


async def test_many_who_want_an_image_share_one_attempt(engine: DockerEngine) -> None:
    wanted = EnsureImage(NOWHERE, None, "missing")
    errors = await asyncio.gather(*(engine.perform(wanted) for _ in range(5)), return_exceptions=True)
    assert isinstance(errors[0], ImagePullFailed)
    assert all(error is errors[0] for error in errors)
    with pytest.raises(ImagePullFailed) as again:
        await engine.perform(wanted)
    assert again.value is not errors[0]


async def test_a_directory_is_built_and_what_it_ignores_is_left_out(
    engine: DockerEngine, bench: Bench, built: str, folder: Path
) -> None:
    lines: list[str] = []
    action = EnsureImage(built, str(folder), "missing")
    await engine.perform(action, lines.append)
    await eventually(lambda: asyncio.sleep(0, lines), bool)
    assert lines[0].startswith(f"building {built}: ")
    first = bench.client.inspect_image(built)["Id"]  # type: ignore[no-untyped-call]

    made = await bench.create(image=built, entrypoint=["sh", "-c", "echo /src/*"])
    await engine.perform(StartContainer(made.name))
    said = await eventually(lambda: engine.last_output(made.id), bool)
    assert said.split() == ["/src/Dockerfile", "/src/hello"]

    (folder / "hello").write_text("good day\n")
    await engine.perform(action)
    assert bench.client.inspect_image(built)["Id"] == first  # type: ignore[no-untyped-call]
    await engine.perform(EnsureImage(built, str(folder), "build"))
    assert bench.client.inspect_image(built)["Id"] != first  # type: ignore[no-untyped-call]


async def test_a_build_that_fails_shows_its_last_lines(engine: DockerEngine, built: str, folder: Path) -> None:
    with (folder / "Dockerfile").open("a") as file:
        file.write("RUN echo one clear reason; exit 7\n")
    with pytest.raises(ImageBuildFailed) as caught:
        await engine.perform(EnsureImage(built, str(folder), "missing"))
    for word in (built, str(folder), "one clear reason", "7"):
        assert word in str(caught.value)


async def test_a_build_path_that_is_no_directory_is_named(engine: DockerEngine, built: str, tmp_path: Path) -> None:
    with pytest.raises(ImageBuildFailed, match=f"no directory {tmp_path}/nothing"):
        await engine.perform(EnsureImage(built, f"{tmp_path}/nothing", "missing"))


async def test_a_directory_without_a_dockerfile_is_told(engine: DockerEngine, built: str, tmp_path: Path) -> None:
    with pytest.raises(ImageBuildFailed, match="Dockerfile"):
        await engine.perform(EnsureImage(built, str(tmp_path), "missing"))
