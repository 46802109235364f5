"""A real registry with a login, and a registry's front that misbehaves as it is told. Both on loopback."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "keeper", "correct-horse"
PIECE = 300_000
_PASSED_ON = ("Content-Type", "Content-Length", "Docker-Content-Digest", "Www-Authenticate", "Location")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Registry:
    """``address`` is what stands before the slash in the name of an image."""

    address: str
    root: Path

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Take a manifest away, as a registry's clean-up does."""
        request = self._request(f"{repository}/manifests/{digest}", "DELETE")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - a server of the test
            assert answer.status == 202

    def layers(self, repository: str, tag: str) -> list[str]:
        """The digests of an image's layers as they are fetched, the newest last."""
        request = self._request(f"{repository}/manifests/{tag}", "GET")
        request.add_header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - a server of the test
            return [str(layer["digest"]) for layer in json.load(answer)["layers"]]

    def _request(self, path: str, method: str) -> urllib.request.Request:
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", method=method)
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        return request


@contextmanager
def serving_registry(folder: Path, *, login: bool = True) -> Iterator[Registry]:
    """Debian's docker-registry on a free port of loopback, which the engine may talk to without TLS."""
    program = shutil.which("docker-registry")
    assert program is not None, "docker-registry is missing; install it (Debian: docker-registry), or run: make test"
    address = f"127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "version: 0.1",
        "log: {level: error, accesslog: {disabled: true}}",
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}}}}",
        f"http: {{addr: {address}}}",
    ]
    if login:
        passwords = folder / "htpasswd"
        htpasswd = shutil.which("htpasswd")
        assert htpasswd is not None, "htpasswd is missing; install it (Debian: apache2-utils), or run: make test"
        subprocess.run([htpasswd, "-Bbc", str(passwords), USER, PASSWORD], check=True, capture_output=True)
        lines.append(f"auth: {{htpasswd: {{realm: tests, path: {passwords}}}}}")
    config = folder / "config.yml"
    config.write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(address, process, folder / "log")
        yield Registry(address, folder)
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            still_hoped_for = process.poll() is None and time.monotonic() < until
            assert still_hoped_for, f"the registry does not start: {log.read_text()}"
            time.sleep(0.05)


@dataclass
class Front:
    """A front of a registry. ``answers`` are handed out, one a request that ``matches``, instead of the registry's:
    a status, or ``"stall"`` (the first bytes come, and then nothing). After them the registry answers itself.
    ``said`` are its words for 429."""

    registry: Registry
    address: str = ""
    matches: Callable[[str], bool] = lambda path: "/manifests/" in path
    answers: list[int | str] = field(default_factory=list)
    said: str = "slow down"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving_front(registry: Registry) -> Iterator[Front]:
    """A front on a port of its own."""
    front = Front(registry)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_HEAD(self) -> None:
            self._answer("HEAD")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def _answer(self, method: str) -> None:
            front.asked.append(f"{method} {self.path}")
            fault = front.answers.pop(0) if front.answers and front.matches(self.path) else None
            if isinstance(fault, int):
                errors = {"errors": [{"code": "TOOMANYREQUESTS", "message": front.said}]}
                body = json.dumps(errors).encode() if fault == 429 else b"oh dear"
                self.send_response(fault)
                for name, value in front.headers.items():
                    self.send_header(name, value)
                if fault == 429:  # engines of these days look for words only in what calls itself JSON
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if method == "HEAD" else body)
                return
            connection = http.client.HTTPConnection(registry.address, timeout=20)
            names = ("Authorization", "Accept", "Range")
            sent = {name: ", ".join(self.headers.get_all(name, [])) for name in names if name in self.headers}
            connection.request(method, self.path, headers=sent)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name in _PASSED_ON:
                if answer.headers.get(name):
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            if fault == "stall":
                half = content[: len(content) // 2]
                for at in range(0, len(half), PIECE):  # what comes all at once is over before it can be told of
                    self.wfile.write(half[at : at + PIECE])
                    self.wfile.flush()
                    front.over.wait(0.3)
                front.over.wait(120)
                self.close_connection = True
                return
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
