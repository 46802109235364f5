"""Servers on loopback that behave well or badly, in this process."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import TypeAlias

from reconciler.planner.observed import Condition, Container
from reconciler.probes.protocol import Target

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behaviour: TypeAlias = Callable[[Reader, Writer], Awaitable[None]]


@asynccontextmanager
async def serving(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve with ``behave`` on a free port; what still runs at the end is ended."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await behave(reader, writer)
        finally:
            running.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


def answering(*pieces: bytes) -> Behaviour:
    """Read a request, send ``pieces``, close."""

    async def behave(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            await reader.read()
        else:
            writer.close()
            await writer.wait_closed()

    return behave


def http(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def hanging(host: str = "127.0.0.1") -> Iterator[int]:
    """A port on which connections are neither made nor refused: its listener's queue is full."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server((host, 0), backlog=0))
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def refusing_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    return port


def target(port: int, *, own: str = "127.0.0.1") -> Target:
    """A container whose own address is ``own``, asked at ``port`` on loopback."""
    seen = Container(
        id="c0ffee", name="web", image="web:1", image_id="", condition=Condition.RUNNING, networks={"net": own}
    )
    return Target(seen, host="127.0.0.1", port=port)
