"""Which networks have addresses of which subnets."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.intent.model import Ipam, NetworkSpec, Pool
from reconciler.planner import network_changes
from reconciler.planner.network_changes import Subnets
from reconciler.planner.observed import Network


def _subnet(number: int, bits: int) -> str:
    return str(ipaddress.ip_network((0x0A000000 + number, bits), strict=False))


V4 = st.builds(_subnet, st.integers(0, 1 << 12), st.integers(22, 32))
V6 = st.builds(
    lambda n, bits: str(ipaddress.ip_network((n << 64, bits), strict=False)), st.integers(0, 8), st.integers(60, 70)
)
POOLS = st.lists(V4 | V6 | st.just("nothing"), max_size=3)


def _network(number: int, subnets: list[str], driver: str) -> Network:
    return Network(
        f"id{number}", f"n{number}", None, driver=driver, ipam=Ipam(pools=tuple(Pool(subnet) for subnet in subnets))
    )


@given(st.lists(st.tuples(POOLS, st.sampled_from(["bridge", "overlay", "macvlan"])), max_size=12), POOLS)
def test_those_that_overlap_are_found_in_their_order_as_by_comparing_each(
    there: list[tuple[list[str], str]], asked: list[str]
) -> None:
    networks = [_network(number, subnets, driver) for number, (subnets, driver) in enumerate(there)]
    spec = NetworkSpec("n1", ipam=Ipam(pools=tuple(Pool(subnet) for subnet in asked)))
    expected = [
        one.name
        for one in networks
        if one.driver != "overlay"
        and one.name != spec.name
        and any(_overlap(a, p.subnet) for a in asked for p in one.ipam.pools)
    ]
    assert [one.name for one, _ in Subnets(networks).overlapping(spec)] == expected


def _overlap(one: str, other: str) -> bool:
    if "nothing" in (one, other):
        return False
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return first.version == second.version and first.overlaps(second)


def test_of_hundreds_only_those_are_compared_that_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [_network(number, [f"10.{number // 250}.{number % 250}.0/24"], "bridge") for number in range(2000)]
    compared: list[tuple[str, str]] = []
    real = network_changes.subnets_overlap

    def counted(one: str, other: str) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(network_changes, "subnets_overlap", counted)
    subnets = Subnets(networks)
    for number in range(500):
        spec = NetworkSpec(f"x{number}", ipam=Ipam(pools=(Pool(f"10.200.{number % 250}.0/24"),)))
        assert list(subnets.overlapping(spec)) == []
    assert compared == []
    (found,) = subnets.overlapping(NetworkSpec("x", ipam=Ipam(pools=(Pool("10.3.7.128/25"),))))
    assert found[1] == "its subnet 10.3.7.128/25 overlaps with 10.3.7.0/24 of network n757"
    assert len(compared) == 1
