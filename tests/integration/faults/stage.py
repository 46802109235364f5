"""What faults are made of: registries, servers that answer badly, held ports and names. All on loopback or on the
engine's own bridge, and gone at the end."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from docker import APIClient

from tests.integration.images.servers import PASSWORD, USER, Registry, free_port, serving_registry

Document = dict[str, Any]


@dataclass
class Stage:
    """The places that faults need. ``prefix`` is what every name begins with, ``root`` a directory of the host."""

    api: APIClient
    image: str
    prefix: str
    root: Path
    private: Registry
    public: Registry
    certificates: Path
    tls_ports: dict[str, int] = field(default_factory=dict)

    @property
    def application(self) -> str:
        """An image that the public registry has under the tag 1, and the engine too."""
        return f"{self.public.address}/{self.prefix}/app"

    def run(self, name: str, **host: Any) -> str:
        """A container of somebody else; its id."""
        made = self.api.create_container(
            self.image,
            ["sleep", "86400"],
            name=f"{self.prefix}_{name}",
            host_config=self.api.create_host_config(**host),
        )
        self.api.start(made["Id"])
        return str(made["Id"])


@contextmanager
def staged(api: APIClient, image: str, prefix: str, root: Path) -> Iterator[Stage]:
    """The stage, for as long as it is used."""
    with ExitStack() as stack:
        private = stack.enter_context(serving_registry(root / "private"))
        public = stack.enter_context(serving_registry(root / "public", login=False))
        certificates = _certificates(root / "tls")
        stage = Stage(api, image, prefix, root, private, public, certificates)
        api.tag(image, stage.application, "1")
        stack.callback(lambda: api.remove_image(f"{stage.application}:1", force=True))
        for line in api.push(stage.application, "1", stream=True, decode=True):
            assert "error" not in line, line
        locked = f"{private.address}/{prefix}/locked"
        api.tag(image, locked, "1")
        for line in api.push(
            locked, "1", stream=True, decode=True, auth_config={"username": USER, "password": PASSWORD}
        ):
            assert "error" not in line, line
        api.remove_image(f"{locked}:1", force=True)
        for name in ("selfsigned", "expired"):
            stage.tls_ports[name] = stack.enter_context(_tls_server(certificates, name))
        yield stage


def _certificates(folder: Path) -> Path:
    """``ca.pem``, and for each name a certificate with its key: one that nobody signed, one that is over."""
    folder.mkdir(parents=True)
    (folder / "newcerts").mkdir()
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nnew_certs_dir=newcerts\nserial=serial\ndefault_md=sha256\n"
        "policy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n"
        "[v3_ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
    )

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    alternative = ("-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2",
            "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl("req", "-x509", *key, "-keyout", "selfsigned.key", "-out", "selfsigned.pem", "-subj", "/CN=localhost",
            *alternative, "-days", "2")  # fmt: skip
    openssl(
        "req", "-new", *key, "-keyout", "expired.key", "-out", "expired.csr", "-subj", "/CN=localhost", *alternative
    )
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-in", "expired.csr", "-out", "expired.pem",
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")  # fmt: skip
    return folder


@contextmanager
def _tls_server(certificates: Path, name: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            try:
                super().finish_request(context.wrap_socket(request, server_side=True), client_address)
            except OSError:
                """Who does not trust the certificate hangs up: that is what is tested."""

    server = Server(("", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def until(holds: Callable[[], bool], what: str, limit: float = 60.0) -> None:
    """Wait for something, generously."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def own_process() -> str:
    """As the engine's machine shows the process of the test."""
    return f"{Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})"


__all__ = ["Document", "Stage", "free_port", "own_process", "staged", "until"]
