"""A command is done by the daemon where one answers, else by the command itself."""

from __future__ import annotations

import json
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import either_way
from reconciler.cli.client import DaemonRefused, DaemonUnreachable, status, together
from reconciler.cli.either_way import Answer, daemon_or_self
from reconciler.daemon.address import PORT_NAME
from reconciler.daemon.protocol import ServiceOptions
from reconciler.state.lock import StateHeld


def args(folder: Path) -> Namespace:
    return Namespace(domains=str(folder), state=str(folder), engine="simulated", allow_env=None, policy="standard")


async def by_itself(options: ServiceOptions) -> str:
    return f"{options.state.name} by itself"


def told(answers: Iterator[Answer]) -> str:
    return str(together(answers)["said"])


def answering(folder: Path, *answers: Any) -> threading.Thread:
    """A daemon that answers one request."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(30)
    (folder / PORT_NAME).write_text(f"{server.getsockname()[1]} token")

    def answer() -> None:
        with server:
            asking, _ = server.accept()
            with asking, asking.makefile("rwb") as stream:
                asked = json.loads(stream.readline())
                for one in answers:
                    stream.write(json.dumps({**one, "asked": asked["command"]}).encode() + b"\n")

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_where_no_daemon_runs_the_command_does_it(tmp_path: Path) -> None:
    assert daemon_or_self(args(tmp_path), {"command": "images"}, told, by_itself) == f"{tmp_path.name} by itself"


def test_where_a_daemon_runs_it_does_it(tmp_path: Path) -> None:
    daemon = answering(tmp_path, {"said": "first"}, {"said": "last", "done": True})
    assert daemon_or_self(args(tmp_path), {"command": "images"}, told, by_itself) == "last"
    daemon.join()


def test_the_status_is_what_the_daemon_says_of_everything(tmp_path: Path) -> None:
    daemon = answering(tmp_path, {"view": {"domains": []}, "written": True, "done": True})
    assert status(str(tmp_path)) == {"domains": []}
    daemon.join()


def test_an_answer_without_a_status_is_not_taken_for_one(tmp_path: Path) -> None:
    daemon = answering(tmp_path, {"done": True})
    with pytest.raises(DaemonUnreachable, match="is not a pnr daemon"):
        status(str(tmp_path))
    daemon.join()


def test_a_daemon_that_is_just_starting_is_asked_again(tmp_path: Path) -> None:
    daemon: list[threading.Thread] = []

    async def held(options: ServiceOptions) -> str:
        daemon.append(answering(tmp_path, {"said": "hello", "done": True}))
        raise StateHeld("another pnr works with it")

    assert daemon_or_self(args(tmp_path), {"command": "images"}, told, held) == "hello"
    (one,) = daemon
    one.join()


def test_a_state_directory_that_stays_another_s_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(either_way, "STARTING_SECONDS", 0.01)
    tried = 0

    async def held(options: ServiceOptions) -> str:
        nonlocal tried
        tried += 1
        raise StateHeld("another pnr works with it")

    with pytest.raises(StateHeld):
        daemon_or_self(args(tmp_path), {"command": "images"}, told, held)
    assert tried == 2


def test_what_the_daemon_refuses_the_command_does_not_do(tmp_path: Path) -> None:
    daemon = answering(tmp_path, {"error": {"code": "BadRequest", "message": "no"}})
    with pytest.raises(DaemonRefused, match="no"):
        daemon_or_self(args(tmp_path), {"command": "images"}, told, by_itself)
    daemon.join()
