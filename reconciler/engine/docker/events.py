"""Docker's event stream as hints to look. A thread reads; each hint goes to the loop at once.

The stream ends silently when the connection is lost, so its end is an error. A half-open connection never ends: the
engine's periodic ping notices that, and stopping closes the socket under the reading thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

import docker
from docker.errors import DockerException

from reconciler.engine.docker.failures import LOST, translate
from reconciler.engine.protocol import EngineError, EngineUnavailable, Glimpse

_CONTAINER = frozenset({"create", "start", "die", "oom", "destroy", "rename", "update", "pause", "unpause"})
_FILTERS = {
    "type": ["container", "network", "volume"],
    "event": [*sorted(_CONTAINER), "health_status", "connect", "disconnect", "remove"],
}


def hint(event: Mapping[str, Any]) -> Glimpse | None:
    """Where to look after an event; None where it changes nothing that we look at."""
    kind = event.get("Type")
    action = str(event.get("Action", ""))
    actor = event.get("Actor") or {}
    if kind == "container":
        if action in _CONTAINER or action.startswith("health_status"):
            return Glimpse(str(actor.get("ID", "")) or None)
        return None
    if kind == "network":
        if action in ("connect", "disconnect"):
            container = (actor.get("Attributes") or {}).get("container")
            return Glimpse(str(container)) if container else None
        return Glimpse(None)
    return Glimpse(None)


class Events:
    """The reading thread."""

    def __init__(self, client: docker.APIClient, put: Callable[[Glimpse | EngineError], None], *, where: str) -> None:
        self._client = client
        self._put = put
        self._where = where
        self._stream: Any = None
        self._stopped = False
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Subscribe; what happens from now on is told. Raises EngineUnavailable."""
        self._stream = await asyncio.to_thread(self._subscribe)
        self._thread = threading.Thread(target=self._read, name="pnr-events", daemon=True)
        self._thread.start()

    def _subscribe(self) -> Any:
        try:
            return self._client.events(decode=True, filters=_FILTERS)
        except (DockerException, OSError, *LOST) as error:
            raise translate(error, self._where, EngineUnavailable) from error

    def _read(self) -> None:
        try:
            for event in self._stream:
                found = hint(event)
                if found is not None:
                    self._put(found)
        except (DockerException, OSError, ValueError, AttributeError, *LOST) as error:
            # Closing the stream from another thread shows as any of these.
            if not self._stopped:
                self._put(EngineUnavailable(f"the event stream of the Docker engine broke: {error}"))
            return
        if not self._stopped:
            self._put(EngineUnavailable(f"the Docker engine at {self._where} ended its event stream"))

    def stop(self) -> None:
        """Unsubscribe. The thread ends when its socket is closed; nothing waits for it."""
        self._stopped = True
        if self._stream is not None:
            try:
                self._stream.close()
            except (DockerException, OSError, AttributeError):
                # Already closed, or an SDK that can't reach its socket: closing the client does it.
                self._stopped = True
        self._client.close()
