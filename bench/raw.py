"""RAW: the Engine API over its unix socket with http.client and nothing else. The physical limit."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit


def socket_path() -> str:
    """The engine's socket: DOCKER_HOST where it is a unix address, else the usual place."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    parts = urlsplit(host)
    if parts.scheme != "unix":
        raise SystemExit(f"the benchmarks need an engine on a unix socket, not {host}")
    return parts.path


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def connect(self) -> None:
        """Connect to the engine."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(socket_path())


class Raw:
    """The few calls that the scenarios make. One connection a thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call; the decoded answer. Raises RuntimeError with the engine's words from 400 on (304 is fine)."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = Connection("localhost")
        data = json.dumps(body) if body is not None else None
        connection.request(method, "/v1.41" + path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text.strip() else None

    def create(self, name: str, body: dict[str, Any]) -> str:
        """Create a container; its id."""
        return str(self.call("POST", f"/containers/create?name={quote(name)}", body)["Id"])

    def start(self, name: str) -> None:
        """Start a container."""
        self.call("POST", f"/containers/{quote(name)}/start")

    def remove(self, name: str) -> None:
        """Remove a container, running or not; one that is gone is fine."""
        try:
            self.call("DELETE", f"/containers/{quote(name)}?force=true&v=true")
        except RuntimeError as error:
            if " 404 " not in str(error) and " 409 " not in str(error):
                raise

    def inspect(self, name: str) -> dict[str, Any]:
        """What the engine shows of a container."""
        found: dict[str, Any] = self.call("GET", f"/containers/{quote(name)}/json")
        return found

    def list(self, label: str) -> list[dict[str, Any]]:
        """All containers with a label."""
        filters = quote(json.dumps({"label": [label]}))
        found: list[dict[str, Any]] = self.call("GET", f"/containers/json?all=true&filters={filters}")
        return found

    def network(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Make a network."""
        self.call("POST", "/networks/create", {"Name": name, "CheckDuplicate": True, "Labels": labels or {}})

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is gone is fine. Its containers may still be leaving: it is tried for a while."""
        for attempt in range(50):
            try:
                self.call("DELETE", f"/networks/{quote(name)}")
            except RuntimeError as error:
                if " 404 " in str(error):
                    return
                if " 403 " not in str(error) or attempt == 49:
                    raise
                time.sleep(0.1)
            else:
                return


def events(filters: dict[str, list[str]]) -> tuple[Connection, Iterator[dict[str, Any]]]:
    """The engine's event stream, as a connection to close and an iterator."""
    connection = Connection("localhost")
    connection.request("GET", f"/v1.41/events?filters={quote(json.dumps(filters))}")
    answer = connection.getresponse()

    def read() -> Iterator[dict[str, Any]]:
        for line in answer:
            if line.strip():
                yield json.loads(line)

    return connection, read()
