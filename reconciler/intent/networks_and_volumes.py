"""What a domain says of its networks and volumes, and its containers of them, must agree. Pure.

Part of :mod:`reconciler.intent.container_checks`, with its manner: what has another shape than is expected is passed
over, since it is told where it is read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics
from reconciler.intent import networks
from reconciler.intent.chunks import chunks_of_tree
from reconciler.intent.lenient import object_in, parsed
from reconciler.intent.model import Ipam
from reconciler.intent.networks import BUILT_IN, OWN_NETWORK, RESERVED
from reconciler.intent.positions import KEY
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.faults import shown

_OF_NETWORKS = (
    *("driver", "driver_opts", "attachable", "enable_ipv4", "enable_ipv6", "internal", "ipam", "labels"),
    "shared_with",
)
_OF_VOLUMES = ("driver", "driver_opts", "labels", "keep", "shared_with")
_ADDRESSES = (("ipv4_address", 4), ("ipv6_address", 6))

Object = Mapping[str, Any]


def disagreements(tree: Object, report: Diagnostics) -> None:
    """Everything in ``tree`` about networks and volumes that contradicts something else in it."""
    for kind, keys in (("networks", _OF_NETWORKS), ("volumes", _OF_VOLUMES)):
        for name, declared in object_in(tree, kind).items():
            _external(declared, keys, report.at(kind, name))
        _same_name(tree, kind, report)
    for name, declared in object_in(tree, "networks").items():
        _engines_own(declared, report.at("networks", name))
    _overlaps(tree, report)
    for chunk, path in chunks_of_tree(tree):
        _joined(object_in(chunk, "container"), tree, report.at(*path, "container"))


def _is_external(declared: Any) -> bool:
    said = declared.get("external") if isinstance(declared, dict) else None
    return isinstance(said, dict) or said is True


def _external(declared: Any, keys: tuple[str, ...], report: Diagnostics) -> None:
    if not _is_external(declared):
        return
    for key in keys:
        if declared.get(key) or (key == "keep" and key in declared):
            report.error((key,), "Conflict", f"{key} of what is external is not pnr's to say: leave it out")
    other = object_in(declared, "external").get("name")
    if other is not None and declared.get("name") not in (None, other):
        report.error(("name",), "Conflict", "external.name says otherwise: leave one of them out")


def _engine_name(tree: Object, kind: str, name: str) -> str | None:
    """How the engine calls a network or volume; None where that can't be told."""
    declared = object_in(tree, kind).get(name) or {}
    if not isinstance(declared, dict):
        return None
    said = declared.get("name") or object_in(declared, "external").get("name")
    if said or _is_external(declared):
        return said if isinstance(said, str) else name if not said else None
    domain = tree.get("name")
    own = f"{domain}" if name == OWN_NETWORK and kind == "networks" else f"{domain}_{name}"
    return f"pnr_{own}" if kind == "networks" else own


def _same_name(tree: Object, kind: str, report: Diagnostics) -> None:
    """Two of a domain are two in the engine. External ones may be the same: they are only looked for."""
    seen: dict[str, str] = {}
    first = (OWN_NETWORK,) if kind == "networks" else ()
    for name in dict.fromkeys((*first, *object_in(tree, kind))):
        declared = object_in(tree, kind).get(name)
        engine_name = _engine_name(tree, kind, name)
        if engine_name is None or _is_external(declared):
            continue
        other = seen.setdefault(engine_name, name)
        if other != name:
            at = "name" if object_in(object_in(tree, kind), name).get("name") else KEY
            message = f"{shown(engine_name)} is the name of {kind}.{other} in the engine: give it another name"
            report.error((kind, name, at), "Conflict", message)


def _engines_own(declared: Any, report: Diagnostics) -> None:
    if not isinstance(declared, dict) or _is_external(declared):
        return
    driver = declared.get("driver")
    if driver in BUILT_IN:
        for key in declared:
            if key not in ("driver", "external") and not key.startswith("x-"):
                message = f"with driver {driver} this is the engine's own network {driver}: leave {key} out"
                report.error((key,), "Conflict", message)
    elif declared.get("name") in RESERVED:
        message = f"{shown(declared['name'])} is a network of the engine's own: say that it is external"
        report.error(("name",), "Conflict", message)


def _ipam(declared: Any) -> Ipam | None:
    said = declared.get("ipam") if isinstance(declared, dict) and not _is_external(declared) else None
    found = parsed(networks.ipam, said)
    return found if isinstance(found, Ipam) else None


