"""A unix socket before the engine's that writes down what passes: what changes something is counted where it counts,
on the wire, whatever the program believes that it does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_VERSION = re.compile(r"^/v1\.\d+(?=/)")
_LONGEST_HEAD = 2**20


@dataclass(frozen=True)
class Call:
    """A request that is neither GET nor HEAD. ``path`` is without the version of the API, ``body`` is None where it is
    no JSON."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f"?name={self.query['name']}" if "name" in self.query else "")


class Wire:
    """``path`` is the socket to talk to; ``calls`` are those that could change something, in their order. ``refuse``
    may answer one in the engine's place, with a status and a message. ``streams`` counts the event streams that were
    asked for; :meth:`cut_events` cuts those that are open, and nothing else."""

    def __init__(self, path: Path, engine: Path) -> None:
        self.path = path
        self.calls: list[Call] = []
        self.refuse: Callable[[Call], tuple[int, str] | None] = lambda _: None
        self.streams = 0
        self._events: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine = engine

    def cut_events(self) -> None:
        """From any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._events:
            writer.transport.abort()
        self._events.clear()

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Pass on until told to stop."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_unix_server(self._connection, str(self.path), limit=_LONGEST_HEAD)
        ready.set()
        await stop.wait()
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(str(self._engine))
        back = asyncio.create_task(_pump(from_engine, writer))
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._request(reader, writer, to_engine):
                pass
            await _pump(reader, to_engine)
        back.cancel()
        for end in (to_engine, writer):
            end.close()

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_engine: asyncio.StreamWriter
    ) -> bool:
        """One request; whether another can follow."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = first.split(" ", 2)
        body = await _body(reader, headers)
        if urlsplit(target).path.endswith("/events"):
            self.streams += 1
            self._events.add(writer)
        if method not in ("GET", "HEAD"):
            call = _call(method, target, headers, body)
            self.calls.append(call)
            refusal = self.refuse(call)
            if refusal is not None:
                writer.write(_answer(*refusal))
                await writer.drain()
                return True
        to_engine.write(head + body)
        await to_engine.drain()
        return "upgrade" not in headers


def _answer(code: int, message: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    head = f"HTTP/1.1 {code} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The body as it stands on the wire."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2)]
        if size == 0:
            return b"".join(parts)


def _call(method: str, target: str, headers: dict[str, str], body: bytes) -> Call:
    url = urlsplit(target)
    is_json = headers.get("content-type", "").startswith("application/json") and body
    return Call(method, _VERSION.sub("", url.path), dict(parse_qsl(url.query)), json.loads(body) if is_json else None)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
        writer.close()


@contextmanager
def tapped(folder: Path, engine: Path) -> Iterator[Wire]:
    """A wire to the engine, for as long as it is used. It has a thread of its own: nothing waits for a test."""
    wire = Wire(folder / "wire.sock", engine)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(wire.serve(ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(30), "the wire does not listen"
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
