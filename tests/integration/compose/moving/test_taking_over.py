"""The move, end to end: Compose's running containers become a domain's, and go on running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.compose.moving.conftest import LIMIT_SECONDS, Compose

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

STACK = """\
x-quick: &quick {{ image: {image}, init: true, stop_grace_period: 1s, restart: unless-stopped }}
services:
  db:
    <<: *quick
    command: ["sh", "-c", "date >> /data/starts; touch /tmp/up; exec sleep 1000"]
    environment: {{ SECRET: "pa$$word", MODE: "$$HOME" }}
    env_file: db.env
    volumes: [data:/data, /anonymous]
    secrets: [password]
    healthcheck: {{ test: ["CMD", "test", "-e", "/tmp/up"], interval: 1s, timeout: 2s, retries: 5 }}
    hostname: database
    mem_limit: 64m
    cap_add: [SYS_NICE]
    labels: {{ team: data }}
  web:
    <<: *quick
    command: httpd -f -p 80 -h /www
    depends_on: {{ db: {{ condition: service_healthy }} }}
    ports: ["80"]
    networks: {{ default: {{ aliases: [www] }}, back: }}
  worker:
    <<: *quick
    command: sleep 1000
    scale: 2
    depends_on: [web]
    networks: [back]
    links: ["web:frontend"]
    tmpfs: /scratch
volumes: {{ data: }}
networks: {{ back: {{ internal: true }} }}
secrets: {{ password: {{ file: ./password.txt }} }}
"""


class Moving:
    """pnr and docker-compose on the same project."""

    def __init__(self, composed: Compose, root: Path) -> None:
        self.composed = composed
        self.domains = root / "domains"
        self.state = root / "state"
        self.file = self.domains / f"{composed.project}.json"

    def pnr(self, *words: str, ends_with: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "--domains", str(self.domains), "--state", str(self.state), *words],
            cwd=self.composed.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env={key: value for key, value in os.environ.items() if not key.startswith(("PNR_", "COMPOSE_"))},
            check=False,
        )
        assert done.returncode == ends_with, done.stdout + done.stderr
        return done

    def adopt(self, **options: int) -> dict[str, Any]:
        """Import with ``--adopt``; what is said of it."""
        words = ("import", "-p", self.composed.project, "--adopt", "-o", str(self.file), "--force", "--json")
        said: dict[str, Any] = json.loads(self.pnr(*words, **options).stdout)
        return said

    def change(self, chunk: str, **settings: Any) -> None:
        """Change settings of a chunk's container in the domain file."""
        document = json.loads(self.file.read_text())
        (found,) = [c for c in document["cpuxs"]["main"]["design_chunks"] if c["name"] == chunk]
        found["container"] |= settings
        self.file.write_text(json.dumps(document))

    def output_of(self, name: str, *command: str) -> str:
        """What a command prints in a container."""
        made = self.composed.api.exec_create(name, list(command))
        return str(self.composed.api.exec_start(made["Id"]).decode())


@pytest.fixture
def moving(
    composed: Compose, docker_api: APIClient, busybox_image: str, tmp_path: Path, unique: Callable[[str], str]
) -> Iterator[Moving]:
    """A stack of three services that Compose has started."""
    (composed.folder / "compose.yaml").write_text(STACK.format(image=busybox_image))
    (composed.folder / "db.env").write_text("FROM_FILE='a $b'\n")
    (composed.folder / "password.txt").write_text("sesame")
    composed("up", "--detach", "--wait", "--pull", "never")
    made = Moving(composed, tmp_path)
    yield made
    made.pnr("down", "--all")


