"""Ways to lead the host's own traffic elsewhere with the addresses of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.policy import Judge
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.request import Request
from reconciler.policy.suggesting import allowing
from reconciler.policy.world import HostNet
from tests.unit.policy.judging import (
    INSTALLATION,
    NET,
    OPEN,
    STANDARD,
    STRICT,
    Disk,
    Engine,
    changed,
    create,
    judge,
    rules,
    send,
)

SUBNETS, OVERLAP = "networks.subnets", "networks.host_overlap"


def network(*pools: dict[str, Any], **body: Any) -> Request:
    return send("POST", "/networks/create", {"Name": "n", "IPAM": {"Config": list(pools)}, **body})


def of(subnet: str, **body: Any) -> Request:
    return network({"Subnet": subnet}, **body)


@pytest.mark.parametrize(
    "subnet",
    [
        pytest.param("0.0.0.0/0", id="everything"),
        pytest.param("0.0.0.0/1", id="half of everything"),
        pytest.param("128.0.0.0/1", id="the other half"),
        pytest.param("0.0.0.0/8", id="this network"),
        pytest.param("127.0.0.0/8", id="loopback"),
        pytest.param("127.0.53.0/24", id="a part of loopback"),
        pytest.param("169.254.169.0/24", id="what a cloud tells its machines"),
        pytest.param("169.254.0.0/16", id="link-local"),
        pytest.param("100.64.0.0/10", id="shared address space"),
        pytest.param("100.100.100.0/24", id="what another cloud tells its machines"),
        pytest.param("198.51.100.0/24", id="somebody's on the Internet"),
        pytest.param("8.8.8.0/24", id="resolvers on the Internet"),
        pytest.param("198.18.0.0/15", id="for measuring"),
        pytest.param("192.0.0.0/24", id="for protocols"),
        pytest.param("224.0.0.0/4", id="multicast"),
        pytest.param("240.0.0.0/4", id="reserved"),
        pytest.param("255.255.255.255/32", id="broadcast"),
        pytest.param("8.0.0.0/5", id="around a private range"),
        pytest.param("172.0.0.0/8", id="more than the private part"),
        pytest.param("192.160.0.0/11", id="more than the other private part"),
        pytest.param("::/0", id="everything of IPv6"),
        pytest.param("::/96", id="IPv4 in IPv6 as it once was"),
        pytest.param("::1/128", id="loopback of IPv6"),
        pytest.param("::ffff:0:0/96", id="IPv4 behind IPv6"),
        pytest.param("::ffff:10.66.0.0/112", id="a private range behind IPv6"),
        pytest.param("fe80::/64", id="link-local of IPv6"),
        pytest.param("2000::/3", id="the Internet of IPv6"),
        pytest.param("2001:db8::/64", id="somebody's IPv6"),
        pytest.param("64:ff9b::/96", id="IPv4 by translation"),
        pytest.param("2002:7f00:1::/48", id="IPv4 by tunnels"),
        pytest.param("ff00::/8", id="multicast of IPv6"),
        pytest.param("f000::/4", id="around the private range of IPv6"),
    ],
)
def test_subnets_that_are_not_private_are_refused(subnet: str) -> None:
    for policy in (STANDARD, STRICT):
        assert SUBNETS in rules(of(subnet), policy)
        assert SUBNETS in rules(of(subnet, Driver="macvlan"), policy)
    assert rules(of(subnet), OPEN) == set()


@pytest.mark.parametrize(
    "subnet",
    [
        pytest.param("192.168.1.0/24", id="the host's own network"),
        pytest.param("192.168.1.128/25", id="a half of it"),
        pytest.param("192.168.1.77/32", id="a neighbour in it"),
        pytest.param("192.168.0.0/16", id="more than it"),
        pytest.param("10.8.5.0/24", id="a part of a VPN"),
        pytest.param("10.0.0.0/8", id="more than a VPN"),
        pytest.param("192.168.122.0/24", id="virtual machines"),
        pytest.param("10.77.0.0/24", id="an address without a route"),
        pytest.param("10.99.0.0/24", id="the resolver"),
        pytest.param("10.99.0.53/32", id="nothing but the resolver"),
        pytest.param("172.31.1.0/30", id="the gateway"),
        pytest.param("fd12::/64", id="the host's own network of IPv6"),
        pytest.param("fd12::8000:0:0:0/65", id="a half of that"),
        pytest.param("fd00::/8", id="more than that"),
        pytest.param("fd00:ec2::/64", id="what a cloud tells its machines by IPv6"),
    ],
)
def test_subnets_that_the_host_has_already_are_refused(subnet: str) -> None:
    for policy in (STANDARD, STRICT):
        assert rules(of(subnet), policy) == {OVERLAP}
    assert rules(of(subnet, Internal=True)) == {OVERLAP}
    assert rules(of(subnet, Driver="bridge", Options={"com.docker.network.bridge.inhibit_ipv4": "true"})) == {OVERLAP}
    assert rules(of(subnet), changed(STANDARD, networks__host_overlap=True)) == set()
    assert rules(of(subnet), OPEN) == set()


def test_a_table_of_its_own_is_the_hosts_too() -> None:
    lax = changed(STANDARD, networks__subnets=["*"])
    assert rules(of("100.100.7.0/24"), lax) == {OVERLAP}
    assert rules(of("100.101.0.0/16"), lax) == set()


@pytest.mark.parametrize(
    "subnet",
    ["10.5.0.0/24", "172.20.0.0/16", "192.168.2.0/24", "172.28.0.0/29", "fd00:1::/64", "fc00:5::/64", "10.9.0.0/16"],
)
def test_private_subnets_that_are_free_are_allowed(subnet: str) -> None:
    assert rules(of(subnet)) == set()
    assert rules(of(subnet), STRICT) == set()


def test_the_engines_own_networks_are_the_engines_to_compare() -> None:
    """What it made itself is a route of the host, and the domain's own network among it."""
    for subnet in ("172.17.0.0/16", "172.18.0.0/16", "172.18.0.0/24"):
        assert rules(of(subnet)) == set()
        assert judge().request(of(subnet)) == []


