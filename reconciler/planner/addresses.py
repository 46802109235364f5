"""Fixed addresses: who has one that a chunk is to have, and how it comes free. Pure.

An engine gives an address to a container as it starts: the one that is asked for, else the lowest that is free. So who
asks for none may get what another is to have. Chunks with fixed addresses begin first; where one is taken all the same
by a container of ours, that one leaves the network for the moment in which the other starts, and gets another address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.intent.model import Chunk, ContainerSpec
from reconciler.planner.actions import Action, ConnectNetwork, DisconnectNetwork, StartContainer
from reconciler.planner.observed import Condition, Container

KEYS = ("ipv4_address", "ipv6_address")


@dataclass(frozen=True, slots=True)
class Holder:
    """A container that has an address which another is to have in a network; ``aliases`` and ``endpoint`` are how it is
    connected again."""

    container: Container
    network: str
    address: str
    aliases: tuple[str, ...] = ()
    endpoint: Mapping[str, Any] = field(default_factory=dict)


def fixed(spec: ContainerSpec) -> dict[str, tuple[str, ...]]:
    """The addresses that a container is to have, by network."""
    found = {
        network: tuple(str(end[key]) for key in KEYS if end.get(key))
        for network, end in spec.endpoints.items()
        if network in spec.networks
    }
    return {network: addresses for network, addresses in found.items() if addresses}


def holders(chunk: Chunk, containers: Iterable[Container]) -> Iterator[Holder]:
    """Who of ``containers`` (none of which is the chunk's own) has an address that the chunk is to have."""
    wanted = fixed(chunk.container)
    if not wanted:
        return
    for c in containers:
        for network, addresses in wanted.items():
            for address in addresses:
                if address in (c.networks.get(network), c.ipv6_addresses.get(network)):
                    yield Holder(c, network, address)


def is_asked_for(holder: Holder, declared: Chunk | None) -> bool:
    """Whether the one who has the address is to have it, by its own declaration or, of somebody else, at all."""
    if holder.container.owner is None:
        return True
    return declared is not None and holder.address in fixed(declared.container).get(holder.network, ())


def as_declared(holder: Holder, declared: Chunk | None) -> Holder:
    """With how it is connected again: as its chunk says now, else as it was."""
    if declared is not None and holder.network in declared.container.networks:
        spec = declared.container
        return replace(holder, aliases=spec.networks[holder.network], endpoint=spec.endpoints.get(holder.network, {}))
    was = dict(holder.container.endpoints.get(holder.network, {}))
    aliases = tuple(was.pop("aliases", ()))
    return replace(holder, aliases=aliases, endpoint={k: v for k, v in was.items() if k not in (*KEYS, "mac_address")})


def told(holder: Holder) -> str:
    """Who has it, and what can be done, for people."""
    c = holder.container
    whose = f"belongs to {c.owner}" if c.owner is not None else "was not made by pnr"
    return (
        f"the address {holder.address} in network {holder.network} is held by container {c.name} ({c.id[:12]}), which"
        f" {whose}: disconnect that one, or declare another address"
    )


def making_room(
    steps: tuple[tuple[Action, str], ...], held: Iterable[Holder], who: str
) -> tuple[tuple[Action, str], ...]:
    """The same steps, with those who hold an address out of their network while it is taken."""
    held = list(held)
    networks = {holder.network for holder in held}
    takes = (
        n
        for n, (action, _) in enumerate(steps)
        if isinstance(action, StartContainer) or (isinstance(action, ConnectNetwork) and action.network in networks)
    )
    at = next(takes, None)
    if at is None or not held:
        return steps
    out = tuple(
        (DisconnectNetwork(h.container.name, h.network), f"its address {h.address} is declared for {who}") for h in held
    )
    back = tuple(
        (ConnectNetwork(h.container.name, h.network, h.aliases, h.endpoint), f"{h.address} is {who}'s now")
        for h in held
        if h.container.condition in (Condition.RUNNING, Condition.PAUSED)
    )
    return (*steps[:at], *out, *steps[at:], *back)
