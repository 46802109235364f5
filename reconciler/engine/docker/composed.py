"""What Docker Compose has made on an engine, found by Compose's own labels. Only looks. Blocking.

The labels: https://github.com/docker/compose/blob/main/pkg/api/labels.go
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import docker
from docker.errors import APIError

from reconciler.engine.docker import client as clients
from reconciler.engine.docker import reading
from reconciler.engine.docker.failures import status, unavailable
from reconciler.planner.observed import LABEL_DOMAIN, Container

LABEL_PROJECT = "com.docker.compose.project"
LABEL_SERVICE = "com.docker.compose.service"
LABEL_NUMBER = "com.docker.compose.container-number"
LABEL_ONE_OFF = "com.docker.compose.oneoff"

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Composed:
    """The names of an engine's networks and volumes that pnr did not make, and of a project's containers by service,
    in the order of their numbers."""

    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    containers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Composer:
    """Looks at an engine. Its methods raise EngineUnavailable."""

    def __init__(self) -> None:
        self._address = clients.find()
        version, _, _ = clients.agree_on_version(self._address, timeout=TIMEOUT_SECONDS)
        self._client = clients.make(self._address, version, timeout=TIMEOUT_SECONDS, pool=1)

    def close(self) -> None:
        """Let go of the engine."""
        self._client.close()

    def made(self, project: str) -> Composed:
        """What there is of a project. Containers of ``docker-compose run`` are not part of it."""
        try:
            return _made(self._client, project)
        except (docker.errors.DockerException, OSError) as error:
            raise unavailable(error, str(self._address)) from error

    def examine(self, name: str) -> Container | None:
        """A container with what was asked of it; None where there is none of that name."""
        try:
            body = self._client.inspect_container(name)
            image = self._client.inspect_image(body["Image"])  # type: ignore[no-untyped-call]
            about = self._client.info()
        except APIError as error:
            if status(error) == 404:
                return None
            raise unavailable(error, str(self._address)) from error
        except (docker.errors.DockerException, OSError) as error:
            raise unavailable(error, str(self._address)) from error
        return reading.examined(body, image, about)


def _made(client: docker.APIClient, project: str) -> Composed:
    found: dict[str, list[tuple[int, str]]] = {}
    for summary in client.containers(all=True, filters={"label": f"{LABEL_PROJECT}={project}"}):
        labels = summary.get("Labels") or {}
        if labels.get(LABEL_ONE_OFF, "False") == "False" and labels.get(LABEL_SERVICE):
            number = reading.number(labels.get(LABEL_NUMBER), 1)
            name = str((summary.get("Names") or ["/"])[0]).lstrip("/")
            found.setdefault(labels[LABEL_SERVICE], []).append((number, name))
    volumes = client.volumes().get("Volumes") or ()
    return Composed(
        frozenset(str(one["Name"]) for one in client.networks() if not (one.get("Labels") or {}).get(LABEL_DOMAIN)),
        frozenset(str(one["Name"]) for one in volumes if not (one.get("Labels") or {}).get(LABEL_DOMAIN)),
        {service: tuple(name for _, name in sorted(names)) for service, names in found.items()},
    )