def test_an_interface_is_the_engines_only_where_the_engine_says_so() -> None:
    asked = Engine(made=frozenset({"docker0"}))
    assert rules(of("172.18.0.0/16"), engine=asked) == {OVERLAP}
    own = Engine(made=frozenset({"docker0", "br-0123456789ab", "virbr0"}))
    assert rules(of("192.168.122.0/24"), engine=own) == set()


@pytest.mark.parametrize(
    ("pool", "rule"),
    [
        pytest.param({"Subnet": "10.5.0.0/24", "Gateway": "198.51.100.1"}, SUBNETS, id="a gateway elsewhere"),
        pytest.param({"Subnet": "10.5.0.0/24", "Gateway": "10.6.0.1"}, KNOWN_FIELDS, id="a gateway beside"),
        pytest.param({"Subnet": "10.5.0.0/24", "Gateway": "169.254.169.254"}, SUBNETS, id="a gateway to secrets"),
        pytest.param({"Subnet": "10.5.0.0/24", "Gateway": "192.168.1.10"}, KNOWN_FIELDS, id="the host as a gateway"),
        pytest.param({"Subnet": "10.5.0.0/24", "IPRange": "8.8.8.0/24"}, SUBNETS, id="a range elsewhere"),
        pytest.param({"Subnet": "10.5.0.0/24", "IPRange": "10.0.0.0/8"}, KNOWN_FIELDS, id="a range around"),
        pytest.param(
            {"Subnet": "10.5.0.0/24", "AuxiliaryAddresses": {"DefaultGatewayIPv4": "8.8.8.8"}}, SUBNETS, id="a gateway"
        ),
        pytest.param({"Subnet": "10.5.0.0/24", "AuxiliaryAddresses": {"a": "fd00::1"}}, KNOWN_FIELDS, id="other kind"),
        pytest.param({"Gateway": "10.5.0.1"}, KNOWN_FIELDS, id="no subnet"),
        pytest.param({"subnet": "198.51.100.0/24"}, KNOWN_FIELDS, id="in lower case"),
        pytest.param({"SUBNET": "198.51.100.0/24"}, KNOWN_FIELDS, id="in upper case"),
        pytest.param({"Subnet": "010.5.0.0/24"}, KNOWN_FIELDS, id="an octal number to some"),
        pytest.param({"Subnet": "0x0a.5.0.0/24"}, KNOWN_FIELDS, id="a hexadecimal number"),
        pytest.param({"Subnet": "10.5/16"}, KNOWN_FIELDS, id="a short form"),
        pytest.param({"Subnet": "10.5.0.0/33"}, KNOWN_FIELDS, id="too long a prefix"),
        pytest.param({"Subnet": "fd00::1%eth0/64"}, KNOWN_FIELDS, id="with an interface"),
        pytest.param({"Subnet": "10.5.0.0/24\n"}, KNOWN_FIELDS, id="with a new line"),
        pytest.param({"Subnet": ["198.51.100.0/24"]}, KNOWN_FIELDS, id="a list"),
    ],
)
def test_every_address_of_a_pool_counts(pool: dict[str, Any], rule: str) -> None:
    assert rule in rules(network(pool))
    assert rules(network(pool), OPEN) == set()


