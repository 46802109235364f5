"""Actions on containers as calls of the Engine API, with the look-ups that make them safe to repeat. Blocking.

Whatever exists already is looked at before it is changed: what does not carry our labels is refused here, whatever
the planner thinks. All methods raise what the SDK raises besides the errors of the protocol.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError
from docker.utils import version_lt

from reconciler.engine.docker import ports, reading, runtime_dir, sdk
from reconciler.engine.docker.client import Address
from reconciler.engine.docker.connecting import Connections, is_connected
from reconciler.engine.docker.failures import (
    NotOurs,
    TakenPort,
    is_address_taken,
    is_not_joined,
    status,
    taken_port,
    words,
)
from reconciler.engine.docker.guarding import Guard, MountedOtherwise
from reconciler.engine.docker.host_files import HostFiles
from reconciler.engine.docker.mounted_files import MountedFiles, own_mounts
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.docker.refusals import meaning
from reconciler.engine.protocol import (
    AddressInUse,
    Adopted,
    CreateFailed,
    NameConflict,
    NotFound,
    OutOfDate,
    PolicyRefused,
    PortInUse,
    StartFailed,
    UpdateFailed,
)
from reconciler.errors import PnrError
from reconciler.intent.model import Adopt, Chunk, ChunkId, ContainerSpec, FactsMode, MountedFile
from reconciler.intent.settings import payload, update_body
from reconciler.intent.settings.endpoints import ALL_AT_ONCE_API
from reconciler.planner.actions import (
    AdoptContainer,
    ConnectNetwork,
    CreateContainer,
    ExamineMounts,
    StartContainer,
    UpdateContainer,
)
from reconciler.planner.networks_and_volumes import used_volumes
from reconciler.planner.observed import (
    LABEL_CHUNK,
    LABEL_CPUX,
    LABEL_DOMAIN,
    LABEL_FILES,
    LABEL_FIXED,
    LABEL_GENERATION,
    LABEL_MARK,
    LABEL_REPLICA,
    LABEL_SPEC,
    Condition,
)
from reconciler.sentences import advised

Body = Mapping[str, Any]

_GRACE_SECONDS = 10  # as Docker has it


class Containers:
    """Acts with one client. ``address`` is where that one leads."""

    def __init__(
        self,
        client: docker.APIClient,
        runtime_root: str | None,
        address: Address,
        adopted: Adopted | None = None,
        files: MountedFiles | None = None,
        guard: Guard | None = None,
        ownership: Ownership | None = None,
        host_files: HostFiles | None = None,
    ) -> None:
        self._client = client
        self._adopted = adopted
        self._ownership = ownership or Ownership(adopted)
        self._files = files
        self._guard = guard
        self._host_files = host_files
        self._runtime_root = runtime_root
        self._address = address
        self._connections = Connections(client, self._ownership)

    def _inspect(self, name: str) -> Body | None:
        try:
            return self._ownership.inspect(self._client, name)
        except APIError as error:
            if status(error) == 404:
                return None
            raise

    def adopt(self, action: AdoptContainer) -> Body:
        """Take over a container of somebody else, by its id: it stays as it is, the record tells whose it is."""
        body = self._inspect(action.id)
        if body is None:
            raise NotFound(f"container {action.name} is gone")
        whose = reading.owner(_labels(body))
        if whose is not None and whose != action.chunk.id:
            raise NameConflict(_held_by(action.name, body))
        if self._adopted is None:
            raise CreateFailed(
                f"container {action.name} can't be taken over: there is no state directory to record it in"
            )
        if self._guard is not None:
            wanted = Adopt.MATCHING if action.matching else Adopt.REPLACE
            self._guard.check_adoption(self._client, body, action.chunk.id, wanted)
        labels = _own_labels(action.chunk, action.generation)
        if not action.matching:
            labels |= {LABEL_SPEC: "", LABEL_FIXED: ""}
        try:
            self._adopted.adopt(str(body["Id"]), labels)
        except PnrError as error:
            raise CreateFailed(f"container {action.name} can't be taken over: {error}") from error
        return reading.overlaid(body, labels)

    def _ours(self, name: str) -> Body:
        """The inspection of a container of ours. Raises NotFound, or NotOurs for somebody else's.

        What is then done is done to the id that was found, so that no other container can slip under the name.
        """
        body = self._inspect(name)
        if body is None:
            raise NotFound(f"container {name} is gone")
        if reading.owner(_labels(body)) is None:
            raise NotOurs(f"container {name} was not made by pnr; it is left alone")
        return body

    def create(self, action: CreateContainer) -> Body:
        """Create, connected to all of its networks; the very one that is there already is fine. Raises NotFound for a
        named volume: Docker would make an empty one, which is nobody's, under its name."""
        chunk, spec = action.chunk, action.chunk.container
        body = payload(spec, all_networks=not version_lt(self._client.api_version, ALL_AT_ONCE_API))
        body["Labels"] = {
            **(body.get("Labels") or {}),
            **_own_labels(chunk, action.generation),
            LABEL_MARK: secrets.token_hex(8),
        }
        files = self._host_files if self._address.is_local else None
        noted = files.note(spec.settings.get("volumes") or ()) if files is not None else ""
        if noted:
            body["Labels"][LABEL_FILES] = noted
        if action.flowin:
            body["Env"] = [*(body.get("Env") or ()), *(f"{key}={value}" for key, value in action.flowin.items())]
        if chunk.facts is not FactsMode.NONE:
            if self._runtime_root is None:
                raise CreateFailed(f"{chunk.id} answers its own facts, but there is no state directory for them")
            existing = self._inspect(action.name)
            if existing is not None:
                return self._already_there(action, existing)
            # Not emptied before it is started: the container that it is to replace may run, and answer there.
            folder = runtime_dir.ensure(self._runtime_root, chunk.id)
            host = body.setdefault("HostConfig", {})
            mount = {"Type": "bind", "Source": folder, "Target": runtime_dir.TARGET}
            host["Mounts"] = [*(host.get("Mounts") or ()), mount]
        if spec.files:
            host = body.setdefault("HostConfig", {})
            host["Mounts"] = [*(host.get("Mounts") or ()), *self._put_files(chunk)]
        platform = spec.settings.get("platform")
        self._find_volumes(chunk)
        try:
            made = self._client.create_container_from_config(  # type: ignore[no-untyped-call]
                body, action.name, platform
            )
        except APIError as error:
            if status(error) != 409:
                raise
            holder = self._inspect(action.name)
            if holder is None:
                # Its holder is going, or on its way: the next attempt finds the name free or knows who has it.
                raise NameConflict(f"the name {action.name} is not free yet: {words(error)}") from error
            return self._already_there(action, holder)
        created: Body = self._client.inspect_container(made["Id"])
        return reading.with_warnings(self._joined(created, spec), made)

    def _find_volumes(self, chunk: Chunk) -> None:
        for volume in sorted(used_volumes(chunk)):
            try:
                self._client.inspect_volume(volume)
            except APIError as error:
                if status(error) != 404:
                    raise
                raise NotFound(f"volume {volume} is gone") from error

    def _again(self, container_id: str) -> Body:
        """The container as it is now. Raises NotFound where it is gone already."""
        body = self._inspect(container_id)
        if body is None:
            raise NotFound(f"container {container_id[:12]} is gone")
        return body

    def connect(self, action: ConnectNetwork) -> Body:
        """Connect to a network, unless it is connected already."""
        body = self._ours(action.name)
        return self._connections.connect(
            body, action.network, action.aliases, action.endpoint, comes_back=bool(action.mends)
        )

    def disconnect(self, name: str, network: str) -> Body:
        """Disconnect from a network; one that is not connected is fine. With force: the network may be gone."""
        body = self._ours(name)
        if not is_connected(body, network):
            return body
        try:
            self._client.disconnect_container_from_network(body["Id"], network, force=True)
        except APIError:
            # Somebody may have done it meanwhile.
            seen = self._inspect(body["Id"])
            if seen is None or is_connected(seen, network):
                raise
        return self._again(body["Id"])

    def _joined(self, body: Body, spec: ContainerSpec) -> Body:
        """The container, connected to all of its networks: an older engine takes only the first at creation."""
        for network, aliases in spec.networks.items():
            body = self._connections.connect(body, network, aliases, spec.endpoints.get(network, {}))
        return body

    def _already_there(self, action: CreateContainer, body: Body) -> Body:
        """A container of the wanted name exists: fine when it is the very one, else a conflict that names it."""
        same = reading.owner(_labels(body)) == action.chunk.id
        if same and _labels(body).get(LABEL_SPEC) == action.chunk.container.digest and not _is_going(body):
            return reading.with_was_there(self._joined(body, action.chunk.container))
        raise NameConflict(_held_by(action.name, body))

    def _put_files(self, chunk: Chunk) -> list[dict[str, Any]]:
        """The mounts of the chunk's secrets and configs, which are written. Raises CreateFailed."""
        if self._files is None:
            raise CreateFailed(f"{chunk.id} has secrets or configs, but there is no directory for their files")
        if not self._address.is_local:
            raise CreateFailed(
                f"{chunk.id} has secrets or configs, which are handed over as files of this machine: the engine at"
                f" {self._address} can't see them; run pnr on that engine's machine, through its local socket"
            )
        return self._files.put(chunk.id, chunk.container.files)

    def _restore_files(self, body: Body, declared: tuple[MountedFile, ...]) -> None:
        """What of a container's files is gone is written again (after a reboot, most often). Raises StartFailed."""
        chunk = reading.owner(_labels(body))
        if self._files is not None and chunk is not None:
            self._files.restore(body, chunk, declared)

    def _sweep_files(self, chunk: ChunkId, removed: Body) -> None:
        """Remove the files that no container of the chunk has any more, now that one was removed."""
        own = own_mounts(removed, chunk)
        if self._files is None or not (own or self._files.has_any(chunk)):
            return
        labels = {LABEL_DOMAIN: chunk.domain, LABEL_CPUX: chunk.cpux, LABEL_CHUNK: chunk.chunk}
        filters = {"label": [f"{label}={value}" for label, value in labels.items()]}
        left = self._client.containers(all=True, filters=filters)
        mounts = [mount for summary in left for mount in summary.get("Mounts") or ()]
        used = {str(mount.get("Source", "")) for mount in mounts}
        self._files.sweep(chunk, used)
        self._files.remove_elsewhere(own, used)

    def start(self, action: StartContainer) -> Body:
        """Start, with an empty ``/runtime``; one that runs is fine. Raises OutOfDate where another container that it
        shares something with is not there, or does not run."""
        name = action.name
        body = self._ours(name)
        cid = str(body["Id"])
        if (body.get("State") or {}).get("Running"):
            return reading.with_was_there(body)
        self._empty_runtime(body)
        self._restore_files(body, action.files)
        for other in action.alone:
            self._take_restart_policy(other)
        if not _has_no_policy(body) and self._guard is not None and self._guard.is_judged(self._client, body):
            self._set_restart_policy(cid, "no")
        elif action.restart and _has_no_policy(body):
            self._set_restart_policy(cid, action.restart)
        try:
            self._client.start(cid)
        except APIError as error:
            taken = taken_port(error)
            if taken is not None:
                raise PortInUse(self._who_holds(taken, cid)) from error
            if is_address_taken(error):
                ends = ((body.get("NetworkSettings") or {}).get("Networks") or {}).items()
                fixed = {network: (end or {}).get("IPAMConfig") or {} for network, end in ends}
                raise AddressInUse(self._connections.who_has(cid, fixed)) from error
            if is_not_joined(error, cid):
                # While that is being replaced: who decides looks again, and waits for it.
                raise OutOfDate(f"container {name} can't be started: {meaning(words(error))}") from error
            if status(error) == 404 and self._inspect(cid) is not None:
                # Not the container is missing but something that it needs: a network, most often.
                raise StartFailed(f"container {name} can't be started: {meaning(words(error))}") from error
            raise
        return self._held_to_its_mounts(self._again(cid))

    def examine_mounts(self, action: ExamineMounts) -> Body:
        """See to it that a container which pnr has not started has of the host what it may have. Raises PolicyRefused,
        and then it does not run any more."""
        body = self._ours(action.name)
        state = body.get("State") or {}
        return self._held_to_its_mounts(body) if state.get("StartedAt") == action.run else body

    def _held_to_its_mounts(self, body: Body) -> Body:
        """A container that has begun: whoever started it, somebody may have exchanged a place of the host since that
        was judged. Raises PolicyRefused, and then it does not run any more."""
        if self._guard is None or not (body.get("State") or {}).get("Running"):
            return body
        try:
            self._guard.check_mounted(self._client, body, is_here=self._address.is_local)
        except PolicyRefused as refused:
            self._take_restart_policy(str(body["Id"]))
            try:
                if isinstance(refused, MountedOtherwise) and refused.may_be_had:
                    self._client.stop(body["Id"], timeout=_own_grace(body))
                else:
                    self._client.kill(body["Id"])  # it has no grace: whatever it does with that meanwhile is too much
            except APIError as error:
                seen = self._inspect(body["Id"])
                if status(error) not in (404, 409) or (seen is not None and (seen.get("State") or {}).get("Running")):
                    raise
            raise
        return body

    def _take_restart_policy(self, container_id: str) -> None:
        """See to it that the engine does not start a stopped container of ours by itself."""
        body = self._inspect(container_id)
        if body is None or _is_going(body) or _has_no_policy(body):
            return
        self._ours(str(body["Name"]).lstrip("/"))
        try:
            self._set_restart_policy(container_id, "no")
        except APIError:
            seen = self._inspect(container_id)
            if seen is not None and not _is_going(seen):
                raise

    def _set_restart_policy(self, container_id: str, policy: str) -> None:
        client: Any = self._client
        body = update_body({"restart": policy}, ("restart",))
        client.update_container(container_id, restart_policy=body["RestartPolicy"])

    def _empty_runtime(self, body: Body) -> None:
        """What an earlier run answered must not count for the next. Only ever our own directory of that chunk."""
        chunk = reading.owner(_labels(body))
        if self._runtime_root is None or chunk is None:
            return
        own = runtime_dir.path(self._runtime_root, chunk)
        for mount in (body.get("HostConfig") or {}).get("Mounts") or ():
            if mount.get("Target") == runtime_dir.TARGET and mount.get("Source") == own:
                runtime_dir.prepare(self._runtime_root, chunk)

    def _who_holds(self, taken: TakenPort, own_id: str) -> str:
        holder = ports.holding_container(taken, self._client.containers(), own_id)
        if holder is None and self._address.is_local:
            holder = ports.holding_process(taken)
        step = "free it, or publish another port in the domain file (`ports`)"
        if holder is not None and holder.startswith(ports.PROXY):
            holder += ", though no container of this engine publishes it"
            step = "end that process, unless another engine runs here: an engine that was killed has left it behind"
        holder = holder or "a process that can't be seen from here"
        return advised(f"host port {taken.port} is held by {holder}", step)

    def stop(self, name: str, grace: float) -> Body | None:
        """Stop with the stop signal, kill after ``grace`` seconds; one that is stopped or gone is fine."""
        try:
            body = self._ours(name)
        except NotFound:
            return None
        cid = str(body["Id"])
        try:
            if (body.get("State") or {}).get("Paused"):
                # A paused process takes no signal: it would wait for its grace to pass and be killed.
                self._client.unpause(cid)
            # The SDK waits for the answer this much longer than the grace.
            self._client.stop(cid, timeout=max(0, math.ceil(grace)))
        except APIError as error:
            if status(error) != 404:
                raise
        return self._inspect(cid)

    def remove(self, name: str) -> None:
        """Remove with its anonymous volumes; one that is gone or going is fine. Those of a container that was taken
        over stay: pnr has not made them, and who made it would have handed them on."""
        try:
            body = self._ours(name)
        except NotFound:
            return
        cid = str(body["Id"])
        try:
            made_here = self._adopted is None or not self._adopted.labels(cid)
            self._client.remove_container(cid, v=made_here, force=True)
        except APIError as error:
            if status(error) != 404:
                left = self._inspect(cid)
                if left is not None and not (status(error) == 409 and _is_going(left)):
                    raise
        owner = reading.owner(_labels(body))
        if owner is not None:
            self._sweep_files(owner, body)

    def rename(self, name: str, new_name: str) -> Body:
        """Give another name."""
        try:
            body = self._ours(name)
        except NotFound:
            # Done already, where the container under the new name is ours.
            return self._ours(new_name)
        cid = str(body["Id"])
        try:
            self._client.rename(cid, new_name)
        except APIError as error:
            holder = self._inspect(new_name)
            if status(error) == 409 and holder is not None and holder["Id"] != cid:
                raise NameConflict(_held_by(new_name, holder)) from error
            raise
        return self._again(cid)

    def update(self, action: UpdateContainer) -> Body:
        """Change settings as it runs (``POST /containers/{id}/update``). Raises UpdateFailed."""
        body = self._ours(action.name)
        change = update_body(action.settings, action.changed)
        try:
            # The SDK's own method knows neither NanoCpus nor PidsLimit.
            answer = sdk.post_json(self._client, "/containers/{0}/update", body["Id"], body=change).json()
        except APIError as error:
            if status(error) == 404:
                raise
            said = f"container {action.name} can't be changed as it is: {words(error)}"
            raise UpdateFailed(said) from error
        return reading.with_warnings(self._again(body["Id"]), answer)

    def unpause(self, name: str) -> Body:
        """Let go on; one that is not paused is fine."""
        body = self._ours(name)
        if not (body.get("State") or {}).get("Paused"):
            return body
        self._client.unpause(body["Id"])
        return self._again(body["Id"])


