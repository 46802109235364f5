"""Servers that answer badly."""

from __future__ import annotations

from tests.integration.faults.scene import Injected, Scene, injects
from tests.integration.faults.stage import free_port


@injects("wrong-port-key")
def _(s: Scene) -> Injected:
    check = {"type": "tcp", "port_key": "8080"}
    return s.of(s.chunk(check=check, command=["httpd", "-f", "-p", "8081", "-h", "/www"]), values={"listens": "8081"})


@injects("health-path-missing")
def _(s: Scene) -> Injected:
    check = {"type": "http", "port_key": "80", "path": "/healthz"}
    return s.of(s.chunk(check=check, command=["httpd", "-f", "-p", "80", "-h", "/www"]))


@injects("health-500")
def _(s: Scene) -> Injected:
    return s.http("500 Internal Server Error", body="database pool exhausted")


@injects("health-redirect")
def _(s: Scene) -> Injected:
    return s.http("302 Found", "Location: /login\\r\\n")


def _behind(s: Scene, name: str) -> Injected:
    """A chunk that hands on to a server with TLS; the certificate is for the published address."""
    port = free_port()
    host = "$(ip route | awk '/default/ {print $3}')"
    script = ["sh", "-c", f"exec nc -ll -p 443 -e nc {host} {s.stage.tls_ports[name]}".replace("$", "$$")]
    check = {"type": "https", "port_key": "443"}
    return s.of(s.chunk(check=check, command=script, ports=[f"127.0.0.1:{port}:443"]), values={"port": str(port)})


@injects("certificate-self-signed")
def _(s: Scene) -> Injected:
    return _behind(s, "selfsigned")


@injects("certificate-expired")
def _(s: Scene) -> Injected:
    return _behind(s, "expired")


@injects("slow-answer")
def _(s: Scene) -> Injected:
    command = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", "sleep 30"]
    check = {"type": "http", "port_key": "80", "path": "/", "timeout_seconds": 0.5}
    return s.of(s.chunk(check=check, command=command))


@injects("healthcheck-fails")
def _(s: Scene) -> Injected:
    test = ["CMD-SHELL", "echo connection to db:5432 refused; exit 1"]
    check = {"type": "docker"}
    return s.of(s.chunk(check=check, healthcheck={"test": test, "interval": "1s", "retries": 2}))


@injects("log-pattern-never-comes")
def _(s: Scene) -> Injected:
    command = ["sh", "-c", "echo booting; echo waiting for a licence; sleep 86400"]
    return s.of(s.chunk(check={"type": "log", "pattern": "ready to serve"}, command=command))
