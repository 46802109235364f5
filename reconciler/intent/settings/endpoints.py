"""How a container is connected to one of its networks: the normal form, and the Engine API's. Pure.

Normal form: an object with those of ``ipv4_address``, ``ipv6_address``, ``link_local_ips`` (sorted), ``mac_address``,
``driver_opts``, ``priority``, ``gw_priority`` and ``interface_name`` that were declared, under Compose's names, and
``links`` (see :mod:`.links`) where the network has names. The aliases stand beside it; where an engine shows an
endpoint they are in it, as ``aliases``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings.row import Needs, brief

INTERFACE_NAME_OPTION = "com.docker.network.endpoint.ifname"
"""How ``interface_name`` is told to the engine (since API 1.49)."""
ALL_AT_ONCE_API = "1.44"
"""Since this API a container can be given all its networks as it is created; before, one."""
SHORT_ID = 12

_ADDRESSES = ("ipv4_address", "ipv6_address")


def to_api(aliases: Collection[str], endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The ``EndpointSettings`` of the Engine API."""
    sent: dict[str, Any] = {"Aliases": list(aliases)}
    if endpoint.get("links"):
        sent["Links"] = list(endpoint["links"])
    fixed = {
        "IPv4Address": endpoint.get("ipv4_address"),
        "IPv6Address": endpoint.get("ipv6_address"),
        "LinkLocalIPs": endpoint.get("link_local_ips"),
    }
    if any(fixed.values()):
        sent["IPAMConfig"] = {key: value for key, value in fixed.items() if value}
    if endpoint.get("mac_address"):
        sent["MacAddress"] = endpoint["mac_address"]
    options = dict(endpoint.get("driver_opts") or {})
    if endpoint.get("interface_name"):
        options[INTERFACE_NAME_OPTION] = endpoint["interface_name"]
    if options:
        sent["DriverOpts"] = options
    if endpoint.get("gw_priority"):
        sent["GwPriority"] = endpoint["gw_priority"]
    return sent


def from_api(shown: Mapping[str, Any], container_id: str) -> dict[str, Any]:
    """The same as an inspection shows it, with ``aliases``. The beginning of the container's own id, which older
    engines add to the aliases, is left out; an address that nobody asked for is not in it, but for the MAC address."""
    fixed = shown.get("IPAMConfig") or {}
    options = dict(shown.get("DriverOpts") or {})
    found = {
        "aliases": [str(alias) for alias in shown.get("Aliases") or () if alias != container_id[:SHORT_ID]],
        "links": sorted(str(link) for link in shown.get("Links") or ()),
        "ipv4_address": fixed.get("IPv4Address"),
        "ipv6_address": fixed.get("IPv6Address"),
        "link_local_ips": sorted(fixed.get("LinkLocalIPs") or ()),
        "mac_address": str(shown.get("MacAddress") or "").lower(),
        "interface_name": options.pop(INTERFACE_NAME_OPTION, None),
        "driver_opts": options,
        "gw_priority": shown.get("GwPriority"),
    }
    return {key: value for key, value in found.items() if value or key == "aliases"}


def difference(
    aliases: Collection[str], endpoint: Mapping[str, Any], found: Mapping[str, Any], own: Collection[str]
) -> str:
    """What is not as declared, in words; nothing where all is. ``own`` are the container's names, which are always
    known in its networks. Options of the driver that were not declared may be as they like: an engine adds its own."""
    said = []
    there = set(found.get("aliases") or ())
    missing = [alias for alias in aliases if alias not in there and alias not in own]
    extra = sorted(there - {*aliases, *own})
    if missing:
        said.append(f"alias {', '.join(missing)} missing")
    if extra:
        said.append(f"alias {', '.join(extra)} not declared")
    links, linked = endpoint.get("links") or [], found.get("links") or []
    if not set(links) <= set(linked) or _leading_elsewhere(links, linked):
        said.append(f"links {_words(links) or 'none'} declared, {_words(linked) or 'none'} found")
    for key in (*_ADDRESSES, "link_local_ips", "interface_name", "gw_priority"):
        wanted, shown = endpoint.get(key) or None, found.get(key)
        if wanted != shown and _shortest(wanted) != _shortest(shown):
            said.append(f"{key} {_words(wanted)} declared, {_words(shown)} found")
    wanted_options, options = endpoint.get("driver_opts") or {}, found.get("driver_opts") or {}
    for name, value in wanted_options.items():
        if options.get(name) != value:
            said.append(f"driver_opts {name}: {brief(value)} declared, {brief(options.get(name))} found")
    return "; ".join(said)


def _leading_elsewhere(links: Collection[str], linked: Collection[str]) -> list[str]:
    """Links to containers that no declared one leads to. Further names for those are harmless: Compose makes some."""
    declared = {link.partition(":")[0] for link in links}
    return [link for link in linked if link.partition(":")[0] not in declared]


def other_mac(endpoint: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """That a container has another MAC address in the network than declared, in words. Apart from the others, since
    engines before API 1.54 take one only as they create a container."""
    wanted, there = endpoint.get("mac_address"), found.get("mac_address")
    return f"mac_address {wanted} declared, {there} found" if wanted and there and wanted != there else ""


def has_fixed_address(spec: ContainerSpec) -> bool:
    """Whether two containers of the declaration can't be in its networks at once."""
    return any(end.get(key) for end in spec.endpoints.values() for key in _ADDRESSES)


def endpoint_needs(spec: ContainerSpec) -> list[Needs]:
    """What an engine must be to connect a container as declared, beyond the oldest that pnr speaks with."""
    found: list[Needs] = []
    for n, endpoint in enumerate(spec.endpoints.get(network, {}) for network in spec.networks):
        if endpoint.get("mac_address") and n > 0:
            found.append(Needs(ALL_AT_ONCE_API, "mac_address in another network than the first"))
        if endpoint.get("gw_priority"):
            found.append(Needs("1.48", "gw_priority of a network"))
        if endpoint.get("interface_name"):
            found.append(Needs("1.49", "interface_name of a network"))
    return found


def _shortest(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return sorted(_shortest(item) for item in value)
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else brief(value)
