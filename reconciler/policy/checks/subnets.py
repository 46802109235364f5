"""Addresses of networks: subnets, ranges, gateways, addresses that are given away, and options that carry some. Pure.

A bridge puts a route to its subnet onto the host, and an address: whoever chooses the subnet chooses what the host
itself reaches there. Networks of the drivers in ``_BESIDE`` put none there; usually they are the host's own network,
on purpose. That the engine's networks do not overlap one another, the engine sees to.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.policy.checks import goals
from reconciler.policy.checks.case import Case, Object, objects, table, texts
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.world import HostNet

BRIDGE_NAME = "com.docker.network.bridge.name"
SUBNETS = "networks.subnets"
OVERLAP = "networks.host_overlap"

_BESIDE = ("macvlan", "ipvlan", "overlay", "null", "none")
_ON_CARDS = ("macvlan", "ipvlan")
_IPAM = frozenset({"Driver", "Config", "Options"})
_POOL = frozenset({"Subnet", "IPRange", "Gateway", "AuxiliaryAddresses"})
_ENGINES = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}|podman[0-9]+|cni-podman[0-9]+")
_ENGINES_OWN = ("docker0", "docker_gwbridge")
_OTHERS = re.compile(r"(?:virbr|lxdbr|lxcbr|incusbr|vmbr|xenbr|cni|cbr|kube|flannel|br|bridge)[0-9-]*")
"""Bridges of other programs, as they are usually called."""
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")

Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


def subnets(case: Case, body: Object) -> None:
    """The addresses of a network that is to be made."""
    ipam = table(body.get("IPAM"))
    case.unknown(ipam, _IPAM, "IPAM.")
    options = table(body.get("Options"))
    bridge = str(options.get(BRIDGE_NAME) or "")
    pools = objects(ipam.get("Config"))
    engines = case.world.bridges() if bridge or pools else None
    if bridge:
        _interface(case, bridge, engines)
    driver = str(body.get("Driver") or "bridge")
    if driver in _ON_CARDS:
        _parent(case, str(options.get("parent") or ""))
    is_beside = driver in _BESIDE
    for index, pool in enumerate(pools):
        field = f"IPAM.Config[{index}]"
        case.unknown(pool, _POOL, f"{field}.")
        found = dict(_of_pool(case, pool, field))
        for place, subnet in found.items():
            if not is_listed(case, subnet):
                said = f"the {_words(place)} {_shown(subnet)} of a network: it is not in {_allowed(case)}"
                case.refuse(SUBNETS, f"{field}.{place}", said, str(subnet))
        if is_beside or case.policy.flag(OVERLAP):
            continue
        if "Subnet" in found:  # all the others are in it
            _overlap(case, found["Subnet"], bridge, engines, f"{field}.Subnet")


def _of_pool(case: Case, pool: Object, field: str) -> Iterator[tuple[str, Subnet]]:
    """Everything in a pool that is an address, as a subnet, by its place."""
    given = {key: pool.get(key) for key in ("Subnet", "IPRange", "Gateway") if pool.get(key)}
    others = {f"AuxiliaryAddresses[{name}]": one for name, one in table(pool.get("AuxiliaryAddresses")).items()}
    whole: Subnet | None = None
    for place, text in {**given, **others}.items():
        try:
            subnet = _network(str(text))
        except ValueError:
            case.refuse(KNOWN_FIELDS, f"{field}.{place}", f"{str(text)[:60]!r}, which is not an address of a network")
            continue
        if place == "Subnet":
            whole = subnet
        elif whole is None or subnet.version != whole.version or not subnet.subnet_of(whole):  # type: ignore[arg-type]
            case.refuse(KNOWN_FIELDS, f"{field}.{place}", f"the {_words(place)} {_shown(subnet)}, not in the subnet")
        yield place, subnet


def _words(place: str) -> str:
    known = {"Subnet": "subnet", "IPRange": "range", "Gateway": "gateway"}
    return known.get(place, "address")


def _shown(subnet: Subnet) -> str:
    return str(subnet) if subnet.num_addresses > 1 else str(subnet.network_address)


def _allowed(case: Case) -> str:
    return ", ".join(case.policy.words(SUBNETS)) or "any list, which is empty"


def is_listed(case: Case, subnet: Subnet) -> bool:
    """Whether the policy's list has all addresses of a subnet."""
    patterns = case.policy.words(SUBNETS)
    if "*" in patterns:
        return True
    listed = map(ipaddress.ip_network, patterns)
    return any(one.version == subnet.version and subnet.subnet_of(one) for one in listed)  # type: ignore[arg-type]


# --- what the host has already -------------------------------------------------------------------------------------


def _overlap(case: Case, subnet: Subnet, bridge: str, engines: frozenset[str] | None, field: str) -> None:
    net = case.net()
    if net.hidden:
        if not case.policy.flag("networks.unseen"):
            said = f"the subnet {_shown(subnet)}: it is not known whether the host has it already, since {net.hidden}"
            case.refuse("networks.unseen", field, said)
        return
    what = _taken(subnet, net, bridge, engines)
    if what is not None:
        case.refuse(OVERLAP, field, f"the subnet {subnet}: it {what}")


