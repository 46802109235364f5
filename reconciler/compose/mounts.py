"""The short forms of volumes, devices and ports. Pure.

Each function gives plain values as Compose's long form has them, and raises ValueError with a sentence for people.
"""

from __future__ import annotations

import ipaddress
import posixpath
from typing import Any

from reconciler.quantities import port_ranges

_PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_LABELS = frozenset({"z", "Z"})


def short_mount(text: str) -> dict[str, Any]:
    """``[source:]target[:options]``. A path is told from a volume's name by its first character; ``C:`` is a drive."""
    if not text:
        raise ValueError("an empty text is not a volume")
    if len(text) <= 2:
        return {"type": "volume", "target": text}
    mount: dict[str, Any] = {}
    parts = _sections(text)
    if "" in parts:
        raise ValueError("there is nothing between two colons, or at an end")
    if len(parts) > 3:
        raise ValueError("there are too many colons; the long form has room for any path")
    if len(parts) == 1:
        mount["target"] = parts[0]
    else:
        mount["source"], mount["target"] = parts[:2]
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option in ("ro", "rw"):
            mount["read_only"] = option == "ro"
        elif option == "nocopy":
            mount["volume"] = {"nocopy": True}
        elif option in _PROPAGATIONS:
            mount.setdefault("bind", {})["propagation"] = option
        elif option in _LABELS:
            mount.setdefault("bind", {})["selinux"] = option
    if not mount.get("read_only"):
        mount.pop("read_only", None)
    if is_path(mount.get("source", "")):
        mount["type"] = "bind"
        mount.setdefault("bind", {})["create_host_path"] = True
    else:
        mount["type"] = "volume"
        mount.setdefault("volume", {})
    return mount


def _sections(text: str) -> list[str]:
    parts, part = [], ""
    for character in text:
        if character == ":" and not (len(part) == 1 and part.isalpha()):
            parts.append(part)
            part = ""
        else:
            part += character
    return [*parts, part]


def is_path(source: str) -> bool:
    """Whether the source of a short volume is a path of the host rather than a volume's name."""
    if not source:
        return False
    drive = len(source) > 1 and source[0].isalpha() and source[1] == ":"
    return source[0] in "./~" or source.startswith("\\\\") or drive


def clean(path: str) -> str:
    """A path without superfluous parts, as Go's ``path.Clean`` makes it."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def short_device(text: str) -> dict[str, Any]:
    """``source[:target[:permissions]]``."""
    parts = text.split(":")
    if len(parts) > 3:
        raise ValueError("there are too many colons; the long form has room for any device")
    return {
        "source": parts[0],
        "target": (parts[1] if len(parts) > 1 else "") or parts[0],
        "permissions": parts[2] if len(parts) > 2 else "rwm",
    }


def short_ports(text: str) -> list[dict[str, Any]]:
    """``[[address:][published]:]target[/protocol]``; ranges give a port each, in the order of their text."""
    *before, last = text.split(":")
    published = before[-1] if before else ""
    address = ":".join(before[:-1])
    target, _, protocol = last.partition("/")
    protocol = (protocol or "tcp").lower()
    if not target:
        raise ValueError(f"{text!r} names no port of the container")
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"the protocol after the slash must be tcp, udp or sctp, and is {protocol!r}")
    if address.startswith("["):
        if not address.endswith("]"):
            raise ValueError(f"{address!r} is not an IP address")
        address = address[1:-1]
    elif ":" in address:
        raise ValueError(f"an IPv6 address stands in brackets: [{address}]:{published}:{last}")
    if address and not is_address(address):
        raise ValueError(f"{address!r} is not an IP address")
    first, last_port = port_ranges.read_as_compose(target)
    if first == 0:
        raise ValueError("a port of the container can't be 0")
    ports: list[tuple[str, str]] = []
    if published:
        first_host, last_host = port_ranges.read_as_compose(published)
        if first != last_port and last_port - first != last_host - first_host:
            raise ValueError(f"the ranges {published} and {target} have different lengths")
        for offset in range(last_port - first + 1):
            host = str(first_host + offset)
            if first == last_port and first_host != last_host:
                host = port_ranges.exact(first_host + offset, last_host)
            ports.append((str(first + offset), host))
    else:
        ports = [(str(port), "") for port in range(first, last_port + 1)]
    found = []
    for number, host in sorted(ports, key=lambda port: f"{port[0]}/{protocol}"):
        port: dict[str, Any] = {"mode": "ingress"}
        if address:
            port["host_ip"] = address
        port["target"] = int(number)
        if host:
            port["published"] = host
        found.append({**port, "protocol": protocol})
    return found


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