def _labels(body: Body) -> Mapping[str, str]:
    return (body.get("Config") or {}).get("Labels") or {}


def _own_labels(chunk: Chunk, generation: int) -> dict[str, str]:
    spec = chunk.container
    return {
        LABEL_DOMAIN: chunk.id.domain,
        LABEL_CPUX: chunk.id.cpux,
        LABEL_CHUNK: chunk.id.chunk,
        LABEL_REPLICA: str(chunk.id.replica),
        LABEL_SPEC: spec.digest,
        LABEL_FIXED: spec.fixed or spec.digest,
        LABEL_GENERATION: str(generation),
    }


def _own_grace(body: Body) -> int:
    """Seconds from the stop signal to the kill: the container's own, or Docker's."""
    own = (body.get("Config") or {}).get("StopTimeout")
    return int(own) if own is not None else _GRACE_SECONDS


def _is_going(body: Body) -> bool:
    return (body.get("State") or {}).get("Status") in (Condition.REMOVING, Condition.DEAD)


def _held_by(name: str, body: Body) -> str:
    whose = reading.owner(_labels(body))
    belongs = f"belongs to {whose}" if whose is not None else "was not made by pnr"
    image = (body.get("Config") or {}).get("Image", "")
    return advised(
        f"the name {name} is held by container {str(body['Id'])[:12]} ({image}), which {belongs}",
        f"remove or rename it (`docker rename {name} NEW`), or choose another container name in the domain file",
    )


def _has_no_policy(body: Body) -> bool:
    """Whether the engine starts a container by itself never."""
    return ((body.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") in (None, "", "no")
