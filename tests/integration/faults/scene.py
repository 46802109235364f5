"""Where a fault is played, and the register of those who inject them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.integration.faults.stage import Document, Stage

YES = {"prompt": "?", "response": ["yes"], "tv": "Y"}
ANSWER = "read request; printf 'HTTP/1.1 {status}\\r\\n{headers}Content-Length: {length}\\r\\n\\r\\n{body}'"


@dataclass
class Injected:
    """A fault as it was injected. ``files`` are written at the start, ``then`` is done once what they say is up.
    ``values`` stand in the texts of the catalogue. ``chunk`` is who is asked about."""

    domain: str
    files: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    chunk: str = "web"
    then: Callable[[Any], None] | None = None


@dataclass
class Scene:
    """Where one fault is played. ``restart`` is the engine's restart policy of every container of it."""

    stage: Stage
    domain: str
    restart: str = ""
    cleanups: list[Callable[[], None]] = field(default_factory=list)

    def chunk(self, name: str = "web", *, after: str = "", check: Document | None = None, **container: Any) -> Document:
        """A chunk that sleeps and answers NAME_ready, unless it is told otherwise. ``after``: whose answer it needs."""
        chunk: Document = {
            "name": name,
            "flowout": {f"{name}_ready": YES},
            "container": {
                "image": self.stage.image,
                "command": ["sleep", "86400"],
                "stop_grace_period": "0s",
                # The engine has addresses for some thirty networks, and there are more domains than that.
                **({} if "networks" in container else {"network_mode": "bridge"}),
                **({"restart": self.restart} if self.restart else {}),
                **container,
            },
        }
        if after:
            chunk["gatekeeper"] = {key if "/" in key else f"{key}_ready": YES for key in after.split()}
        if check is not None:
            chunk["health_check"] = {"deadline_seconds": 5, **check}
        return chunk

    def of(self, *chunks: Document, values: dict[str, str] | None = None, **more: Any) -> Injected:
        """A domain of these chunks, asked about its chunk ``web``."""
        document = {"name": self.domain, "cpuxs": {"main": {"design_chunks": list(chunks)}}, **more}
        return self.written(json.dumps(document, indent=1), values)

    def written(self, text: str, values: dict[str, str] | None = None, **more: Any) -> Injected:
        """The same of a text."""
        known = {"name": f"{self.domain}/main/web", "domain": self.domain, "file": f"{self.domain}.json"}
        return Injected(self.domain, {f"{self.domain}.json": text}, {**known, **(values or {})}, **more)

    def http(self, status: str, headers: str = "", body: str = "", path: str = "/", **check: Any) -> Injected:
        """A chunk whose server answers so."""
        script = ANSWER.format(status=status, headers=headers, length=len(body), body=body)
        command = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", script]
        probe = {"type": "http", "port_key": "80", "path": path, **check}
        return self.of(self.chunk(check=probe, command=command))


Inject = Callable[[Scene], Injected]
INJECTIONS: dict[str, Inject] = {}


def injects(name: str) -> Callable[[Inject], Inject]:
    """Registers the injection of a fault of the catalogue."""

    def register(inject: Inject) -> Inject:
        INJECTIONS[name] = inject
        return inject

    return register
