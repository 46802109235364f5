"""The actions of a plan as calls of the Engine API: one each. Blocking; each runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker

from reconciler.engine.docker.client import Address
from reconciler.engine.docker.containers import Containers
from reconciler.engine.docker.failures import RAISED, status, translate
from reconciler.engine.docker.guarding import Guard
from reconciler.engine.docker.host_files import HostFiles
from reconciler.engine.docker.mounted_files import MountedFiles
from reconciler.engine.docker.networks_and_volumes import NetworksAndVolumes
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.protocol import Adopted, CreateFailed, EngineError, StartFailed
from reconciler.planner.actions import (
    Action,
    AdoptContainer,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    ExamineMounts,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
)

_REFUSED = (400, 403, 404, 409)
"""What an engine answers where it is at fault itself is not among these."""


def perform(
    action: Action,
    client: docker.APIClient,
    runtime_root: str | None,
    address: Address,
    adopted: Adopted | None = None,
    files: MountedFiles | None = None,
    guard: Guard | None = None,
    ownership: Ownership | None = None,
    host_files: HostFiles | None = None,
) -> Mapping[str, Any] | None:
    """Carry out an action; the inspection of its container afterwards, where there is one. Raises EngineError."""
    ownership = ownership or Ownership(adopted)
    containers = Containers(client, runtime_root, address, adopted, files, guard, ownership, host_files)
    belongings = NetworksAndVolumes(client, ownership)
    failed: type[EngineError] = EngineError
    try:
        match action:
            case CreateContainer():
                failed = CreateFailed
                return containers.create(action)
            case StartContainer():
                failed = StartFailed
                return containers.start(action)
            case StopContainer(name, grace, id):
                return containers.stop(id or name, grace)
            case RemoveContainer(name, id):
                containers.remove(id or name)
            case RenameContainer(name, new_name):
                return containers.rename(name, new_name)
            case AdoptContainer():
                return containers.adopt(action)
            case UpdateContainer():
                return containers.update(action)
            case ExamineMounts():
                return containers.examine_mounts(action)
            case UnpauseContainer(name):
                return containers.unpause(name)
            case ConnectNetwork():
                return containers.connect(action)
            case DisconnectNetwork(name, network):
                return containers.disconnect(name, network)
            case CreateNetwork():
                failed = CreateFailed
                belongings.create_network(action)
            case RemoveNetwork():
                belongings.remove_network(action)
            case CreateVolume():
                failed = CreateFailed
                belongings.create_volume(action)
            case RemoveVolume(name, domain):
                belongings.remove_volume(name, domain)
            case _:
                raise EngineError(f"the Docker engine knows no action {type(action).__name__}")
    except RAISED as error:
        translated = translate(error, str(address), failed, _about(action))
        if isinstance(action, CreateNetwork) and status(error) in _REFUSED:
            translated.permanent = True
        raise translated from error
    return None


def _about(action: Action) -> str:
    """What of a domain's own an error is about; a chunk's is told as the chunk's."""
    match action:
        case CreateNetwork():
            return f"network {action.name} can't be made: "
        case CreateVolume():
            return f"volume {action.name} can't be made: "
        case _:
            return ""