def test_every_pool_counts_and_its_place_is_told() -> None:
    asked = network({"Subnet": "10.5.0.0/24"}, {"Subnet": "fd00:5::/64"}, {"Subnet": "198.51.100.0/24"})
    (refusal,) = judge().request(asked, Engine())
    assert (refusal.rule, refusal.field) == (SUBNETS, "IPAM.Config[2].Subnet")
    assert allowing(STANDARD, [refusal]) == {SUBNETS: ["...", "198.51.100.0/24"]}
    allowed = changed(STANDARD, networks__subnets=["10.0.0.0/8", "fc00::/7", "198.51.100.0/24"])
    assert rules(asked, allowed) == set()


def test_what_puts_no_route_onto_the_host_may_be_in_its_network() -> None:
    """A container that has an address of the host's own network is what macvlan and ipvlan are for."""
    pool = {"Subnet": "192.168.1.0/24", "Gateway": "192.168.1.1", "AuxiliaryAddresses": {"host": "192.168.1.10"}}
    for driver in ("macvlan", "ipvlan", "overlay"):
        assert rules(network(pool, Driver=driver, Options={"parent": "eth0"})) == set()


def test_where_nobody_can_look_that_is_told_or_let_through() -> None:
    elsewhere = HostNet(hidden="the engine is on another machine")
    assert rules(of("192.168.1.0/24"), net=elsewhere) == set()
    assert rules(of("127.0.0.0/8"), net=elsewhere) == {SUBNETS}
    assert rules(of("192.168.1.0/24"), STRICT, net=elsewhere) == {"networks.unseen"}
    (refusal,) = judge(STRICT, net=elsewhere).request(of("192.168.1.0/24"), Engine())
    assert "the engine is on another machine" in refusal.message
    assert allowing(STRICT, [refusal]) == {"networks.unseen": True}


# --- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("eth0", OVERLAP),
        ("virbr0", OVERLAP),
        ("lo", KNOWN_FIELDS),
        ("all", KNOWN_FIELDS),
        ("default", KNOWN_FIELDS),
        ("../../../x", KNOWN_FIELDS),
        ("a/b", KNOWN_FIELDS),
        ("-n", KNOWN_FIELDS),
        (".", KNOWN_FIELDS),
        ("a b", KNOWN_FIELDS),
        ("br0\n", KNOWN_FIELDS),
        ("a" * 16, KNOWN_FIELDS),
    ],
)
def test_a_bridge_is_none_of_the_hosts_interfaces(name: str, rule: str) -> None:
    asked = of("10.5.0.0/24", Options={"com.docker.network.bridge.name": name})
    assert rules(asked) == {rule}


