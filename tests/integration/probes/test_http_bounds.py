"""Whatever a server answers, it decides nothing of what a probe costs: each turn is short, and all of it ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from typing import Any

import pytest

from reconciler.probes.ask import LONGEST_MESSAGE, ask
from reconciler.probes.bounded import MOST_BYTES, MOST_HEAD_LINES, MOST_PIECES
from reconciler.probes.http import HttpProbe, HttpsProbe, _tls_context
from reconciler.probes.protocol import ProbeResult
from tests.integration.probes.servers import target
from tests.unit.fuzz.turns import in_short_turns
from tests.unit.probes.build import FakeInside, check

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
LIMIT_SECONDS = 60.0

Answer = Callable[[], Iterator[bytes]]


@contextmanager
def sending(answer: Answer) -> Iterator[int]:
    """A server beside the loop that is measured: whoever asks gets this, until they hang up."""

    def talk(talking: socket.socket) -> None:
        with talking, suppress(OSError):
            talking.settimeout(LIMIT_SECONDS)
            talking.recv(65536)
            for piece in answer():
                talking.sendall(piece)
            talking.shutdown(socket.SHUT_WR)
            while talking.recv(65536):
                pass

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=[listener.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


def probed(port: int, type: str = "http", **options: Any) -> ProbeResult:
    """What a probe says, none of whose turns was long."""

    async def once() -> ProbeResult:
        probe = (HttpsProbe if type == "https" else HttpProbe)(check(type, "8080", **options), FakeInside())
        try:
            return await ask(probe, target(port), LIMIT_SECONDS)
        finally:
            await probe.close()

    if type == "https":
        _tls_context(verified=False)
    return in_short_turns(once)


def endless(*pieces: bytes) -> Answer:
    """The last piece again and again."""
    return lambda: iter([*pieces[:-1], *repeat(pieces[-1] * 500, 10_000)])


ANSWERS: dict[str, tuple[Answer, str]] = {
    "headers": (lambda: iter([OK, b"a:b\r\n" * 20_000, EMPTY]), f"more than {MOST_HEAD_LINES} lines of headers"),
    "headers without end": (endless(OK, b"a:b\r\n"), "lines of headers"),
    "one long header": (lambda: iter([OK, b"X: " + b"x" * 1_000_000 + b"\r\n", EMPTY]), "KiB of headers"),
    "folded headers": (lambda: iter([OK, b"a: b\r\n", b" c\r\n" * 20_000, EMPTY]), "lines of headers"),
    "a long reason": (lambda: iter([b"HTTP/1.1 200 " + b"r" * 60_000 + b"\r\n", EMPTY]), "KiB of headers"),
    "cookies": (lambda: iter([OK, b"".join(b"Set-Cookie:c%d=b\r\n" % n for n in range(5000)), EMPTY]), "lines of"),
    "cookies that fit": (lambda: iter([OK, b"Set-Cookie: a=b" + b";expires=" * 3000 + b"\r\n", EMPTY]), ""),
    "provisional answers": (endless(b"HTTP/1.1 100 Continue\r\n\r\n"), "lines of headers"),
    "lines": (endless(b"\r\n"), ""),
    "pieces of one byte": (endless(CHUNKED, b"1\r\na\r\n"), "body_regex is not in the body"),
    "pieces with remarks": (endless(CHUNKED, b"1;" + b"e" * 4000 + b"\r\na\r\n"), "little of that is the body"),
    "trailers": (lambda: iter([CHUNKED, b"0\r\n", b"a:b\r\n" * 20_000, b"\r\n"]), "lines of headers"),
    "a body without end": (endless(OK + b"\r\n", b"x" * 1000), "body_regex is not in the body"),
    "a body that is refused": (endless(b"HTTP/1.1 500 E\r\n\r\n", b"<script"), "answered 500"),
    "a long way": (lambda: iter([b"HTTP/1.1 302 F\r\nLocation: /" + b"a" * 30_000 + b"\r\n", EMPTY]), "answered 302"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_keeps_the_loop(name: str) -> None:
    answer, said = ANSWERS[name]
    with sending(answer) as port:
        result = probed(port, body_regex="steady")
        probed(port, follow_redirects=True)
    assert not result.ok
    assert said in result.message
    assert len(result.message) <= LONGEST_MESSAGE


def test_what_servers_send_usually_is_read() -> None:
    """Pages that come line by line, with the headers and cookies of a large application."""
    lines = [
        b"%x\r\n%s\r\n" % (len(line), line) for line in [*(b"<p>%d</p>" % n for n in range(MOST_PIECES // 2)), b"ready"]
    ]
    heads = [OK, b"Set-Cookie: s=%s\r\n" % (b"x" * 4000), b"Content-Security-Policy: %s\r\n" % (b"x" * 8000)]
    more = [b"X-%d: y\r\n" % number for number in range(100)]
    with sending(lambda: iter([*heads, *more, b"Transfer-Encoding: chunked\r\n\r\n", *lines, b"0\r\n\r\n"])) as port:
        assert probed(port, body_regex="ready").ok
    assert sum(map(len, lines)) < MOST_BYTES


def test_a_cookie_is_kept_for_the_way_that_a_redirect_leads() -> None:
    seen: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for answer in (b"HTTP/1.1 302 F\r\nSet-Cookie: session=1\r\nLocation: /in\r\n", OK):
            with listener.accept()[0] as talking:
                seen.append(talking.recv(65536))
                talking.sendall(answer + EMPTY)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=[listener], daemon=True)
        server.start()
        assert probed(listener.getsockname()[1], follow_redirects=True).ok
        server.join()
    assert b"cookie: session=1" in seen[1].lower()


def test_no_server_names_the_numbers_that_are_reckoned_with() -> None:
    for verified in (True, False):
        names = {str(cipher["name"]) for cipher in _tls_context(verified).get_ciphers()}
        assert not [name for name in names if name.startswith("DHE-")]
        assert [name for name in names if name.startswith("ECDHE-")]
