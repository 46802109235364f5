"""``make run`` as a new user types it: a fresh clone, no terminal, until the stack serves; then ``make down``."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.tree import copy_of_the_tree

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

LIMIT_SECONDS = 600.0
CHUNKS = ("db", "api", "web")


class Demo:
    """The demo of one clone, under names and a port of its own: the user's own demo may run beside it."""

    def __init__(self, clone: Path, name: str, log: Path) -> None:
        self.clone, self.name, self.log = clone, name, log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        path = clone / "domains" / "demo.json"
        text = path.read_text()
        assert '"name": "demo"' in text
        assert text.count('"demo_') == len(CHUNKS)
        assert '"8088"' in text
        path.write_text(
            text.replace('"name": "demo"', f'"name": "{name}"')
            .replace('"demo_', f'"{name}_')
            .replace('"8088"', f'"{self.port}"')
        )

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Ask the web front: status and text. 0 while nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def wait(self, holds: Callable[[], bool], what: str, running: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until something holds."""
        limit = time.monotonic() + LIMIT_SECONDS
        while not holds():
            if running is not None and running.poll() is not None:
                pytest.fail(f"make run ended with {running.returncode}:\n{self.log.read_text()}")
            if time.monotonic() > limit:
                pytest.fail(f"still not so: {what}\n{self.log.read_text()}")
            time.sleep(0.1)


@contextmanager
def make_run(demo: Demo) -> Iterator[subprocess.Popen[bytes]]:
    """``make run`` until the block ends, then what Ctrl-C does: SIGINT for the whole group of processes."""
    with demo.log.open("ab") as log:
        running = subprocess.Popen(
            ["make", "run"], cwd=demo.clone, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGINT)
            running.wait(60)


@pytest.fixture(scope="module")
def demo(docker_api: APIClient, run_prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("make_run")
    made = Demo(copy_of_the_tree(folder / "clone"), f"{run_prefix}_demo", folder / "log")
    yield made
    subprocess.run(["make", "down"], cwd=made.clone, capture_output=True, timeout=120, check=False)


def _lives(api: APIClient, demo: Demo) -> dict[str, tuple[str, str, bool]]:
    found = {chunk: api.inspect_container(f"{demo.name}_{chunk}") for chunk in CHUNKS}
    return {chunk: (one["Id"], one["State"]["StartedAt"], one["State"]["Running"]) for chunk, one in found.items()}


def _ours(api: APIClient, demo: Demo) -> list[str]:
    wanted: dict[str, Any] = {"label": f"io.pnr.domain={demo.name}"}
    containers = [one["Names"][0] for one in api.containers(all=True, filters=wanted)]
    networks = [one["Name"] for one in api.networks(filters=wanted)]
    return [*containers, *networks, *(one["Name"] for one in api.volumes(filters=wanted)["Volumes"] or [])]


def test_make_run_brings_the_stack_up_adopts_it_again_and_make_down_removes_it(
    docker_api: APIClient, demo: Demo
) -> None:
    url = f"http://127.0.0.1:{demo.port}"
    with make_run(demo) as running:
        demo.wait(lambda: url in demo.log.read_text(), f"make run tells {url}", running)
        assert demo.ask("GET", "/")[0] == 200
        assert demo.ask("POST", "/api/notes", body="it is kept")[0] == 201
        notes = json.loads(demo.ask("GET", "/api/notes")[1])
        assert [note["text"] for note in notes] == ["it is kept"]
        lives = _lives(docker_api, demo)
        # In the order of their readiness: each started when what it needs had answered.
        assert sorted(CHUNKS, key=lambda chunk: lives[chunk][1]) == list(CHUNKS)

        docker_api.kill(f"{demo.name}_db")
        demo.wait(lambda: _lives(docker_api, demo)["db"][1:] > (lives["db"][1], True), "the database is back", running)
        demo.wait(lambda: demo.ask("GET", "/api/notes")[0] == 200, "the site serves again", running)
        assert "it is kept" in demo.ask("GET", "/api/notes")[1]

    lives = _lives(docker_api, demo)
    assert all(up for _, _, up in lives.values()), "Ctrl-C must leave the containers running"
    assert demo.ask("GET", "/")[0] == 200

    demo.log.write_text("")
    with make_run(demo) as running:
        demo.wait(lambda: url in demo.log.read_text(), f"make run tells {url}", running)
    assert _lives(docker_api, demo) == lives, "a restart must adopt what runs"

    subprocess.run(["make", "down"], cwd=demo.clone, capture_output=True, timeout=120, check=True)
    assert _ours(docker_api, demo) == []
