"""``pnr down`` asks before it destroys, and what was taken down stays down."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.integration.daemon.conftest import LIMIT_SECONDS, Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def on_a_terminal(daemon: Daemon, answer: str, *words: str) -> tuple[int, str]:
    """A command as a person runs it, who answers what it asks."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        daemon.command(*words), stdin=slave, stdout=slave, stderr=slave, env=daemon.environment, close_fds=True
    )
    os.close(slave)
    said = b""
    try:
        while b"[y/N]" not in said:
            said += os.read(master, 1024)
        os.write(master, f"{answer}\n".encode())
        while True:
            try:
                said += os.read(master, 1024)
            except OSError:  # the other end is closed
                break
        return process.wait(LIMIT_SECONDS), said.decode()
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_volumes_go_after_a_yes_and_what_is_down_stays_down(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    volume = f"{name}_data"
    fill = "head -c 3000000 /dev/zero > /data/x; exec httpd -f -p 80 -h /www"
    container = {"command": ["sh", "-c", fill], "volumes": ["data:/data"]}
    document = stack(name, web("a", prefix=name, container=container), volumes={"data": {"name": volume}})
    daemon.settle(name, document)

    def volumes() -> list[str]:
        found = daemon.api.volumes(filters={"label": f"io.pnr.domain={name}"})
        return [one["Name"] for one in found["Volumes"] or []]

    for words in (
        ["down"],
        ["down", "--volumes"],
        ["down", name, "--all"],
        ["down", name, "--volumes"],
        ["down", "no"],
    ):
        done = daemon.pnr(*words)
        assert done.returncode == 64, done.stdout
        assert done.stderr.startswith("pnr: ")
    assert "add --yes" in daemon.pnr("down", name, "--volumes").stderr
    code, said = on_a_terminal(daemon, "", "down", name, "--volumes")
    assert (code, daemon.names(name), volumes()) == (1, [f"{name}_a"], [volume])
    assert re.search(rf"{name} +{volume} +3\.0 MB", said)
    assert "delete the volume and everything in it for good?" in said

    assert daemon.pnr("down", name).returncode == 0
    assert (daemon.names(name), volumes()) == ([], [volume])

    daemon.kill(signal.SIGTERM)
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert daemon.names(name) == [f"{name}_a"]
    code, said = on_a_terminal(daemon, "yes", "down", name, "--volumes")
    assert code == 0, said
    assert volume in said
    assert (daemon.names(name), volumes()) == ([], [])
    assert daemon.pnr("down", "no", "--volumes", "--yes").returncode == 64
    daemon.start()
    daemon.until(lambda: daemon.chunk(name, "a")["reason"] == "Suspended", "what was taken down to stay down")
    assert daemon.names(name) == []
