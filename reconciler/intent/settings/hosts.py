"""Names and addresses of hosts: ``extra_hosts``, ``dns``, ``domainname``, ``mac_address``. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.accepts import TEXTS
from reconciler.intent.settings.faults import Faults, expected, shown, wrong
from reconciler.intent.settings.values import as_list, sorted_set, string_or_list, text, word

HOST_GATEWAY = "host-gateway"
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")

ACCEPTS: dict[str, Any] = {
    "anyOf": [{"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, TEXTS]}}, TEXTS]
}
"""What may stand for ``extra_hosts``."""

host_name = word(
    "a domain such as example.com",
    r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?",
)


def _address(value: Any) -> str:
    given = text(value).strip()
    bare = given[1:-1] if given.startswith("[") and given.endswith("]") else given
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise wrong(f"{shown(given)} is not an IP address") from None


addresses = string_or_list(_address, "an IP address, or a list of them")
"""Addresses, in their order: the first name server is asked first."""


def _target(value: Any) -> str:
    return HOST_GATEWAY if value == HOST_GATEWAY else _address(value)


def _entry(value: Any) -> str:
    given = text(value)
    match = re.match(r"([^=:\s]+)[=:](.+)", given)
    if not match:
        raise wrong(f"{shown(given)} is not an entry: expected name=address")
    return f"{match[1]}:{_target(match[2])}"


def parse(value: Any) -> list[str]:
    """``name:address``, sorted, each once."""
    if isinstance(value, Mapping):
        faults = Faults()
        found: list[str] = []
        for name, given in value.items():
            many = given if isinstance(given, list) else [given]
            found += [f"{name}:{address}" for one in many if (address := faults.read((name,), _target, one))]
        faults.throw()
        return sorted_set(found)
    entries: list[str] = as_list(_entry, "an object from name to address, or a list of name=address")(value)
    return sorted_set(entries)


def mac_address(value: Any) -> str:
    """In lower case, with colons."""
    given = text(value)
    if not _MAC.fullmatch(given):
        raise expected("a MAC address such as 02:42:ac:11:65:43", value)
    return given.lower().replace("-", ":")


def mac_found(inspected: Mapping[str, Any]) -> str | None:
    """What was asked for: engines since API 1.44 show it with the network only."""
    own = (inspected.get("Config") or {}).get("MacAddress")
    return str(own).lower() if own else None


def same_mac(declared: Any, found: Any) -> bool:
    """An engine that does not show it is taken on trust."""
    return found is None or bool(declared == found)
