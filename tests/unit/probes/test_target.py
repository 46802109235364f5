from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.planner.observed import HostPort
from reconciler.probes import reach
from reconciler.probes.protocol import ProbeResult, Target
from reconciler.probes.reach import of_host
from reconciler.probes.target import own_addresses, resolve, shown
from tests.unit.probes.build import check, container


def _where(found: Target | ProbeResult) -> tuple[str | None, int | None]:
    assert isinstance(found, Target)
    return found.host, found.port


def test_a_published_port_is_preferred_to_the_containers_own_address() -> None:
    seen = container(networks={"shop": "172.20.0.2"}, published={"80/tcp": (HostPort("127.0.0.1", 8080),)})
    assert _where(resolve(check("tcp", "80"), seen)) == ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("ip", "host"), [("0.0.0.0", "127.0.0.1"), ("", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7")]
)
def test_a_port_published_on_all_addresses_is_asked_on_loopback(ip: str, host: str) -> None:
    seen = container(published={"80/tcp": (HostPort(ip, 8080),)})
    assert _where(resolve(check("tcp", "80"), seen)) == (host, 8080)


def test_of_both_families_ipv4_is_asked() -> None:
    seen = container(published={"80/tcp": (HostPort("::", 8080), HostPort("0.0.0.0", 8080))})
    assert _where(resolve(check("tcp", "80"), seen)) == ("127.0.0.1", 8080)


def test_an_unpublished_port_is_asked_on_the_first_network_that_gave_an_address() -> None:
    seen = container(networks={"a": "", "b": "172.20.0.2", "c": "172.21.0.2"})
    assert _where(resolve(check("http", "80"), seen)) == ("172.20.0.2", 80)


def test_the_protocol_of_a_port_counts() -> None:
    seen = container(networks={"a": "172.20.0.2"}, published={"53/tcp": (HostPort("127.0.0.1", 5353),)})
    assert _where(resolve(check("dns", "53/udp"), seen)) == ("172.20.0.2", 53)
    assert _where(resolve(check("dns", "53/tcp"), seen)) == ("127.0.0.1", 5353)


def test_a_port_that_is_exposed_but_not_published_is_asked_in_the_container() -> None:
    seen = container(networks={"a": "172.20.0.2"}, published={"80/tcp": ()})
    assert _where(resolve(check("tcp", "80"), seen)) == ("172.20.0.2", 80)


def test_a_container_in_the_hosts_network_is_asked_on_loopback() -> None:
    seen = container(networks={"host": ""})
    assert _where(resolve(check("tcp", "80"), seen)) == ("127.0.0.1", 80)


def test_a_container_without_an_address_is_a_failure_that_says_so() -> None:
    found = resolve(check("tcp", "80"), container(networks={"a": ""}))
    assert found == ProbeResult(ok=False, message="port 80: the container has no address yet")


def test_without_a_port_key_the_container_alone_is_the_target() -> None:
    seen = container(networks={"a": ""})
    assert resolve(check("exec"), seen) == Target(seen)


def test_own_addresses_are_those_that_are_not_empty() -> None:
    seen = container(networks={"a": "", "b": "172.20.0.2", "c": "fd00::2"})
    assert own_addresses(seen, lambda address: False) == ("172.20.0.2", "fd00::2")


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert shown("::1", 80) == "[::1]:80"
    assert shown("127.0.0.1", 80) == "127.0.0.1:80"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "100.100.100.200", "168.63.129.16",
        "fd00:ec2::254",
        "224.0.0.1", "255.255.255.255", "ff02::1", "192.0.2.10", "::ffff:192.0.2.10", "fd00::10",
        "localhost", "metadata.google.internal", "127.1", "0x7f000001", "2130706433", "", "web", "http://192.0.2.1",
    ],
)  # fmt: skip
def test_no_address_of_the_hosts_is_asked_whatever_an_engine_says_of_a_container(address: str) -> None:
    """A container may have any address that its network gives it, and with it somebody else's."""
    own = {"192.0.2.10", "fd00::10"}
    seen = container(networks={"a": address})
    found = resolve(check("http", "2375"), seen, own.__contains__)
    assert isinstance(found, ProbeResult)
    assert not found.ok
    assert own_addresses(seen, own.__contains__) == ()
    assert ("is not asked" in found.message) == bool(address)


def test_of_several_addresses_one_that_is_the_containers_is_asked() -> None:
    seen = container(networks={"a": "127.0.0.1", "b": "192.0.2.10", "c": "172.20.0.2"})
    assert _where(resolve(check("tcp", "80"), seen, {"192.0.2.10"}.__contains__)) == ("172.20.0.2", 80)
    assert own_addresses(seen, {"192.0.2.10"}.__contains__) == ("172.20.0.2",)


def test_a_published_port_is_asked_on_whatever_address_of_the_host() -> None:
    for ip in ("127.0.0.1", "192.0.2.10"):
        seen = container(networks={"a": "127.0.0.1"}, published={"80/tcp": (HostPort(ip, 8080),)})
        assert _where(resolve(check("tcp", "80"), seen, {"192.0.2.10"}.__contains__)) == (ip, 8080)
    # Another port of the same container is not: it is not published.
    assert isinstance(resolve(check("tcp", "81"), seen, {"192.0.2.10"}.__contains__), ProbeResult)


def test_a_machine_that_binds_to_everything_is_asked_what_it_really_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As those do that take over the address of another: then binding tells nothing."""
    (tmp_path / "everything").write_text("1\n")
    (tmp_path / "ipv4").write_text(
        "Local:\n  |-- 127.0.0.2\n     /32 host LOCAL\n  |-- 127.0.0.3\n     /8 link UNICAST\n"
    )
    monkeypatch.setattr(reach, "_NONLOCAL", {4: tmp_path / "everything", 6: tmp_path / "everything"})
    monkeypatch.setattr(reach, "_IPV4_ADDRESSES", tmp_path / "ipv4")
    assert of_host("127.0.0.2")
    assert not of_host("127.0.0.3")
    monkeypatch.setattr(reach, "_IPV4_ADDRESSES", tmp_path / "none")
    assert of_host("127.0.0.3"), "where nobody can tell, it is not asked"


def test_what_is_this_machines_is_found_by_the_system() -> None:
    assert of_host("127.0.0.1")
    assert not of_host("192.0.2.251")
    assert not of_host("2001:db8::251")
