"""A little model of Docker, pure: what one action makes of what is seen. It knows the rules, and is strict."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    EnsureImage,
    RemoveContainer,
    RemoveNetwork,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from reconciler.planner.observed import Condition, Container, Network, Observed, Volume

ALIVE = (Condition.RUNNING, Condition.PAUSED)


class AgainstTheRules(AssertionError):
    """The action would fail on a real engine, or touches what is not ours."""


def container_of(action: Action) -> str | None:
    """The name of the existing container that an action is about."""
    touching = (StartContainer, StopContainer, RemoveContainer, RenameContainer, UnpauseContainer, ConnectNetwork)
    return action.name if isinstance(action, touching) else None


def named(observed: Observed, name: str) -> Container:
    """The container of that name."""
    for container in observed.containers.values():
        if container.name == name:
            return container
    raise AgainstTheRules(f"there is no container {name}")


def _is_taken(observed: Observed, name: str) -> bool:
    return any(container.name == name for container in observed.containers.values())


def _with(observed: Observed, container: Container) -> Observed:
    return replace(observed, containers={**observed.containers, container.id: container})


def apply(observed: Observed, action: Action, *, serial: int) -> Observed:
    """What is seen after the action. ``serial`` makes ids and runs unique."""
    name = container_of(action)
    if name is not None and named(observed, name).owner is None:
        raise AgainstTheRules(f"{action.describe()}: that container is not ours")
    match action:
        case EnsureImage():
            return observed
        case CreateNetwork(network, domain):
            if network in observed.networks:
                raise AgainstTheRules(f"network {network} exists")
            made = Network(f"net{serial}", network, domain)
            return replace(observed, networks={**observed.networks, network: made})
        case RemoveNetwork(network, domain):
            return _without_network(observed, network, domain)
        case CreateVolume(volume, domain):
            return replace(observed, volumes={**observed.volumes, volume: Volume(volume, domain)})
        case CreateContainer():
            return _created(observed, action, serial)
        case StartContainer(name):
            return _started(observed, named(observed, name), serial)
        case StopContainer(name):
            c = named(observed, name)
            ended = replace(c, condition=Condition.EXITED, exit_code=143)
            return _with(observed, ended) if c.condition in ALIVE else observed
        case UnpauseContainer(name):
            return _with(observed, replace(named(observed, name), condition=Condition.RUNNING))
        case RemoveContainer(name):
            gone = named(observed, name).id
            left = {id: c for id, c in observed.containers.items() if id != gone}
            return replace(observed, containers=left)
        case RenameContainer(name, new_name):
            if _is_taken(observed, new_name):
                raise AgainstTheRules(f"the name {new_name} is taken")
            return _with(observed, replace(named(observed, name), name=new_name))
        case ConnectNetwork(name, network):
            c = named(observed, name)
            if network not in observed.networks:
                raise AgainstTheRules(f"there is no network {network}")
            return _with(observed, replace(c, networks={**c.networks, network: "10.0.0.2"}))
    raise AgainstTheRules(f"the model knows no {type(action).__name__}")


def _without_network(observed: Observed, network: str, domain: str) -> Observed:
    if observed.networks[network].domain != domain:
        raise AgainstTheRules(f"network {network} is not ours")
    if any(network in c.networks and c.condition in ALIVE for c in observed.containers.values()):
        raise AgainstTheRules(f"network {network} is in use")
    left = {name: n for name, n in observed.networks.items() if name != network}
    return replace(observed, networks=left)


def _created(observed: Observed, action: CreateContainer, serial: int) -> Observed:
    if _is_taken(observed, action.name):
        raise AgainstTheRules(f"the name {action.name} is taken")
    spec = action.chunk.container
    made = Container(
        id=f"made{serial}",
        name=action.name,
        image=spec.image,
        image_id="sha256:1",
        condition=Condition.CREATED,
        owner=action.chunk.id,
        replica=action.replica,
        spec=spec.digest,
        generation=action.generation,
        networks=dict.fromkeys(spec.networks, ""),
    )
    return _with(observed, made)


def _started(observed: Observed, c: Container, serial: int) -> Observed:
    if c.condition in (Condition.DEAD, Condition.REMOVING):
        raise AgainstTheRules(f"container {c.name} is {c.condition}")
    for network in c.networks:
        if network not in observed.networks:
            raise AgainstTheRules(f"there is no network {network}")
    if c.condition in ALIVE:
        return observed
    return _with(observed, replace(c, condition=Condition.RUNNING, run=f"run-{serial}", exit_code=None))
