"""Published ports: how they are written, their normal form, and the Engine API's. Pure.

Normal form: a sorted list of ``{"target": "80/tcp", "host_ip": "127.0.0.1", "published": 8080}``; ``published`` is
None for any free port of the host. With ``"until": 8082`` it is any free one of a range; of equal copies each takes
its own. Where no address is given it is 127.0.0.1: nothing is open to the network
unless the file says so. The address ``*`` is all of the host's, of IPv4 and of IPv6: the engine's own default.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from reconciler.intent.settings.faults import Faults, expected, object_of, shown, wrong
from reconciler.intent.settings.values import as_list, choice, integer, text
from reconciler.quantities import port_ranges

DEFAULT_HOST_IP = "127.0.0.1"
EVERYWHERE = "*"
MAX_PORTS = 4096
_PROTOCOLS = ("tcp", "udp", "sctp")
_IP = r"\[[^\]]*\]|[0-9A-Fa-f.]*(?::[0-9A-Fa-f.]*){2,}|[^:\[\]]*"  # with brackets, IPv6 without them, anything else
_SHORT = re.compile(rf"(?:(?:(?P<ip>{_IP}):)?(?P<published>[0-9]*(?:-[0-9]+)?):)?(?P<target>[^:\[\]]+)")
_HOST = re.compile(rf"(?:(?P<ip>{_IP}):)?(?P<published>[0-9]*(?:-[0-9]+)?)")

ACCEPTS: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "description": "container port to host port",
            "additionalProperties": {"type": ["string", "integer", "null"]},
        },
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": ["string", "integer"]},
                    {
                        "type": "object",
                        "properties": {
                            "target": {"type": ["string", "integer"]},
                            "published": {"type": ["string", "integer", "null"]},
                            "host_ip": {"type": "string"},
                            "protocol": {"enum": list(_PROTOCOLS)},
                            "mode": {"enum": ["host", "ingress"]},
                            "name": {"type": "string"},
                            "app_protocol": {"type": "string"},
                        },
                        "required": ["target"],
                        "patternProperties": {"^x-": {}},
                        "additionalProperties": False,
                    },
                ]
            },
        },
    ]
}


def parse(value: Any) -> list[dict[str, Any]]:
    """All forms: the map container port -> host port, and Compose's list in its short and long form."""
    faults = Faults()
    found: list[dict[str, Any]] = []
    items: Iterable[tuple[str | int, Callable[[Any], list[dict[str, Any]]], Any]]
    if isinstance(value, Mapping):
        items = ((key, partial(_from_map, key), host) for key, host in value.items())
    elif isinstance(value, list | tuple):
        items = ((index, _from_list, item) for index, item in enumerate(value))
    else:
        raise expected('an object {"container port": "host port"} or a list such as ["8080:80"]', value)
    for place, parse_item, item in items:
        found += faults.read((place,), parse_item, item) or ()
        if len(found) > MAX_PORTS:
            faults.add((place,), f"a container may publish at most {MAX_PORTS} ports", item)
            break
    faults.throw()
    return _sorted(found)


def port_key(value: Any) -> str:
    """A container port such as ``27017``, ``"27017"`` or ``"53/udp"``, as ``27017/tcp``."""
    if isinstance(value, str):
        number, slash, protocol = value.strip().partition("/")
        if slash and protocol.lower() not in _PROTOCOLS:
            raise expected("tcp, udp or sctp after the slash", value)
        if not number.isascii() or not number.isdigit():
            raise expected('a port of the container such as "80" or "53/udp"', value)
        return f"{_port(number)}/{protocol.lower() or 'tcp'}"
    return f"{_port(value)}/tcp"


def addresses(host_ip: str) -> tuple[str, ...]:
    """The addresses that an entry's ``host_ip`` stands for."""
    return ("0.0.0.0", "::") if host_ip == EVERYWHERE else (host_ip,)  # noqa: S104 - as it is written


def number_of(target: str) -> int:
    """The number in ``80/tcp``."""
    return int(target.partition("/")[0])


_port = integer("a port", 1, 65535, digits_in_quotes=True)
_port_or_zero = integer("a port", 0, 65535, digits_in_quotes=True)


