from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.probes.ask import ask
from reconciler.probes.http import HttpProbe, HttpsProbe
from reconciler.probes.protocol import ProbeResult
from reconciler.sentences import taken_apart
from tests.integration.probes.servers import Behaviour, Reader, Writer, answering, http, refusing_port, serving, target
from tests.unit.probes.build import FakeInside, check


async def _probe(port: int, *, type: str = "http", timeout_seconds: float = 20.0, **options: Any) -> ProbeResult:
    probe = (HttpsProbe if type == "https" else HttpProbe)(check(type, "8080", **options), FakeInside())
    try:
        return await ask(probe, target(port), timeout_seconds)
    finally:
        await probe.close()


def _recording(requests: list[bytes], *answers: bytes) -> Behaviour:
    left = list(answers)

    async def behave(reader: Reader, writer: Writer) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        await writer.drain()

    return behave


async def test_a_2xx_answer_is_success() -> None:
    async with serving(answering(http("204 No Content"))) as port:
        assert await _probe(port) == ProbeResult(ok=True, message="http 8080 answered 204")


async def test_another_status_is_told_with_what_was_expected() -> None:
    async with serving(answering(http("503 Service Unavailable"))) as port:
        result = await _probe(port, path="/health")
    assert not result.ok
    cause, step = taken_apart(result.message)
    assert cause == f"http://127.0.0.1:{port}/health: answered 503 (Service Unavailable), expected 2xx"
    assert "pnr logs" in step


@pytest.mark.parametrize("expected", [404, "4xx", [200, 404], [200, "4xx"]])
async def test_a_declared_status_is_success(expected: Any) -> None:
    async with serving(answering(http("404 Not Found"))) as port:
        assert (await _probe(port, expected_code=expected)).ok


async def test_path_method_and_headers_are_sent() -> None:
    seen: list[bytes] = []
    async with serving(_recording(seen, http())) as port:
        headers = {"Host": "shop.example", "X-Check": "pnr", "user-agent": "mine"}
        assert (await _probe(port, path="/health?deep=1", method="HEAD", headers=headers)).ok
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "HEAD /health?deep=1 HTTP/1.1"
    assert {line.lower() for line in lines} >= {"host: shop.example", "x-check: pnr", "user-agent: mine"}
    assert sum(line.lower().startswith(("host:", "user-agent:")) for line in lines) == 2


async def test_cookies_are_not_kept_from_probe_to_probe() -> None:
    seen: list[bytes] = []
    answer = http("200 OK", b"", "Set-Cookie: session=1")
    async with serving(_recording(seen, answer, answer)) as port:
        probe = HttpProbe(check("http", "8080"), FakeInside())
        for _ in range(2):
            assert (await ask(probe, target(port), 20.0)).ok
        await probe.close()
    assert b"cookie" not in seen[1].lower()


async def test_a_refused_connection_says_so() -> None:
    port = refusing_port()
    assert await _probe(port) == ProbeResult(ok=False, message=f"http://127.0.0.1:{port}/: connection refused")


