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
from reconciler.engine.docker.client import agree_on_version, find
from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, payload, read_back, update_body
from reconciler.planner.support import unsupported
from tests.drifted import drift
from tests.integration import settings_cases_resources, settings_cases_rest, settings_cases_security

pytestmark = pytest.mark.docker

BUSYBOX = shutil.which("busybox") or "/bin/busybox"

CASES: list[tuple[str, Any]] = [
    ("command", ["sleep", "1000"]),
    ("command", "sh -c 'echo \"a b\"; sleep 1000'"),
    ("command", []),
    ("command", None),
    ("entrypoint", ["/bin/busybox", "sh"]),
    ("entrypoint", ""),
    ("environment", {"A": "1", "B": 2, "C": True, "EMPTY": "", "EQUALS": "a=b", "FROM_IMAGE": None}),
    ("environment", ["A=1", "FROM_IMAGE=other"]),
    ("ports", {"27017": "0"}),
    (
        "ports",
        ["80", "127.0.0.1::81", "127.0.0.2:0:82", "18080-18082:90-92/udp", "0.0.0.0::83", "*::85", "[::1]:18099:84"],
    ),
    ("ports", []),
    (
        "volumes",
        ["/tmp:/host/:ro", "pnr_settings_test_data:/data", "/anonymous", "pnr_settings_test_data:/b:nocopy,ro"],
    ),
    ("volumes", ["/tmp:/labelled:z"]),
    (
        "volumes",
        [
            {"type": "tmpfs", "target": "/fast", "tmpfs": {"size": "8m"}},
            {"type": "tmpfs", "target": "/fast2", "read_only": True},
            {"type": "volume", "target": "/any", "volume": {"nocopy": True}},
            {"type": "bind", "source": "/tmp", "target": "/bound", "read_only": True},
        ],
    ),
    ("labels", {"team": "shop", "number": 1}),
    ("labels", ["bare", "k=v"]),
    ("user", "1000:1000"),
    ("user", ""),
    ("working_dir", "/app/./x/"),
    ("restart", "no"),
    ("restart", "always"),
    ("restart", "unless-stopped"),
    ("restart", "on-failure"),
    ("restart", "on-failure:3"),
    ("hostname", "db-1.example"),
    ("healthcheck", {"test": "true", "interval": "1m30s", "timeout": "1.5s", "retries": 4, "start_period": "2s"}),
    ("healthcheck", {"test": ["CMD", "true"]}),
    ("healthcheck", {"disable": True}),
    ("healthcheck", {"interval": "30s"}),
    ("stop_signal", "term"),
    ("stop_signal", "10"),
    ("stop_signal", "SIGRTMIN+3"),
    ("stop_grace_period", "1m30s"),
    ("stop_grace_period", "0s"),
    ("stop_grace_period", "1500ms"),
    ("init", True),
    ("init", False),
    ("tmpfs", "/run"),
    ("tmpfs", ["/run", "/tmp:size=8m,mode=1777"]),
    ("read_only", True),
    ("read_only", False),
    ("cap_add", ["net_admin", "CAP_SYS_TIME"]),
    ("cap_drop", ["ALL"]),
    ("mem_limit", "64m"),
    ("mem_limit", 6 * 1024**2),
    ("cpus", "0.5"),
    ("cpus", 1.333333333),
    *settings_cases_resources.CASES,
    *settings_cases_security.CASES,
    *settings_cases_rest.CASES,
]


@pytest.fixture(scope="module")
def engine() -> Iterator[APIClient]:
    client = APIClient(version=agree_on_version(find(), timeout=30)[0])
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(engine: APIClient) -> Iterator[str]:
    name = f"pnr-settings-test-{os.getpid()}:latest"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for tool in ("sh", "sleep", "true"):
            link = tarfile.TarInfo(f"bin/{tool}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    changes = ['CMD ["sleep", "1000"]', "ENV FROM_IMAGE=yes PATH=/bin", "LABEL of.image=1", "VOLUME /of/image"]
    answer = engine.import_image_from_data(
        tar.getvalue(), repository=name.removesuffix(":latest"), tag="latest", changes=changes
    )
    assert "sha256:" in json.dumps(answer), answer
    yield name
    engine.remove_image(name, force=True)


@pytest.fixture
def containers(engine: APIClient) -> Iterator[list[str]]:
    made: list[str] = []
    yield made
    for container in made:
        engine.remove_container(container, v=True, force=True)
    try:
        engine.remove_volume("pnr_settings_test_data")
    except APIError as error:
        if error.status_code != 404:
            raise


def create(engine: APIClient, containers: list[str], body: dict[str, Any]) -> dict[str, Any]:
    name = f"pnr-settings-test-{os.getpid()}-{len(containers)}"
    made = engine.create_container_from_config(body, name)  # type: ignore[no-untyped-call]
    containers.append(made["Id"])
    inspected: dict[str, Any] = engine.inspect_container(made["Id"])
    return inspected


def spec_of(image: str, settings: dict[str, Any]) -> ContainerSpec:
    return ContainerSpec(name="x", image=image, digest="", settings=settings, networks={})


def normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


@pytest.mark.parametrize(("name", "written"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)])
def test_what_is_sent_is_read_back_as_declared(
    engine: APIClient, image: str, containers: list[str], name: str, written: Any
) -> None:
    declared = {name: normal(name, written)}
    found = read_back(create(engine, containers, payload(spec_of(image, declared))))
    assert drift(declared, found) == ()


