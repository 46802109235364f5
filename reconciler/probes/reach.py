"""Which addresses a probe may go to: those that are a container's and nobody else's.

An address that an engine tells of a container is one that a domain may have chosen. One that is the host's own,
loopback or link-local leads to somebody else, whatever the engine says: programs of the host that trust who asks from
there, or what a cloud tells its machines. It is looked at before every probe, since the host's addresses change.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from reconciler.policy.checks import goals
from reconciler.policy.world import HostNet

OfHost = Callable[[str], bool]
"""Whether an address is one of this machine's."""

_NONLOCAL = {4: Path("/proc/sys/net/ipv4/ip_nonlocal_bind"), 6: Path("/proc/sys/net/ipv6/ip_nonlocal_bind")}
_IPV4_ADDRESSES = Path("/proc/net/fib_trie")
_IPV6_ADDRESSES = Path("/proc/net/if_inet6")


def of_host(address: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound to. Takes some microseconds."""
    version = ipaddress.ip_address(address).version
    try:
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as bound:
            bound.bind((address, 0))
    except OSError:
        return False
    return not _binds_everything(version) or _is_listed(address, version)


def barred(address: str, is_of_host: OfHost = of_host) -> str:
    """Why a probe may not go to an address, in words that go on after ``which is``; "" where it may."""
    given = goals.parsed(address)
    if given is None:
        return "no address"
    lies = goals.of_address(given, HostNet())
    if lies is goals.Lies.ELSEWHERE and is_of_host(str(goals.plain(given))):
        lies = goals.Lies.HERE
    return str(lies)


def _binds_everything(version: int) -> bool:
    """Whether this machine lets programs bind to addresses that it does not have (``ip_nonlocal_bind``)."""
    try:
        return _NONLOCAL[version].read_text().strip() == "1"
    except OSError:
        return False


def _is_listed(address: str, version: int) -> bool:
    try:
        if version == 6:
            wanted = f"{int(ipaddress.ip_address(address)):032x}"
            return any(line.startswith(wanted) for line in _IPV6_ADDRESSES.read_text().splitlines())
        lines = [line.split() for line in _IPV4_ADDRESSES.read_text().splitlines()]
    except OSError:
        return True
    return any(one == ["|--", address] and two[:3] == ["/32", "host", "LOCAL"] for one, two in pairwise(lines))
