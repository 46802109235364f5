"""The control socket against clients that behave, misbehave, and go away."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.client import DaemonRefused, DaemonUnreachable, NoDaemon, request
from reconciler.daemon import address, control
from reconciler.daemon.control import AlreadyRunning, ControlServer, ControlSocketError
from reconciler.errors import PnrError


class Teapot(PnrError):
    """An error of the handler's."""

    code = "Teapot"


class Answers:
    """A handler that does what its request says, and remembers what became of it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.begun = asyncio.Event()

    async def __call__(self, message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        try:
            self.begun.set()
            match message["command"]:
                case "ping":
                    yield {"done": True}
                case "count":
                    for n in range(int(message["to"])):
                        yield {"n": n}
                case "refuse":
                    raise Teapot("short and stout")
                case "break":
                    raise ZeroDivisionError
                case "time out":
                    raise TimeoutError("of the engine")
                case "flood":
                    while True:
                        yield {"text": "x" * 100_000}
                case "silence":
                    await asyncio.Event().wait()
        finally:
            self.ended.set()


@asynccontextmanager
async def serving(state: Path) -> AsyncIterator[Answers]:
    answers = Answers()
    server = ControlServer(state, answers)
    await server.start()
    try:
        yield answers
    finally:
        await server.close()


async def ask(state: Path, **message: Any) -> list[dict[str, Any]]:
    return await asyncio.to_thread(lambda: list(request(state, message)))


@pytest.fixture(params=["unix", "long path", "port"])
def state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose socket can be bound directly, only in another way, or not at all."""
    folder = tmp_path
    if request.param == "long path":
        folder = tmp_path / ("x" * 120) / ("y" * 120)
        folder.mkdir(parents=True)
    if request.param == "port":
        monkeypatch.setattr(address, "unix_sockets", lambda: False)
    return folder


async def test_answers_come_in_order_and_end_with_done(state: Path) -> None:
    async with serving(state):
        assert await ask(state, command="count", to=3) == [{"n": 0}, {"n": 1}, {"n": 2}, {"done": True}]


async def test_an_error_of_the_handler_reaches_the_client_with_its_code(state: Path) -> None:
    async with serving(state):
        with pytest.raises(DaemonRefused, match="short and stout") as caught:
            await ask(state, command="refuse")
        assert caught.value.daemon_code == "Teapot"


@pytest.mark.parametrize("command", ["break", "time out"])
async def test_a_bug_in_the_handler_ends_one_request_and_not_the_server(tmp_path: Path, command: str) -> None:
    async with serving(tmp_path):
        with pytest.raises(DaemonRefused, match="failed to answer") as caught:
            await ask(tmp_path, command=command)
        assert caught.value.daemon_code == "InternalError"
        assert await ask(tmp_path, command="ping") == [{"done": True}]


async def test_many_clients_are_served_at_once(state: Path) -> None:
    async with serving(state):
        found = await asyncio.gather(*(ask(state, command="count", to=5) for _ in range(20)))
        assert all(len(answers) == 6 for answers in found)


async def test_only_the_owner_may_open_the_socket_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with serving(tmp_path):
            assert stat.S_IMODE((tmp_path / "pnr.sock").stat().st_mode) == 0o600
            assert os.umask(0) == 0
    finally:
        os.umask(before)


async def test_only_the_owner_may_read_the_token_of_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "unix_sockets", lambda: False)
    async with serving(tmp_path):
        assert stat.S_IMODE((tmp_path / "pnr.port").stat().st_mode) == 0o600


async def test_the_port_answers_nobody_without_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "unix_sockets", lambda: False)
    async with serving(tmp_path):
        port, token = address.read_port(tmp_path) or (0, "")
        assert len(token) == 64
        (tmp_path / "pnr.port").write_text(f"{port} {'0' * 64}\n")
        with pytest.raises(DaemonRefused, match="token"):
            await ask(tmp_path, command="ping")


async def test_the_socket_is_gone_when_the_server_is(state: Path) -> None:
    async with serving(state):
        assert list(state.iterdir())
    assert not list(state.iterdir())
    with pytest.raises(NoDaemon, match="pnr run"):
        await ask(state, command="ping")


async def test_a_socket_that_was_removed_is_made_again(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, Answers())
    await server.start()
    try:
        assert server.is_there()
        (tmp_path / address.SOCKET_NAME).unlink()
        assert not server.is_there()
        await server.open_again()
        assert server.is_there()
        assert await ask(tmp_path, command="ping") == [{"done": True}]
    finally:
        await server.close()
    assert not (tmp_path / address.SOCKET_NAME).exists()


