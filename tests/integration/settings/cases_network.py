"""Cases of names, ports and networks."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.settings.case import NOTHING, UPDATED, Case, Here


def _port(label: str, text: str) -> Any:
    """A value with a free port in it: ``{0}`` for the first of three in a row, ``{1}``, ``{2}`` for the next."""

    def value(here: Here) -> list[str]:
        first = here.port(label)
        return [text.format(first, first + 1, first + 2)]

    return value


def _default(**more: Any) -> dict[str, Any]:
    return {"default": more or None}


def _both(**more: Any) -> dict[str, Any]:
    return {"default": None, "back": more or None}


def _placed(value: Any) -> Any:
    """A value with addresses, which are those of the network ``back`` here."""

    def placed(here: Here) -> Any:
        text = json.dumps(value).replace("10.213.77.", f"10.213.{here.pool}.")
        return json.loads(text.replace("fd00:213:77:", f"fd00:213:{here.pool}:"))

    return placed


CASES = (
    Case("ports", "map", lambda here: {"80": here.port("a")}, lambda here: {"80": here.port("b")}),
    Case("ports", "map and list", lambda here: {"80": str(here.port("a"))}, _port("a", "{0}:80/tcp"), NOTHING),
    Case("ports", "address", _port("a", "127.0.0.1:{0}:80"), _port("a", "0.0.0.0:{0}:80")),
    Case("ports", "IPv6 address", _port("a", "[::1]:{0}:80"), _port("a", "127.0.0.1:{0}:80")),
    Case(
        "ports",
        "two spellings of an address",
        _port("a", "[::1]:{0}:80"),
        _port("a", "[0:0:0:0:0:0:0:1]:{0}:80"),
        NOTHING,
    ),
    Case("ports", "udp", _port("a", "{0}:53/udp"), _port("a", "{0}:53/tcp")),
    Case("ports", "range", _port("a", "{0}-{2}:8000-8002"), _port("a", "{0}-{2}:8001-8003")),
    Case(
        "ports",
        "range and one by one",
        _port("a", "{0}-{1}:8000-8001"),
        lambda here: [f"{here.port('a')}:8000", f"{here.port('a') + 1}:8001"],
        NOTHING,
    ),
    Case("ports", "more", _port("a", "{0}:80"), lambda here: [f"{here.port('a')}:80", f"{here.port('b')}:81"]),
    Case(
        "ports",
        "two of the host for one",
        lambda here: [f"{here.port('a')}:80", f"{here.port('b')}:80"],
        _port("a", "{0}:80"),
    ),
    Case(
        "ports",
        "order, twice and the usual protocol",
        lambda here: [f"{here.port('a')}:80", f"{here.port('b')}:80/tcp"],
        lambda here: [f"{here.port('b')}:80", f"{here.port('a')}:80/tcp", f"{here.port('a')}:80"],
        NOTHING,
    ),
    Case("ports", "any of the host", ["80"], _port("a", "{0}:80")),
    Case("ports", "any, long form", ["80"], [{"target": 80}], NOTHING),
    Case(
        "ports",
        "long form",
        _port("a", "127.0.0.1:{0}:80"),
        lambda here: [{"target": 80, "published": str(here.port("a")), "host_ip": "127.0.0.1", "protocol": "tcp"}],
        NOTHING,
    ),
    Case("ports", "left out", _port("a", "{0}:80"), None),
    Case("hostname", "name", "db1", "db2"),
    Case("hostname", "with dots", "db1.example.com", "db1.example.org"),
    Case("hostname", "left out", "db1", None),
    Case("domainname", "name", "example.com", "example.org"),
    Case("domainname", "left out", "example.com", None),
    Case("dns", "one and a list", "192.0.2.53", ["192.0.2.53"], NOTHING),
    Case("dns", "list", ["192.0.2.53", "2001:db8::53"], ["2001:db8::53", "192.0.2.53"]),
    Case("dns", "left out", "192.0.2.53", None),
    Case("dns_search", "list", ["example.com", "example.org"], ["example.com"]),
    Case("dns_search", "one and a list", "example.com", ["example.com"], NOTHING),
    Case("dns_search", "left out", "example.com", None),
    Case("dns_opt", "list", ["ndots:2", "timeout:1"], ["ndots:3", "timeout:1"]),
    Case("dns_opt", "more", ["ndots:2"], ["ndots:2", "timeout:1"]),
    Case("dns_opt", "left out", ["ndots:2"], None),
    Case("extra_hosts", "map", {"db.example": "192.0.2.7"}, {"db.example": "192.0.2.8"}),
    Case("extra_hosts", "more", {"a": "192.0.2.1"}, {"a": "192.0.2.1", "b": "192.0.2.2"}),
    Case("extra_hosts", "two addresses", ["a=192.0.2.1"], ["a=192.0.2.1", "a=::1"]),
    Case("extra_hosts", "map and lists", {"a": "192.0.2.1", "b": "::1"}, ["b:::1", "a=192.0.2.1"], NOTHING),
    Case("extra_hosts", "the host", {"h": "host-gateway"}, {"h": "192.0.2.1"}, beside={"networks": ["default"]}),
    Case("extra_hosts", "left out", ["a=192.0.2.1"], None),
    Case("mac_address", "address", "02:42:ac:11:65:43", "02:42:ac:11:65:44"),
    Case(
        "mac_address", "two spellings", "02-42-AC-11-65-43", "02:42:ac:11:65:43", NOTHING, beside={"networks": ["back"]}
    ),
    Case("mac_address", "left out", "02:42:ac:11:65:45", None),
    Case("expose", "list", ["3000"], ["3001"]),
    Case("expose", "range and one by one", ["3000-3002/udp"], ["3002/udp", "3000/udp", "3001/udp"], NOTHING),
    Case("expose", "left out", ["3000"], None),
    Case("network_mode", "none and bridge", "none", "bridge"),
    Case("network_mode", "host", "host", "none"),
    Case("network_mode", "another chunk's", "service:first", "service:second"),
    Case("network_mode", "another container's", lambda here: f"container:{here.name('first')}", "none"),
    Case("network_mode", "left out", "bridge", None),
    Case("networks", "more", ["default"], ["default", "back"], UPDATED),
    Case("networks", "another second one", ["default", "back"], ["default", "side"], UPDATED),
    Case("networks", "list and map", ["default", "back"], {"back": None, "default": {}}, NOTHING),
    Case("networks", "another", ["default"], ["back"]),
    Case("networks", "left out is the domain's own", ["default"], None, NOTHING),
    Case("networks", "alias", _default(aliases=["db", "mongo"]), _default(aliases=["db", "postgres"]), UPDATED),
    Case("networks", "alias in the second", _both(aliases=["db"]), _both(), UPDATED),
    Case(
        "networks",
        "address",
        _placed({"back": {"ipv4_address": "10.213.77.11"}}),
        _placed({"back": {"ipv4_address": "10.213.77.12"}}),
        UPDATED,
    ),
    Case(
        "networks",
        "address in the second",
        _placed(_both(ipv4_address="10.213.77.13")),
        _placed(_both(ipv4_address="10.213.77.14")),
        UPDATED,
    ),
    Case(
        "networks",
        "IPv6 address",
        _placed({"back": {"ipv6_address": "fd00:213:77::a11"}}),
        _placed({"back": {"ipv6_address": "fd00:213:77::a12"}}),
        UPDATED,
    ),
    Case(
        "networks",
        "two spellings of an address",
        _placed({"back": {"ipv6_address": "fd00:213:77:0::a13"}}),
        _placed({"back": {"ipv6_address": "fd00:213:77::0a13"}}),
        NOTHING,
    ),
    Case(
        "networks", "address left to the engine", _placed({"back": {"ipv4_address": "10.213.77.15"}}), ["back"], UPDATED
    ),
    Case(
        "networks",
        "link-local",
        _default(link_local_ips=["169.254.8.8"]),
        _default(link_local_ips=["169.254.8.9"]),
        UPDATED,
    ),
    Case("networks", "card", _default(mac_address="02:42:ac:11:65:51"), _default(mac_address="02:42:ac:11:65:52")),
    Case(
        "networks",
        "card of the second",
        _both(mac_address="02:42:ac:11:65:53"),
        _both(mac_address="02:42:ac:11:65:54"),
        since="1.44",
    ),
    Case("networks", "options", _default(driver_opts={"a": "1"}), _default(driver_opts={"a": "2"})),
    Case("networks", "gateway", _both(gw_priority=1), _both(gw_priority=2), UPDATED, since="1.48"),
    Case(
        "networks", "interface", _default(interface_name="up0"), _default(interface_name="up1"), UPDATED, since="1.49"
    ),
    Case("links", "another name", ["first:db"], ["first:store"], UPDATED),
    Case("links", "more", ["first:db"], ["first:db", "second"], UPDATED),
    Case("links", "left out", ["first:db"], None, UPDATED),
    Case("links", "on the bridge", ["on-bridge:db"], ["on-bridge:store"], beside={"network_mode": "bridge"}),
    Case(
        "external_links",
        "another name",
        lambda here: [f"{here.name('first')}:old"],
        lambda here: [f"{here.name('first')}:older"],
        UPDATED,
    ),
    Case(
        "networks",
        "priority",
        {"default": {"priority": 1}, "back": {}},
        {"back": {"priority": 1}, "default": {}},
    ),
)
