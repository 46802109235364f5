"""Networks and volumes keep their options; aliases and addresses their places."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.compose.converting.build import chunks, converted, service, told

MOUNT = {"type": "volume", "source": "data", "target": "/data"}


@pytest.mark.parametrize(
    "options",
    [
        {"driver": "bridge", "driver_opts": {"com.docker.network.driver.mtu": "1400"}},
        {"internal": True, "attachable": True, "labels": {"a": "b"}},
        {"enable_ipv6": True, "ipam": {"config": [{"subnet": "2001:db8::/64"}]}},
        {"enable_ipv4": False, "enable_ipv6": True},
        {"ipam": {"driver": "default", "config": [{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1"}]}},
    ],
)
def test_a_network_keeps_its_options(options: dict[str, Any]) -> None:
    networks = {"back": {"name": "shop_back", "ipam": {}, **options}}
    conversion = converted({"web": service(networks={"back": None})}, networks=networks)
    assert conversion.document["networks"] == {"back": {"name": "shop_back", **options}}
    assert chunks(conversion)["web"]["container"]["networks"] == ["back"]
    assert told(conversion) == []


def test_a_volume_keeps_its_options() -> None:
    options = {"driver": "local", "driver_opts": {"type": "nfs", "o": "addr=a", "device": ":/x"}, "labels": {"a": "b"}}
    conversion = converted({"web": service(volumes=[MOUNT])}, volumes={"data": {"name": "shop_data", **options}})
    assert conversion.document["volumes"] == {"data": {"name": "shop_data", **options}}


def test_what_is_external_stays_so() -> None:
    conversion = converted(
        {"web": service(networks={"out": None}, volumes=[MOUNT])},
        networks={"out": {"name": "proxy", "external": True}},
        volumes={"data": {"name": "old", "external": True}},
    )
    assert conversion.document["networks"] == {"out": {"name": "proxy", "external": True}}
    assert conversion.document["volumes"] == {"data": {"name": "old", "external": True}}


def test_how_a_container_joins_its_networks_is_kept() -> None:
    joined = {"back": {"aliases": ["db"], "ipv4_address": "10.5.0.9", "priority": 5}, "default": None}
    networks = {
        "default": {"name": "shop_default", "ipam": {}},
        "back": {"name": "shop_back", "ipam": {"config": [{"subnet": "10.5.0.0/24"}]}},
    }
    conversion = converted({"web": service(networks=joined)}, networks=networks)
    assert chunks(conversion)["web"]["container"]["networks"] == joined


def test_networks_that_nobody_joins_are_left_out() -> None:
    conversion = converted({"web": service(network_mode="host")})
    assert "networks" not in conversion.document


def test_a_network_that_is_named_as_a_mode_is_joined_as_one_that_is_there() -> None:
    conversion = converted({
        "web": service(network_mode="proxy"),
        "db": service(network_mode="shop_back"),
        "api": service(networks={"back": None}),
        "old": service(network_mode="default"),
    }, networks={"back": {"name": "shop_back", "ipam": {}}})  # fmt: skip
    found = {name: chunk["container"] for name, chunk in chunks(conversion).items()}
    assert found["web"]["networks"] == ["proxy"]
    assert found["db"]["networks"] == found["api"]["networks"] == ["back"]
    assert found["old"]["network_mode"] == "bridge"
    assert conversion.document["networks"] == {
        "back": {"name": "shop_back"},
        "proxy": {"name": "proxy", "external": True},
    }
