"""How a container is connected to its networks, compared with what was declared, and put right in place. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from reconciler.intent.model import Chunk, ContainerSpec
from reconciler.intent.settings import endpoints
from reconciler.planner.actions import Action, ConnectNetwork, DisconnectNetwork
from reconciler.planner.compare import Difference
from reconciler.planner.observed import Condition, Container

NETWORKS = "networks"
"""What stands for all of it among the names of settings."""


def endpoint_differences(spec: ContainerSpec, container: Container) -> dict[str, str]:
    """What is not as declared in each network that the container is connected to as it should be, in words; networks
    where all is are not in it. A missing connection is none of these, nor is another MAC address."""
    found = {}
    for network, aliases in spec.networks.items():
        if network not in container.networks or network not in container.endpoints:
            continue
        declared, there = spec.endpoints.get(network, {}), container.endpoints[network]
        said = endpoints.difference(aliases, declared, there, _own_names(spec, container, network))
        if said:
            found[network] = said
    return found


def _own_names(spec: ContainerSpec, container: Container, network: str) -> frozenset[str]:
    """The names that an engine gives a container in its networks by itself, and that some releases show as aliases.

    The long name in a network of others may be there or not: earlier versions gave none, and nobody is to be cut off
    for it. It comes with the next connection."""
    host = str(spec.settings.get("hostname") or "")
    domain = str(spec.settings.get("domainname") or "")
    long = (spec.full_alias,) if network in spec.guest_in else ()
    return frozenset({container.name, host, host.partition(".")[0], f"{host}.{domain}", *long})


def differences(spec: ContainerSpec, container: Container, ignored: Collection[str] = ()) -> Iterator[Difference]:
    """The same as differences of a container. Another MAC address takes another container: engines before API 1.54
    give one only as they create it."""
    if NETWORKS in ignored:
        return
    for network, said in endpoint_differences(spec, container).items():
        yield Difference(NETWORKS, f"{network}: {said}", in_place=True)
    for network in container.networks if container.condition is Condition.RUNNING else ():
        said = endpoints.other_mac(spec.endpoints.get(network, {}), container.endpoints.get(network, {}))
        if said:
            yield Difference(NETWORKS, f"{network}: {said}")


def cut_off(chunk: Chunk, container: Container) -> bool:
    """Whether a container lacks a network that it is to have: that nobody reaches it, or it reaches nobody, is then no
    illness of its own that a restart would cure."""
    return NETWORKS not in chunk.ignore_drift and any(
        network not in container.networks for network in chunk.container.networks
    )


def is_in_none(container: Container) -> bool:
    """Whether a container that was made to be in networks of its own is in none."""
    settings = container.settings
    return settings is not None and not container.networks and not settings.get("network_mode")


def joined_again(spec: ContainerSpec, container: Container, networks: Collection[str]) -> list[tuple[Action, str]]:
    """What connects a container with networks that it lost."""
    cause = "it was cut off from that network, which was recreated"
    return [
        (ConnectNetwork(container.name, network, spec.networks[network], spec.endpoints.get(network, {})), cause)
        for network in networks
    ]


def repairs(
    spec: ContainerSpec, container: Container, name: str, changes: Collection[Difference], ignored: Collection[str]
) -> Iterator[tuple[Action, str]]:
    """What connects a container, which is called ``name`` by then, as declared; ``changes`` are the differences that
    are to be put right. Networks that were not declared come last, so that it is never without any."""
    if NETWORKS in ignored:
        return
    wrong = {change.words for change in changes if change.setting == NETWORKS}
    differing = endpoint_differences(spec, container)
    for network, aliases in spec.networks.items():
        connect = ConnectNetwork(name, network, aliases, spec.endpoints.get(network, {}))
        said = f"{network}: {differing.get(network)}"
        if network not in container.networks:
            yield connect, f"is not connected to {network}"
        elif said in wrong:
            yield DisconnectNetwork(name, network), said
            yield replace(connect, mends=said), said
    for network in container.networks if spec.networks else ():
        if network not in spec.networks:
            yield DisconnectNetwork(name, network), f"is connected to {network}, which is not declared"
