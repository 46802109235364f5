"""What a command in a container prints, where all of it comes together with the head of the engine's answer."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from reconciler.engine.docker import client as clients
from reconciler.engine.docker import sdk

HEAD = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)


def frame(stream: int, text: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def answer(server: socket.socket, *parts: bytes) -> None:
    """Answer one request in parts that are sent one after the other, and close."""
    asking, _ = server.accept()
    with asking:
        asking.recv(65536)
        for part in parts:
            asking.sendall(part)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((HEAD + frame(1, b"yes\n") + frame(2, b"no\n"),), id="all with the head"),
        pytest.param((HEAD + frame(1, b"yes\n"), frame(2, b"no\n")), id="some with the head"),
        pytest.param((HEAD + frame(1, b"yes\n")[:6], frame(1, b"yes\n")[6:] + frame(2, b"no\n")), id="half of a frame"),
        pytest.param((HEAD, frame(1, b"yes\n") + frame(2, b"no\n")), id="all behind it"),
    ],
)
def test_nothing_of_it_is_lost(listening: socket.socket, parts: tuple[bytes, ...]) -> None:
    engine = threading.Thread(target=answer, args=(listening, *parts))
    engine.start()
    host, port = listening.getsockname()
    client = clients.make(clients.Address(f"tcp://{host}:{port}"), "1.41", timeout=30, pool=1)
    assert isinstance(client, sdk.Client)
    assert b"".join(client.exec_start("it", stream=True)) == b"yes\nno\n"
    engine.join()
    client.close()
