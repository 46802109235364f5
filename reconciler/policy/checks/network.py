"""Networks: how they are made and joined, published ports. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from itertools import starmap
from typing import Any

from reconciler.policy.checks import subnets
from reconciler.policy.checks.case import Case, Object, objects, table, texts
from reconciler.policy.checks.security import allows_in_a_path
from reconciler.policy.checks.sharing import lent, others
from reconciler.policy.rule import ADDRESSES, FLAG, NAMES, PORTS, WORDS, Rule
from reconciler.policy.values import DOMAIN, UNOWNED
from reconciler.quantities import port_ranges

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]

ROWS = (
    Rule(
        "networks.drivers",
        WORDS,
        "Which drivers of networks may be used. macvlan and ipvlan put a container onto the host's own network, past"
        " every rule for ports, also into a VLAN that the host itself is not in (`parent: eth0.50`).",
        ["*"],
        ["bridge", "ipvlan", "macvlan", "overlay"],
        ["bridge"],
    ),
    Rule(
        "networks.options",
        WORDS,
        "Which options (driver_opts) a network may have, and a container in one. Kernel settings of a container's card"
        " (com.docker.network.endpoint.sysctls) also follow security.sysctls.",
        ["*"],
        [
            *("com.docker.network.bridge.*", "com.docker.network.driver.mtu", "com.docker.network.enable_ipv*"),
            *("com.docker.network.container_iface_prefix", "com.docker.network.endpoint.ifname"),
            *("com.docker.network.endpoint.sysctls", "com.docker.network.driver.overlay.*", "encrypted"),
            *("ipvlan_*", "macvlan_*", "parent"),
        ],
        [
            *("com.docker.network.bridge.enable_icc", "com.docker.network.driver.mtu"),
            "com.docker.network.endpoint.ifname",
        ],
    ),
    Rule(
        "networks.subnets",
        ADDRESSES,
        "In which subnets the networks of domains may lie that name one, with their ranges, gateways and addresses. The"
        " standard list is the private ranges (RFC 1918, RFC 4193). Shared address space (100.64.0.0/10) is not in it:"
        " VPNs and providers have it.",
        ["*"],
        PRIVATE,
        PRIVATE,
    ),
    Rule(
        "networks.host_overlap",
        FLAG,
        "Whether they may overlap what the host has already (a route, an address, a gateway, a resolver) or an address"
        " where a cloud tells its machines their secrets, a container have such an address, or the bridge of a network"
        " be an interface of the host; and whether macvlan and ipvlan may be on the bridge of another network. The"
        " engine's own networks don't count here (that they do not overlap is the engine's to see to), nor the subnets"
        " of those that put no route onto the host: macvlan, ipvlan, overlay.",
        True,
        False,
        False,
    ),
    Rule(
        "networks.unseen",
        FLAG,
        "Whether a network may name a subnet where pnr can't see what the engine's machine has: on macOS and Windows,"
        " and where the engine is elsewhere.",
        True,
        True,
        False,
    ),
    Rule(
        "networks.ipam_drivers",
        WORDS,
        "Which drivers may hand out a network's addresses.",
        ["*"],
        ["default", "null"],
        ["default"],
    ),
    Rule(
        "networks.external",
        NAMES,
        "Which networks that do not belong to its domain a container may join, by their names in the engine. What"
        " another domain shares (`shared_with` at the network in its file) takes no entry here. Of what belongs to no"
        f" domain `{DOMAIN}` stands for the domain file's own name, as Compose puts it before that of a network, and"
        f" `{UNOWNED}` for all but docker_gwbridge and ingress, in which all of a swarm is.",
        ["*"],
        [f"{DOMAIN}_*", f"{DOMAIN}-*", UNOWNED],
        [],
    ),
    Rule(
        "ports.addresses",
        ADDRESSES,
        "On which of the host's addresses ports may be published. `0.0.0.0` and `::` are all of them.",
        ["*"],
        ["*"],
        ["127.0.0.0/8", "::1"],
    ),
    Rule(
        "ports.allowed",
        PORTS,
        "Which of the host's ports may be published; 0 is any free one.",
        ["0-65535"],
        ["0-65535"],
        ["1024-65535"],
    ),
)

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what is refused
_SYSCTLS = "com.docker.network.endpoint.sysctls"
_NETWORK = frozenset(
    {"Name", "CheckDuplicate", "Driver", "Internal", "Attachable", "EnableIPv4", "EnableIPv6", "IPAM", "Options"}
    | {"Labels"}
)
_ENDPOINT = frozenset(
    {"IPAMConfig", "Links", "Aliases", "MacAddress", "DriverOpts", "GwPriority", "IPAddress", "GlobalIPv6Address"}
)
_SEEN_ONLY = frozenset(
    {"NetworkID", "EndpointID", "Gateway", "IPPrefixLen", "IPv6Gateway", "GlobalIPv6PrefixLen", "DNSNames"}
)
_BUILT_IN = ("default", "bridge", "none", "host", "nat")


def network(case: Case, body: Object) -> None:
    """``POST /networks/create``."""
    case.unknown(body, _NETWORK, "")
    driver = str(body.get("Driver") or "bridge")
    if not case.policy.allows("networks.drivers", driver):
        case.refuse("networks.drivers", "Driver", f"the network driver {driver}", driver)
    _options(case, table(body.get("Options")), "Options")
    ipam = str(table(body.get("IPAM")).get("Driver") or "default")
    if not case.policy.allows("networks.ipam_drivers", ipam):
        case.refuse("networks.ipam_drivers", "IPAM.Driver", f"the driver {ipam} of a network's addresses", ipam)


def _options(case: Case, options: Mapping[str, Any], field: str) -> None:
    for name in options:
        if not case.policy.allows("networks.options", str(name)):
            case.refuse("networks.options", f"{field}[{name}]", f"the network option {name}", str(name))
    listed = case.policy.words("networks.options")
    for name in subnets.asks_for_unusual(options):
        if name not in listed and "*" not in listed:
            at = f"{field}[{name.partition('=')[0]}]"
            case.refuse("networks.options", at, f"the network option {name}", name)
    for name in subnets.HOST_BINDING:
        if options.get(name):
            _published(case, str(options[name]), "0", f"{field}[{name}]")
    for name in subnets.OPENING:
        if str(options.get(name) or "") not in subnets.CLOSED:
            _opened(case, name, f"{field}[{name}]")


def endpoint(case: Case, name: str, settings: Object, field: str) -> None:
    """How a container is in a network."""
    case.unknown(settings, _ENDPOINT | _SEEN_ONLY, f"{field}.")
    options = table(settings.get("DriverOpts"))
    _options(case, options, f"{field}.DriverOpts")
    for one in str(options.get(_SYSCTLS) or "").split(","):
        key = one.partition("=")[0].strip()
        if key and not allows_in_a_path(case.policy, "security.sysctls", key):
            case.refuse("security.sysctls", f"{field}.DriverOpts[{_SYSCTLS}]", f"the kernel setting {key}", key)
    subnets.fixed(case, settings, field)
    # Links in a network of its own are names for whom it reaches anyway.
    joined(case, name, field)


def joined(case: Case, name: str, field: str) -> None:
    """Refuse a network that a container may not join."""
    body = case.world.network(name) if name not in ("", *_BUILT_IN) else None
    if body is None:
        return
    if body.get("Driver") == "host" and not case.policy.allows("namespaces.host", "network"):
        case.refuse("namespaces.host", field, f"the host's network under the name {name}", "network")
    lent(case, "network", name, body, field)


def ports(case: Case, host: Object) -> None:
    """Published ports."""
    if host.get("PublishAllPorts"):
        _published(case, "", "0", "HostConfig.PublishAllPorts")
    for target, bindings in table(host.get("PortBindings")).items():
        field = f"HostConfig.PortBindings[{target}]"
        for binding in objects(bindings) or [{}]:
            case.unknown(binding, frozenset({"HostIp", "HostPort"}), f"{field}.")
            _published(case, str(binding.get("HostIp") or ""), str(binding.get("HostPort") or "0"), field)


def _opened(case: Case, name: str, field: str) -> None:
    """Refuse to open every port of a network where not every port may be published."""
    ranges: Iterable[tuple[int, int]] = case.policy.values["ports.allowed"]
    said = f"the network option {name}, with which all ports are reached from outside"
    if not all(_may_publish_on(case, one) for one in EVERY_ADDRESS):
        case.refuse("ports.addresses", field, said, "*")
    if not _is_within(1, 65535, ranges):
        case.refuse("ports.allowed", field, said, "0-65535")


def _published(case: Case, address: str, port: str, field: str) -> None:
    for one in [address] if address else EVERY_ADDRESS:
        if not _may_publish_on(case, one):
            allowed = ", ".join(case.policy.words("ports.addresses")) or "none"
            wanted = "*" if one in EVERY_ADDRESS else one.strip("[]")
            shown = f"every address ({one})" if one in EVERY_ADDRESS else one
            case.refuse("ports.addresses", field, f"a port on {shown} of the host (allowed: {allowed})", wanted)
            break
    first, last = port_ranges.read(port) or (-1, -1)
    ranges: Iterable[tuple[int, int]] = case.policy.values["ports.allowed"]
    if not _is_within(first, last, ranges):
        allowed = ", ".join(starmap(port_ranges.exact, ranges)) or "none"
        what = "any free port" if first == 0 else f"the port {port}"
        case.refuse("ports.allowed", field, f"{what} of the host (allowed: {allowed})", port)


def _is_within(first: int, last: int, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether all ports of a range are in others, which may join."""
    wanted = first
    for low, high in sorted(ranges):
        if low <= wanted <= high:
            wanted = high + 1
    return first >= 0 and wanted > last


