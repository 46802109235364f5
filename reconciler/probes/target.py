"""Where a probe goes: the published host port where there is one, else the container's own address. Pure.

Nothing else is ever probed: a published port on all addresses is asked on the loopback address, and a container
that shares the host's network is asked there, because that is its own address. No other address of a container may be
one of the host's (:mod:`reconciler.probes.reach`): it is looked at before every probe.
"""

from __future__ import annotations

from reconciler.intent.model import HealthCheck
from reconciler.planner.observed import Container, HostPort
from reconciler.probes.protocol import ProbeResult, Target
from reconciler.probes.reach import OfHost, barred, of_host
from reconciler.sentences import advised

_ANY_IPV4 = frozenset({"", "0.0.0.0"})  # noqa: S104 - as the engine says it
_ANY_IPV6 = "::"
_HOST_NETWORK = "host"  # the engine's own name for the host's network; no other network can have it


def resolve(check: HealthCheck, container: Container, is_of_host: OfHost = of_host) -> Target | ProbeResult:
    """Where ``check`` goes for ``container`` as last seen, or the failure that it has no address yet.

    Without a ``port_key`` the target is the container alone.
    """
    if check.port_key is None:
        return Target(container)
    number, _, protocol = check.port_key.partition("/")
    published = container.published.get(f"{number}/{protocol or 'tcp'}", ())
    if published:
        # IPv4 first: where both are published, that is the one that works on a host without IPv6.
        best = min(published, key=lambda port: ":" in port.ip)
        return Target(container, host=_reachable(best), port=best.port)
    addresses = own_addresses(container, is_of_host)
    if addresses:
        return Target(container, host=addresses[0], port=int(number))
    told = next((address for address in container.networks.values() if address), "")
    if not told:
        return ProbeResult(ok=False, message=f"port {check.port_key}: the container has no address yet")
    said = f"port {check.port_key}: the container's address {told} is not asked, which is {barred(told, is_of_host)}"
    return ProbeResult(ok=False, message=advised(said, "give its network another subnet, or publish the port"))


def own_addresses(container: Container, is_of_host: OfHost = of_host) -> tuple[str, ...]:
    """The addresses of the container itself, in the order of its networks; empty while it has none. What is the host's
    is none of them, but with the host's network."""
    return tuple(
        "127.0.0.1" if name == _HOST_NETWORK else address
        for name, address in container.networks.items()
        if name == _HOST_NETWORK or (address and not barred(address, is_of_host))
    )


def shown(host: str | None, port: int | None) -> str:
    """``127.0.0.1:8080`` or ``[::1]:8080``, as in a URL."""
    return f"[{host}]:{port}" if host is not None and ":" in host else f"{host}:{port}"


def _reachable(published: HostPort) -> str:
    if published.ip in _ANY_IPV4:
        return "127.0.0.1"
    if published.ip == _ANY_IPV6:
        return "::1"
    return published.ip
