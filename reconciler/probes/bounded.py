"""The way of a probe's request to its server and back, on which the server decides nothing of what it costs.

Whoever writes the answer may write it to keep its reader busy: thousands of headers, cookies, provisional answers,
trailers, or a body in pieces of one byte. The parser takes some ten microseconds for each, and goes through all that
came at once without a turn for anybody else: 64 KiB of them are a second of the loop. So little is read at a time, and
what makes no progress (no answer yet, no further piece of its body) is not read for long, nor is the whole.

Imports httpx, and is imported by the first probe only.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import httpcore
import httpx

READ_BYTES = 4096
MOST_BYTES = 256 * 1024
MOST_HEAD_BYTES = 32 * 1024
MOST_HEAD_LINES = 200
MOST_COOKIES_BYTES = 8 * 1024
MOST_PIECES = 4096
PIECES_A_TURN = 64


class Transport(httpx.AsyncBaseTransport):
    """For one request at a time, each on a connection of its own. Cookies are kept where they are wanted."""

    def __init__(self, tls: ssl.SSLContext, *, keep_cookies: bool) -> None:
        self._read = _Read()
        self._keep_cookies = keep_cookies
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_keepalive_connections=0, network_backend=_Backend(self._read)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and read the head of the answer."""
        url = request.url
        asked = httpcore.Request(
            method=request.method.encode(),
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        self._read.begin()
        try:
            answer = await self._pool.handle_async_request(asked)
        except _FAILURES as error:
            raise _as_httpx(error) from error
        return httpx.Response(
            status_code=answer.status,
            headers=list(_without_cookies(answer.headers, MOST_COOKIES_BYTES if self._keep_cookies else 0)),
            stream=_Body(answer, self._read),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._pool.aclose()


class _Read:
    """How much was read of an answer, and since the last progress in it."""

    def __init__(self) -> None:
        self._all = self._bytes = self._lines = 0

    def begin(self) -> None:
        self._all = self._bytes = self._lines = 0

    def progress(self) -> None:
        self._bytes = self._lines = 0

    def count(self, data: bytes) -> None:
        self._all += len(data)
        self._bytes += len(data)
        self._lines += data.count(b"\n")

    def check(self) -> None:
        if self._all >= MOST_BYTES:
            raise httpcore.RemoteProtocolError(f"{MOST_BYTES // 1024} KiB were read, and little of that is the body")
        if self._bytes >= MOST_HEAD_BYTES:
            raise httpcore.RemoteProtocolError(f"more than {MOST_HEAD_BYTES // 1024} KiB of headers")
        if self._lines >= MOST_HEAD_LINES:
            raise httpcore.RemoteProtocolError(f"more than {MOST_HEAD_LINES} lines of headers")


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, read: _Read) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._read = read

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options), self._read)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream, read: _Read) -> None:
        self._inner = inner
        self._read = read

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._read.check()
        data = await self._inner.read(min(max_bytes, READ_BYTES), timeout)
        self._read.count(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout), self._read)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.AsyncByteStream):
    """What comes after the head, as far as it comes in pieces worth reading."""

    def __init__(self, answer: httpcore.Response, read: _Read) -> None:
        self._answer = answer
        self._read = read

    async def __aiter__(self) -> AsyncIterator[bytes]:
        number = 0
        self._read.progress()
        try:
            async with aclosing(self._answer.aiter_stream()) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    self._read.progress()
                    yield piece
                    number += 1
                    if number >= MOST_PIECES:
                        return
                    if number % PIECES_A_TURN == 0:
                        await asyncio.sleep(0)
        except _FAILURES as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        await self._answer.aclose()


_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


def _as_httpx(error: Exception) -> httpx.TransportError:
    """httpx has a class of the same name for each of them."""
    known = getattr(httpx, type(error).__name__, httpx.TransportError)
    made: httpx.TransportError = known(str(error))
    return made


def _without_cookies(headers: Iterable[tuple[bytes, bytes]], most: int) -> Iterable[tuple[bytes, bytes]]:
    """The headers, with ``most`` bytes of cookies: to take one apart costs more than all the rest."""
    left = most
    for name, value in headers:
        if name.lower() in (b"set-cookie", b"set-cookie2"):
            left -= len(name) + len(value)
            if left < 0:
                continue
        yield name, value