def _may_publish_on(case: Case, address: str) -> bool:
    patterns = case.policy.words("ports.addresses")
    if "*" in patterns:
        return True
    try:
        given = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(given, "ipv4_mapped", None)
    one = mapped if mapped is not None else given
    # 0.0.0.0 is in no subnet but one that has all addresses: it stands for each of them.
    networks = [ipaddress.ip_network(pattern) for pattern in patterns]
    same = [network for network in networks if network.version == one.version]
    if one.is_unspecified:
        return any(network.prefixlen == 0 or network.network_address == one == network[-1] for network in same)
    return any(one in network for network in same)


def links(case: Case, host: Object) -> None:
    """Links on the engine's own bridge: they hand over the environment of the other container."""
    for index, link in enumerate(texts(host.get("Links"))):
        name = link.partition(":")[0].lstrip("/")
        others(case, name, f"HostConfig.Links[{index}]", "link to the container")


def networking(case: Case, body: Object) -> None:
    """``NetworkingConfig`` of the body that creates a container."""
    config = table(body.get("NetworkingConfig"))
    if config:
        case.unknown(config, frozenset({"EndpointsConfig"}), "NetworkingConfig.")
    for name, settings in table(config.get("EndpointsConfig")).items():
        endpoint(case, str(name), table(settings), f"NetworkingConfig.EndpointsConfig[{name}]")
    mode = str(table(body.get("HostConfig")).get("NetworkMode") or "")
    if mode and not mode.startswith("container:"):
        joined(case, mode, "HostConfig.NetworkMode")
