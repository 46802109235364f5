"""Networks and volumes of a domain, and how containers join them: the forms of Compose, and what is no sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent.fingerprint import network_digest
from reconciler.intent.model import Chunk, ContainerSpec, Domain, Ipam, NetworkSpec, Pool, VolumeSpec
from reconciler.intent.names import names_in_networks, with_short_names
from reconciler.intent.networks import network_needs
from reconciler.intent.settings import payload
from reconciler.intent.settings.endpoints import endpoint_needs, from_api
from tests.unit.intent.reading import check, declared, document, read, valid

SUBNET = {"ipam": {"config": [{"subnet": "10.5.0.0/24"}, {"subnet": "fd00::/64"}]}}


def joined(said: Any, /, **top: Any) -> ContainerSpec:
    return next(valid(document(declared(container={"networks": said}), **top)).chunks()).container


def network(**written: Any) -> NetworkSpec:
    domain = valid(document(declared(container={"networks": ["n"]}), networks={"n": written}))
    return domain.networks[0]


def volume(**written: Any) -> VolumeSpec:
    domain = valid(document(declared(container={"volumes": ["v1:/v"]}), volumes={"v1": written}))
    return domain.volumes[0]


def test_a_network_takes_all_that_compose_knows() -> None:
    found = network(
        name="mine",
        driver="bridge",
        driver_opts={"mtu": 1400, "icc": False},
        attachable=True,
        enable_ipv4=True,
        enable_ipv6=True,
        internal=True,
        labels=["a=b"],
        ipam={
            "driver": "default",
            "options": {"x": "y"},
            "config": [
                {
                    "subnet": "10.5.0.7/16",
                    "ip_range": "10.5.128.0/17",
                    "gateway": "10.5.0.1",
                    "aux_addresses": {"router": "10.5.0.2"},
                },
                {"subnet": "FD00:0::/64", "x-note": 1},
            ],
        },
    )
    assert found == NetworkSpec(
        "mine",
        driver="bridge",
        driver_opts={"icc": "false", "mtu": "1400"},
        attachable=True,
        enable_ipv4=True,
        enable_ipv6=True,
        internal=True,
        labels={"a": "b"},
        ipam=Ipam(
            "default",
            (Pool("10.5.0.0/16", "10.5.128.0/17", "10.5.0.1", {"router": "10.5.0.2"}), Pool("fd00::/64")),
            {"x": "y"},
        ),
    )


def test_a_volume_takes_all_that_compose_knows_and_whether_it_is_kept() -> None:
    assert volume(driver="local", driver_opts={"type": "tmpfs", "uid": 5}, labels={"a": 1}, keep=False) == VolumeSpec(
        "d_v1", driver="local", driver_opts={"type": "tmpfs", "uid": "5"}, labels={"a": "1"}, keep=False
    )
    assert volume() == VolumeSpec("d_v1", keep=True)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ({"external": True}, "n"),
        ({"external": True, "name": "lan"}, "lan"),
        ({"external": {"name": "lan"}}, "lan"),
        ({"external": {}}, "n"),
    ],
)
def test_what_is_external_has_its_own_name_or_the_one_that_is_given(written: dict[str, Any], name: str) -> None:
    assert network(**written) == NetworkSpec(name, external=True)
    mounted = valid(document(declared(container={"volumes": ["nn:/v"]}), volumes={"nn": written})).volumes[0]
    assert mounted == VolumeSpec("nn" if name == "n" else name, external=True)


@pytest.mark.parametrize(
    "written",
    [{"driver": "host"}, {"external": True, "name": "host"}, {"external": {"name": "host"}}],
)
def test_the_engines_own_network_is_a_network_mode(written: dict[str, Any]) -> None:
    domain = valid(document(declared(container={"networks": ["hostnet"]}), networks={"hostnet": written}))
    container = next(domain.chunks()).container
    assert container.settings["network_mode"] == "host"
    assert container.networks == {}
    assert domain.networks == ()


def test_in_the_engines_bridge_nobody_has_a_name() -> None:
    container = joined(["old"], networks={"old": {"external": {"name": "bridge"}}})
    assert container.networks == {"bridge": ()}


def test_the_long_form_of_a_containers_networks_is_kept_and_sent() -> None:
    said = {
        "aliases": ["db"],
        "ipv4_address": "10.5.0.9",
        "ipv6_address": "FD00::0:9",
        "link_local_ips": ["169.254.9.9"],
        "mac_address": "02-42-AC-11-65-43",
        "driver_opts": {"a": 1},
        "priority": 5,
        "gw_priority": 7,
        "interface_name": "lan0",
    }
    container = joined({"n": said}, networks={"n": SUBNET})
    assert container.networks == {"pnr_d_n": ("a", "d-main-a-1", "db")}
    assert container.endpoints == {
        "pnr_d_n": {
            "ipv4_address": "10.5.0.9",
            "ipv6_address": "fd00::9",
            "link_local_ips": ["169.254.9.9"],
            "mac_address": "02:42:ac:11:65:43",
            "driver_opts": {"a": "1"},
            "priority": 5,
            "gw_priority": 7,
            "interface_name": "lan0",
        }
    }
    body = payload(container)
    sent = body["NetworkingConfig"]["EndpointsConfig"]["pnr_d_n"]
    assert sent == {
        "Aliases": ["a", "d-main-a-1", "db"],
        "IPAMConfig": {"IPv4Address": "10.5.0.9", "IPv6Address": "fd00::9", "LinkLocalIPs": ["169.254.9.9"]},
        "MacAddress": "02:42:ac:11:65:43",
        "DriverOpts": {"a": "1", "com.docker.network.endpoint.ifname": "lan0"},
        "GwPriority": 7,
    }
    assert body["MacAddress"] == "02:42:ac:11:65:43"
    shown = {**sent, "Aliases": [*sent["Aliases"], "0123456789ab"]}
    declared_too = {key: value for key, value in container.endpoints["pnr_d_n"].items() if key != "priority"}
    assert from_api(shown, "0123456789abcdef") == {"aliases": ["a", "d-main-a-1", "db"], **declared_too}


def test_the_network_of_the_highest_priority_is_joined_first() -> None:
    networks = {"one": None, "two": {"priority": 10}, "three": {"priority": 10}, "four": {"priority": -1}}
    container = joined(networks, networks=dict.fromkeys(networks))
    assert list(container.networks) == ["pnr_d_two", "pnr_d_three", "pnr_d_one", "pnr_d_four"]
    assert list(payload(container)["NetworkingConfig"]["EndpointsConfig"]) == ["pnr_d_two"]
    assert list(payload(container, all_networks=True)["NetworkingConfig"]["EndpointsConfig"]) == list(
        container.networks
    )


def test_an_address_makes_another_container_and_nothing_declared_the_same() -> None:
    plain = joined({"n": None}, networks={"n": SUBNET})
    assert joined({"n": {"driver_opts": {}, "aliases": []}}, networks={"n": SUBNET}).digest == plain.digest
    assert joined({"n": {"ipv4_address": "10.5.0.9"}}, networks={"n": SUBNET}).digest != plain.digest


def test_what_a_network_is_made_from_is_hashed_alike_in_all_releases() -> None:
    """These hashes stand on networks: one that changes recreates every such network."""
    assert network_digest(NetworkSpec("a")) == "795e0a34b9f589487c5d960f86847f331ce596744b23692bf0ede5677031bb35"
    full = NetworkSpec("b", internal=True, labels={"a": "b"}, ipam=Ipam(pools=(Pool("10.0.0.0/8"),)))
    assert network_digest(full) == "1fe297c6735eef835b2ab45d7ec8f7e6038d519090935d39fdfa13d6f479d2ae"
    assert network_digest(full) == network_digest(replace(full, name="c", digest="x"))
    assert network().digest == network_digest(NetworkSpec("a"))
    assert network(external=True).digest == ""


def test_a_network_without_ipv4_and_newer_settings_of_connections_need_newer_engines() -> None:
    assert [need.since_api for need in network_needs(network(enable_ipv4=False))] == ["1.48"]
    assert network_needs(network(enable_ipv4=True)) == []
    newer = {"n": {"gw_priority": 1, "interface_name": "lan0"}, "m": {"mac_address": "02:42:ac:11:65:43"}}
    container = joined(newer, networks={"n": None, "m": None})
    assert sorted(need.since_api for need in endpoint_needs(container)) == ["1.44", "1.48", "1.49"]
    first = joined({"m": newer["m"]}, networks={"m": None})
    assert endpoint_needs(first) == []


@pytest.mark.parametrize(
    ("written", "path", "words"),
    [
        ({"ipam": {"config": [{"subnet": "10.5.0.0"}]}}, "ipam.config[0].subnet", "a subnet such as"),
        ({"ipam": {"config": [{"subnet": "10.5.0.0/33"}]}}, "ipam.config[0].subnet", "a subnet such as"),
        ({"ipam": {"config": [{"gateway": "10.5.0.1"}]}}, "ipam.config[0]", "subnet is missing"),
        (
            {"ipam": {"config": [{"subnet": "10.5.0.0/24", "gateway": "10.6.0.1"}]}},
            "ipam.config[0].gateway",
            "not in the subnet 10.5.0.0/24",
        ),
        (
            {"ipam": {"config": [{"subnet": "10.5.0.0/24", "ip_range": "10.0.0.0/8"}]}},
            "ipam.config[0].ip_range",
            "not in the subnet",
        ),
        (
            {"ipam": {"config": [{"subnet": "10.5.0.0/24", "aux_addresses": {"a": "fd00::1"}}]}},
            "ipam.config[0].aux_addresses.a",
            "not in the subnet",
        ),
        ({"ipam": {"confg": []}}, "ipam.confg", "did you mean 'config'"),
        ({"drivr": "bridge"}, "drivr", "did you mean 'driver'"),
        ({"driver_opts": ["a"]}, "driver_opts[0]", "has no value"),
        ({"enable_ipv6": "yes"}, "enable_ipv6", "true or false"),
        ({"external": "lan"}, "external", "true or false"),
        ({"external": {"nam": "lan"}}, "external.nam", "did you mean 'name'"),
        ({"external": True, "attachable": True}, "attachable", "not pnr's to say"),
        ({"external": {"name": "a"}, "ipam": {"driver": "default"}}, "ipam", "not pnr's to say"),
        ({"external": {"name": "a"}, "name": "b"}, "name", "says otherwise"),
        ({"driver": "host", "internal": True}, "internal", "engine's own network host"),
        ({"name": "bridge"}, "name", "say that it is external"),
        ({"name": "pnr_d"}, "name", "networks.default"),
    ],
)
def test_what_a_network_can_not_be_is_told_with_its_place(written: dict[str, Any], path: str, words: str) -> None:
    loaded = read(document(declared(container={"networks": ["n"]}), networks={"n": written}))
    assert [problem.where for problem in loaded.errors] == [f"networks.n.{path}"]
    assert words in loaded.errors[0].message


@pytest.mark.parametrize("keep", [True, False])
def test_whether_an_external_volume_is_kept_is_not_said_here(keep: bool) -> None:
    (problem,) = read(document(declared(), volumes={"v": {"external": True, "keep": keep}})).errors
    assert (problem.where, problem.code) == ("volumes.v.keep", "Conflict")


@pytest.mark.parametrize(
    ("said", "path", "words"),
    [
        ({"ipv4_address": "10.6.0.9"}, "ipv4_address", "not in 10.5.0.0/24"),
        ({"ipv4_address": "fd00::9"}, "ipv4_address", "an IPv4 address"),
        ({"ipv6_address": "10.5.0.9"}, "ipv6_address", "an IPv6 address"),
        ({"link_local_ips": ["x"]}, "link_local_ips[0]", "an IP address"),
        ({"mac_address": "x"}, "mac_address", "a MAC address"),
        ({"priority": "high"}, "priority", "a whole number"),
        ({"interface_name": "a/b"}, "interface_name", "not a name of an interface"),
        ({"alias": []}, "alias", "did you mean 'aliases'"),
    ],
)
def test_what_a_connection_can_not_be_is_told_with_its_place(said: dict[str, Any], path: str, words: str) -> None:
    loaded = read(document(declared(container={"networks": {"n": said}}), networks={"n": SUBNET}))
    place = f"cpuxs.main.design_chunks[0].container.networks.n.{path}"
    assert [problem.where for problem in loaded.errors] == [place]
    assert words in loaded.errors[0].message


def test_a_fixed_address_takes_a_declared_subnet_but_for_what_is_external() -> None:
    container = {"networks": {"n": {"ipv4_address": "10.5.0.9"}}}
    (problem,) = read(document(declared(container=container), networks={"n": None})).errors
    assert "add ipam.config with a subnet" in problem.message
    (problem,) = read(document(declared(container={"networks": {"default": {"ipv4_address": "10.5.0.9"}}}))).errors
    assert "networks.default declares no IPv4 subnet" in problem.message
    valid(document(declared(container=container), networks={"n": {"external": True}}))


def test_subnets_of_one_domain_share_no_address() -> None:
    networks = {"a": SUBNET, "b": {"ipam": {"config": [{"subnet": "10.5.0.128/25"}]}}}
    (problem,) = read(document(declared(), networks=networks)).errors
    assert problem.where == "networks.b.ipam.config[0].subnet"
    assert "shares addresses with 10.5.0.0/24 of networks.a" in problem.message


def test_the_engines_host_network_is_had_alone_and_publishes_nothing() -> None:
    networks = {"h": {"driver": "host"}}
    (problem,) = read(document(declared(container={"networks": ["h", "default"]}), networks=networks)).errors
    assert "can only have alone" in problem.message
    (problem,) = read(document(declared(container={"networks": ["h"], "ports": ["80:80"]}), networks=networks)).errors
    assert problem.where.endswith("container.ports")


def test_two_addresses_of_one_card_are_a_contradiction() -> None:
    container = {
        "networks": {"default": {"mac_address": "02:42:ac:11:65:43"}},
        "mac_address": "02:42:ac:11:65:44",
    }
    (problem,) = read(document(declared(container=container))).errors
    assert "says otherwise" in problem.message


def domain_of(name: str, *, networks: dict[str, Any] | None = None, volumes: list[str] | None = None) -> Domain:
    container = {"networks": ["default", *(networks or {})], "volumes": volumes or []}
    of = valid({**document(declared(container=container), networks=networks or {}), "name": name})
    return replace(of, file=f"{name}.json")


def test_two_domains_do_not_make_one_network_or_volume() -> None:
    first = domain_of("a", networks={"b": None}, volumes=["b_v1:/v"])
    second = domain_of("a_b", volumes=["v1:/v"])
    diagnostics = check([first, second])
    assert [(f.place.file, f.code, f.path) for f in diagnostics] == [
        ("a_b.json", "NetworkNameClash", ("name",)),
        ("a_b.json", "VolumeNameClash", ("volumes", "v1")),
    ]
    assert "pnr_a_b is taken by a network of domain a" in diagnostics[0].message


def test_what_another_domain_makes_can_be_shared_as_external() -> None:
    first = domain_of("a", networks={"b": None})
    second = domain_of("c", networks={"theirs": {"external": True, "name": "pnr_a_b"}})
    assert [finding.severity for finding in check([first, second])] == ["warning"] * 2
    assert check([first, replace(second, cpuxs=())]) == []


@pytest.mark.parametrize(
    ("container", "name"),
    [
        ({"networks": {"theirs": {"aliases": ["db"]}}}, "db"),
        ({"networks": {"theirs": {"aliases": ["QUEUE"]}}}, "queue"),
        ({"networks": ["theirs"], "name": "queue"}, "queue"),
        ({"networks": ["theirs"], "name": "db"}, "db"),
        ({"networks": ["theirs"], "hostname": "db"}, "db"),
        ({"networks": {"theirs": {"aliases": ["owner-main-db-1"]}}}, "owner-main-db-1"),
        ({"networks": {"theirs": {"aliases": ["api"]}}}, ""),
        ({"networks": {"theirs": {}, "own": {"aliases": ["db"]}}}, ""),
        ({"networks": ["theirs"]}, ""),
    ],
)
def test_nobody_answers_to_the_name_of_an_owner_in_the_owners_network(container: dict[str, Any], name: str) -> None:
    one = document(declared("db", container={"networks": {"back": {"aliases": ["queue"]}}}), networks={"back": None})
    owner = replace(valid({**one, "name": "owner"}), file="owner.json")
    networks = {"theirs": {"external": True, "name": "pnr_owner_back"}, "own": None}
    guest = valid({**document(declared("x", container=container), networks=networks), "name": "guest"})
    errors = [f for f in check([owner, replace(guest, file="guest.json")]) if f.severity == "error"]
    assert [(f.place.file, f.code) for f in errors] == ([("guest.json", "NameTaken")] if name else [])
    assert all(f"has the name {name}" in f.message and "owner.json" in f.message for f in errors)


def test_a_name_that_two_domains_would_answer_to_in_one_network_is_told_in_both() -> None:
    proxy = {"external": True, "name": "proxy"}
    first, second = (domain_of(name, networks={"lan": proxy}) for name in ("one", "two"))
    (own,), (other,) = ([chunk.container for chunk in domain.chunks()] for domain in (first, second))
    assert own.networks == {"pnr_one": ("a", "one-main-a-1"), "proxy": ("one-main-a", "one-main-a-1")}
    assert (own.guest_in, own.short_alias, other.full_alias) == (("proxy",), "a", "two-main-a")
    found = check([first, second])
    assert [(f.place.file, f.code, f.severity, f.path) for f in found] == [
        (f"{name}.json", "SharedName", "warning", ("cpuxs", "main", "design_chunks", 0, "container", "networks"))
        for name in ("one", "two")
    ]
    assert found[0].message == (
        "in network proxy, which their domains share, one/main/a and two/main/a have the same name a: there this one"
        " answers to one-main-a only; where the short one is meant, ask for it with aliases"
    )


def test_a_name_that_two_cpuxs_would_answer_to_in_one_network_is_told_in_both() -> None:
    both = document(declared("redis"))
    both["cpuxs"]["second"] = both["cpuxs"]["main"]
    found = check([valid(both)])
    assert [(f.code, f.severity, f.path[1]) for f in found] == [
        ("SharedName", "warning", "main"),
        ("SharedName", "warning", "second"),
    ]
    assert "d/main/redis and d/second/redis have the same name redis: whoever asks for redis there" in (
        found[0].message
    )
    apart = document(declared("redis", container={"networks": ["one"]}), networks={"one": None})
    apart["cpuxs"]["second"] = document(declared("redis"))["cpuxs"]["main"]
    assert check([valid(apart)]) == []


def test_of_many_with_one_name_some_are_named_and_the_rest_is_counted() -> None:
    many = document(declared("redis"))
    many["cpuxs"] = {f"c{number:02}": many["cpuxs"]["main"] for number in range(30)}
    found = check([valid(many)])
    assert len(found) == 30
    assert "d/c00/redis and d/c01/redis, d/c02/redis, " in found[0].message
    assert "d/c20/redis and 9 more have the same name redis" in found[0].message


def test_an_address_of_a_network_is_one_containers() -> None:
    lan = {"lan": {"external": True, "name": "lan_of_all"}}
    joins = {"networks": {"lan": {"ipv4_address": "10.5.0.9"}}}
    both = valid(document(declared("a", container=joins), declared("b", container=joins), networks=lan))
    (clash,) = check([both])
    assert (clash.code, clash.path[-5:]) == ("AddressClash", (1, "container", "networks", "lan_of_all", "ipv4_address"))
    assert clash.message == "10.5.0.9 in network lan_of_all is the address of chunk a already"
    first = replace(valid(document(declared("a", container=joins), networks=lan)), file="1.json")
    other = replace(valid({**document(declared("b", container=joins), networks=lan), "name": "e"}), file="2.json")
    assert {(f.place.file, f.code) for f in check([first, other])} == {("2.json", "AddressClash")}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.5.0.0", "is the address of the subnet itself of networks.n: choose another"),
        ("10.5.0.255", "is the broadcast address of networks.n"),
        ("10.5.0.1", "is the gateway of networks.n"),
        ("10.5.0.7", "is kept for 'router' (aux_addresses) of networks.n"),
    ],
)
def test_an_address_that_no_container_can_have_is_an_error(address: str, said: str) -> None:
    pool = {"subnet": "10.5.0.0/24", "gateway": "10.5.0.1", "aux_addresses": {"router": "10.5.0.7"}}
    joins = {"networks": {"n": {"ipv4_address": address}}}
    (problem,) = read(document(declared(container=joins), networks={"n": {"ipam": {"config": [pool]}}})).errors
    assert problem.message.startswith(f"{address} {said}")
    assert problem.where.endswith("container.networks.n.ipv4_address")


def test_the_short_name_is_there_where_nobody_else_has_it() -> None:
    proxy = {"external": True, "name": "proxy"}
    (one,), (two,) = (domain_of(name, networks={"lan": proxy}).chunks() for name in ("one", "two"))

    def names(*chunks: Chunk, held: tuple[str, ...] = ()) -> tuple[str, ...]:
        found = with_short_names(one, names_in_networks(chunks), {"proxy": held})
        return tuple(found.container.networks["proxy"])

    assert names(one) == ("one-main-a", "one-main-a-1", "a")
    assert names(one, two) == ("one-main-a", "one-main-a-1")
    assert names(one, held=("a",)) == ("one-main-a", "one-main-a-1")
    assert names(one, replace(one, id=replace(one.id, replica=2))) == ("one-main-a", "one-main-a-1", "a")
    asked = replace(one, container=replace(one.container, networks={"proxy": ("one-main-a", "a")}))
    assert with_short_names(asked, names_in_networks([asked, two]), {}) is asked


def test_a_volume_that_nobody_mounts_is_declared_all_the_same() -> None:
    domain = valid(document(declared(), volumes={"v1": {"keep": False}}))
    assert domain.volumes == ()
    assert domain.unused_volumes == (VolumeSpec("d_v1", keep=False),)
