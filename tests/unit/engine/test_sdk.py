"""The SDK's private methods are as they are called, and are called in one module alone."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import docker
import pytest
from docker.errors import APIError
from docker.types import CancellableStream
from docker.utils.proxy import ProxyConfig

import reconciler
from reconciler.engine.docker import sdk

SIGNATURES = {
    "_get": "self, url, **kwargs",
    "_post": "self, url, **kwargs",
    "_post_json": "self, url, data, **kwargs",
    "_url": "self, pathfmt, *args, **kwargs",
    "_result": "self, response, json=False, binary=False",
    "_raise_for_status": "self, response",
    "_stream_helper": "self, response, decode=False",
    "_get_raw_response_socket": "self, response",
}
MODULE = "engine/docker/sdk.py"


def parameters(name: str) -> str:
    """Of the method as it is written, whatever it is wrapped in."""
    written = ast.parse(textwrap.dedent(inspect.getsource(docker.APIClient)))
    methods = (node for node in ast.walk(written) if isinstance(node, ast.FunctionDef))
    return next((ast.unparse(node.args) for node in methods if node.name == name), "not there")


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_private_method_has_the_signature_that_it_is_called_with(name: str) -> None:
    said = f"docker {docker.__version__} has another {name}: read its new meaning, and mend {MODULE}"
    assert parameters(name) == SIGNATURES[name], said


def test_a_stream_is_made_from_its_parts_and_the_answer() -> None:
    assert str(inspect.signature(CancellableStream)) == "(stream, response)"


def test_the_sdk_calls_the_method_that_is_overridden() -> None:
    assert "self._get_raw_response_socket(" in inspect.getsource(docker.APIClient._read_from_socket)  # type: ignore[attr-defined]


def private_names(file: Path) -> set[str]:
    """The SDK's private names that a module uses, of any object but its own."""
    of_the_sdk = {name for name in dir(docker.APIClient) if name.startswith("_") and not name.startswith("__")}
    found = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute))
    used = {node.attr for node in found if not (isinstance(node.value, ast.Name) and node.value.id == "self")}
    return used & (of_the_sdk | {"_proxy_configs", "_auth_configs", "_general_configs"})


def test_no_other_module_calls_private_methods() -> None:
    root = Path(str(reconciler.__file__)).parent
    users = {str(f.relative_to(root)): private_names(f) for f in root.glob("engine/docker/**/*.py")}
    assert users.pop(MODULE) == {*SIGNATURES, "_proxy_configs"}
    assert {file: names for file, names in users.items() if names} == {}


class Engine(BaseHTTPRequestHandler):
    """Answers as an engine would, and keeps what it is asked."""

    asked: ClassVar[list[tuple[str, str, Any]]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, {"asked": self.headers["X-Registry-Auth"]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.asked.append(("POST", self.path, json.loads(body or b"null")))
        if "/images/" in self.path:
            self._stream({"status": "one"}, {"status": "two"})
        elif "taken" in self.path:
            self._answer(409, {"message": "there is one"})
        else:
            self._answer(201, {"Id": "1"})

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, *documents: Any) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for document in documents:
            line = json.dumps(document).encode() + b"\r\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    Engine.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.serve_forever).start()
        made = sdk.Client(base_url=f"tcp://127.0.0.1:{server.server_port}", version="1.41", timeout=30)
        yield made
        made.close()
        server.shutdown()


def test_a_document_is_asked_for_with_names_in_its_path(client: docker.APIClient) -> None:
    found = sdk.get(client, "/distribution/{0}/json", "a/b", headers={"X-Registry-Auth": "it"}, timeout=30)
    assert found == {"asked": "it"}


def test_a_document_is_sent_without_what_is_null(client: docker.APIClient) -> None:
    made = sdk.post_json(client, "/networks/{0}/connect", "front", body={"Container": "1", "Other": None})
    assert made.json() == {"Id": "1"}
    assert Engine.asked == [("POST", "/v1.41/networks/front/connect", {"Container": "1"})]


def test_a_refusal_is_the_sdks_error(client: docker.APIClient) -> None:
    with pytest.raises(APIError, match="there is one"):
        sdk.post_json(client, "/networks/{0}/connect", "taken", body={})


def test_lines_come_one_by_one_as_documents_from_a_socket_with_a_limit(client: docker.APIClient) -> None:
    answer = sdk.open_stream(client, "/images/create", params={"fromImage": "it"}, headers={}, timeout=30)
    sdk.socket_of(client, answer)._sock.settimeout(20)
    assert list(sdk.lines(client, answer)) == [{"status": "one"}, {"status": "two"}]
    assert Engine.asked[0][1] == "/v1.41/images/create?fromImage=it"


def test_the_proxies_of_dockers_configuration_are_variables(client: docker.APIClient) -> None:
    one: Any = client
    one._proxy_configs = ProxyConfig(http="http://proxy:3128")
    assert sdk.proxies(client) == {"http_proxy": "http://proxy:3128", "HTTP_PROXY": "http://proxy:3128"}