def test_a_bridge_of_its_own_name_is_allowed_and_not_held_against_itself() -> None:
    options = {"com.docker.network.bridge.name": "shop0"}
    assert rules(of("10.5.0.0/24", Options=options)) == set()
    there = HostNet(routes=(("10.5.0.0/24", "shop0"),), addresses=("10.5.0.1",), interfaces=(("shop0", True),))
    assert judge(net=there).request(of("10.5.0.0/24", Options=options)) == []  # as in a file that is judged again
    assert rules(of("10.5.0.0/24", Options=options), net=there) == {OVERLAP}  # as it would be made
    renamed = {"com.docker.network.bridge.name": "shop1"}
    for changed_name in (renamed, {}):
        asked = of("10.5.0.0/24", Options=changed_name)
        assert judge(net=there).request(asked) == []  # the old one goes before the new one is made
        assert rules(asked, net=there) == {OVERLAP}
    for other in ("10.5.0.0/25", "10.0.0.0/8"):
        assert {one.rule for one in judge(net=there).request(of(other, Options=renamed))} == {OVERLAP}


def test_bridges_of_other_programs_are_refused_in_the_file_already() -> None:
    for name in ("virbr0", "lxdbr0", "br0", "vmbr1", "cni0"):
        there = HostNet(routes=(("10.5.0.0/24", name),), addresses=("10.5.0.1",), interfaces=((name, True),))
        asked = of("10.5.0.0/24", Options={"com.docker.network.bridge.name": name})
        assert {one.rule for one in judge(net=there).request(asked)} == {OVERLAP}
        assert {one.rule for one in judge(net=there).request(of("10.5.0.0/24"))} == {OVERLAP}


