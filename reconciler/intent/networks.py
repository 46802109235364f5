"""Networks and volumes in a domain file: how they are written, and what a network needs of the engine. Pure.

Addresses are put into their shortest form, so that equal ones are equal. What an engine would refuse or, worse, take
and ignore (a range that is not in its subnet, for one) is an error here, with its place.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from reconciler.intent import field_readers
from reconciler.intent.model import Ipam, NetworkSpec, Pool
from reconciler.intent.settings.faults import Faults, expected, object_of, wrong
from reconciler.intent.settings.hosts import mac_address
from reconciler.intent.settings.row import Needs
from reconciler.intent.settings.values import as_list, flag, integer, text
from reconciler.intent.settings.words import driver_options

OWN_NETWORK = "default"
BUILT_IN = ("host", "none")
"""Drivers that stand for a network of the engine's own: there is one of each, and it is all that a container has."""
RESERVED = ("bridge", "default", *BUILT_IN)
"""Names of networks that are the engine's own."""
NAMELESS = ("bridge", "nat")
"""The engine's own networks in which containers have addresses, but no names."""

_TEXTS = {"type": "array", "items": {"type": "string"}}
_OPTION = {"type": ["string", "number", "boolean", "null"]}
_OPTIONS = {"anyOf": [{"type": "object", "additionalProperties": _OPTION}, _TEXTS]}
_VARIABLE = {"type": "string", "pattern": r"\$"}
_NUMBER = {"anyOf": [{"type": "integer"}, _VARIABLE]}

ATTACHMENTS: dict[str, Any] = {
    "anyOf": [
        _TEXTS,
        {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"type": "null"},
                    {
                        "type": "object",
                        "properties": {
                            "aliases": _TEXTS,
                            "ipv4_address": {"type": "string"},
                            "ipv6_address": {"type": "string"},
                            "link_local_ips": _TEXTS,
                            "mac_address": {"type": "string"},
                            "driver_opts": _OPTIONS,
                            "priority": _NUMBER,
                            "gw_priority": _NUMBER,
                            "interface_name": {"type": "string"},
                        },
                        "patternProperties": {"^x-": {}},
                        "additionalProperties": False,
                    },
                ]
            },
        },
    ]
}

EXTERNAL: dict[str, Any] = {
    "anyOf": [
        {"type": "boolean"},
        _VARIABLE,
        {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
        },
    ]
}

IPAM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "driver": {"type": "string"},
        "config": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "subnet": {"type": "string"},
                    "ip_range": {"type": "string"},
                    "gateway": {"type": "string"},
                    "aux_addresses": {"type": "object", "additionalProperties": {"type": "string"}},
                },
                "required": ["subnet"],
                "patternProperties": {"^x-": {}},
                "additionalProperties": False,
            },
        },
        "options": _OPTIONS,
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}

DRIVER_OPTS = _OPTIONS

_network_name = field_readers.named("name of a network")
_alias = field_readers.named("alias", r"[A-Za-z0-9_.-]{1,253}", "letters, digits, _ . and -, at most 253")
_interface = field_readers.named(
    "name of an interface", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", "letters, digits, _ . and -, at most 15"
)
_MAX_PRIORITY = 2**31 - 1