def _taken(subnet: Subnet, net: HostNet, bridge: str, engines: frozenset[str] | None) -> str | None:
    """What of the host a subnet would take, in words."""
    secret = next((one for one in goals.METADATA if one in subnet), None)
    if secret is not None:
        return f"has {secret}, {goals.Lies.METADATA}"
    bridges = {name for name, is_bridge in net.interfaces if is_bridge}

    def is_engines(route: str, interface: str) -> bool:
        """Where the engine is not asked, what is called as it calls its own, and a bridge that has just this subnet:
        the network may be there already. It is judged again before it is made, when the engine is asked."""
        if engines is not None:
            return interface in engines
        if interface == bridge or _ENGINES.fullmatch(interface):
            return True
        return interface in bridges and _network(route) == subnet and not _OTHERS.fullmatch(interface)

    own = [_network(route) for route, interface in net.routes if is_engines(route, interface)]
    for route, interface in net.routes:
        there = _network(route)
        if not is_engines(route, interface) and _share(subnet, there) and there not in own:
            on = f" on {interface}" if interface else ""
            return f"overlaps with {route}, to which the host has a route{on}"
    for kind, addresses in (("address", net.addresses), ("gateway", net.gateways), ("resolver", net.resolvers)):
        for address in addresses:
            one = _network(address)
            if _share(subnet, one) and not any(_share(one, made) for made in own):
                return f"has {address}, which is the host's {kind}"
    return None


def _network(text: str) -> Subnet:
    if "%" in text:
        raise ValueError(text)  # an interface is no part of a subnet
    return ipaddress.ip_network(text, strict=False)


def _share(one: Subnet, other: Subnet) -> bool:
    return one.version == other.version and one.overlaps(other)


def _interface(case: Case, name: str, engines: frozenset[str] | None) -> None:
    field = f"Options[{BRIDGE_NAME}]"
    if not _INTERFACE.fullmatch(name) or name.lower() in ("all", "default", "lo"):
        case.refuse(KNOWN_FIELDS, field, f"{name[:60]!r}, which is not a name for a bridge")
        return
    if case.policy.flag(OVERLAP):
        return
    if name in _ENGINES_OWN:
        # An engine makes a second network on it; and when that one goes, it takes the bridge away from the first.
        case.refuse(OVERLAP, field, f"a network on {name}, which is the engine's own bridge")
        return
    found = dict(case.net().interfaces).get(name)
    if found is None:
        return
    if not found or (_OTHERS.fullmatch(name) if engines is None else name not in engines):
        case.refuse(OVERLAP, field, f"a network on {name}, which is an interface of the host")


def _parent(case: Case, name: str) -> None:
    """Refuse a network on the bridge of another one: who is on it is in the other's network."""
    bridge = re.sub(r"[.:].*", "", name)
    if not bridge or case.policy.flag(OVERLAP):
        return
    if _ENGINES.fullmatch(bridge) or bridge in (case.world.bridges() or ()):
        case.refuse(OVERLAP, "Options[parent]", f"a network on {name}, which is the bridge of another network")


# --- addresses of containers ---------------------------------------------------------------------------------------


def fixed(case: Case, settings: Object, field: str) -> None:
    """The addresses that a container asks for in a network."""
    given = table(settings.get("IPAMConfig"))
    case.unknown(given, frozenset({"IPv4Address", "IPv6Address", "LinkLocalIPs"}), f"{field}.IPAMConfig.")
    for key in ("IPv4Address", "IPv6Address"):
        if given.get(key):
            _fixed(case, str(given[key]), f"{field}.IPAMConfig.{key}")
    for one in texts(given.get("LinkLocalIPs")):
        _fixed(case, one, f"{field}.IPAMConfig.LinkLocalIPs", is_near=True)


def _fixed(case: Case, text: str, field: str, *, is_near: bool = False) -> None:
    address = goals.parsed(text)
    if address is None:
        case.refuse(KNOWN_FIELDS, field, f"{text[:60]!r}, which is not an address")
        return
    lies = goals.of_address(address, HostNet())
    if lies not in (goals.Lies.ELSEWHERE, goals.Lies.METADATA) and not (is_near and lies is goals.Lies.NEAR):
        one = ipaddress.ip_network(text)
        if not is_listed(case, one):
            case.refuse(SUBNETS, field, f"the address {text} for a container, which is {lies}", str(one))
    elif not case.policy.flag(OVERLAP):
        what = _taken(ipaddress.ip_network(text), _without_routes(case.net()), "", None)
        if what is not None:
            case.refuse(OVERLAP, field, f"the address {text} for a container: it {what}")


def _without_routes(net: HostNet) -> HostNet:
    """Only the engine's: in the host's own networks containers may be, but not as the host."""
    kept = tuple((route, name) for route, name in net.routes if _ENGINES.fullmatch(name))
    return HostNet(kept, net.addresses, net.gateways, net.resolvers)


# --- options that carry addresses, or open what they would keep closed ----------------------------------------------

HOST_BINDING = ("com.docker.network.bridge.host_binding_ipv4", "com.docker.network.bridge.host_binding_ipv6")
OPENING = (
    "com.docker.network.bridge.gateway_mode_ipv4",
    "com.docker.network.bridge.gateway_mode_ipv6",
    "com.docker.network.bridge.trusted_host_interfaces",
)
"""Options with which every port of every container is reached from outside, published or not."""
CLOSED = ("", "nat", "isolated")
_DEFAULT_BRIDGE = "com.docker.network.bridge.default_bridge"
_MODE = "macvlan_mode"
_MODES = ("", "bridge", "private", "vepa")


def asks_for_unusual(options: Mapping[str, Any]) -> list[str]:
    """Which options are set that no pattern stands for: those that turn a network into the engine's own, or that give
    a container the host's network card with all that comes in (``macvlan_mode=passthru``)."""
    found = []
    if str(options.get(_DEFAULT_BRIDGE) or "").lower() not in ("", "false", "0"):
        found.append(_DEFAULT_BRIDGE)
    if str(options.get(_MODE) or "") not in _MODES:
        found.append(f"{_MODE}={options[_MODE]}")
    return found