@pytest.mark.parametrize(
    "option",
    [
        {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"},
        {"com.docker.network.bridge.gateway_mode_ipv4": "routed"},
        {"com.docker.network.bridge.gateway_mode_ipv6": "routed"},
        {"com.docker.network.bridge.trusted_host_interfaces": "eth0"},
        {"com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"},
        {"com.docker.network.bridge.host_binding_ipv4": "192.168.1.10"},
        {"com.docker.network.bridge.host_binding_ipv6": "::"},
    ],
)
def test_options_publish_no_port_that_may_not_be_published(option: dict[str, str]) -> None:
    local = changed(STANDARD, ports__addresses=["127.0.0.0/8", "::1"])
    assert rules(of("10.5.0.0/24", Options=option)) == set()
    assert rules(of("10.5.0.0/24", Options=option), local) == {"ports.addresses"}
    few = changed(STANDARD, ports__allowed=["8000-8010"])
    if "host_binding" not in next(iter(option)):
        assert rules(of("10.5.0.0/24", Options=option), few) == {"ports.allowed"}


def test_no_container_has_the_hosts_card_with_all_that_comes_in() -> None:
    for mode, wanted in (("passthru", {"networks.options"}), ("bridge", set()), ("vepa", set()), ("", set())):
        asked = of("10.5.0.0/24", Driver="macvlan", Options={"parent": "eth0", "macvlan_mode": mode})
        assert rules(asked) == wanted
    asked = of("10.5.0.0/24", Driver="macvlan", Options={"macvlan_mode": "passthru"})
    assert allowing(STANDARD, judge().request(asked)) == {"networks.options": ["...", "macvlan_mode=passthru"]}
    assert rules(asked, changed(STANDARD, networks__options=["macvlan_mode", "macvlan_mode=passthru"])) == set()


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_no_network_is_on_the_bridge_of_another(driver: str) -> None:
    def on(parent: str) -> Request:
        return send("POST", "/networks/create", {"Name": "n", "Driver": driver, "Options": {"parent": parent}})

    engine = Engine(made=frozenset({"docker0", "br-0123456789ab", "other"}))
    for parent in ("docker0", "br-0123456789ab", "br-0123456789ab.7", "other", "other:0"):
        assert rules(on(parent), engine=engine) == {OVERLAP}
        assert rules(on(parent), changed(STANDARD, networks__host_overlap=True), engine=engine) == set()
    for parent in ("eth0", "eth0.7", "br0", ""):
        assert rules(on(parent), engine=engine) == set()


def test_an_option_that_makes_a_network_the_engines_own_takes_its_name() -> None:
    option = {"com.docker.network.bridge.default_bridge": "true"}
    assert rules(of("10.5.0.0/24", Options=option)) == {"networks.options"}
    named = changed(STANDARD, networks__options=["com.docker.network.bridge.default_bridge"])
    assert rules(of("10.5.0.0/24", Options=option), named) == set()
    kept = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
    assert rules(of("10.5.0.0/24", Options=kept), changed(STANDARD, ports__addresses=[])) == set()


# --- addresses of containers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ({"IPv4Address": "127.0.0.1"}, SUBNETS),
        ({"IPv4Address": "0.0.0.0"}, SUBNETS),
        ({"IPv4Address": "169.254.169.254"}, OVERLAP),
        ({"IPv4Address": "224.0.0.1"}, SUBNETS),
        ({"IPv4Address": "192.168.1.10"}, OVERLAP),
        ({"IPv4Address": "192.168.1.1"}, OVERLAP),
        ({"IPv4Address": "10.99.0.53"}, OVERLAP),
        ({"IPv6Address": "::1"}, SUBNETS),
        ({"IPv6Address": "::ffff:127.0.0.1"}, SUBNETS),
        ({"IPv6Address": "fe80::1"}, SUBNETS),
        ({"IPv6Address": "fd12::10"}, OVERLAP),
        ({"IPv6Address": "fd00:ec2::254"}, OVERLAP),
        ({"LinkLocalIPs": ["169.254.7.7", "169.254.169.254"]}, OVERLAP),
        ({"LinkLocalIPs": ["192.168.1.1"]}, OVERLAP),
        ({"LinkLocalIPs": ["127.0.0.1"]}, SUBNETS),
        ({"IPv4Address": "localhost"}, KNOWN_FIELDS),
        ({"IPv4Address": "127.1"}, KNOWN_FIELDS),
        ({"ipv4Address": "127.0.0.1"}, KNOWN_FIELDS),
    ],
)
def test_a_container_has_no_address_of_the_hosts(config: dict[str, Any], rule: str) -> None:
    endpoint = {"IPAMConfig": config}
    assert rules(create(NetworkingConfig={"EndpointsConfig": {"n": endpoint}})) == {rule}
    connect = send("POST", "/networks/n/connect", {"Container": "web", "EndpointConfig": endpoint})
    assert rules(connect) == {rule}


@pytest.mark.parametrize(
    "config",
    [
        {"IPv4Address": "10.5.0.9"},
        {"IPv4Address": "192.168.1.77"},  # by macvlan, in the host's own network
        {"IPv4Address": "198.51.100.7"},  # in a network that an administrator made
        {"IPv6Address": "fd00:5::9"},
        {"LinkLocalIPs": ["169.254.7.7"]},
        {},
    ],
)
def test_a_container_may_have_any_other_address(config: dict[str, Any]) -> None:
    assert rules(create(NetworkingConfig={"EndpointsConfig": {"n": {"IPAMConfig": config}}})) == set()


def test_the_look_is_taken_only_where_there_is_something_to_compare() -> None:
    def never() -> HostNet:
        raise AssertionError("nothing was asked for")

    quiet = Judge(STANDARD, replace(INSTALLATION, net=never), Disk())
    assert quiet.request(send("POST", "/networks/create", {"Name": "n"}), Engine()) == []
    assert quiet.request(create(NetworkingConfig={"EndpointsConfig": {"n": {}}}), Engine()) == []
    assert NET.hidden == ""
