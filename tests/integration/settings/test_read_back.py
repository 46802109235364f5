"""Every row of the table of settings, sent to a real engine and read back from it."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError
from pydantic import TypeAdapter

from reconciler.engine.docker import sdk
from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, payload, read_back, update_body
from reconciler.planner.capabilities import unsupported
from tests.drifted import drift
from tests.integration.settings.written_values import CANT_BE_CREATED_HERE, CASES, LIVE, NEWER

pytestmark = pytest.mark.docker

BUSYBOX = shutil.which("busybox") or "/bin/busybox"


@pytest.fixture(scope="module")
def image(docker_api: APIClient) -> Iterator[str]:
    name = f"pnr-settings-test-{os.getpid()}:latest"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for tool in ("sh", "sleep", "true"):
            link = tarfile.TarInfo(f"bin/{tool}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    changes = ['CMD ["sleep", "1000"]', "ENV FROM_IMAGE=yes PATH=/bin", "LABEL of.image=1", "VOLUME /of/image"]
    answer = docker_api.import_image_from_data(
        tar.getvalue(), repository=name.removesuffix(":latest"), tag="latest", changes=changes
    )
    assert "sha256:" in json.dumps(answer), answer
    yield name
    docker_api.remove_image(name, force=True)


@pytest.fixture
def containers(docker_api: APIClient) -> Iterator[list[str]]:
    made: list[str] = []
    yield made
    for container in made:
        docker_api.remove_container(container, v=True, force=True)
    try:
        docker_api.remove_volume("pnr_settings_test_data")
    except APIError as error:
        if error.status_code != 404:
            raise


def create(docker_api: APIClient, containers: list[str], body: dict[str, Any]) -> dict[str, Any]:
    name = f"pnr-settings-test-{os.getpid()}-{len(containers)}"
    made = docker_api.create_container_from_config(body, name)  # type: ignore[no-untyped-call]
    containers.append(made["Id"])
    inspected: dict[str, Any] = docker_api.inspect_container(made["Id"])
    return inspected


def spec_of(image: str, settings: dict[str, Any]) -> ContainerSpec:
    return ContainerSpec(name="x", image=image, digest="", settings=settings, networks={})


def normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


@pytest.mark.parametrize(("name", "written"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)])
def test_what_is_sent_is_read_back_as_declared(
    docker_api: APIClient, image: str, containers: list[str], name: str, written: Any
) -> None:
    declared = {name: normal(name, written)}
    found = read_back(create(docker_api, containers, payload(spec_of(image, declared))))
    assert drift(declared, found) == ()


@pytest.mark.parametrize(
    ("name", "written"),
    NEWER,
    ids=[f"{name}-{n}" for n, (name, _) in enumerate(NEWER)],
)
def test_what_newer_engines_know_is_read_back_and_older_engines_are_named(
    docker_api: APIClient, image: str, containers: list[str], name: str, written: Any
) -> None:
    written = json.loads(json.dumps(written).replace("IMAGE", image))
    declared = {name: normal(name, written)}
    about = docker_api.version()
    unmet = unsupported(declared, engine="docker", api_version=about["ApiVersion"], system=about["Os"])
    if unmet:
        assert unmet == unsupported(declared, engine="docker", api_version=about["ApiVersion"], system="")
        assert about["ApiVersion"] in unmet[0]
        return
    newest = APIClient(version=about["ApiVersion"])
    try:
        found = read_back(create(newest, containers, payload(spec_of(image, declared))))
    finally:
        newest.close()
    assert drift(declared, found) == ()


def test_every_row_has_a_case() -> None:
    assert {name for name, _ in CASES} | CANT_BE_CREATED_HERE.keys() == set(SETTINGS)


def test_limits_of_memory_are_read_back_together(docker_api: APIClient, image: str, containers: list[str]) -> None:
    for swap in ("256m", -1):
        declared = {"mem_limit": normal("mem_limit", "64m"), "memswap_limit": normal("memswap_limit", swap)}
        found = read_back(create(docker_api, containers, payload(spec_of(image, declared))))
        assert drift(declared, found) == ()
    only_memory = {"mem_limit": normal("mem_limit", "64m")}
    assert drift(only_memory, read_back(create(docker_api, containers, payload(spec_of(image, only_memory))))) == ()


def test_a_running_container_with_everything_at_once_shows_no_drift(
    docker_api: APIClient, image: str, containers: list[str], tmp_path: Path
) -> None:
    written: dict[str, Any] = {
        "command": "sleep 1000",
        "environment": {"A": "1", "FROM_IMAGE": None},
        "ports": ["80"],
        "volumes": [f"{tmp_path}:/data:ro", "/scratch"],
        "labels": {"team": "shop"},
        "user": "1000",
        "working_dir": "/data",
        "restart": "on-failure:3",
        "hostname": "db1",
        "healthcheck": {"test": ["CMD", "true"], "interval": "1h"},
        "stop_signal": "KILL",
        "stop_grace_period": "5s",
        "init": False,
        "tmpfs": "/tmp",
        "read_only": True,
        "cap_drop": ["ALL"],
        "mem_limit": "64m",
        "cpus": 0.5,
    }
    declared = {name: normal(name, value) for name, value in written.items()}
    created = create(docker_api, containers, payload(spec_of(image, declared)))
    docker_api.start(created["Id"])
    assert drift(declared, read_back(docker_api.inspect_container(created["Id"]))) == ()


def test_a_container_with_nothing_declared_shows_no_drift(
    docker_api: APIClient, image: str, containers: list[str]
) -> None:
    found = read_back(create(docker_api, containers, payload(spec_of(image, {}))))
    assert drift({}, found) == ()


def test_a_change_by_docker_update_is_drift_whether_declared_or_not(
    docker_api: APIClient, image: str, containers: list[str]
) -> None:
    declared = {"mem_limit": normal("mem_limit", "64m")}
    created = create(docker_api, containers, payload(spec_of(image, declared)))
    docker_api.update_container(
        created["Id"], mem_limit=128 * 1024**2, memswap_limit=-1, restart_policy={"Name": "always"}
    )
    found = read_back(docker_api.inspect_container(created["Id"]))
    assert drift(declared, found) == (
        "restart: no declared, always found",
        "mem_limit: 64m declared, 128m found",
        "memswap_limit: nothing declared, no limit found",
    )


def change(docker_api: APIClient, container: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of ``POST /containers/{id}/update``, and what the container is after it."""
    sdk.post_json(docker_api, "/containers/{0}/update", container, body=body)
    return read_back(docker_api.inspect_container(container))


