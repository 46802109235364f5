"""The three conditions of ``depends_on``, on a real engine: who starts when."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

STACK = """\
x-quick: &quick
  {{ image: {image}, init: true, stop_grace_period: 0s, restart: unless-stopped, labels: {{ version: "{version}" }} }}
services:
  last:
    <<: *quick
    depends_on:
      migrate: {{ condition: service_completed_successfully }}
      db: {{ condition: service_healthy }}
      plain: {{ condition: service_started }}
  migrate:
    <<: *quick
    command: ["sh", "-c", "sleep 2; echo done > /shared/migrated"]
    restart: "no"
    volumes: [shared:/shared]
    depends_on: {{ db: {{ condition: service_healthy }} }}
  db:
    <<: *quick
    command: ["sh", "-c", "sleep 2; touch /tmp/up; exec sleep 1000"]
    healthcheck: {{ test: ["CMD", "test", "-e", "/tmp/up"], interval: 1s, retries: 30 }}
  plain: *quick
volumes: {{ shared: }}
"""
LIMIT_SECONDS = 120


Containers = dict[str, dict[str, Any]]


@pytest.fixture
def applied(
    docker_api: APIClient, busybox_image: str, tmp_path: Path, unique: Callable[[str], str]
) -> Iterator[Callable[[str], Containers]]:
    """Writes a version of the stack, imports and applies it; its containers by service."""
    project = unique("order")

    def pnr(*words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "--domains", "domains", "--state", "state", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env={key: value for key, value in os.environ.items() if not key.startswith(("PNR_", "COMPOSE_"))},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def apply(version: str) -> Containers:
        (tmp_path / "compose.yaml").write_text(STACK.format(image=busybox_image, version=version))
        pnr("import", "-p", project, "-o", "domains/order.json", "--force")
        pnr("apply", "--wait")
        names = ("last", "migrate", "db", "plain")
        return {name: docker_api.inspect_container(f"{project}-{name}-1") for name in names}

    yield apply
    pnr("down", "--all", "--volumes", "--yes")


def at(body: dict[str, Any], what: str) -> datetime:
    """A moment in a container's life."""
    return datetime.fromisoformat(body["State"][what][:26].rstrip("Z") + "+00:00")


def healthy_at(docker_api: APIClient, body: dict[str, Any]) -> datetime:
    """When the engine first found it healthy. Its events tell: of the results of the check it keeps the last five."""
    since, until = int(at(body, "StartedAt").timestamp()), int(datetime.now(UTC).timestamp()) + 1
    wanted = {"container": body["Id"], "event": "health_status"}
    told = docker_api.events(since=since, until=until, filters=wanted, decode=True)
    first = next(event for event in told if event["Action"] == "health_status: healthy")
    return datetime.fromtimestamp(first["timeNano"] / 1e9, UTC)


@pytest.mark.parametrize("version", ["1", "2"], ids=["first", "changed"])
def test_each_starts_when_what_it_waits_for_has_come_to_be(
    docker_api: APIClient, applied: Callable[[str], Containers], version: str
) -> None:
    found = applied("1")
    if version != "1":
        before, found = found, applied(version)
        assert not {body["Id"] for body in before.values()} & {body["Id"] for body in found.values()}
    assert at(found["migrate"], "StartedAt") > healthy_at(docker_api, found["db"])
    assert found["migrate"]["State"]["ExitCode"] == 0
    assert found["migrate"]["State"]["Status"] == "exited"
    assert at(found["last"], "StartedAt") > at(found["migrate"], "FinishedAt")
    assert at(found["last"], "StartedAt") > at(found["plain"], "StartedAt")
    assert found["plain"]["State"]["Running"]
