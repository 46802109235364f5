"""Which addresses a network can't give, as far as it is seen of it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.model import Ipam, Pool
from reconciler.planner.attainable import refusal
from reconciler.planner.observed import Network
from reconciler.states import Reason

PLAIN = Pool("10.1.2.0/24")


def network(*pools: Pool, driver: str = "bridge", **more: Any) -> Network:
    ipam = more.pop("ipam", Ipam("default", pools))
    return Network("n1", "lan", driver=driver, ipam=ipam, **more)


@pytest.mark.parametrize(
    ("seen", "address", "reason", "said"),
    [
        (network(PLAIN), "10.1.3.7", Reason.ADDRESS_IMPOSSIBLE, "in none of its subnets (10.1.2.0/24)"),
        (network(PLAIN), "fd00::7", Reason.ADDRESS_IMPOSSIBLE, "has no IPv6 addresses"),
        (network(PLAIN), "10.1.2.1", Reason.ADDRESS_IN_USE, "the network's own gateway"),
        (network(Pool("10.1.2.0/24", gateway="10.1.2.254")), "10.1.2.254", Reason.ADDRESS_IN_USE, "own gateway"),
        (network(Pool("fd00::/64", gateway="fd00::1/64")), "fd00:0::1", Reason.ADDRESS_IN_USE, "own gateway"),
        (network(PLAIN), "10.1.2.0", Reason.ADDRESS_IN_USE, "the first or the last of its subnet"),
        (network(PLAIN), "10.1.2.255", Reason.ADDRESS_IN_USE, "the first or the last of its subnet"),
        (
            network(Pool("10.1.2.0/24", aux_addresses={"router": "10.1.2.9"})),
            "10.1.2.9",
            Reason.ADDRESS_IN_USE,
            "kept by the network for router",
        ),
        (network(PLAIN, driver="macvlan"), "10.1.3.7", Reason.ADDRESS_IMPOSSIBLE, "in none of its subnets"),
    ],
)
def test_what_can_not_be_had_is_told_with_its_cause_and_a_step(
    seen: Network, address: str, reason: Reason, said: str
) -> None:
    found = refusal(seen, address)
    assert found is not None
    assert found[0] is reason
    assert f"the address {address} in network lan" in found[1]
    assert said in found[1]
    assert "; what to do: " in found[1]


@pytest.mark.parametrize(
    ("seen", "address"),
    [
        (network(PLAIN), "10.1.2.7"),
        (network(Pool("10.1.2.0/24", ip_range="10.1.2.128/25")), "10.1.2.1"),
        (network(Pool("10.1.2.0/24", gateway="10.1.2.254")), "10.1.2.1"),
        (network(PLAIN, driver_opts={"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}), "10.1.2.1"),
        (network(PLAIN, driver="macvlan"), "10.1.2.1"),
        (network(PLAIN, driver="overlay"), "10.1.3.7"),
        (network(PLAIN, driver=""), "10.1.3.7"),
        (network(ipam=Ipam("their-own", (PLAIN,))), "10.1.3.7"),
        (network(PLAIN, enable_ipv6=True), "fd00::7"),
        (network(), "10.1.2.7"),
        (network(Pool("not a subnet")), "10.1.2.7"),
        (network(PLAIN), "not an address"),
        (network(Pool("10.1.2.0/31")), "10.1.2.0"),
    ],
)
def test_nothing_is_said_against_what_may_be_had(seen: Network, address: str) -> None:
    assert refusal(seen, address) is None
