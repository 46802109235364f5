"""Looks at the networks of this machine: routes, addresses, resolvers, interfaces. Blocking; reads what Linux tells in
/proc and /sys, without a socket and without a program.

This module owns the difference between platforms: elsewhere than on Linux the engine runs in a machine of its own,
whose networks nobody here can see, and that is told.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.policy.world import HostNet

PROC_NET = Path("/proc/net")
INTERFACES = Path("/sys/class/net")
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
HOSTS = Path("/etc/hosts")
LARGEST = 8 * 1024 * 1024
"""Of a table of the kernel no more is read: one with all routes of the Internet has hundreds of megabytes."""

_REJECTED = 0x200
_LOCAL = 0x80000000
_EVERYWHERE = {4: 1, 6: 3}
"""Prefixes as short as these lead everywhere: the default route, and what VPNs put before it."""
_OTHER_TABLE = "Id "

Route = tuple[str, str]


def look() -> HostNet:
    """See :data:`reconciler.policy.world.LookAtNetworks`. Never raises."""
    routes = _read(PROC_NET / "route")
    if routes is None:
        return HostNet(hidden="this system does not tell what networks the engine's machine has")
    routes6 = _read(PROC_NET / "ipv6_route") or ""
    tables = _read(PROC_NET / "fib_trie") or ""
    found, gateways = ipv4_routes(routes)
    found6, gateways6 = ipv6_routes(routes6)
    texts = [text for text in map(_read, RESOLVERS) if text is not None]
    own = (os.uname().nodename.lower(), "127.0.0.1")
    return HostNet(
        routes=tuple(dict.fromkeys((*found, *other_tables(tables), *found6))),
        addresses=tuple(dict.fromkeys((*local_addresses(tables), *ipv6_addresses(_read(PROC_NET / "if_inet6") or "")))),
        gateways=tuple(dict.fromkeys((*gateways, *gateways6))),
        resolvers=tuple(dict.fromkeys(resolvers("\n".join(texts)))),
        interfaces=tuple(_interfaces()),
        names=tuple(dict.fromkeys((own, *names(_read(HOSTS) or "")))),
    )


def unseen() -> HostNet:
    """The look at the networks of another machine: there is none."""
    return HostNet(hidden="the engine is on another machine")


def _read(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return None


def _interfaces() -> Iterator[tuple[str, bool]]:
    try:
        found = sorted(os.listdir(INTERFACES))
    except OSError:
        return
    yield from ((name, (INTERFACES / name / "bridge").is_dir()) for name in found)


# --- what the tables say: pure --------------------------------------------------------------------------------------


def _rows(text: str, least: int) -> Iterator[list[str]]:
    yield from (fields for line in text.splitlines() if len(fields := line.split()) >= least)


def ipv4_routes(text: str) -> tuple[list[Route], list[str]]:
    """The routes of the main table, each with its interface, and the gateways; from ``/proc/net/route``."""
    found: list[Route] = []
    gateways: list[str] = []
    for fields in _rows(text, 8):
        try:
            destination, gateway, mask = (_ipv4(fields[at]) for at in (1, 2, 7))
            flags = int(fields[3], 16)
            subnet = ipaddress.ip_network(f"{destination}/{mask}", strict=False)
        except ValueError:
            continue  # the heading, or what no kernel writes
        if flags & _REJECTED:
            continue
        if gateway != "0.0.0.0":  # noqa: S104 - it is read, and nothing is bound
            gateways.append(gateway)
        if subnet.prefixlen > _EVERYWHERE[4]:
            found.append((str(subnet), fields[0]))
    return found, gateways


def _ipv4(hexadecimal: str) -> str:
    # The kernel prints the number as it lies in memory.
    return str(ipaddress.IPv4Address(int(hexadecimal, 16).to_bytes(4, sys.byteorder)))


def ipv6_routes(text: str) -> tuple[list[Route], list[str]]:
    """The same from ``/proc/net/ipv6_route``."""
    found: list[Route] = []
    gateways: list[str] = []
    for fields in _rows(text, 10):
        try:
            subnet = ipaddress.ip_network((int(fields[0], 16).to_bytes(16, "big"), int(fields[1], 16)), strict=False)
            gateway = ipaddress.IPv6Address(int(fields[4], 16))
            flags = int(fields[8], 16)
        except (ValueError, OverflowError):
            continue
        if flags & (_REJECTED | _LOCAL) or fields[9] == "lo":
            continue
        if int(gateway) and not gateway.is_link_local:
            gateways.append(str(gateway))
        if subnet.prefixlen > _EVERYWHERE[6] and not subnet.is_link_local and not subnet.is_multicast:
            found.append((str(subnet), fields[9]))
    return found, gateways


def other_tables(text: str) -> list[Route]:
    """The routes of tables with a number (VPNs have them), which tell no interface; from ``/proc/net/fib_trie``."""
    found: list[Route] = []
    for table, subnet, what in _leaves(text):
        if table.startswith(_OTHER_TABLE) and what == "UNICAST":
            network = ipaddress.ip_network(subnet, strict=False)
            if network.prefixlen > _EVERYWHERE[4]:
                found.append((str(network), ""))
    return found


def local_addresses(text: str) -> list[str]:
    """The addresses of all interfaces, from ``/proc/net/fib_trie``."""
    return [subnet.partition("/")[0] for _, subnet, what in _leaves(text) if what == "LOCAL" and subnet.endswith("/32")]


def _leaves(text: str) -> Iterator[tuple[str, str, str]]:
    """Each entry with its table, its subnet, and what it is: UNICAST, LOCAL, …"""
    table = address = ""
    for line in text.splitlines():
        fields = line.split()
        if not fields:
            continue
        if not line.startswith(" "):
            table = line.rstrip(":")
        elif fields[0] == "|--" and len(fields) > 1:
            address = fields[1]
        elif fields[0].startswith("/") and len(fields) > 2 and address:
            try:
                ipaddress.ip_network(f"{address}{fields[0]}", strict=False)
            except ValueError:
                continue
            yield table, f"{address}{fields[0]}", fields[2]


def ipv6_addresses(text: str) -> list[str]:
    """The addresses of all interfaces, from ``/proc/net/if_inet6``."""
    found: list[str] = []
    for fields in _rows(text, 6):
        try:
            found.append(str(ipaddress.IPv6Address(int(fields[0], 16))))
        except ValueError:
            continue
    return found


def resolvers(text: str) -> list[str]:
    """The name servers in a ``resolv.conf``."""
    given = (fields[1].partition("%")[0] for fields in _rows(text, 2) if fields[0] == "nameserver")
    return list(_valid(given))


def names(text: str) -> list[tuple[str, str]]:
    """The names in a ``/etc/hosts``, each with an address."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        fields = line.partition("#")[0].split()
        for address in _valid(fields[:1]):
            found += [(name.lower().rstrip("."), address) for name in fields[1:]]
    return found


def _valid(given: Iterable[str]) -> Iterator[str]:
    for one in given:
        try:
            yield str(ipaddress.ip_address(one.partition("%")[0]))
        except ValueError:
            continue