def _published(value: Any) -> tuple[int | None, int | None]:
    """A host port, or the first and the last of a range; None, ``""`` and 0 stand for any free one."""
    if value is None or value == "":
        return None, None
    if isinstance(value, str) and "-" in value:
        ports = _range(value, value)
        return ports[0], ports[-1] if len(ports) > 1 else None
    return _port_or_zero(value) or None, None


def _address(value: Any) -> str:
    if value is None or value == "":
        return DEFAULT_HOST_IP
    if value == EVERYWHERE:
        return EVERYWHERE
    bare = text(value).strip("[]")
    try:
        if "%" in bare:
            raise ValueError  # the engine takes no zone
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise expected("an IP address of the host such as 127.0.0.1 or 0.0.0.0, or * for all of them", value) from None
    # To the engine an IPv4 address that is written as one of IPv6 is that IPv4 address.
    return str(getattr(address, "ipv4_mapped", None) or address)


def _entry(target: str, ip: str, published: int | None, until: int | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"target": target, "host_ip": ip, "published": published}
    return entry if until is None else {**entry, "until": until}


def _from_map(key: Any, host: Any) -> list[dict[str, Any]]:
    target = port_key(key)
    if isinstance(host, str):
        match = _HOST.fullmatch(host.strip())
        if match is None:
            raise expected('a host port such as "8080" or "127.0.0.1:8080"', host)
        return [_entry(target, _address(match["ip"]), *_published(match["published"]))]
    return [_entry(target, DEFAULT_HOST_IP, *_published(host))]


def _from_list(item: Any) -> list[dict[str, Any]]:
    if isinstance(item, Mapping):
        return _from_long(item)
    if isinstance(item, str):
        return _from_short(str(item).strip())
    if isinstance(item, int) and not isinstance(item, bool):
        return [_entry(port_key(item), DEFAULT_HOST_IP, None)]
    raise expected('a port such as "8080:80", or an object with target and published', item)