def _overlaps(tree: Object, report: Diagnostics) -> None:
    """No two subnets of the domain share an address: an engine refuses the second."""
    seen: list[tuple[Any, str]] = []
    for name, declared in object_in(tree, "networks").items():
        ipam = _ipam(declared)
        for index, pool in enumerate(ipam.pools if ipam is not None else ()):
            subnet = ipaddress.ip_network(pool.subnet)
            other = next((o for o, _ in seen if o.version == subnet.version and o.overlaps(subnet)), None)
            if other is not None:
                whose = next(whose for o, whose in seen if o is other)
                message = f"{subnet} shares addresses with {other} of networks.{whose}"
                report.error(("networks", name, "ipam", "config", index, "subnet"), "Conflict", message)
            seen.append((subnet, name))


def _joined(container: Object, tree: Object, report: Diagnostics) -> None:
    """What a container says of the networks that it joins."""
    said = container.get("networks")
    names = list(said) if isinstance(said, dict) else said if isinstance(said, list) else []
    names = [name for name in names if isinstance(name, str)]
    declared = object_in(tree, "networks")
    alone = [name for name in names if _built_in(declared.get(name), name)]
    if alone and len(names) > 1:
        message = f"{alone[0]} stands for the engine's network {_built_in(declared[alone[0]], alone[0])}, which a"
        report.error(("networks",), "Conflict", f"{message} container can only have alone")
    if alone and container.get("ports"):
        message = f"with the engine's network {_built_in(declared[alone[0]], alone[0])} no port can be published"
        report.error(("ports",), "Conflict", f"{message}: leave ports out")
    if not isinstance(said, dict):
        return
    for name, attachment in said.items():
        if not isinstance(attachment, dict):
            continue
        _addresses(attachment, name, declared.get(name), report.at("networks", name))
        mac = attachment.get("mac_address")
        parse = SETTINGS["mac_address"].parse
        own = container.get("mac_address")
        if len(names) == 1 and mac and own and parsed(parse, mac) != parsed(parse, own):
            message = "mac_address of the container says otherwise: leave one of them out"
            report.error(("networks", name, "mac_address"), "Conflict", message)


def _built_in(declared: Any, name: str) -> str:
    """``host`` or ``none`` where a network is that of the engine, else nothing."""
    if not isinstance(declared, dict):
        return ""
    engine_name = declared.get("driver")
    if _is_external(declared):
        engine_name = object_in(declared, "external").get("name") or declared.get("name") or name
    return str(engine_name) if engine_name in BUILT_IN else ""


def _addresses(attachment: Object, name: str, declared: Any, report: Diagnostics) -> None:
    """A fixed address is one of a declared subnet: in others an engine gives none."""
    if _is_external(declared):
        return
    if isinstance(declared, dict) and declared.get("ipam") is not None and _ipam(declared) is None:
        return
    ipam = _ipam(declared) or Ipam()
    for key, version in _ADDRESSES:
        try:
            address = ipaddress.ip_address(str(attachment[key])) if key in attachment else None
        except ValueError:
            continue
        if address is None or address.version != version:
            continue
        subnets = [ipaddress.ip_network(pool.subnet) for pool in ipam.pools]
        subnets = [subnet for subnet in subnets if subnet.version == version]
        if not subnets:
            message = f"networks.{name} declares no IPv{version} subnet, and without one the engine gives no fixed"
            report.error((key,), "Conflict", f"{message} address: add ipam.config with a subnet to it")
        elif not any(address in subnet for subnet in subnets):
            within = " or ".join(map(str, subnets))
            report.error((key,), "Conflict", f"{address} is not in {within}, the subnet of networks.{name}")
        elif (taken := _taken(address, ipam)) is not None:
            report.error((key,), "Conflict", f"{address} is {taken} of networks.{name}: choose another")


def _taken(address: Any, ipam: Ipam) -> str | None:
    """What an address of a network is that no container can have."""
    for pool in ipam.pools:
        subnet = ipaddress.ip_network(pool.subnet)
        if address not in subnet:
            continue
        if address == subnet.network_address and subnet.num_addresses > 2:
            return "the address of the subnet itself"
        if address.version == 4 and address == subnet.broadcast_address and subnet.num_addresses > 2:
            return "the broadcast address"
        if pool.gateway and address == ipaddress.ip_address(pool.gateway):
            return "the gateway"
        for name, other in pool.aux_addresses.items():
            if address == ipaddress.ip_address(other):
                return f"kept for {shown(name)} (aux_addresses)"
    return None
