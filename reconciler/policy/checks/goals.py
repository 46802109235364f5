"""Where something that the engine or pnr connects to lies: elsewhere, on this very machine, or where machines tell
their secrets. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum

from reconciler.policy.world import HostNet

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Lies(StrEnum):
    """Where a goal lies, in words that go on after ``which is``."""

    ELSEWHERE = ""
    HERE = "this machine itself"
    NEAR = "link-local, where no router asks who it is"
    METADATA = "where a cloud tells its machines their secrets"
    NOWHERE = "no machine's address"
    ODD = "an address in a form that programs read differently"


METADATA = frozenset(
    map(ipaddress.ip_address, ["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200"])
) | frozenset(map(ipaddress.ip_address, ["168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23"]))
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_HERE_NAMES = re.compile(
    r"(?:.*\.)?localhost[46]?(?:\.localdomain[46]?)?|ip6-(?:localhost|loopback)|loopback"
    r"|_localdnsstub|_localdnsproxy|_outbound"  # of systemd's resolver
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def plain(address: Address) -> Address:
    """An IPv4 address that is written as one of IPv6, as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # ::127.0.0.1
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.sixtofour is not None:
            return address.sixtofour
    return address


def parsed(text: str) -> Address | None:
    """An address as every program reads it, without an interface; None where it is none."""
    try:
        return ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def of_address(address: Address, net: HostNet) -> Lies:
    """Where an address lies."""
    address = plain(address)
    if address in METADATA:
        return Lies.METADATA
    if address.is_loopback or address.is_unspecified or str(address) in net.addresses:
        return Lies.HERE
    if isinstance(address, ipaddress.IPv4Address) and int(address) >> 24 == 0:
        return Lies.HERE  # 0.0.0.0/8 is this network's own
    if address.is_link_local:
        return Lies.NEAR
    is_broadcast = isinstance(address, ipaddress.IPv4Address) and int(address) >> 28 >= 14
    return Lies.NOWHERE if address.is_multicast or is_broadcast else Lies.ELSEWHERE


def of_host(host: str, net: HostNet) -> Lies:
    """Where a host lies, by address or name. What a name stands for elsewhere than on this machine is not known."""
    address = parsed(host)
    if address is not None:
        return of_address(address, net)
    name = host.lower().rstrip(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return Lies.ODD  # 127.1, 0x7f000001, 2130706433: loopback to some
    if _HERE_NAMES.fullmatch(name):
        return Lies.HERE
    if name in _METADATA_NAMES:
        return Lies.METADATA
    short = name.removesuffix(".local").removesuffix(".localdomain")  # as machines of one network call one another
    for known, given in net.names:
        found = parsed(given)
        if known in (name, short) and found is not None:
            lies = of_address(found, net)
            if lies is not Lies.ELSEWHERE:
                return lies
    return Lies.ELSEWHERE