@pytest.mark.parametrize(
    ("name", "written"),
    settings_cases_rest.NEWER,
    ids=[f"{name}-{n}" for n, (name, _) in enumerate(settings_cases_rest.NEWER)],
)
def test_what_only_newer_engines_know_is_read_back_from_them_and_older_ones_are_named(
    engine: APIClient, image: str, containers: list[str], name: str, written: Any
) -> None:
    written = json.loads(json.dumps(written).replace("IMAGE", image))
    declared = {name: normal(name, written)}
    about = engine.version()
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
    modules = (settings_cases_resources, settings_cases_security, settings_cases_rest)
    elsewhere = {name for module in modules for name in module.CANT_BE_CREATED_HERE}
    assert {name for name, _ in CASES} | elsewhere == set(SETTINGS)


def test_limits_of_memory_are_read_back_together(engine: APIClient, image: str, containers: list[str]) -> None:
    for swap in ("256m", -1):
        declared = {"mem_limit": normal("mem_limit", "64m"), "memswap_limit": normal("memswap_limit", swap)}
        found = read_back(create(engine, containers, payload(spec_of(image, declared))))
        assert drift(declared, found) == ()
    only_memory = {"mem_limit": normal("mem_limit", "64m")}
    assert drift(only_memory, read_back(create(engine, containers, payload(spec_of(image, only_memory))))) == ()


def test_a_running_container_with_everything_at_once_shows_no_drift(
    engine: APIClient, image: str, containers: list[str], tmp_path: Path
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
    created = create(engine, containers, payload(spec_of(image, declared)))
    engine.start(created["Id"])
    assert drift(declared, read_back(engine.inspect_container(created["Id"]))) == ()


def test_a_container_with_nothing_declared_shows_no_drift(engine: APIClient, image: str, containers: list[str]) -> None:
    found = read_back(create(engine, containers, payload(spec_of(image, {}))))
    assert drift({}, found) == ()


def test_a_change_by_docker_update_is_drift_whether_declared_or_not(
    engine: APIClient, image: str, containers: list[str]
) -> None:
    declared = {"mem_limit": normal("mem_limit", "64m")}
    created = create(engine, containers, payload(spec_of(image, declared)))
    engine.update_container(created["Id"], mem_limit=128 * 1024**2, memswap_limit=-1, restart_policy={"Name": "always"})
    found = read_back(engine.inspect_container(created["Id"]))
    assert drift(declared, found) == (
        "restart: no declared, always found",
        "mem_limit: 64m declared, 128m found",
        "memswap_limit: nothing declared, no limit found",
    )


def change(engine: APIClient, container: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of ``POST /containers/{id}/update``, and what the container is after it."""
    sdk.post_json(engine, "/containers/{0}/update", container, body=body)
    return read_back(engine.inspect_container(container))


@pytest.mark.parametrize(
    ("name", "written"),
    settings_cases_resources.LIVE,
    ids=[f"{name}-{n}" for n, (name, _) in enumerate(settings_cases_resources.LIVE)],
)
def test_what_is_changed_as_it_runs_is_read_back_and_can_be_taken_back(
    engine: APIClient, image: str, containers: list[str], name: str, written: dict[str, Any]
) -> None:
    declared = {key: normal(key, value) for key, value in written.items()}
    before = {key: value for key, value in declared.items() if key != name}
    container = create(engine, containers, payload(spec_of(image, before if name == "memswap_limit" else {})))["Id"]
    engine.start(container)
    assert drift(declared, change(engine, container, update_body(declared, [name]))) == ()
    if SETTINGS[name].unset is not None:
        found = change(engine, container, update_body(before, [name]))
        assert drift(before, found) == ()


def test_every_row_that_can_be_changed_as_it_runs_has_a_case() -> None:
    assert {name for name, _ in settings_cases_resources.LIVE} == {n for n, row in SETTINGS.items() if row.live}


def test_the_first_network_is_joined_at_creation_under_its_aliases(
    engine: APIClient, image: str, containers: list[str]
) -> None:
    network = f"pnr-settings-test-{os.getpid()}"
    made = engine.create_network(network)
    try:
        networks: dict[str, tuple[str, ...]] = {network: ("db", "mongodb"), "elsewhere": ()}
        spec = ContainerSpec(name="x", image=image, digest="", settings={}, networks=networks)
        inspected = create(engine, containers, payload(spec))
        joined = inspected["NetworkSettings"]["Networks"]
        assert set(joined) == {network}
        assert {"db", "mongodb"} <= set(joined[network]["Aliases"])
        engine.remove_container(containers.pop(), v=True, force=True)
    finally:
        engine.remove_network(made["Id"])