def test_what_compose_runs_goes_on_under_pnr_and_only_what_is_changed_is_replaced(moving: Moving) -> None:
    composed, project = moving.composed, moving.composed.project
    before = composed.runs()
    assert len(before) == 4
    connected = {name: body["NetworkSettings"]["Networks"] for name, body in composed.inspected().items()}
    said = moving.adopt()
    assert {found["container"] for found in said["containers"]} == set(before)
    assert [found["differences"] for found in said["containers"]] == [[], [], [], []]
    assert all(found["matches"] for found in said["containers"])
    moving.pnr("apply", "--wait")
    assert composed.runs() == before
    after = {name: body["NetworkSettings"]["Networks"] for name, body in composed.inspected().items()}
    assert after == connected  # nothing was disconnected for a moment either
    facts = json.loads(moving.state.joinpath("adopted.json").read_text())["adopted"]
    assert set(facts) == {id for id, _ in before.values()}
    snapshot = (moving.state / f"{project}.toml").read_text()
    assert snapshot.count('state = "completed"') >= 4
    nothing, note = moving.pnr("plan").stdout.splitlines()
    assert nothing == "nothing to do"
    assert "pnr itself starts again, and the engine does not: main/db" in note
    moving.pnr("apply", "--wait")
    assert composed.runs() == before

    data = moving.output_of(f"{project}-db-1", "cat", "/data/starts")
    moving.change("db", mem_limit="96m")
    moving.change("web", environment={"NEW": "1"})
    moving.pnr("apply", "--wait")
    now = composed.runs()
    assert now[f"{project}-db-1"] == before[f"{project}-db-1"]  # a limit is changed as it runs
    assert composed.api.inspect_container(f"{project}-db-1")["HostConfig"]["Memory"] == 96 * 1024**2
    web = composed.api.inspect_container(f"{project}-web-1")
    assert web["Id"] != before[f"{project}-web-1"][0]
    assert web["Config"]["Labels"]["io.pnr.chunk"] == "web"
    assert {name: run for name, run in now.items() if "worker" in name} == {
        name: run for name, run in before.items() if "worker" in name
    }

    (anonymous,) = [mount for mount in mounts_of(composed, f"{project}-db-1") if mount["Destination"] == "/anonymous"]
    moving.change("db", environment={"SECRET": "other"})
    moving.pnr("apply", "--wait")
    replaced = composed.api.inspect_container(f"{project}-db-1")
    assert replaced["Id"] != before[f"{project}-db-1"][0]
    assert moving.output_of(f"{project}-db-1", "cat", "/data/starts").startswith(data)
    assert moving.output_of(f"{project}-db-1", "cat", "/run/secrets/password") == "sesame"
    # Compose would have handed this volume on; pnr has not made it, and leaves it where it is.
    assert composed.api.inspect_volume(anonymous["Name"])["Name"] == anonymous["Name"]
    composed.api.remove_volume(anonymous["Name"])


def mounts_of(composed: Compose, name: str) -> list[dict[str, Any]]:
    """The mounts of a container."""
    return list(composed.api.inspect_container(name)["Mounts"])


def test_one_that_is_not_as_the_file_says_is_left_alone_and_named(moving: Moving) -> None:
    composed, project = moving.composed, moving.composed.project
    before = composed.runs()
    text = (composed.folder / "compose.yaml").read_text()
    (composed.folder / "compose.yaml").write_text(text.replace("mem_limit: 64m", "mem_limit: 32m"))
    # What the policy refuses takes its service out of the domain, and with it nothing that runs.
    socket = "volumes: [/var/run/docker.sock:/x]\n    scale: 2\n    depends_on: [web]"
    changed = (composed.folder / "compose.yaml").read_text()
    (composed.folder / "compose.yaml").write_text(changed.replace("scale: 2\n    depends_on: [web]", socket))
    refused = {said["container"]: said for said in moving.adopt(ends_with=4)["containers"]}
    for name in (f"{project}-worker-1", f"{project}-worker-2"):
        assert not refused[name]["matches"]
        assert "the policy refuses" in refused[name]["left_out"]
    assert f"{project}-worker-1 (" in moving.pnr("import", "-p", project, "--adopt", ends_with=4).stderr
    partly = moving.pnr("import", "-p", project, "--adopt", "--partial", "--json", ends_with=4)
    workers = [said for said in json.loads(partly.stdout)["containers"] if "-worker-" in said["container"]]
    assert [any("the policy refuses" in one for one in said["differences"]) for said in workers] == [True, True]
    (composed.folder / "compose.yaml").write_text(changed)
    found = {said["container"]: said for said in moving.adopt()["containers"]}
    assert found[f"{project}-db-1"]["differences"] == ["mem_limit: 32m declared, 64m found"]
    assert not found[f"{project}-db-1"]["matches"]
    assert found[f"{project}-web-1"]["matches"]
    done = moving.pnr("apply", "--wait", ends_with=1)
    assert "mem_limit: 32m declared, 64m found" in done.stdout + done.stderr
    assert composed.runs() == before


def test_after_compose_has_gone_the_data_is_still_there(moving: Moving) -> None:
    composed, project = moving.composed, moving.composed.project
    data = moving.output_of(f"{project}-db-1", "cat", "/data/starts")
    composed("down", "--timeout", "1")
    assert {found["id"] for found in moving.adopt()["containers"]} == {""}
    moving.pnr("apply", "--wait")
    assert moving.output_of(f"{project}-db-1", "cat", "/data/starts").startswith(data)
    assert moving.output_of(f"{project}-db-1", "sh", "-c", "echo $SECRET $MODE $FROM_FILE") == "pa$word $HOME a $b\n"
    moving.pnr("down", "--all")
    assert composed.api.inspect_volume(f"{project}_data")["Labels"]["com.docker.compose.project"] == project
