"""What the imported domain creates is what Compose creates, setting by setting, for every project of the corpus."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from reconciler.compose.converting.convert import convert
from reconciler.compose.converting.remarks import subject
from reconciler.compose.reading import load
from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker.mounted_files import MountedFiles
from reconciler.intent.model import Chunk, Domain, Kind
from reconciler.planner.actions import CreateContainer, CreateNetwork, CreateVolume
from reconciler.sources.contents import LocalContents, Places
from tests.corpus.compose import Sample, samples
from tests.integration.compose.judging import judge_in
from tests.integration.compose.moving.conftest import Compose, remove_project
from tests.integration.compose.moving.locally import as_compose, localized
from tests.integration.compose.moving.shown import shown, unlike

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

KEY = b"k" * 32


@pytest.fixture
def contents() -> LocalContents:
    return LocalContents(lambda: KEY, Places.of({}, frozenset()))


@pytest.fixture
def by_name(docker_api: APIClient, composed: Compose) -> Iterator[Callable[[Domain], Mapping[str, dict[str, Any]]]]:
    """The containers of a domain, by their names. They go at the end, with networks and volumes."""
    domains: list[Domain] = []

    def look(domain: Domain) -> Mapping[str, dict[str, Any]]:
        domains.append(domain)
        return {chunk.container.name: docker_api.inspect_container(chunk.container.name) for chunk in domain.chunks()}

    yield look
    remove_project(docker_api, composed.project)
    label = {"label": f"io.pnr.domain={composed.project}"}
    for summary in docker_api.containers(all=True, filters=label):
        docker_api.remove_container(summary["Id"], v=True, force=True)
    for network in docker_api.networks(filters=label):
        docker_api.remove_network(network["Id"])
    for volume in docker_api.volumes(filters=label)["Volumes"] or ():
        docker_api.remove_volume(volume["Name"], force=True)


async def create(engine: DockerEngine, domain: Domain) -> None:
    """Create all of a domain, and start nothing."""
    for network in domain.networks:
        await engine.perform(CreateNetwork(network.name, domain.name, network))
    for volume in domain.volumes:
        await engine.perform(CreateVolume(volume.name, domain.name, volume))
    for chunk in domain.chunks():
        await engine.perform(CreateContainer(chunk.container.name, chunk, chunk.id.replica, 1, {}))


def prepared(sample: Sample, composed: Compose, image: str, third: int) -> Path:
    """The project, read and made fit for this machine, as a file in the folder of ``composed``."""
    shutil.copytree(sample.directory, composed.folder, dirs_exist_ok=True)
    project = load(
        [composed.folder / name for name in sample.files],
        environment={"HOME": "/root", **sample.environment},
        env_files=[composed.folder / name for name in sample.env_files],
        profiles=sample.profiles,
        project_name=composed.project,
        project_directory=composed.folder if sample.files else None,
    )
    model = localized(json.loads(json.dumps(project.model)), image, composed.project, third, composed.folder)
    for said in (*model.get("secrets", {}).values(), *model.get("configs", {}).values()):
        if "file" in said and not Path(said["file"]).exists():
            Path(said["file"]).parent.mkdir(parents=True, exist_ok=True)
            Path(said["file"]).write_text("something")
    known = set(model.get("secrets", {})), set(model.get("configs", {}))
    for service in model["services"].values():
        for kind, names in zip(("secrets", "configs"), known, strict=True):
            service[kind] = [use for use in service.get(kind, ()) if use["source"] in names]
    path = composed.folder / "local.json"
    path.write_text(json.dumps(as_compose(model)))
    return path


@pytest.mark.parametrize(
    ("number", "sample"), list(enumerate(samples())), ids=lambda value: getattr(value, "label", "")
)
async def test_the_containers_are_the_same(
    number: int,
    sample: Sample,
    composed: Compose,
    by_name: Callable[[Domain], Mapping[str, dict[str, Any]]],
    contents: LocalContents,
    engine_socket: Path,
    busybox_image: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(composed.folder)
    file = prepared(sample, composed, busybox_image, number)
    composed("-f", str(file), "create", "--pull", "never", "--no-build")
    theirs = composed.inspected()
    their_ids = {body["Id"]: name for name, body in theirs.items()}
    composed("-f", str(file), "down", "--volumes")

    project = load([file], environment=dict(os.environ), project_name=composed.project)
    judge = judge_in(tmp_path, contents)
    conversion = convert(project, judge)
    loaded = judge(conversion.text)
    assert loaded.errors == ()
    domain = loaded.domain
    assert domain is not None
    # What Compose makes, and could not start.
    clashing = {subject(remark) for remark in conversion.losses if remark.code == "HostPortClash"}
    losses = [remark for remark in conversion.losses if remark.code != "HostPortClash"]
    assert losses == [], "\n".join(map(str, losses))
    engine = DockerEngine(
        runtime_root=None,
        docker_host=f"unix://{engine_socket}",
        files=MountedFiles(str(tmp_path / "files"), contents),
    )
    await engine.connect()
    try:
        await create(engine, domain)
    finally:
        await engine.close()
    ours = by_name(domain)
    our_ids = {body["Id"]: name for name, body in ours.items()}
    assert set(ours) == set(theirs)
    for chunk in domain.chunks():
        name = chunk.container.name
        files = {file.target for file in chunk.container.files}
        expected, found = shown(theirs[name], their_ids, files), shown(ours[name], our_ids, files)
        if chunk.id.chunk in clashing:
            for body in (found, expected):
                body["HostConfig"].pop("PortBindings", None)
                body["Config"].pop("ExposedPorts", None)
        as_meant(found, expected, chunk, files)
        assert unlike(found, expected, name) == []


def as_meant(found: dict[str, Any], expected: dict[str, Any], chunk: Chunk, files: Collection[str]) -> None:
    """What is otherwise here on purpose: what Compose copies into a container is a mount; of a range of host ports each
    copy has its own; ports of the host's network are left out; links say nothing that the network does not; a service
    whose name no chunk can have has that of the chunk as well; a job is started again by pnr and not by the engine."""
    if chunk.kind is Kind.JOB:
        assert found["HostConfig"]["RestartPolicy"] == {"Name": "no"}
        expected["HostConfig"]["RestartPolicy"] = {"Name": "no"}
    mounted = {mount["Target"] for mount in expected["HostConfig"].get("Mounts", ())}
    mounts = found["HostConfig"].pop("Mounts", [])
    kept = [mount for mount in mounts if mount["Target"] in mounted or mount["Target"] not in files]
    if kept:
        found["HostConfig"]["Mounts"] = kept
    for target, bound in expected["HostConfig"].get("PortBindings", {}).items():
        (own,) = found["HostConfig"]["PortBindings"][target] if chunk.replicas > 1 else ({},)
        first, dash, last = bound[0].get("HostPort", "").partition("-")
        if own and dash and int(first) <= int(own["HostPort"]) <= int(last):
            own["HostPort"] = bound[0]["HostPort"]
    if expected["HostConfig"].get("NetworkMode") == "host":
        expected["HostConfig"].pop("PortBindings", None)
        expected["Config"].pop("ExposedPorts", None)
    for network, end in found.get("Networks", {}).items():
        links = expected.get("Networks", {}).get(network, {}).get("Links", [])
        if set(end.get("Links", ())) <= set(links) and links:
            end["Links"] = links
        aliases = expected.get("Networks", {}).get(network, {}).get("Aliases", [])
        end["Aliases"] = [alias for alias in end.get("Aliases", []) if alias in aliases or alias != chunk.id.chunk]