async def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "pnr.sock"))
    dead.close()
    with pytest.raises(NoDaemon):
        await ask(tmp_path, command="ping")
    async with serving(tmp_path):
        assert await ask(tmp_path, command="ping") == [{"done": True}]


async def test_the_port_of_a_dead_daemon_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "unix_sockets", lambda: False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        (tmp_path / "pnr.port").write_text(f"{other.getsockname()[1]} {'0' * 64}\n")
    async with serving(tmp_path):
        assert await ask(tmp_path, command="ping") == [{"done": True}]


async def test_a_daemon_that_answers_keeps_its_socket(tmp_path: Path) -> None:
    async with serving(tmp_path):
        with pytest.raises(AlreadyRunning, match="another pnr daemon"):
            await ControlServer(tmp_path, Answers()).start()
        assert await ask(tmp_path, command="ping") == [{"done": True}]


async def test_a_file_in_the_place_of_the_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pnr.sock").write_text("mine")
    with pytest.raises(ControlSocketError, match="in the way"):
        await ControlServer(tmp_path, Answers()).start()
    assert (tmp_path / "pnr.sock").read_text() == "mine"


async def test_a_state_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ControlSocketError, match="nowhere"):
        await ControlServer(tmp_path / "nowhere", Answers()).start()


async def raw(state: Path, line: bytes) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(state / "pnr.sock"))
    writer.write(line)
    writer.write_eof()
    answer = json.loads(await reader.readline())
    writer.close()
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b'{"command": 1}\n',
        b'{"no": "command"}\n',
        b"\xff\xfe\n",
        b"[" * 60_000 + b"\n",
        b'{"command": "' + b"x" * 70_000 + b'"}\n',
        b'{"command": "count", "to": 1, "to": 2}\n',
    ],
    ids=["empty", "no json", "a list", "a number", "no command", "no utf-8", "deep", "long", "a key twice"],
)
async def test_a_message_that_makes_no_sense_gets_an_error(tmp_path: Path, line: bytes) -> None:
    async with serving(tmp_path):
        assert (await raw(tmp_path, line))["error"]["code"] == "BadRequest"
        assert await ask(tmp_path, command="ping") == [{"done": True}]


async def test_a_client_that_closes_its_side_after_asking_still_gets_its_answer(tmp_path: Path) -> None:
    async with serving(tmp_path):
        assert await raw(tmp_path, b'{"command": "count", "to": 1}\n') == {"n": 0}


async def test_a_client_that_says_nothing_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REQUEST_SECONDS", 0.05)
    async with serving(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "pnr.sock"))
        assert b"BadRequest" in await reader.read()
        writer.close()


async def test_a_client_that_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "SEND_SECONDS", 0.05)
    async with serving(tmp_path) as answers:
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "pnr.sock"))
        writer.write(b'{"command": "flood"}\n')
        await asyncio.wait_for(answers.ended.wait(), 30)
        assert await ask(tmp_path, command="ping") == [{"done": True}]
        writer.close()


async def test_the_handler_ends_when_its_client_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "HEARTBEAT_SECONDS", 0.02)
    async with serving(tmp_path) as answers:
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "pnr.sock"))
        writer.write(b'{"command": "silence"}\n')
        await asyncio.wait_for(answers.begun.wait(), 30)
        writer.close()
        await asyncio.wait_for(answers.ended.wait(), 30)


async def test_close_ends_what_is_being_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as answers:
        waiting = asyncio.create_task(ask(tmp_path, command="silence"))
        await asyncio.wait_for(answers.begun.wait(), 30)
    with pytest.raises(DaemonUnreachable, match="closed the connection"):
        await waiting


async def test_more_clients_than_bearable_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MOST_CLIENTS", 1)
    async with serving(tmp_path) as answers:
        waiting = asyncio.create_task(ask(tmp_path, command="silence"))
        await asyncio.wait_for(answers.begun.wait(), 30)
        with pytest.raises(DaemonRefused, match="try again later"):
            await ask(tmp_path, command="ping")
    with pytest.raises(DaemonUnreachable):
        await waiting


def test_a_daemon_that_hangs_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / "pnr.sock"))
        hanging.listen()
        with pytest.raises(DaemonUnreachable, match="has not answered for"):
            list(request(tmp_path, {"command": "ping"}, silence_seconds=0.05))


async def test_heartbeats_keep_a_quiet_connection_from_counting_as_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "HEARTBEAT_SECONDS", 0.02)

    async def late(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        await asyncio.sleep(1.5)
        yield {"done": True}

    server = ControlServer(tmp_path, late)
    await server.start()
    try:
        got = await asyncio.to_thread(lambda: list(request(tmp_path, {"command": "x"}, silence_seconds=1.0)))
        assert got == [{"done": True}]
    finally:
        await server.close()
