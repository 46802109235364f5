"""The addresses of pretended networks, handed out as Docker does: those that are asked for, else the lowest free."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from reconciler.engine.protocol import AddressInUse, EngineError, StartFailed
from reconciler.intent.model import NetworkSpec
from reconciler.planner.network_changes import Subnets
from reconciler.planner.observed import Network

ANY_SUBNET = "198.18.0.0/16"
"""Where a network that declares none has its addresses; nobody else's are compared with them. No machine has an address
there, so that a probe does not take one for the host's."""
DRIVERS = ("bridge", "macvlan", "ipvlan", "overlay")


def check_network(spec: NetworkSpec, networks: Iterable[Network]) -> None:
    """Refuse what Docker refuses: a driver that is not there, a subnet that overlaps with another network's."""
    if (spec.driver or "bridge") not in DRIVERS:
        raise _refused(f'plugin "{spec.driver}" not found')
    for _ in Subnets(networks).overlapping(spec):
        raise _refused("Pool overlaps with other one on this address space")


def _refused(text: str) -> EngineError:
    error = EngineError(text)
    error.permanent = True
    return error


def check_endpoint(network: Network, endpoint: Mapping[str, Any]) -> None:
    """Refuse what Docker refuses as it connects a container that runs: an address of a network without a subnet that
    somebody gave it, a link-local one that is none. One that does not run it takes with all that."""
    versions = {":" in pool.subnet for pool in network.ipam.pools}
    for key in ("ipv4_address", "ipv6_address"):
        if endpoint.get(key) and (key == "ipv6_address") not in versions:
            where = "networks with user configured subnets"
            raise _refused(f"user specified IP address is supported only when connecting to {where}")
    for address in endpoint.get("link_local_ips") or ():
        if not ipaddress.ip_address(address).is_link_local:
            raise _refused(f"invalid link local IP address: {address}")


def address_in(network: Network, endpoint: Mapping[str, Any], taken: Collection[str]) -> str:
    """The address of a container that is connected to a network. Raises AddressInUse, and StartFailed for one that is
    in none of its subnets."""
    check_endpoint(network, endpoint)
    pools = [pool for pool in network.ipam.pools if ":" not in pool.subnet]
    subnet = ipaddress.ip_network(pools[0].subnet if pools else ANY_SUBNET)
    wanted = endpoint.get("ipv4_address")
    if wanted:
        if pools and ipaddress.ip_address(wanted) not in subnet:
            said = f"Invalid address {wanted}: It does not belong to any of this network's subnets"
            raise StartFailed(said, permanent=True)
        own = {*(pools[0].aux_addresses.values() if pools else ()), pools[0].gateway if pools else None}
        if wanted in taken or wanted in own or (pools and wanted in (str(subnet[0]), str(subnet[-1]))):
            raise AddressInUse("Address already in use")
        return str(wanted)
    hosts = (str(address) for address in subnet.hosts())
    gateway = pools[0].gateway if pools and pools[0].gateway else next(hosts)
    free = next((address for address in hosts if address != gateway and address not in taken), None)
    if free is None:
        raise StartFailed(f"no available addresses on network {network.name}")
    return free