def _object(what: str, parsers: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], dict[str, Any]]:
    """A reader of objects; keys that begin with ``x-`` are ignored."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise field_readers.wrong_type(what, value)
        return object_of({key: part for key, part in value.items() if not key.startswith("x-")}, parsers)

    return read


_number = integer("a priority", -_MAX_PRIORITY, _MAX_PRIORITY)


# --- addresses ------------------------------------------------------------------------------------------------


def _address(version: int | None = None) -> Callable[[Any], str]:
    """A reader of IP addresses, of one version or any, in their shortest form."""
    kind = f"an IPv{version} address" if version else "an IP address"

    def read(value: Any) -> str:
        try:
            found = ipaddress.ip_address(text(value).strip())
        except ValueError:
            raise expected(kind, value) from None
        if version not in (None, found.version):
            raise expected(kind, value)
        return str(found)

    return read


def _subnet(value: Any) -> str:
    """``10.0.0.0/24``; the bits of a host in it are dropped, as engines do."""
    given = text(value).strip()
    if "/" not in given:
        raise expected("a subnet such as 10.5.0.0/24", value)
    try:
        return str(ipaddress.ip_network(given, strict=False))
    except ValueError:
        raise expected("a subnet such as 10.5.0.0/24", value) from None


@lru_cache(maxsize=4096)
def shortest(subnet: str) -> str:
    """A subnet or an address as the engine shows it, in its shortest form; what is neither stays as it is. Those of the
    networks that there are are compared at each decision."""
    try:
        return str(ipaddress.ip_network(subnet, strict=False) if "/" in subnet else ipaddress.ip_address(subnet))
    except ValueError:
        return subnet


def _addresses_by_name(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise expected("an object from name to address", value)
    faults = Faults()
    found = {str(name): faults.read((name,), _address(), part) or "" for name, part in value.items()}
    faults.throw()
    return dict(sorted(found.items()))


# --- what a container says of a network -------------------------------------------------------------------------


def attachments(value: Any) -> dict[str, dict[str, Any]]:
    """The networks of a container, a list of names or a map of them: of each its ``aliases`` and what else was
    declared (see :mod:`reconciler.intent.settings.endpoints`)."""
    faults = Faults()
    found: dict[str, dict[str, Any]] = {}
    if isinstance(value, list):
        for index, item in enumerate(value):
            found[faults.read((index,), _network_name, item) or ""] = {}
    elif isinstance(value, Mapping):
        for key, item in value.items():
            name = faults.read((key,), _network_name, key) or ""
            found[name] = (faults.read((key,), _attachment, item) if item is not None else None) or {}
    else:
        raise field_readers.wrong_type('a list of networks such as ["default", "backend"], or an object', value)
    faults.throw()
    return found


def _aliases(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise field_readers.wrong_type("a list of aliases", value)
    return as_list(_alias, "a list of aliases")(value)


def _link_local(value: Any) -> list[str]:
    return sorted(set(as_list(_address(), "a list of IP addresses")(value)))


_attachment = _object(
    "null, or an object with aliases and addresses",
    {
        "aliases": _aliases,
        "ipv4_address": _address(4),
        "ipv6_address": _address(6),
        "link_local_ips": _link_local,
        "mac_address": mac_address,
        "driver_opts": driver_options,
        "priority": _number,
        "gw_priority": _number,
        "interface_name": _interface,
    },
)


# --- what a domain says of a network ------------------------------------------------------------------------------


def external(value: Any) -> bool | str:
    """``true`` or ``false``, or the name that it has in the engine (Compose's older ``{"name": …}``)."""
    if not isinstance(value, Mapping):
        return flag(value)
    parts = _object("true, false or an object with name", {"name": field_readers.engine_name})(value)
    return str(parts["name"]) if "name" in parts else True


def driver(value: Any) -> str:
    """The name of a driver."""
    name = text(value)
    if not name or not name.isprintable():
        raise expected("the name of a driver such as bridge", value)
    return name


def ipam(value: Any) -> Ipam:
    """Where the addresses come from."""
    parts = _object(
        "an object with driver, config and options",
        {"driver": driver, "config": as_list(_pool, "a list of objects with subnet"), "options": driver_options},
    )(value)
    return Ipam(parts.get("driver"), tuple(parts.get("config") or ()), parts.get("options") or {})


_pool_parts = _object(
    "an object with subnet",
    {"subnet": _subnet, "ip_range": _subnet, "gateway": _address(), "aux_addresses": _addresses_by_name},
)


def _pool(value: Any) -> Pool:
    parts = _pool_parts(value)
    if "subnet" not in parts:
        raise wrong("subnet is missing: the engine takes no range, gateway or address without it")
    subnet = ipaddress.ip_network(parts["subnet"])
    faults = Faults()
    if "ip_range" in parts:
        part = ipaddress.ip_network(parts["ip_range"])
        if part.version != subnet.version or not part.subnet_of(subnet):  # type: ignore[arg-type]
            faults.add(("ip_range",), f"{part} is not in the subnet {subnet}", parts["ip_range"])
    if "gateway" in parts and ipaddress.ip_address(parts["gateway"]) not in subnet:
        faults.add(("gateway",), f"{parts['gateway']} is not in the subnet {subnet}", parts["gateway"])
    for name, address in (parts.get("aux_addresses") or {}).items():
        if ipaddress.ip_address(address) not in subnet:
            faults.add(("aux_addresses", name), f"{address} is not in the subnet {subnet}", address)
    faults.throw()
    return Pool(**parts)


def network_needs(spec: NetworkSpec) -> list[Needs]:
    """What an engine must be to make a network as declared, beyond the oldest that pnr speaks with."""
    ipv6_only = spec.enable_ipv4 is False and not spec.external
    return [Needs("1.48", f"enable_ipv4 false (network {spec.name})")] if ipv6_only else []