async def test_a_server_that_hangs_up_without_an_answer_says_so() -> None:
    async def hang_up(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serving(hang_up) as port:
        result = await _probe(port)
    assert not result.ok
    assert result.message.startswith(f"http://127.0.0.1:{port}/: ")


@pytest.mark.parametrize("garbage", [b"220 smtp.example ESMTP\r\n", b"\x00\xff" * 100, b"HTTP/1.1 20\r\n\r\n", b""])
async def test_what_is_no_http_is_a_failure(garbage: bytes) -> None:
    async with serving(answering(garbage)) as port:
        result = await _probe(port)
    assert not result.ok
    assert "raised" not in result.message


async def test_headers_without_end_are_a_failure() -> None:
    async def endless(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            await writer.drain()

    async with serving(endless) as port:
        assert not (await _probe(port)).ok


async def test_a_server_that_drips_ends_at_the_deadline() -> None:
    async def drip(reader: Reader, writer: Writer) -> None:
        for byte in http("200 OK", b"x" * 1000):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(drip) as port:
        result = await _probe(port, timeout_seconds=0.5)
    assert (result.ok, result.is_known) == (False, True)
    assert taken_apart(result.message)[0].endswith(": no answer within 0.5 s")


async def test_a_body_that_drips_ends_at_the_deadline_where_it_is_needed() -> None:
    async def drip(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(drip) as port:
        assert (await _probe(port)).ok
        result = await _probe(port, timeout_seconds=0.5, body_regex="ready")
    assert (result.ok, result.is_known) == (False, True)
    assert taken_apart(result.message)[0].endswith(": no answer within 0.5 s")


async def test_a_body_without_end_is_read_no_further_than_64_kib() -> None:
    sent = 0

    async def endless(reader: Reader, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nready ")
        while True:
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    async with serving(endless) as port:
        assert (await _probe(port, body_regex="^ready")).ok
        assert not (await _probe(port, body_regex="steady")).ok
    assert sent < 256 * 1024 * 1024


@pytest.mark.parametrize(("pattern", "ok"), [('"status":\\s*"up"', True), ("^up$", False), ("\\bdown\\b", False)])
async def test_the_body_must_match_where_a_pattern_is_given(pattern: str, ok: bool) -> None:
    async with serving(answering(http("200 OK", b'{"status": "up"}'))) as port:
        result = await _probe(port, body_regex=pattern)
    assert result.ok is ok
    assert ok or 'but body_regex is not in the body; it said: {"status": "up"}' in result.message


async def test_a_pattern_that_backtracks_without_end_ends_at_the_deadline() -> None:
    async with serving(answering(http("200 OK", b"a" * 5000 + b"b"))) as port:
        result = await _probe(port, body_regex="^(a+)+$", timeout_seconds=0.5)
    assert taken_apart(result.message)[0].endswith(": no answer within 0.5 s")


async def test_a_compressed_body_is_not_unpacked() -> None:
    async with serving(answering(http("200 OK", b"\x1f\x8b\x08", "Content-Encoding: gzip"))) as port:
        result = await _probe(port, body_regex="ready")
    assert not result.ok
    assert "came in gzip" in result.message


async def test_control_characters_in_an_answer_do_not_reach_the_message() -> None:
    async with serving(answering(http("302 Found", b"\x1b[31m\x07", "Location: http://x.example/\x1b[31m"))) as port:
        result = await _probe(port, follow_redirects=True)
    assert not result.ok
    assert result.message.isprintable()


async def test_a_redirect_is_an_answer_like_any_other_unless_it_is_to_be_followed() -> None:
    async with serving(answering(http("302 Found", b"", "Location: /login"))) as port:
        assert not (await _probe(port)).ok
        assert (await _probe(port, expected_code=302)).ok


@pytest.mark.parametrize("location", ["/up?x=1", "http://127.0.0.1:{port}/up?x=1", "//127.0.0.1:{port}/up?x=1"])
async def test_a_redirect_to_the_same_server_is_followed(location: str) -> None:
    seen: list[bytes] = []
    moved = b""

    async def behave(reader: Reader, writer: Writer) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(moved if len(seen) == 1 else http("200 OK"))
        await writer.drain()

    async with serving(behave) as port:
        moved = http("302 Found", b"", "Location: " + location.format(port=port))
        assert (await _probe(port, follow_redirects=True)).ok
    assert seen[1].startswith(b"GET /up?x=1 ")


async def test_a_redirect_to_the_name_in_the_host_header_stays_at_this_server() -> None:
    seen: list[bytes] = []
    moved = http("301 Moved Permanently", b"", "Location: http://shop.example/up")
    async with serving(_recording(seen, moved, http())) as port:
        assert (await _probe(port, follow_redirects=True, headers={"host": "shop.example"})).ok
    assert b"shop.example" in seen[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_elsewhere_is_a_failure_and_is_not_followed(scheme: str) -> None:
    trapped: list[bytes] = []
    async with serving(_recording(trapped, http())) as trap:
        location = f"Location: {scheme}://127.0.0.1:{trap}/"
        async with serving(answering(http("302 Found", b"", location))) as port:
            result = await _probe(port, follow_redirects=True)
    assert not result.ok
    assert f"redirected elsewhere, to {scheme}://127.0.0.1:{trap}/; not followed" in result.message
    assert trapped == []


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{trap}/", "//127.0.0.1:{trap}/", "//localhost:{trap}/", "http://localhost:{port}/",
        "http://LOCALHOST:{trap}/", "http://[::1]:{trap}/", "http://[::ffff:127.0.0.1]:{trap}/", "http://0:{trap}/",
        "http://127.1:{trap}/", "http://2130706433:{trap}/", "http://0x7f000001:{trap}/", "http://0.0.0.0:{trap}/",
        "http://127.0.0.1:{port}@127.0.0.1:{trap}/", "http://127.0.0.1:{trap}#@127.0.0.1:{port}/",
        "http://127.0.0.1:{trap}\\@127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "http://169.254.169.254/latest/",
        "http://metadata.google.internal/", "\\\\127.0.0.1:{trap}/", "http:127.0.0.1:{trap}", "ws://127.0.0.1:{trap}/",
    ],
)  # fmt: skip
async def test_no_redirect_leads_to_another_port_or_machine(location: str) -> None:
    trapped: list[bytes] = []
    async with serving(_recording(trapped, http())) as trap:
        asked = b""

        async def behave(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(asked)
            await writer.drain()

        async with serving(behave) as port:
            asked = http("302 Found", b"", "Location: " + location.format(trap=trap, port=port))
            result = await _probe(port, follow_redirects=True)
    assert not result.ok
    assert "raised" not in result.message
    assert trapped == []


@pytest.mark.parametrize("location", ["http://[", "ftp://127.0.0.1/", "\xff", "http://a:99999/", "javascript:1"])
async def test_a_redirect_to_nonsense_is_a_failure(location: str) -> None:
    answer = http("302 Found").replace(b"\r\n\r\n", b"\r\nLocation: " + location.encode("latin-1") + b"\r\n\r\n")
    async with serving(answering(answer)) as port:
        result = await _probe(port, follow_redirects=True)
    assert not result.ok
    assert "raised" not in result.message


async def test_a_port_that_is_published_for_udp_is_somebody_elses_for_tcp_and_not_asked() -> None:
    trapped: list[bytes] = []
    async with serving(_recording(trapped, http())) as port:
        probe = HttpProbe(check("http", "80/udp", method="POST"), FakeInside())
        result = await ask(probe, target(port), 5.0)
        await probe.close()
    assert result == ProbeResult(ok=False, message="http: 80/udp is not a TCP port")
    assert trapped == []


async def test_redirects_in_a_circle_end() -> None:
    async with serving(answering(http("302 Found", b"", "Location: /"))) as port:
        result = await _probe(port, follow_redirects=True)
    assert not result.ok
    assert "more than 5 redirects" in result.message


async def test_no_proxy_from_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    trapped: list[bytes] = []
    async with serving(_recording(trapped, http())) as trap, serving(answering(http("204 No Content"))) as port:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await _probe(port)).message == "http 8080 answered 204"
    assert trapped == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate, made now, that nobody signed."""
    made = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(made), "-out", str(made.with_suffix(".crt")), "-days", "2"),
            *("-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    with made.open("ab") as both:
        both.write(made.with_suffix(".crt").read_bytes())
    return made


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_nobody_signed_is_refused(tls: ssl.SSLContext) -> None:
    async with serving(answering(http()), tls=tls) as port:
        result = await _probe(port, type="https")
    assert not result.ok
    assert "the certificate is not valid: self" in result.message


async def test_a_certificate_is_not_looked_at_where_verification_is_off(tls: ssl.SSLContext) -> None:
    async with serving(answering(http()), tls=tls) as port:
        assert await _probe(port, type="https", tls_verify=False) == ProbeResult(
            ok=True, message="https 8080 answered 200"
        )


async def test_https_names_the_server_as_the_host_header_does(tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda socket, name, context: names.append(name)
    async with serving(answering(http()), tls=tls) as port:
        assert (await _probe(port, type="https", tls_verify=False, headers={"Host": "shop.example:8443"})).ok
    assert names == ["shop.example"]


async def test_https_to_a_server_without_tls_says_so() -> None:
    async def plain(reader: Reader, writer: Writer) -> None:
        writer.write(http("400 Bad Request"))
        await reader.read()

    async with serving(plain) as port:
        result = await _probe(port, type="https")
    assert not result.ok
    assert "no TLS there" in result.message


async def test_a_closed_probe_can_be_asked_again() -> None:
    async with serving(answering(http())) as port:
        probe = HttpProbe(check("http", "8080"), FakeInside())
        for _ in range(2):
            assert (await ask(probe, target(port), 20.0)).ok
            await probe.close()
