"""What is refused of a domain is told in its file, at the setting that asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.daemon.intake import Entry, Judged, Loading, judge
from reconciler.intent.check_types import CheckType
from reconciler.intent.contents import NoContents
from reconciler.policy import Judge, Policy
from reconciler.policy.world import HostNet
from reconciler.probes.http import HttpOptions
from tests.unit.intent.reading import File
from tests.unit.policy import judging
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, Disk, changed

BASE = judging.INSTALLATION.domains
TYPES: Mapping[str, CheckType] = {}


def judged(
    container: Mapping[str, Any],
    policy: Policy = STANDARD,
    *,
    disk: Disk | None = None,
    chunk: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    **top: Any,
) -> Judged:
    """What becomes of a domain file with one chunk."""
    one = {"name": "web", "container": {"image": "redis", **container}, **(chunk or {})}
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [one]}}, **top}
    files = {"shop.json": File(json.dumps(document, indent=1).encode())}
    names = env or {}
    return judge(Loading(BASE, names, frozenset(names), TYPES, policy=judging.judge(policy, disk)), files)


def places(found: Judged) -> list[tuple[str, str]]:
    """Path and code of each problem, without what all paths begin with."""
    assert not found.errors or not found.domains
    problems = found.errors.get("shop.json", ())
    assert all(problem.place.line > 1 and problem.place.column for problem in problems)
    prefix = "cpuxs.main.design_chunks[0]."
    return [(problem.where.removeprefix(prefix), problem.code) for problem in problems]


@pytest.mark.parametrize(
    ("container", "path"),
    [
        ({"privileged": True}, "privileged"),
        ({"cap_add": ["CHOWN", "sys_admin"]}, "cap_add[1]"),
        ({"volumes": ["zz:/z", "./shop/html:/html:ro", "/etc:/a"]}, "volumes[2]"),
        ({"volumes": [{"type": "bind", "source": "/etc", "target": "/z"}, "/srv/app:/a"]}, "volumes[0]"),
        ({"volumes": ["./../state:/x"]}, "volumes[0]"),
        ({"devices": ["/dev/null", {"source": "/dev/sda"}]}, "devices[1]"),
        ({"device_cgroup_rules": ["c 1:3 r", "b *:* rwm"]}, "device_cgroup_rules[1]"),
        ({"security_opt": ["seccomp=unconfined", "no-new-privileges"]}, "security_opt[0]"),
        ({"security_opt": ["no-new-privileges", "label=disable"]}, "security_opt[1]"),
        ({"security_opt": ["systempaths=unconfined"]}, "security_opt"),
        ({"sysctls": {"net.core.somaxconn": 1, "kernel.panic": 1}}, 'sysctls["kernel.panic"]'),
        ({"sysctls": ["net.core.somaxconn=1", "kernel.panic=1"]}, "sysctls[1]"),
        ({"pid": "host"}, "pid"),
        ({"ipc": "host"}, "ipc"),
        ({"userns_mode": "host"}, "userns_mode"),
        ({"network_mode": "container:other"}, "network_mode"),
        ({"pid": "container:other"}, "pid"),
        ({"volumes_from": ["container:other:ro"]}, "volumes_from[0]"),
        ({"runtime": "evil"}, "runtime"),
        ({"oom_score_adj": -1000}, "oom_score_adj"),
        ({"logging": {"driver": "syslog", "options": {"syslog-address": "unix:///run/docker.sock"}}}, "logging"),
        ({"gpus": [{"driver": "evil"}]}, "gpus[0]"),
        ({"build": {"context": ".", "network": "host"}}, "build.network"),
        ({"logging": {"driver": "fluentd", "options": {"fluentd-address": "unix://x/run/docker.sock"}}}, "logging"),
        ({"logging": {"driver": "json-file", "options": {"tag": "a\nb"}}}, "logging"),
        ({"stop_grace_period": "26280h"}, "stop_grace_period"),
        ({"cgroup_parent": "/system.slice/pnr.service"}, "cgroup_parent"),
        ({"devices": ["/dev/null", "/dev/watchdog"]}, "devices[1]"),
    ],
)
def test_a_refusal_is_told_at_the_setting(container: dict[str, Any], path: str) -> None:
    assert (f"container.{path}", "PolicyRefused") in places(judged(container))
    assert places(judged(container, OPEN)) == []


def test_the_words_name_the_rule_the_field_and_where_the_rule_stands() -> None:
    (problem,) = judged({"privileged": True}, changed(STANDARD, security__privileged=False)).errors["shop.json"]
    assert str(problem).startswith(
        "shop.json:10:21: cpuxs.main.design_chunks[0].container.privileged: the policy refuses"
    )
    assert "HostConfig.Privileged" in problem.message
    assert "rule security.privileged, /etc/pnr/policy.toml:3" in problem.message


@pytest.mark.parametrize(
    ("top", "container", "path"),
    [
        ({"networks": {"back": {"driver": "weave"}}}, {"networks": ["back"]}, "networks.back.driver"),
        ({"networks": {"back": {"driver_opts": {"a": "b"}}}}, {"networks": ["back"]}, "networks.back.driver_opts"),
        ({"networks": {"back": {"name": "x1", "driver": "weave"}}}, {"networks": ["back"]}, "networks.back.driver"),
        ({"volumes": {"data": {"driver": "sshfs"}}}, {"volumes": ["data:/d"]}, "volumes.data.driver"),
        (
            {"volumes": {"data": {"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}}},
            {"volumes": ["data:/d"]},
            "volumes.data.driver_opts",
        ),
    ],
)
def test_networks_and_volumes_are_told_where_they_are_declared(
    top: dict[str, Any], container: dict[str, Any], path: str
) -> None:
    assert places(judged(container, **top)) == [(path, "PolicyRefused")]


@pytest.mark.parametrize(
    ("pool", "path"),
    [
        ({"subnet": "198.51.100.0/24"}, "subnet"),
        ({"subnet": "127.0.0.0/8"}, "subnet"),
        ({"subnet": "0.0.0.0/1"}, "subnet"),
        ({"subnet": "192.168.1.0/25"}, "subnet"),
    ],
)
def test_subnets_are_told_at_their_place_with_what_would_allow_them(pool: dict[str, Any], path: str) -> None:
    config = [{"subnet": "fd00:5::/64"}, pool]
    found = judged({"networks": ["back"]}, networks={"back": {"ipam": {"config": config}}})
    assert places(found)[0] == (f"networks.back.ipam.config[1].{path}", "PolicyRefused")
    assert '/etc/pnr/policy.toml: [domain."shop.json".networks]' in found.errors["shop.json"][0].message
    assert places(judged({"networks": ["back"]}, OPEN, networks={"back": {"ipam": {"config": config}}})) == []


def test_every_address_of_a_subnet_is_told_at_its_place() -> None:
    pool = {
        "subnet": "198.51.100.0/24",
        "ip_range": "198.51.100.128/25",
        "gateway": "198.51.100.1",
        "aux_addresses": {"router": "198.51.100.7"},
    }
    found = judged({"networks": ["back"]}, networks={"back": {"ipam": {"config": [pool]}}})
    prefix = "networks.back.ipam.config[0]"
    assert {path for path, _ in places(found)} == {
        f"{prefix}.{key}" for key in ("subnet", "ip_range", "gateway", "aux_addresses.router")
    }


def test_fixed_addresses_are_told_at_the_networks_of_the_container() -> None:
    lan = {"driver": "macvlan", "ipam": {"config": [{"subnet": "192.168.1.0/24"}]}}
    found = judged({"networks": {"lan": {"ipv4_address": "192.168.1.10"}}}, networks={"lan": lan})
    assert places(found) == [("container.networks", "PolicyRefused")]
    assert places(judged({"networks": {"lan": {"ipv4_address": "192.168.1.99"}}}, networks={"lan": lan})) == []


@pytest.mark.parametrize("mode", ["host", "service:db", "container:db0"])
@pytest.mark.parametrize(
    ("allowed", "method", "is_refused"),
    [
        ("any", "POST", False),
        ("read", "GET", False),
        ("read", "HEAD", False),
        ("read", "POST", True),
        ("read", "PUT", True),
        ("none", "GET", True),
    ],
)
def test_a_check_that_asks_a_port_of_the_host_may_be_refused(
    mode: str, allowed: str, method: str, is_refused: bool
) -> None:
    """A program that trusts who asks from loopback would take it for a person."""
    policy = changed(STANDARD, probes__host_network=allowed)
    types = {"http": CheckType(HttpOptions, needs_port=True)}
    db = {"name": "db", "container": {"name": "db0", "image": "redis", "network_mode": "host"}}
    web: dict[str, Any] = {"name": "web", "container": {"image": "redis", "network_mode": mode}}
    web["health_check"] = {"type": "http", "port_key": "2375", "method": method}
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [db, web]}}}
    files = {"shop.json": File(json.dumps(document, indent=1).encode())}
    found = judge(Loading(BASE, {}, (), types, policy=judging.judge(policy)), files)
    wrong = [problem.where for problem in found.errors.get("shop.json", ())]
    assert wrong == (["cpuxs.main.design_chunks[1].health_check"] if is_refused else [])


def test_a_check_of_a_container_with_a_network_of_its_own_may_send_what_it_likes() -> None:
    types = {"http": CheckType(HttpOptions, needs_port=True)}
    web = {"name": "web", "container": {"image": "redis"}, "health_check": {"type": "http", "port_key": "80"}}
    web["health_check"] = {"type": "http", "port_key": "80", "method": "POST"}
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [web]}}}
    files = {"shop.json": File(json.dumps(document).encode())}
    policy = changed(STANDARD, probes__host_network="none")
    assert not judge(Loading(BASE, {}, (), types, policy=judging.judge(policy)), files).errors


def test_limits_are_told_where_they_stand_or_at_the_container() -> None:
    policy = changed(STANDARD, limits__memory="64m", limits__replicas=2)
    deployed = {"deploy": {"resources": {"limits": {"memory": "1g"}}}}
    assert ("container.deploy.resources.limits.memory", "PolicyRefused") in places(judged(deployed, policy))
    assert ("container.mem_limit", "PolicyRefused") in places(judged({"mem_limit": "1g"}, policy))
    assert places(judged({}, policy))[0] == ("container", "PolicyRefused")
    small = {"mem_limit": "64m"}
    assert places(judged(small, policy, chunk={"replicas": 3})) == [("replicas", "PolicyRefused")]
    assert places(judged({**small, "scale": 3}, policy)) == [("container.scale", "PolicyRefused")]
    assert places(judged({**small, "deploy": {"replicas": 3}}, policy)) == [
        ("container.deploy.replicas", "PolicyRefused")
    ]


def test_taking_over_what_others_made_may_be_refused() -> None:
    policy = changed(STANDARD, domains__adopt="matching")
    assert places(judged({}, policy, chunk={"adopt": "replace"})) == [("adopt", "PolicyRefused")]
    assert places(judged({}, policy, chunk={"adopt": True})) == []
    any_image = {"adopt": True, "ignore_drift": ["command", "image"]}
    assert places(judged({}, policy, chunk=any_image)) == [("ignore_drift", "PolicyRefused")]
    assert places(judged({}, policy, chunk={**any_image, "adopt": False})) == []
    assert places(judged({}, changed(STANDARD, domains__adopt="replace"), chunk=any_image)) == []
    assert ("adopt", "PolicyRefused") in places(judged({}, STRICT, chunk={"adopt": True}))


def test_a_setting_of_a_variable_is_told_where_it_stands() -> None:
    found = judged({"volumes": ["${PLACE}:/x"]}, env={"PLACE": "/etc"})
    assert places(found) == [("container.volumes", "PolicyRefused")]


def test_variables_are_no_way_around_a_rule() -> None:
    for container in ({"privileged": "${X}"}, {"pid": "${Y}"}, {"cap_add": ["${Z}"]}):
        found = judged(container, env={"X": "true", "Y": "host", "Z": "SYS_ADMIN"})
        assert [code for _, code in places(found)] == ["PolicyRefused"]


def test_labels_of_pnr_can_not_be_forged_in_a_file() -> None:
    for labels in ({"io.pnr.domain": "other"}, ["io.pnr.domain=other"]):
        assert [code for _, code in places(judged({"labels": labels}))] == ["InvalidValue"]


def test_a_sibling_is_no_foreigner() -> None:
    db = {"name": "db", "container": {"image": "redis", "network_mode": "service:web", "volumes_from": ["web"]}}
    web = {"name": "web", "container": {"image": "redis", "volumes": ["./shop/x:/x:ro"]}}
    found = judged({}, cpuxs={"main": {"design_chunks": [web, db]}})
    assert not found.errors


def test_a_sibling_with_the_hosts_namespace_hands_it_to_nobody() -> None:
    policy = changed(STANDARD, namespaces__host=[])
    web = {"name": "web", "container": {"image": "redis", "network_mode": "host"}}
    db = {"name": "db", "container": {"image": "redis", "network_mode": "service:web"}}
    found = judged({}, policy, cpuxs={"main": {"design_chunks": [web, db]}})
    assert [problem.where[-37:] for problem in found.errors["shop.json"]] == [
        "design_chunks[0].container.network_mode"[-37:],
        "design_chunks[1].container.network_mode"[-37:],
    ]


def test_each_copy_is_held_to_the_ports() -> None:
    policy = changed(STANDARD, ports__allowed=["8000-8001"])
    container = {"ports": ["8000-8002:80"]}
    found = judged(container, policy, chunk={"replicas": 3})
    assert "PolicyRefused" in [code for _, code in places(found)]


def test_a_domain_that_is_refused_is_in_nobodys_way() -> None:
    chunk = {"name": "web", "container": {"name": "same", "image": "redis", "privileged": True}}
    evil = {"name": "a", "cpuxs": {"m": {"design_chunks": [chunk]}}}
    good_chunk = {"name": "web", "container": {"name": "same", "image": "redis"}}
    good = {"name": "b", "cpuxs": {"m": {"design_chunks": [good_chunk]}}}
    files = {"a.json": File(json.dumps(evil).encode()), "b.json": File(json.dumps(good).encode())}
    found = judge(Loading(BASE, {}, (), TYPES, policy=judging.judge(STANDARD)), files)
    assert set(found.domains) == {"b"}
    assert set(found.errors) == {"a.json"}


def test_what_was_refused_for_the_hosts_networks_is_loaded_again_when_they_change() -> None:
    nets = [judging.NET]
    judge_now = Judge(STANDARD, replace(judging.INSTALLATION, net=lambda: nets[0]), Disk())
    loading = Loading(BASE, {}, (), TYPES, NoContents(), judge_now)
    chunk = {"name": "web", "container": {"image": "redis", "networks": ["back"]}}

    def load(subnet: str) -> Entry:
        networks = {"back": {"ipam": {"config": [{"subnet": subnet}]}}}
        document = {"name": "shop", "cpuxs": {"m": {"design_chunks": [chunk]}}, "networks": networks}
        return loading.load("shop.json", json.dumps(document).encode())

    refused, accepted = load("10.8.1.0/24"), load("10.5.0.0/24")
    assert refused.refused
    assert not accepted.refused
    assert not loading.is_stale(refused)
    nets[0] = HostNet(routes=(("10.5.0.0/16", "tun0"),))
    assert loading.is_stale(refused)
    assert not load("10.8.1.0/24").refused
    assert not loading.is_stale(accepted), "what runs goes on when a VPN comes up"


def test_a_domain_is_loaded_again_when_a_path_leads_elsewhere() -> None:
    links: dict[str, str] = {}
    disk = Disk(links=links)
    loading = Loading(BASE, {}, (), TYPES, NoContents(), judging.judge(STANDARD, disk))
    document = {"name": "shop", "cpuxs": {"m": {"design_chunks": [
        {"name": "web", "container": {"image": "redis", "volumes": ["/srv/app:/x"]}}]}}}  # fmt: skip
    entry = loading.load("shop.json", json.dumps(document).encode())
    assert not entry.refused
    assert not loading.is_stale(entry)
    links["/srv/app"] = "/etc"
    assert loading.is_stale(entry)
    assert [one.code for one in loading.load("shop.json", json.dumps(document).encode()).refused] == [
        "PolicyRefused",
        "PolicyRefused",
    ]


def test_a_file_that_is_judged_at_another_place_has_what_it_names_by_absolute_paths() -> None:
    container = {"volumes": [f"{BASE}/data:/data", "./data:/x", {"type": "bind", "source": "./y", "target": "/y"}]}
    assert places(judged(container)) == [(f"container.volumes[{n}]", "PolicyRefused") for n in range(3)]
    judge_there = judging.judge(STANDARD)
    judge_there.places = replace(judge_there.places, elsewhere=True)
    loading = Loading(BASE, {}, frozenset(), TYPES, NoContents(), judge_there)
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [{"name": "web", "container": container}]}}}
    container["image"] = "redis"  # type: ignore[assignment]
    refused = loading.load("shop.json", json.dumps(document).encode()).refused
    assert [one.path[-1] for one in refused] == [1, 2]


def test_a_file_is_judged_again_once_the_engine_has_told_where_it_keeps_its_data() -> None:
    judge_there = judging.judge(STANDARD)
    judge_there.places = replace(judge_there.places, engine=[])
    loading = Loading(BASE, {}, frozenset(), TYPES, NoContents(), judge_there)
    one = {"name": "web", "container": {"image": "redis", "volumes": ["/data/engine/x:/x"]}}
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [one]}}}
    data = json.dumps(document).encode()
    entry = loading.load("shop.json", data)
    assert not entry.refused
    assert not loading.is_stale(entry)
    judge_there.protect("/data/engine")
    assert loading.is_stale(entry)
    again = loading.load("shop.json", data)
    assert [one.code for one in again.refused] == ["PolicyRefused"]
    assert not loading.is_stale(again)
