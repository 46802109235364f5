"""The SDK's private methods: the one module that calls them, or overrides one.

The SDK's public methods know not all that the engine takes, and wait for a next line without any limit. Private methods
may change with any release: the bound of ``docker`` in ``pyproject.toml`` ends before the next minor one, and
``tests/unit/engine/test_sdk.py`` fails where one of them has another signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from socket import SocketIO
from typing import IO, Any

import docker
import requests
from docker.types import CancellableStream


def get(client: docker.APIClient, path: str, *names: str, headers: Mapping[str, str], timeout: float) -> Any:
    """Ask for a document; ``names`` are put into the ``path``. Raises what the SDK raises."""
    api: Any = client
    return api._result(api._get(api._url(path, *names), headers=headers, timeout=timeout), json=True)


def post_json(client: docker.APIClient, path: str, *names: str, body: Mapping[str, Any]) -> requests.Response:
    """Send a document, without those of its keys that are null; ``names`` are put into the ``path``. Raises what the
    SDK raises."""
    api: Any = client
    answer: requests.Response = api._post_json(api._url(path, *names), data=body)
    api._raise_for_status(answer)
    return answer


def open_stream(
    client: docker.APIClient,
    path: str,
    *,
    params: Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float | None,
    data: IO[bytes] | None = None,
) -> requests.Response:
    """Ask for an answer that comes line by line: for :func:`lines`. Raises what the SDK raises."""
    api: Any = client
    answer: requests.Response = api._post(
        api._url(path), params=params, headers=headers, data=data, stream=True, timeout=timeout
    )
    api._raise_for_status(answer)
    return answer


def lines(client: docker.APIClient, answer: requests.Response) -> CancellableStream[Any]:
    """The documents of an answer, one a line."""
    api: Any = client
    return CancellableStream(api._stream_helper(answer, decode=True), answer)


def socket_of(client: docker.APIClient, answer: requests.Response) -> Any:
    """What an answer is read from. Raises AttributeError for a transport whose socket can't be reached."""
    api: Any = client
    return api._get_raw_response_socket(answer)


def proxies(client: docker.APIClient) -> Mapping[str, str]:
    """The proxies of docker's configuration, as variables for a build."""
    api: Any = client
    found: Mapping[str, str] = api._proxy_configs.get_environment()
    return found


class Client(docker.APIClient):
    """The SDK's client, which loses nothing of what a command in a container prints."""

    def _get_raw_response_socket(self, response: Any) -> Any:
        found = super()._get_raw_response_socket(response)  # type: ignore[misc]
        return _Following(found, response.raw._fp.fp) if isinstance(found, SocketIO) else found


class _Following:
    """What comes behind the head of an answer, as the SDK reads it: from the socket. What came together with the head
    is in a buffer by then. The SDK passes that over, and so loses what a short command printed where this process is
    slow."""

    def __init__(self, socket: SocketIO, buffered: Any) -> None:
        self._socket = socket
        self._buffered = buffered

    def fileno(self) -> int:
        """Of the socket: something comes, or it is closed."""
        return self._socket.fileno()

    def recv(self, limit: int) -> bytes:
        """What is there, so many bytes at most."""
        return bytes(self._buffered.read1(limit))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)