@pytest.mark.parametrize(
    ("name", "written"),
    LIVE,
    ids=[f"{name}-{n}" for n, (name, _) in enumerate(LIVE)],
)
def test_what_is_changed_as_it_runs_is_read_back_and_can_be_taken_back(
    docker_api: APIClient, image: str, containers: list[str], name: str, written: dict[str, Any]
) -> None:
    declared = {key: normal(key, value) for key, value in written.items()}
    before = {key: value for key, value in declared.items() if key != name}
    container = create(docker_api, containers, payload(spec_of(image, before if name == "memswap_limit" else {})))["Id"]
    docker_api.start(container)
    assert drift(declared, change(docker_api, container, update_body(declared, [name]))) == ()
    if SETTINGS[name].unset is not None:
        found = change(docker_api, container, update_body(before, [name]))
        assert drift(before, found) == ()


def test_every_row_that_can_be_changed_as_it_runs_has_a_case() -> None:
    assert {name for name, _ in LIVE} == {n for n, row in SETTINGS.items() if row.live}


def test_the_first_network_is_joined_at_creation_under_its_aliases(
    docker_api: APIClient, image: str, containers: list[str]
) -> None:
    network = f"pnr-settings-test-{os.getpid()}"
    made = docker_api.create_network(network)
    try:
        networks: dict[str, tuple[str, ...]] = {network: ("db", "mongodb"), "elsewhere": ()}
        spec = ContainerSpec(name="x", image=image, digest="", settings={}, networks=networks)
        inspected = create(docker_api, containers, payload(spec))
        joined = inspected["NetworkSettings"]["Networks"]
        assert set(joined) == {network}
        assert {"db", "mongodb"} <= set(joined[network]["Aliases"])
        docker_api.remove_container(containers.pop(), v=True, force=True)
    finally:
        docker_api.remove_network(made["Id"])
