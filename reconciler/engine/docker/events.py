"""Docker's event stream as hints to look. A thread reads; each hint goes to the loop at once.

The stream ends silently when the connection is lost, so its end is an error. A half-open connection never ends: the
engine pings beside it, subscribes again after a long silence, and closes the socket under the reading thread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import docker
from docker.errors import DockerException

from reconciler.engine.docker import reading
from reconciler.engine.docker.failures import RAISED, translate
from reconciler.engine.protocol import EngineError, EngineUnavailable, Glimpse

_CONTAINER = frozenset({"create", "start", "die", "stop", "oom", "destroy", "rename", "update", "pause", "unpause"})
_GO_ON = frozenset({"1", "10", "12", "17", "18", "23", "28"})
"""Signals that do not ask a program to end: HUP, USR1, USR2, CHLD, CONT, URG, WINCH."""
_IMAGE = frozenset({"delete", "import", "load", "pull", "tag", "untag"})
_FILTERS = {
    "type": ["container", "image", "network", "volume"],
    # "health_status" stands for all of its kinds. What is not named, above all the exec_* of health checks, the
    # engine does not even send.
    "event": [*sorted(_CONTAINER), "kill", *sorted(_IMAGE), "health_status", "connect", "disconnect", "remove"],
}
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def hint(event: Mapping[str, Any]) -> Glimpse | None:
    """Where to look after an event; None where it changes nothing that we look at."""
    kind = event.get("Type")
    action = str(event.get("Action", ""))
    actor = event.get("Actor") or {}
    if kind == "container":
        if action == "kill":
            said = actor.get("Attributes") or {}
            ends = str(said.get("signal", "")) not in _GO_ON
            return Glimpse(str(actor.get("ID", "")), reading.owner(said), is_told_to_end=True) if ends else None
        if action in _CONTAINER or action.startswith("health_status"):
            return Glimpse(str(actor.get("ID", "")) or None, reading.owner(actor.get("Attributes")))
        return None
    if kind == "image":
        return Glimpse(None, images=True) if action in _IMAGE else None
    if kind == "network":
        if action in ("connect", "disconnect"):
            container = (actor.get("Attributes") or {}).get("container")
            return Glimpse(str(container)) if container else None
        return Glimpse(None) if action in ("create", "destroy", "remove") else None
    if kind == "volume":
        # The volumes without a name come and go with containers; only those with one are looked at.
        named = _ANONYMOUS.fullmatch(str(actor.get("ID", ""))) is None
        return Glimpse(None) if action in ("create", "destroy") and named else None
    return None


class Events:
    """One subscription and the thread that reads it. ``put`` takes hints, and at last an error, in that thread.

    The first hint is ``Glimpse(None)``, once subscribed: what happens from then on is told, and what has happened since
    ``since`` (a time of the engine's own clock) as far as the engine remembers it. ``newest`` is the time of the last
    event that was read.
    """

    def __init__(
        self,
        client: docker.APIClient,
        put: Callable[[Glimpse | EngineError], None],
        *,
        where: str,
        since: float | None = None,
    ) -> None:
        self.newest = since
        self._client = client
        self._put = put
        self._where = where
        self._stream: Any = None
        self._stopped = False
        self._thread = threading.Thread(target=self._read, name="pnr-events", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            self._stream = self._client.events(decode=True, filters=_FILTERS, **self._from())
            if self._stopped:
                self._close()
                return
            self._put(Glimpse(None))
            for event in self._stream:
                self.newest = float(event["timeNano"]) / 1e9 if event.get("timeNano") else self.newest
                found = hint(event)
                if found is not None and not self._stopped:
                    self._put(found)
            error: EngineError = EngineUnavailable(f"the Docker engine at {self._where} ended its event stream")
        except RAISED as caught:
            error = translate(caught, self._where, EngineUnavailable)
        except (ValueError, RuntimeError, AttributeError) as caught:
            # A stream cut in the middle of an event, or closed under the SDK's hands.
            error = EngineUnavailable(f"the event stream of the Docker engine at {self._where} broke: {caught}")
        if not self._stopped:
            self._put(error)

    def _from(self) -> dict[str, Any]:
        return {"since": self.newest} if self.newest is not None else {}

    def stop(self) -> None:
        """Unsubscribe. The thread ends once its socket is closed; nothing waits for it."""
        self._stopped = True
        self._close()
        self._client.close()

    def _close(self) -> None:
        if self._stream is None:
            return
        try:
            self._stream.close()
        except (DockerException, OSError, AttributeError):
            # Closed already, or reached through ssh, where the SDK can't break a stream off: the thread stays behind
            # and ends with the connection.
            return
