"""A git that was killed has left its lock behind: who asks is told so, and never told that all is done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NAME = "git_lock"


def version(daemon: Daemon) -> str:
    found = daemon.container(f"{NAME}_web")["Config"]["Env"]
    return next((value.removeprefix("V=") for value in found if value.startswith("V=")), "")


def old(lock: Path, seconds: float) -> None:
    lock.touch()
    os.utime(lock, (time.time() - seconds,) * 2)


def test_a_lock_that_was_left_behind_is_told_of_and_nothing_is_called_done(daemon: Daemon, web: Build) -> None:
    def document(value: str) -> dict[str, Any]:
        return stack(NAME, web("web", prefix=NAME, container={"environment": {"V": value}}))

    subprocess.run(["git", "init", "--quiet", str(daemon.domains)], check=True, timeout=30)
    daemon.settle(NAME, document("1"))
    lock = daemon.domains / ".git" / "index.lock"

    old(lock, 70)
    daemon.write(NAME, document("2"))
    done = daemon.pnr("apply", "--wait", "--timeout", "4")
    assert (done.returncode, version(daemon)) == (124, "1"), done.stdout + done.stderr
    assert f"{lock} is there since" in done.stderr
    for words in (("status",), ("why", "web"), ("apply",)):
        said = daemon.pnr(*words)
        assert (said.returncode, "index.lock" in said.stdout + said.stderr) == (0, True), words
    assert "index.lock" in json.loads(daemon.pnr("status", "--json").stdout)["daemon"]["files_wait"]
    assert any(entry["kind"] == "files" for entry in daemon.journal())

    # Passed over once it is old enough, and still told of.
    old(lock, 3600)
    done = daemon.pnr("apply", "--wait")
    assert (done.returncode, version(daemon)) == (0, "2"), done.stdout + done.stderr
    assert "was left behind" in daemon.pnr("status").stdout

    # Without a daemon.
    daemon.kill(signal.SIGTERM)
    old(lock, 70)
    daemon.write(NAME, document("3"))
    done = daemon.pnr("apply", "--timeout", "4")
    assert (done.returncode, version(daemon)) == (124, "2"), done.stdout + done.stderr
    assert f"{lock} is there since" in done.stderr
    plan = daemon.pnr("plan")
    assert (plan.returncode, "index.lock" in plan.stderr) == (4, True), plan.stdout + plan.stderr
    lock.unlink()
    done = daemon.pnr("apply")
    assert (done.returncode, version(daemon)) == (0, "3"), done.stdout + done.stderr
    daemon.start()
