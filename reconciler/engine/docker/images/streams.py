"""Answers of the engine that come line by line: read with so much patience, given up when nobody wants them.

The SDK's own ``pull`` and ``build`` wait for a next line without any limit; here the socket has one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import requests
import urllib3
from docker.errors import DockerException

from reconciler.engine.docker import sdk
from reconciler.engine.docker.breaking import break_off
from reconciler.engine.docker.failures import caused_by

Line = Mapping[str, Any]


class Stalled(Exception):
    """No line came for too long."""


class GivenUp(Exception):
    """Nobody wants it any more."""


class Stop:
    """Says, from any thread, that a piece of work is wanted no more; it then ends at its next line or pause."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._stream: Any = None

    def __call__(self) -> None:
        """Give up."""
        self._event.set()
        self._close()

    def pause(self, seconds: float) -> None:
        """Wait. Raises GivenUp."""
        if self._event.wait(seconds):
            raise GivenUp

    def check(self) -> None:
        """Raises GivenUp."""
        if self._event.is_set():
            raise GivenUp

    def watch(self, stream: Any) -> None:
        """Close ``stream`` when it is given up; None: there is nothing to close any more."""
        self._stream = stream
        if self._event.is_set():
            self._close()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        break_off(stream)


class Lines:
    """The lines of an answer. ``patience`` is how many seconds may pass before the next one; None is for ever."""

    def __init__(self, client: docker.APIClient, response: Any, stop: Stop, patience: float | None) -> None:
        self._client = client
        self._response = response
        self._stop = stop
        self._patience = patience

    def be_patient(self, seconds: float | None) -> None:
        """Wait for so long from now on."""
        if seconds == self._patience:
            return
        self._patience = seconds
        try:
            sock = sdk.socket_of(self._client, self._response)
        except (AttributeError, DockerException):
            return  # a transport whose socket can't be reached keeps to its first limit
        candidates: list[Any] = [sock, getattr(sock, "_sock", None)]
        for one in candidates:
            if hasattr(one, "settimeout"):
                one.settimeout(seconds)

    def __iter__(self) -> Iterator[Line]:
        """Raises Stalled, GivenUp, and what the SDK raises."""
        stream = sdk.lines(self._client, self._response)
        self._stop.watch(stream)
        try:
            yield from stream
        except Exception as error:
            self._stop.check()
            if is_timeout(error):
                raise Stalled from error
            raise
        finally:
            self._stop.watch(None)
            self._response.close()
        self._stop.check()


def is_timeout(error: BaseException) -> bool:
    """Whether it is about an answer that did not come in time."""
    kinds = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)
    return any(caused_by(error, kind) for kind in kinds)
