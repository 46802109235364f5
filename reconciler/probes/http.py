"""``http`` and ``https``: up when the answer has an expected status, and a body that matches where one is asked for.

A probe goes to its container and nowhere else: no proxy from the environment, and a redirect is followed only
where it leads back to the same server. What a server can send is bounded: 64 KiB of the body are read, and only
where ``body_regex`` needs it. Cookies are forgotten between probes, so that each asks the same.

One client a chunk, without keep-alive, and one TLS context for all of them: making a client with a context of its own
costs 33 ms, a probe 1 ms of CPU. httpx is imported by the first probe, not by those who only want to know the type.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from reconciler.intent.check_types import Options, Regex
from reconciler.intent.model import HealthCheck
from reconciler.probes.httpstatus import Expected, describe, expected_statuses
from reconciler.probes.listening import with_listeners
from reconciler.probes.pattern import Pattern
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target
from reconciler.probes.target import shown
from reconciler.probes.tcp import reason
from reconciler.sentences import advised, quoted, shortened

if TYPE_CHECKING:
    import httpx

MOST_HEADERS = 100  # they are sent with each probe, as often as each tenth of a second
LONGEST_HEADER = 8000  # more than most servers take
MOST_BODY_BYTES = 64 * 1024
MOST_REDIRECTS = 5
MOST_SHOWN = 120
MOST_SHOWN_BYTES = 2048
_CORRECT_REGEX = "correct `body_regex` in the health check, or see why it answers otherwise (`pnr logs`)"
_TAGS = re.compile(r"<(script|style|head)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)

# As RFC 9110 has them (5.6.2 and 5.5), of ASCII alone. A line end would begin another header, or the body.
_FIELD_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
_FIELD_VALUE = r"^([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?$"
_FieldName = Annotated[str, Field(pattern=_FIELD_NAME, max_length=200)]
_FieldValue = Annotated[str, Field(pattern=_FIELD_VALUE, max_length=LONGEST_HEADER, examples=["text/html"])]

_Code = Annotated[int, Field(ge=100, le=599)]
_Class = Annotated[str, Field(pattern="^[1-5]xx$", examples=["2xx"])]


class HttpOptions(Options):
    path: str = Field(
        "/",
        pattern=r"^/[^\s\x00-\x1f\x7f#]*$",
        max_length=2000,
        examples=["/health"],
        description="What to ask for, with its query where it has one.",
    )
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT"] = Field(
        "GET", description="The request's method. No body is sent."
    )
    headers: dict[_FieldName, _FieldValue] = Field(
        {},
        max_length=MOST_HEADERS,
        description="Headers to send. With Host, an https server must have a certificate for that name.",
        json_schema_extra={"propertyNames": {"type": "string", "pattern": _FIELD_NAME, "examples": ["X-Api-Key"]}},
    )
    expected_code: _Code | _Class | Annotated[list[_Code | _Class], Field(min_length=1, max_length=100)] = Field(
        "2xx", description="The status that counts as success: one, a class such as 2xx, or a list of these."
    )
    body_regex: Regex | None = Field(
        None, description="A regular expression (Python's) to be found in the first 64 KiB of the body."
    )
    follow_redirects: bool = Field(
        False, description="Follow redirects to the same server. One that leads elsewhere is a failure."
    )
    tls_verify: bool = Field(
        True, description="Refuse a certificate that is not valid for the address (or the Host header)."
    )


class HttpProbe(Probe):
    """Asks for ``path`` once, and judges the answer."""

    options = HttpOptions
    needs_port = True
    asks_from_outside = True
    url_scheme = "http"

    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        options = HttpOptions.of(check)
        self._scheme = self.url_scheme
        self._port_key = check.port_key or ""
        self._path = options.path
        self._method: str = options.method
        self._expected: Expected = expected_statuses(options.expected_code)
        self._body = Pattern(options.body_regex) if options.body_regex else None
        self._follow = options.follow_redirects
        self._verify = options.tls_verify
        self._headers = {
            "User-Agent": "pnr",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        } | {name.title(): value for name, value in options.headers.items()}
        self._client: httpx.AsyncClient | None = None

    async def probe(self, target: Target) -> ProbeResult:
        """Ask once. What the server or the network does wrong is a failure that says what."""
        if target.host is None or target.port is None:
            return ProbeResult(ok=False, message=f"{self._scheme}: there is no port to ask; give port_key")
        if self._port_key.partition("/")[2] not in ("", "tcp"):
            # What is published for UDP is somebody else's for TCP.
            return ProbeResult(ok=False, message=f"{self._scheme}: {self._port_key} is not a TCP port")
        server = f"{self._scheme}://{shown(target.host, target.port)}"
        client = await self._opened()
        import httpx

        try:
            return await self._ask(client, server, target.host)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            said, number = f"{server}{self._path}: {_reason(error)}", self._port_key.partition("/")[0]
            if number.isdigit() and _found_nobody(error):
                said = with_listeners(said, target, int(number))
            return ProbeResult(ok=False, message=said)

    async def close(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, client: httpx.AsyncClient, server: str, host: str) -> ProbeResult:
        client.cookies.clear()
        method, path = self._method, self._path
        for _ in range(MOST_REDIRECTS + 1):
            request = client.build_request(method, server + path, headers=self._headers, extensions=self._names(host))
            response = await client.send(request, stream=True)
            try:
                following = response.next_request if self._follow else None
                if following is None:
                    return await self._judged(server + path, response)
            finally:
                await response.aclose()
            if not self._is_same_server(server, following.url):
                message = quoted(f"{server}{path}: redirected elsewhere, to {following.url}; not followed")
                return ProbeResult(ok=False, message=message)
            method, path = following.method, following.url.raw_path.decode("ascii")
        return ProbeResult(ok=False, message=f"{server}{self._path}: more than {MOST_REDIRECTS} redirects")

    async def _judged(self, url: str, response: httpx.Response) -> ProbeResult:
        status = response.status_code
        if not self._expected(status):
            said = f"{url}: answered {describe(status)}, expected {self._expected}"
            return ProbeResult(ok=False, message=advised(f"{said}{await _said(response)}", self._step(response)))
        if self._body is not None:
            coding = response.headers.get("Content-Encoding", "identity")
            if coding != "identity":
                return ProbeResult(ok=False, message=f"{url}: the body came in {coding}, which was not asked for")
            body = await _start_of_body(response)
            if not await self._body.found_in([body]):
                lacking = f"{url}: answered {describe(status)}, but body_regex is not in the body{_shown(body)}"
                return ProbeResult(ok=False, message=advised(lacking, _CORRECT_REGEX))
        return ProbeResult(ok=True, message=f"{self._scheme} {self._port_key} answered {status}")

    @staticmethod
    def _step(response: httpx.Response) -> str:
        """What to do about an answer that was not expected."""
        status = response.status_code
        if 300 <= status < 400:
            return "set `path` to where it leads, `follow_redirects`, or `expected_code` if that is a good answer"
        if status in (401, 403):
            return "give the check a `path` that needs no login, or the `headers` that it needs"
        if status == 404:
            return "correct the `path` of the health check"
        if status in (400, 405):
            return "correct the `method`, `path` or `headers` of the health check"
        if status >= 500:
            return "see what the container prints (`pnr logs`): it answers that something in it is wrong"
        return "set `expected_code` if that is a good answer, or correct the `path`"

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # Beside the loop: the first of them takes a tenth of a second to import what it is made from, and more.
            self._client = await asyncio.to_thread(self._made)
        return self._client

    def _made(self) -> httpx.AsyncClient:
        import httpx

        from reconciler.probes.bounded import Transport

        verified = self._verify and self._scheme == "https"
        return httpx.AsyncClient(
            transport=Transport(_tls_context(verified), keep_cookies=self._follow),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - one deadline around the whole, set by who asks
        )

    def _names(self, host: str) -> dict[str, Any]:
        if self._scheme != "https" or "Host" not in self._headers:
            return {}
        return {"sni_hostname": _name_of(self._headers["Host"]) or host}

    def _is_same_server(self, server: str, url: httpx.URL) -> bool:
        """True for the server itself, and for the name that the Host header gives it."""
        import httpx

        known = {server}
        if "Host" in self._headers:
            known.add(f"{self._scheme}://{self._headers['Host']}")
        return any(_origin(httpx.URL(one)) == _origin(url) for one in known)


class HttpsProbe(HttpProbe):
    """The same over TLS."""

    url_scheme = "https"


@cache
def _tls_context(verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context() if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # With these the server names the numbers that are reckoned with: large ones are a quarter of a second of the loop.
    context.set_ciphers(":".join(name for name in _ciphers(context) if not name.startswith("DHE-")))
    return context


def _ciphers(context: ssl.SSLContext) -> list[str]:
    return [str(cipher["name"]) for cipher in context.get_ciphers()]


async def _said(response: httpx.Response) -> str:
    """Where a redirect leads, or the first words of the body, for people."""
    location = response.headers.get("Location", "")
    led = f", to {quoted(shortened(location, MOST_SHOWN))}" if location and 300 <= response.status_code < 400 else ""
    if led or response.request.method == "HEAD":
        return led
    return _shown(await _start_of_body(response, MOST_SHOWN_BYTES))


def _shown(body: str) -> str:
    """The first words of a body, without its tags."""
    text = " ".join(_TAGS.sub(" ", body[:MOST_SHOWN_BYTES]).split())
    return f"; it said: {quoted(shortened(text, MOST_SHOWN))}" if text else ""


async def _start_of_body(response: httpx.Response, most: int = MOST_BODY_BYTES) -> str:
    read = bytearray()
    async with aclosing(response.aiter_raw()) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            read += chunk
            if len(read) >= most:
                break
    return read[:most].decode("utf-8", errors="replace")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _name_of(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _causes(error: BaseException) -> list[BaseException]:
    """An error and those behind it."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        grouped = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = grouped or cause.__cause__ or cause.__context__
    return causes