def _from_long(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = object_of(
        item,
        {
            "target": _port,
            "published": _published,
            "host_ip": _address,
            "protocol": choice(*_PROTOCOLS),
            "mode": choice("host", "ingress"),
            "name": text,
            "app_protocol": text,
        },
    )
    if "target" not in parts:
        raise wrong("target, the container's port, is missing")
    target = f"{parts['target']}/{parts.get('protocol', 'tcp')}"
    return [_entry(target, parts.get("host_ip", DEFAULT_HOST_IP), *parts.get("published", (None, None)))]


def _from_short(item: str) -> list[dict[str, Any]]:
    match = _SHORT.fullmatch(item)
    if match is None:
        raise expected('a port such as "80", "8080:80", "127.0.0.1:8080:80" or "8080:80/udp"', item)
    ip = _address(match["ip"])
    ports, slash, protocol = match["target"].partition("/")
    if slash and protocol.lower() not in _PROTOCOLS:
        raise expected("tcp, udp or sctp after the slash", item)
    targets = _range(ports, item)
    given = match["published"]
    kind = protocol.lower() or "tcp"
    if given and "-" in given and len(targets) == 1:
        return [_entry(f"{targets[0]}/{kind}", ip, *_published(given))]
    if given and "-" in given:
        hosts: list[int | None] = list(_range(given, item))
        if len(hosts) != len(targets):
            raise wrong(f"{shown(item)}: the two ranges must be of the same length")
    elif given and len(targets) > 1:
        raise wrong(f"{shown(item)}: a range of container ports needs a range of host ports of the same length")
    else:
        hosts = [_published(given)[0]] * len(targets)
    return [_entry(f"{target}/{kind}", ip, host) for target, host in zip(targets, hosts, strict=True)]


def _range(ports: str, item: str) -> range:
    found = port_ranges.read(ports)
    if found is None:
        raise expected('a port such as "80" or a range such as "8000-8002"', item)
    first, last = (_port(str(port)) for port in found)
    if last < first:
        raise wrong(f"{shown(item)}: a range begins with its smaller port")
    if last - first >= MAX_PORTS:
        raise wrong(f"{shown(item)}: a container may publish at most {MAX_PORTS} ports")
    return range(first, last + 1)


def _sorted(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    def order(entry: Mapping[str, Any]) -> tuple[int, str, str, int]:
        return number_of(entry["target"]), entry["target"], entry["host_ip"], entry["published"] or 0

    unique = {order(entry): entry for entry in entries}
    return [unique[key] for key in sorted(unique)]


def send(value: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """Into ``ExposedPorts`` and ``HostConfig.PortBindings``."""
    exposed = body.setdefault("ExposedPorts", {})
    bindings = body.setdefault("HostConfig", {}).setdefault("PortBindings", {})
    for entry in value:
        exposed[entry["target"]] = {}
        host_port = _host_port(entry)
        host_ip = "" if entry["host_ip"] == EVERYWHERE else entry["host_ip"]
        bindings.setdefault(entry["target"], []).append({"HostIp": host_ip, "HostPort": host_port})


def read(inspected: Mapping[str, Any]) -> list[dict[str, Any]]:
    """From ``HostConfig.PortBindings``: what was asked for, whether the container runs or not."""
    bindings: Mapping[str, Any] = inspected.get("HostConfig", {}).get("PortBindings") or {}
    return _sorted(
        _entry(target, binding.get("HostIp") or EVERYWHERE, *_found(str(binding.get("HostPort") or "")))
        for target, found in bindings.items()
        for binding in found or ()
    )


def same(declared: Any, found: Any) -> bool:
    """The same ports; one of a range that was asked for is as good as the port that is declared."""
    if len(declared or ()) != len(found or ()):
        return False
    return all(_fulfils(wanted, there) for wanted, there in zip(_sorted(declared), _sorted(found), strict=True))


def _fulfils(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    if wanted == there:
        return True
    first, last = there["published"], there.get("until")
    within = last is not None and wanted["published"] is not None and first <= wanted["published"] <= last
    return within and "until" not in wanted and all(wanted[key] == there[key] for key in ("target", "host_ip"))


def _host_port(entry: Mapping[str, Any]) -> str:
    if entry["published"] is None:
        return ""
    return port_ranges.exact(entry["published"], entry.get("until") or entry["published"])


def _found(host_port: str) -> tuple[int | None, int | None]:
    first, last = port_ranges.read(host_port) or (0, 0)
    return first or None, last if last != first else None


def tell(entries: Any) -> str:
    """The ports for people: ``127.0.0.1:8080->80/tcp``."""
    return ", ".join(_told(entry) for entry in entries) or "none"


def _told(entry: Mapping[str, Any]) -> str:
    ip = f"[{entry['host_ip']}]" if ":" in entry["host_ip"] else entry["host_ip"]
    return f"{ip}:{_host_port(entry) or '(any)'}->{entry['target']}"


def parse_exposed(value: Any) -> list[str]:
    """``expose``: ports such as ``80/tcp``, ranges taken apart, sorted, each once."""
    read = as_list(_exposed, "a list of ports")
    return sorted({port for some in read(value) for port in some}, key=lambda port: (number_of(port), port))


def _exposed(value: Any) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise expected('a port such as "3000" or "8000-8002/udp"', value)
    ports, slash, protocol = str(value).strip().lower().partition("/")
    first, last = port_ranges.read(ports) or (0, 0)
    if not 1 <= first <= last <= port_ranges.HIGHEST or (slash and protocol not in _PROTOCOLS):
        raise expected('a port such as "3000" or "8000-8002/udp"', value)
    return [f"{port}/{protocol or 'tcp'}" for port in range(first, last + 1)]


def send_exposed(value: list[str], body: dict[str, Any]) -> None:
    """Into ``ExposedPorts``, beside those that are published."""
    body.setdefault("ExposedPorts", {}).update({port: {} for port in value})


def read_exposed(inspected: Mapping[str, Any]) -> list[str] | None:
    """All exposed ports: those of the image, those that are published, and those declared."""
    shown = (inspected.get("Config") or {}).get("ExposedPorts") or {}
    # As somebody else may have written them: without a protocol, or as a range.
    found = {port for entry in shown for port in _exposed(entry)}
    return sorted(found, key=lambda port: (number_of(port), port)) or None


def same_exposed(declared: Any, found: Any) -> bool:
    """All that are declared are there."""
    return set(declared or ()) <= set(found or ())
