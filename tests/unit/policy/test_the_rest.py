"""What is left to be judged: how long a container may take to end, control groups, watchdogs, names."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy.suggesting import allowing
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, changed, create, judge, rules

YEAR = 365 * 24 * 3600


@pytest.mark.parametrize("seconds", [3601, YEAR, 10 * YEAR, 2**31, 2**63, 1e30, -1, -(2**31)])
def test_a_container_that_does_not_end_for_hours_is_refused(seconds: float) -> None:
    asked = create(StopTimeout=seconds)
    assert rules(asked) == {"limits.stop_grace"}
    assert rules(asked, OPEN) == set()
    assert allowing(STANDARD, judge().request(asked)) == {"limits.stop_grace": "none"}
    assert rules(asked, changed(STANDARD, limits__stop_grace="none")) == set()


@pytest.mark.parametrize("seconds", [None, 0, 1, 30, 600, 3600])
def test_a_database_may_take_an_hour_to_end(seconds: int | None) -> None:
    assert rules(create(StopTimeout=seconds)) == set()


HOSTS = [
    "/", "//", "/.", ".", "..", "/..", "../x", "/x/..", "/x/../..", "-.slice", "/-.slice", "system.slice",
    "/system.slice", "system.slice/", "./system.slice", "/system.slice/pnr.service", "/system.slice/docker.service",
    "pnr.service", "/a/pnr.service/b", "System.Slice", "system-pnr.slice", "user.slice", "/user.slice/user-0.slice",
    "user-1000.slice", "/user.slice/user-0.slice/session-1.scope", "machine.slice", "init.scope", "/init.scope",
    "docker", "/docker", "/docker/0123", "docker.slice", "kubepods", "kubepods.slice", "kubepods-besteffort.slice",
    "/lxc/x", "libpod_parent", "x.service", "x.scope", "dev-hugepages.mount", "a\nb",
]  # fmt: skip


@pytest.mark.parametrize("parent", HOSTS)
def test_control_groups_of_others_are_refused(parent: str) -> None:
    asked = create({"CgroupParent": parent})
    assert rules(asked) == {"limits.cgroup_parents"}
    assert rules(asked, STRICT) >= {"limits.cgroup_parents"}
    assert rules(asked, OPEN) == set()


@pytest.mark.parametrize(
    "parent", ["", "shop", "/shop", "shop.slice", "/apps/shop", "m-executor-abcd", "apps-shop.slice"]
)
def test_a_control_group_of_its_own_is_allowed(parent: str) -> None:
    assert rules(create({"CgroupParent": parent})) == set()


def test_a_control_group_of_the_hosts_is_allowed_where_it_is_named() -> None:
    named = changed(STANDARD, limits__cgroup_parents=["system.slice", "*.slice"])
    assert rules(create({"CgroupParent": "system.slice"}), named) == set()
    assert rules(create({"CgroupParent": "/system.slice/.."}), named) == {"limits.cgroup_parents"}
    assert rules(create({"CgroupParent": "shop"}), named) == {"limits.cgroup_parents"}


@pytest.mark.parametrize(
    "path", ["/dev/watchdog", "/dev/watchdog0", "/dev/watchdog1", "/dev/./watchdog", "/dev//watchdog0"]
)
def test_no_container_holds_the_hosts_watchdog(path: str) -> None:
    asked = create({"Devices": [{"PathOnHost": path}]})
    assert rules(asked) == {"devices.paths"}
    assert rules(create({"DeviceCgroupRules": ["c 10:130 rwm"]})) == {"devices.rules"}
    named = changed(STANDARD, devices__paths=["/dev/watchdog*"])
    assert rules(asked, named) == set()


def addressed(host: dict[str, Any], **body: Any) -> set[str]:
    return rules(create(host, **body)) | rules(create(host, **body), STRICT) - rules(create({}), STRICT)


def test_names_and_resolvers_of_a_container_are_its_own() -> None:
    """They say where its own programs go, which may go there by address anyway."""
    for host in (
        {"Dns": ["127.0.0.1"]},
        {"Dns": ["169.254.169.254"]},
        {"ExtraHosts": ["metadata:169.254.169.254", "localhost:192.0.2.1"]},
        {"ExtraHosts": ["host.docker.internal:host-gateway"]},
        {"DnsSearch": ["example.com"], "DnsOptions": ["ndots:2"]},
    ):
        assert addressed(host) == set()


def test_the_hosts_network_is_allowed_by_standard_and_refused_by_strict() -> None:
    assert rules(create({"NetworkMode": "host"})) == set()
    assert "namespaces.host" in rules(create({"NetworkMode": "host"}), STRICT)