def _found_nobody(error: BaseException) -> bool:
    """Whether nobody listens: refused, or closed by Docker's proxy, which holds a published port for nobody."""
    nobody = (ConnectionRefusedError, ConnectionResetError)
    return any(isinstance(cause, nobody) or _is_hung_up(cause) for cause in _causes(error))


def _is_hung_up(error: BaseException) -> bool:
    """Whether the connection was closed without an answer; httpx has no class for it."""
    import httpx

    return isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error)


def _reason(error: BaseException) -> str:
    """The cause at the bottom, in words: httpx wraps what the system said two or three times."""
    for found in reversed(_causes(error)):
        if isinstance(found, ssl.SSLCertVerificationError):
            return advised(
                f"the certificate is not valid: {found.verify_message}",
                "give it a certificate that the daemon's machine trusts for this address (or the Host header), or set"
                " `tls_verify` to false in the health check",
            )
        if isinstance(found, ssl.SSLError):
            return advised(
                f"no TLS there: {(found.reason or str(found)).replace('_', ' ').lower()}",
                "set the check's `type` to http, or its `port_key` to the port that speaks TLS",
            )
        if isinstance(found, OSError) and found.errno is not None:
            return reason(found)
    if _is_hung_up(error):
        return "closed the connection without an answer"
    return quoted(str(error)) or type(error).__name__
