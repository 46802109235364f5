"""The actions of a plan as calls of the Engine API: one each, and the look-ups that make them safe to repeat.

Blocking; each runs in a thread. Whatever exists already is looked at before it is changed: what does not carry our
labels is refused here, whatever the planner thinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError, DockerException

from reconciler.engine.docker import ports, reading, runtime_dir
from reconciler.engine.docker.failures import LOST, status, taken_port, translate, words
from reconciler.engine.protocol import (
    CreateFailed,
    EngineError,
    NameConflict,
    NotFound,
    PortInUse,
    StartFailed,
)
from reconciler.intent.model import FactsMode
from reconciler.intent.settings import payload
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from reconciler.planner.observed import (
    LABEL_CHUNK,
    LABEL_CPUX,
    LABEL_DOMAIN,
    LABEL_GENERATION,
    LABEL_REPLICA,
    LABEL_SPEC,
)

Body = Mapping[str, Any]


class NotOurs(EngineError):
    """An action on an object that does not carry our labels. Never carried out."""

    code = "NotOurs"


class Operations:
    """Carries out actions with one client."""

    def __init__(self, client: docker.APIClient, runtime_root: str | None, where: str) -> None:
        self._client = client
        self._runtime_root = runtime_root
        self._where = where

    def perform(self, action: Action) -> Body | None:
        """Carry out an action; the inspection of its container afterwards, where there is one."""
        failed: type[EngineError] = EngineError
        try:
            match action:
                case CreateContainer():
                    failed = CreateFailed
                    return self._create(action)
                case StartContainer(name):
                    failed = StartFailed
                    return self._start(name)
                case StopContainer(name, grace):
                    return self._stop(name, grace)
                case RemoveContainer(name):
                    self._remove(name)
                case RenameContainer(name, new_name):
                    return self._rename(name, new_name)
                case UnpauseContainer(name):
                    return self._unpause(name)
                case ConnectNetwork(name, network, aliases):
                    return self._connect(name, network, aliases)
                case CreateNetwork():
                    failed = CreateFailed
                    self._create_network(action)
                case RemoveNetwork(name, domain):
                    self._remove_network(name, domain)
                case CreateVolume():
                    failed = CreateFailed
                    self._create_volume(action)
                case RemoveVolume(name, domain):
                    self._remove_volume(name, domain)
                case _:
                    raise EngineError(f"the Docker engine knows no action {type(action).__name__}")
        except (DockerException, OSError, *LOST) as error:
            raise translate(error, self._where, failed) from error
        return None

    # --- containers -----------------------------------------------------------------------------------------

    def _inspect(self, name: str) -> Body | None:
        try:
            found: Body = self._client.inspect_container(name)
        except APIError as error:
            if status(error) == 404:
                return None
            raise
        return found

    def _ours(self, name: str) -> Body:
        """The inspection of a container of ours. Raises NotFound, or NotOurs for somebody else's."""
        body = self._inspect(name)
        if body is None:
            raise NotFound(f"container {name} is gone")
        if reading.owner((body.get("Config") or {}).get("Labels")) is None:
            raise NotOurs(f"container {name} was not made by pnr; it is left alone")
        return body

    def _create(self, action: CreateContainer) -> Body:
        chunk, spec = action.chunk, action.chunk.container
        body = payload(spec)
        labels = dict(body.get("Labels") or {})
        labels.update(
            {
                LABEL_DOMAIN: chunk.id.domain,
                LABEL_CPUX: chunk.id.cpux,
                LABEL_CHUNK: chunk.id.chunk,
                LABEL_REPLICA: str(action.replica),
                LABEL_SPEC: spec.digest,
                LABEL_GENERATION: str(action.generation),
            }
        )
        body["Labels"] = labels
        if action.flowin:
            body["Env"] = [*(body.get("Env") or ()), *(f"{key}={value}" for key, value in action.flowin.items())]
        if chunk.facts is not FactsMode.NONE:
            if self._runtime_root is None:
                raise CreateFailed(f"{chunk.id} answers its own facts, but there is no state directory for them")
            folder = runtime_dir.prepare(self._runtime_root, chunk.id)
            host = body.setdefault("HostConfig", {})
            host["Mounts"] = [*(host.get("Mounts") or ()), {"Type": "bind", "Source": folder, "Target": "/runtime"}]
        platform = spec.settings.get("platform")
        try:
            made = self._client.create_container_from_config(  # type: ignore[no-untyped-call]
                body, action.name, platform
            )
        except APIError as error:
            if status(error) != 409:
                raise
            return self._already_there(action, error)
        for network, aliases in list(spec.networks.items())[1:]:
            self._client.connect_container_to_network(made["Id"], network, aliases=list(aliases))
        created: Body = self._client.inspect_container(made["Id"])
        return created

    def _already_there(self, action: CreateContainer, error: APIError) -> Body:
        """A container of the wanted name exists: fine when it is the very one, else a conflict that names it."""
        body = self._inspect(action.name)
        if body is None:
            raise NameConflict(f"the name {action.name} is being given up by another container: {words(error)}")
        labels = (body.get("Config") or {}).get("Labels") or {}
        whose = reading.owner(labels)
        if whose == action.chunk.id and labels.get(LABEL_SPEC) == action.chunk.container.digest:
            return body
        belongs = f"belongs to {whose}" if whose is not None else "was not made by pnr"
        image = (body.get("Config") or {}).get("Image", "")
        raise NameConflict(
            f"the name {action.name} is held by container {str(body['Id'])[:12]} ({image}), which {belongs};"
            f" remove or rename it, or choose another container name"
        )

    def _start(self, name: str) -> Body:
        body = self._ours(name)
        state = body.get("State") or {}
        if state.get("Running"):
            return body
        for mount in body.get("Mounts") or ():
            source = str(mount.get("Source", ""))
            if mount.get("Destination") == "/runtime" and self._is_runtime(source):
                runtime_dir.empty(source)
        try:
            self._client.start(name)
        except APIError as error:
            port = taken_port(error)
            if port is not None:
                raise PortInUse(self._who_holds(port, str(body["Id"]))) from error
            if status(error) == 404 and self._inspect(name) is not None:
                # Not the container is missing but something that it needs: a network, most often.
                raise StartFailed(f"container {name} can't be started: {words(error)}") from error
            raise
        started: Body = self._client.inspect_container(name)
        return started

    def _is_runtime(self, source: str) -> bool:
        return self._runtime_root is not None and source.startswith(self._runtime_root)

    def _who_holds(self, port: int, own_id: str) -> str:
        for summary in self._client.containers():
            if summary["Id"] != own_id and any(p.get("PublicPort") == port for p in summary.get("Ports") or ()):
                name = str((summary.get("Names") or ["/?"])[0]).lstrip("/")
                return f"host port {port} is held by container {name} ({summary['Id'][:12]}, {summary.get('Image')})"
        process = ports.holder(port)
        if process is not None:
            return f"host port {port} is held by {process}"
        return f"host port {port} is held by somebody who can't be seen from here"

    def _stop(self, name: str, grace: float) -> Body | None:
        try:
            body = self._ours(name)
        except NotFound:
            return None
        if (body.get("State") or {}).get("Paused"):
            self._client.unpause(name)
        # The SDK waits for the answer this much longer than the grace.
        self._client.stop(name, timeout=max(0, round(grace)))
        return self._inspect(name)

    def _remove(self, name: str) -> None:
        try:
            self._ours(name)
        except NotFound:
            return
        try:
            self._client.remove_container(name, v=True, force=True)
        except APIError as error:
            # 404: gone meanwhile. 409: its removal is under way already.
            if status(error) not in (404, 409):
                raise

    def _rename(self, name: str, new_name: str) -> Body:
        try:
            body = self._ours(name)
        except NotFound:
            done = self._inspect(new_name)
            if done is not None and reading.owner((done.get("Config") or {}).get("Labels")) is not None:
                return done
            raise
        try:
            self._client.rename(body["Id"], new_name)
        except APIError as error:
            if status(error) == 409:
                raise NameConflict(f"container {name} can't be renamed: {words(error)}") from error
            raise
        renamed: Body = self._client.inspect_container(body["Id"])
        return renamed

    def _unpause(self, name: str) -> Body:
        body = self._ours(name)
        if not (body.get("State") or {}).get("Paused"):
            return body
        self._client.unpause(name)
        unpaused: Body = self._client.inspect_container(name)
        return unpaused

    def _connect(self, name: str, network: str, aliases: tuple[str, ...]) -> Body:
        body = self._ours(name)
        if network not in ((body.get("NetworkSettings") or {}).get("Networks") or {}):
            self._client.connect_container_to_network(body["Id"], network, aliases=list(aliases))
        connected: Body = self._client.inspect_container(body["Id"])
        return connected

    # --- networks and volumes -------------------------------------------------------------------------------

    def _network(self, name: str) -> Body | None:
        found = [body for body in self._client.networks(names=[name]) if body.get("Name") == name]
        return found[0] if found else None

    def _create_network(self, action: CreateNetwork) -> None:
        existing = self._network(action.name)
        if existing is not None:
            if (existing.get("Labels") or {}).get(LABEL_DOMAIN) == action.domain:
                return
            raise NameConflict(
                f"the network name {action.name} is held by a network ({str(existing['Id'])[:12]}) that does not"
                f" belong to domain {action.domain}; remove it, or name the domain otherwise"
            )
        self._client.create_network(
            action.name,
            driver=action.spec.driver or "bridge",
            internal=action.spec.internal,
            check_duplicate=True,
            labels={**action.spec.labels, LABEL_DOMAIN: action.domain},
        )

    def _remove_network(self, name: str, domain: str) -> None:
        existing = self._network(name)
        if existing is None:
            return
        if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != domain:
            raise NotOurs(f"network {name} does not belong to domain {domain}; it is left alone")
        try:
            self._client.remove_network(existing["Id"])
        except APIError as error:
            if status(error) == 404:
                return
            ends = (self._client.inspect_network(existing["Id"]).get("Containers") or {}).values()
            users = ", ".join(str(end.get("Name")) for end in ends)
            if not users:
                raise
            raise EngineError(f"network {name} can't be removed: {users} still use it") from error

    def _volume(self, name: str) -> Body | None:
        try:
            found: Body = self._client.inspect_volume(name)
        except APIError as error:
            if status(error) == 404:
                return None
            raise
        return found

    def _create_volume(self, action: CreateVolume) -> None:
        if self._volume(action.name) is not None:
            return
        labels = {**action.spec.labels, LABEL_DOMAIN: action.domain}
        self._client.create_volume(action.name, driver=action.spec.driver or "local", labels=labels)

    def _remove_volume(self, name: str, domain: str) -> None:
        existing = self._volume(name)
        if existing is None:
            return
        if (existing.get("Labels") or {}).get(LABEL_DOMAIN) != domain:
            raise NotOurs(f"volume {name} does not belong to domain {domain}; it is left alone")
        self._client.remove_volume(name)
