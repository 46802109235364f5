"""The newest engine beside the machine's own: it answers, and nothing of it is left, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import APIClient

from tests.integration.groups import control_groups
from tests.integration.tree import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

LIMIT_SECONDS = 60.0
IN_A_CONTAINER = """
tar -C "$(dirname "$(command -v busybox)")" -c busybox | docker import - tiny >/dev/null
docker run --detach --init --publish 127.0.0.1:8099:80 tiny /busybox sleep 1000 >/dev/null
readlink /proc/self/ns/net
docker version --format '{{.Server.APIVersion}}'
"""


def start(*command: str) -> subprocess.Popen[str]:
    """The script with a command, in a process group of its own as a terminal would give it."""
    return subprocess.Popen(
        [str(ROOT / "scripts/newest.sh"), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lines_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The network namespace that the command was in, and the engine's version of the API."""
    assert process.stdout is not None
    printed: list[str] = []
    while not printed or not printed[-1][:1].isdigit():
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait(LIMIT_SECONDS)}: {printed}"
        printed.append(line.strip())
    return printed[-2], printed[-1]


def processes_in(namespace: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "ns/net") == namespace:
                found.append(entry.name)
        except OSError:
            continue  # it has ended just now
    return found


def groups_of(process: subprocess.Popen[str]) -> list[Path]:
    return control_groups(f"pnr-newest-{process.pid}")


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def test_a_command_runs_on_the_newest_engine_and_its_exit_code_is_passed_on(docker_api: APIClient) -> None:
    before = {container["Id"] for container in docker_api.containers(all=True)}
    process = start("sh", "-c", f"set -e; {IN_A_CONTAINER} docker ps --quiet --no-trunc; exit 7")
    namespace, version = lines_of(process)
    assert tuple(map(int, version.split("."))) >= (1, 51)
    assert process.stdout is not None
    container = process.stdout.readline().strip()
    assert len(container) == 64
    assert container not in before | {there["Id"] for there in docker_api.containers(all=True)}
    assert process.wait(LIMIT_SECONDS) == 7
    assert processes_in(namespace) == []
    assert groups_of(process) == []


def test_ctrl_c_ends_the_command_and_then_the_engine() -> None:
    process = start("sh", "-c", f"set -e; {IN_A_CONTAINER} sleep 1000")
    namespace, _ = lines_of(process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(LIMIT_SECONDS) == 130
    # The kernel may still be at it: the interrupt also ends the one that would wait for the last of them.
    until(lambda: processes_in(namespace) == [], "the engine and its containers to end")
    assert groups_of(process) == []


def test_the_engine_of_a_killed_script_ends_with_it_and_the_next_run_clears_up() -> None:
    killed = start("sh", "-c", f"set -e; {IN_A_CONTAINER} sleep 1000")
    namespace, _ = lines_of(killed)
    assert processes_in(namespace)
    killed.kill()
    killed.wait(LIMIT_SECONDS)
    until(lambda: processes_in(namespace) == [], "the engine and its containers to end")
    until(lambda: start("true").wait(LIMIT_SECONDS) == 0 and groups_of(killed) == [], "its control groups to go")
