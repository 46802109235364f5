"""What is read of this machine's networks, from texts as a kernel writes them."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address

import pytest

from reconciler.host import networks
from reconciler.policy.world import HostNet


def route(interface: str, to: str, via: str, mask: str, flags: str = "0001") -> str:
    """A line of /proc/net/route: numbers as they lie in memory."""
    there, gateway, wide = (f"{int.from_bytes(IPv4Address(one).packed, sys.byteorder):08X}" for one in (to, via, mask))
    return "\t".join((interface, there, gateway, flags, "0", "0", "100", wide, "0", "0", "0"))


ROUTES = "\n".join(
    [
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
        route("eth0", "0.0.0.0", "192.168.1.1", "0.0.0.0", "0003"),
        route("tun0", "0.0.0.0", "10.8.0.1", "128.0.0.0", "0003"),
        route("tun0", "128.0.0.0", "10.8.0.1", "128.0.0.0", "0003"),
        route("tun0", "10.8.0.0", "0.0.0.0", "255.255.0.0"),
        route("docker0", "172.17.0.0", "0.0.0.0", "255.255.0.0"),
        route("*", "10.0.0.0", "0.0.0.0", "255.0.0.0", "0200"),
        route("eth0", "192.168.1.0", "0.0.0.0", "255.255.255.0"),
        "nonsense",
        "",
        "eth0\tZZ\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
    ]
)
TABLES = """\
Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 192.168.1.0
        /24 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 4
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.168.1.10
        /32 host LOCAL
     |-- 192.168.1.255
        /32 link BROADCAST
Id 52:
  +-- 100.64.0.0/10 2 0 2
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 100.100.100.100
        /32 universe UNICAST
     |-- 10.66.0.0
        /16 universe THROW
  /8 lost
     |-- nonsense
        /8 universe UNICAST
"""
ZERO = "0" * 32
ROUTES6 = "\n".join(
    [
        f"fd120000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 1 0 00000001     eth0",
        f"fe800000000000000000000000000000 40 {ZERO} 00 {ZERO} 00000100 1 0 00000001     eth0",
        f"{ZERO} 00 {ZERO} 00 fd120000000000000000000000000001 00000400 1 0 00000003     eth0",
        f"20000000000000000000000000000000 03 {ZERO} 00 fe800000000000000000000000000001 00000400 1 0 00000003  tun0",
        f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 1 0 00200200       lo",
        f"fd120000000000000000000000000010 80 {ZERO} 00 {ZERO} 00000000 2 0 80200001     eth0",
        f"fd660000000000000000000000000000 10 {ZERO} 00 {ZERO} 00000400 2 0 00000200     eth0",
        f"ff000000000000000000000000000000 08 {ZERO} 00 {ZERO} 00000100 4 0 00000001     eth0",
        "nonsense",
        f"{ZERO} 99 {ZERO} 00 {ZERO} ffffffff 1 0 00000001 eth0",
    ]
)


def test_routes_to_somewhere_are_told_with_their_interface() -> None:
    assert networks.ipv4_routes(ROUTES) == (
        [("10.8.0.0/16", "tun0"), ("172.17.0.0/16", "docker0"), ("192.168.1.0/24", "eth0")],
        ["192.168.1.1", "10.8.0.1", "10.8.0.1"],
    )


def test_routes_of_ipv6_are_told_without_what_every_machine_has() -> None:
    assert networks.ipv6_routes(ROUTES6) == ([("fd12::/64", "eth0")], ["fd12::1"])


def test_tables_of_vpns_are_read_too() -> None:
    assert networks.other_tables(TABLES) == [("100.100.100.100/32", "")]


def test_addresses_are_those_of_every_interface() -> None:
    assert networks.local_addresses(TABLES) == ["127.0.0.1", "192.168.1.10"]
    assert networks.ipv6_addresses("fd120000000000000000000000000010 02 40 00 80     eth0\nx y\n") == ["fd12::10"]


def test_resolvers_and_names_are_read_as_every_program_does() -> None:
    text = "# nameserver 192.0.2.1\nsearch x\nnameserver 192.0.2.53 # first\nnameserver fe80::1%eth0\nnameserver x\n"
    assert networks.resolvers(text) == ["192.0.2.53", "fe80::1"]
    hosts = "127.0.0.1\tlocalhost Box. # me\n#192.0.2.1 no\n::1 localhost\nx y\n\n192.0.2.9 logs\n"
    assert networks.names(hosts) == [
        ("localhost", "127.0.0.1"),
        ("box", "127.0.0.1"),
        ("localhost", "::1"),
        ("logs", "192.0.2.9"),
    ]


@pytest.mark.parametrize("text", ["", "\n", "\x00", "x" * 10_000, "|--\n/8 a b c\n", "Id 1:\n  |-- 1.2.3.4\n"])
def test_no_text_is_too_odd(text: str) -> None:
    assert networks.ipv4_routes(text) == networks.ipv6_routes(text) == ([], [])
    assert networks.other_tables(text) == []
    assert networks.local_addresses(text) == networks.ipv6_addresses(text) == networks.resolvers(text) == []


def test_this_machine_is_seen_where_it_tells_and_said_to_be_hidden_where_not() -> None:
    seen = networks.look()
    assert bool(seen.hidden) == (not networks.PROC_NET.joinpath("route").exists())
    if not seen.hidden:
        assert seen == networks.look()
    assert networks.unseen() == HostNet(hidden="the engine is on another machine")
