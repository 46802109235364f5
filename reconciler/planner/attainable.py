"""Which addresses a network can give a container, as far as that is seen of the network. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from reconciler.intent.model import Pool
from reconciler.planner.observed import Network
from reconciler.sentences import advised
from reconciler.states import Reason

_BRIDGE = "bridge"
_DRIVERS = (_BRIDGE, "macvlan", "ipvlan")
"""Those of one machine, which have their addresses from the engine."""
_NO_GATEWAY = "com.docker.network.bridge.gateway_mode_"
"""Options that may have a network without a gateway of its own."""


def refusal(network: Network, address: str) -> tuple[Reason, str] | None:
    """Why the engine will not give a container this address in a network, as reason and message; None where nothing is
    known against it."""
    if network.driver not in _DRIVERS or (network.ipam.driver or "default") != "default":
        return None
    try:
        wanted = ip_address(address)
        pools = [(pool, ip_network(pool.subnet, strict=False)) for pool in network.ipam.pools]
    except ValueError:
        return None
    of_version = [(pool, subnet) for pool, subnet in pools if subnet.version == wanted.version]
    around = next(((pool, subnet) for pool, subnet in of_version if wanted in subnet), None)
    where = f"the address {address} in network {network.name}"
    if around is not None:
        whose = next((what for what, own in _of_its_own(network, *around) if ip_address(own) == wanted), "")
        step = "give the chunk another address in the domain file"
        return (Reason.ADDRESS_IN_USE, advised(f"{where} is {whose}", step)) if whose else None
    if of_version:
        told = ", ".join(str(subnet) for _, subnet in of_version)
        cause, step = f"{where} is in none of its subnets ({told})", "give the chunk an address of its subnets"
    elif wanted.version == 6 and pools and not network.enable_ipv6:
        cause = f"{where} can't be had: the network has no IPv6 addresses"
        step = "leave `ipv6_address` out"
    else:
        return None
    return Reason.ADDRESS_IMPOSSIBLE, advised(cause, f"{step} in the domain file, or take another network")


def _of_its_own(network: Network, pool: Pool, subnet: IPv4Network | IPv6Network) -> Iterator[tuple[str, str]]:
    """The addresses that the network keeps for itself, each behind what it is."""
    gateway = pool.gateway or _usual_gateway(network, pool, subnet)
    if gateway is not None:
        yield "that of the network's own gateway", gateway.partition("/")[0]
    for name, address in pool.aux_addresses.items():
        yield f"kept by the network for {name} (`aux_addresses`)", address
    if subnet.version == 4 and subnet.prefixlen < 31:
        for end in (subnet.network_address, subnet.broadcast_address):
            yield "the first or the last of its subnet, which no container gets", str(end)


def _usual_gateway(network: Network, pool: Pool, subnet: IPv4Network | IPv6Network) -> str | None:
    """What an engine takes for the gateway of a bridge where nobody says it: the first address. It does not tell."""
    chosen = any(name.startswith(_NO_GATEWAY) for name in network.driver_opts)
    if network.driver != _BRIDGE or chosen or pool.ip_range or subnet.version != 4 or subnet.num_addresses < 4:
        return None
    first = str(subnet.network_address + 1)
    return None if first in pool.aux_addresses.values() else first
