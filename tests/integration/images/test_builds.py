"""Builds on a real engine: what is sent, what comes of it, when it is done again."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import ImageBuildFailed, Milestone
from reconciler.intent import fingerprint
from reconciler.intent.model import Build
from reconciler.planner.observed import LABEL_BUILD
from reconciler.sources.context_prints import BuildContexts
from reconciler.state.image_records import ImageStore
from tests.integration.images.conftest import Bench, log_in

pytestmark = pytest.mark.docker


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> Path:
    """A directory with a Dockerfile."""
    made = tmp_path / "source"
    made.mkdir()
    (made / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /src\n")
    (made / "hello").write_text("hello\n")
    (made / "secret").write_text("secret\n")
    (made / ".dockerignore").write_text("secret\n")
    return made


@pytest.fixture
def image(bench: Bench) -> str:
    """The name of an image that a test builds."""
    return f"{bench.prefix}-built:1"


def looked_at(build: Build) -> Build:
    """The build with the fingerprint of its content, as the loader makes it."""
    dockerfile = "" if build.dockerfile_inline is not None else build.dockerfile
    return fingerprint.with_build(build, BuildContexts().fingerprint(build.context, dockerfile))


def output(bench: Bench, image: str, command: str) -> str:
    """What a shell command prints in a container of the image."""
    api: Any = bench.api
    made = api.create_container_from_config(
        {"Image": image, "Cmd": ["sh", "-c", command], "Entrypoint": []}, f"{bench.prefix}-look"
    )
    try:
        api.start(made["Id"])
        api.wait(made["Id"])
        return str(api.logs(made["Id"]).decode()).strip()
    finally:
        api.remove_container(made["Id"], force=True)


def inspected(bench: Bench, image: str) -> Any:
    return bench.api.inspect_image(image)  # type: ignore[no-untyped-call]


async def test_a_directory_is_built_without_what_it_ignores_and_told_step_by_step(
    bench: Bench, folder: Path, image: str
) -> None:
    lines = await bench.ensure(image, build=looked_at(Build(str(folder))))
    assert lines[0] == f"building {image} from {folder}"
    assert any(line.startswith(f"building {image}: step 1 of ") for line in lines)
    assert lines[-1].startswith(f"built {image}: ")
    assert sum(isinstance(line, Milestone) for line in lines) == 2
    assert output(bench, image, "ls -A /src").split() == [".dockerignore", "Dockerfile", "hello"]


async def test_it_is_built_again_when_the_content_changes_and_only_then(
    bench: Bench, folder: Path, image: str, record: ImageStore
) -> None:
    first = looked_at(Build(str(folder)))
    await bench.ensure(image, build=first)
    id = inspected(bench, image)["Id"]
    assert inspected(bench, image)["Config"]["Labels"][LABEL_BUILD] == first.fingerprint
    assert await bench.ensure(image, build=looked_at(Build(str(folder)))) == []
    (folder / "secret").write_text("another\n")
    assert await bench.ensure(image, build=looked_at(Build(str(folder)))) == []
    (folder / "hello").write_text("good day\n")
    await bench.ensure(image, build=looked_at(Build(str(folder))))
    assert inspected(bench, image)["Id"] != id
    assert output(bench, image, "cat /src/hello") == "good day"
    assert set(record.own()) == {id, inspected(bench, image)["Id"]}
    (folder / "hello").write_text("hello\n")
    assert await bench.ensure(image, build=first) != []
    assert output(bench, image, "cat /src/hello") == "hello"


async def test_the_policy_build_always_builds(bench: Bench, folder: Path, image: str) -> None:
    build = looked_at(Build(str(folder)))
    await bench.ensure(image, build=build)
    assert await bench.ensure(image, "build", build=build) != []


async def test_what_nobody_has_looked_at_is_built_once(bench: Bench, folder: Path, image: str) -> None:
    await bench.ensure(image, build=Build(str(folder)))
    assert await bench.ensure(image, build=Build(str(folder))) == []


async def test_arguments_target_labels_tags_and_hosts_arrive(bench: Bench, folder: Path, image: str) -> None:
    (folder / "Dockerfile").write_text(
        f"FROM {bench.base} AS first\nLABEL test={bench.prefix}\nARG GREETING=none\n"
        'RUN echo "$GREETING" >/greeting; cat /etc/hosts >/hosts; df -k /dev/shm >/shm\n'
        "FROM first AS second\nRUN false\n"
    )
    build = Build(
        str(folder),
        args={"GREETING": "good day"},
        target="first",
        labels={"of.mine": "1"},
        tags=(f"{bench.prefix}-also:2",),
        extra_hosts=("far:10.1.2.3",),
        shm_size=8 * 1024 * 1024,
        network="none",
        no_cache=True,
        cache_from=(bench.base,),
        ulimits={"nofile": [100, 200]},
        platform="linux/amd64",
    )
    await bench.ensure(image, build=looked_at(build))
    assert output(bench, image, "cat /greeting") == "good day"
    assert "10.1.2.3\tfar" in output(bench, image, "cat /hosts")
    assert "8192" in output(bench, image, "cat /shm")
    assert inspected(bench, image)["Config"]["Labels"]["of.mine"] == "1"
    assert inspected(bench, f"{bench.prefix}-also:2")["Id"] == inspected(bench, image)["Id"]


async def test_a_dockerfile_elsewhere_is_used_and_is_not_in_the_image(
    bench: Bench, folder: Path, image: str, tmp_path: Path
) -> None:
    (folder / "Dockerfile").unlink()
    elsewhere = tmp_path / "Elsewhere"
    elsewhere.write_text(f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /src\n")
    await bench.ensure(image, build=looked_at(Build(str(folder), dockerfile="../Elsewhere")))
    assert output(bench, image, "ls -A /src").split() == [".dockerignore", "hello"]


async def test_a_dockerfile_in_the_domain_file_is_used(bench: Bench, folder: Path, image: str) -> None:
    (folder / ".dockerignore").unlink()
    inline = f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /src\n"
    await bench.ensure(image, build=looked_at(Build(str(folder), dockerfile_inline=inline)))
    assert output(bench, image, "ls -A /src").split() == ["Dockerfile", "hello", "secret"]


async def test_a_dockerfile_and_a_list_that_ignore_themselves_are_not_in_the_image(
    bench: Bench, folder: Path, image: str
) -> None:
    (folder / ".dockerignore").write_text("*\n!hello\n")
    await bench.ensure(image, build=looked_at(Build(str(folder))))
    assert output(bench, image, "ls -A /src").split() == ["hello"]


async def test_a_list_of_the_dockerfiles_own_goes_before(bench: Bench, folder: Path, image: str) -> None:
    (folder / "Other").write_text(f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /src\n")
    (folder / "Other.dockerignore").write_text("hello\nDockerfile\nOther*\n.dockerignore\n")
    await bench.ensure(image, build=looked_at(Build(str(folder), dockerfile="Other")))
    # The engine itself leaves out only what the context's own list names.
    assert "hello" not in output(bench, image, "ls -A /src").split()
    assert "secret" in output(bench, image, "ls -A /src").split()


async def test_a_dockerfiles_own_ignore_list_replaces_that_of_the_directory(
    bench: Bench, folder: Path, image: str
) -> None:
    (folder / "Other").write_text(f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /src\n")
    (folder / "Other.dockerignore").write_text("hello\n")
    assert (folder / ".dockerignore").read_text() == "secret\n"
    await bench.ensure(image, build=looked_at(Build(str(folder), dockerfile="Other")))
    found = output(bench, image, "ls -A /src").split()
    assert "secret" in found
    assert "hello" not in found


async def test_links_are_links_and_modes_are_kept(bench: Bench, folder: Path, image: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("outside\n")
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "in").symlink_to("hello")
    (folder / "run").write_text("#!/bin/sh\necho ran\n")
    (folder / "run").chmod(0o755)
    os.mkfifo(folder / "pipe")
    await bench.ensure(image, build=looked_at(Build(str(folder))))
    assert output(bench, image, "cat /src/in; cat /src/out 2>/dev/null || echo no; /src/run").split() == [
        "hello",
        "no",
        "ran",
    ]
    assert output(bench, image, "ls /src/pipe 2>/dev/null || echo none") == "none"


async def test_a_base_image_is_pulled_with_the_domains_login(bench: Bench, folder: Path, image: str) -> None:
    bench.push("base")
    (folder / "Dockerfile").write_text(f"FROM {bench.name()}\nLABEL test={bench.prefix}\n")
    with pytest.raises(ImageBuildFailed, match="no basic auth credentials"):
        await bench.ensure(image, build=looked_at(Build(str(folder))))
    logins = {bench.registry.address: bench.domain_login()}
    await bench.ensure(image, build=looked_at(Build(str(folder), pull=True)), logins=logins)
    assert bench.text_of(image) == "base"


async def test_a_base_image_is_pulled_with_dockers_login(
    bench: Bench, folder: Path, image: str, docker_config: Path
) -> None:
    bench.push("base")
    log_in(docker_config, bench.registry.address)
    (folder / "Dockerfile").write_text(f"FROM {bench.name()}\nLABEL test={bench.prefix}\n")
    await bench.ensure(image, build=looked_at(Build(str(folder))))
    assert bench.text_of(image) == "base"


async def test_a_build_that_fails_shows_its_last_lines_and_is_not_tried_again_at_once(
    bench: Bench, folder: Path, image: str
) -> None:
    with (folder / "Dockerfile").open("a") as file:
        file.write("RUN echo one clear reason; exit 7\n")
    with pytest.raises(ImageBuildFailed) as caught:
        await bench.ensure(image, build=looked_at(Build(str(folder))))
    for word in (image, str(folder), "one clear reason", "7"):
        assert word in str(caught.value)
    assert caught.value.permanent
    assert not any("try 2" in line for line in bench.lines)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Build("nothing"), "there is no directory .*nothing to build from"),
        (Build(".", dockerfile="Nothing"), "there is no Dockerfile .*Nothing"),
    ],
)
async def test_a_context_that_is_not_there_is_named(
    bench: Bench, folder: Path, image: str, build: Build, said: str
) -> None:
    with pytest.raises(ImageBuildFailed, match=said):
        await bench.ensure(image, build=replace(build, context=os.path.normpath(folder / build.context)))


async def test_a_built_image_is_removed_with_its_names_and_nothing_that_is_not_ours(
    engine: DockerEngine, bench: Bench, folder: Path, image: str
) -> None:
    build = looked_at(Build(str(folder), tags=(f"{bench.prefix}-also:2",)))
    await bench.ensure(image, build=build)
    ((seen, names),) = await engine.own_images()
    assert sorted(seen.names) == sorted(names) == [f"{bench.prefix}-also:2", image]
    await engine.remove_image(seen.id)
    assert await engine.own_images() == ()
    assert await engine.image(image) is None
    await engine.remove_image(seen.id)
    base = await engine.image(bench.base)
    assert base is not None
    with pytest.raises(Exception, match="was not brought in by pnr"):
        await engine.remove_image(base.id)


async def test_an_image_in_use_is_not_removed(engine: DockerEngine, bench: Bench, folder: Path, image: str) -> None:
    await bench.ensure(image, build=looked_at(Build(str(folder))))
    ((seen, _),) = await engine.own_images()
    api: Any = bench.api
    api.create_container_from_config({"Image": seen.id, "Cmd": ["true"]}, f"{bench.prefix}-user")
    with pytest.raises(Exception, match="conflict"):
        await engine.remove_image(seen.id)
    assert await engine.image(image) == seen
    await asyncio.sleep(0)
