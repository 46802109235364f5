"""Who starts a container again that has something of the host: pnr, where the policy wants that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.daemon.intake import Loading
from reconciler.intent.contents import NoContents
from reconciler.intent.model import Chunk, Domain
from reconciler.intent.settings import payload
from reconciler.planner.adopting import mismatches
from reconciler.planner.compare import differences
from reconciler.planner.observed import Condition, Container
from reconciler.policy import Policy
from tests.unit.policy import judging
from tests.unit.policy.judging import (
    OPEN,
    OWN,
    STANDARD,
    STRICT,
    Engine,
    changed,
    container,
    create,
    judge,
    rules,
    send,
)

RULE = "binds.engine_restarts"
OF_HOST: list[Any] = [
    pytest.param({"volumes": ["/srv/a:/a"]}, {}, id="a bind"),
    pytest.param({"volumes": ["/srv/a:/a:ro"]}, {}, id="a bind to be read"),
    pytest.param({"volumes": [{"type": "bind", "source": "/srv/a", "target": "/a"}]}, {}, id="a bind in the long form"),
    pytest.param({"volumes": ["./shop/a:/a:ro"]}, {}, id="its own folder"),
    pytest.param({"volumes": ["zz:/z", "/srv/a:/a"]}, {"zz": {}}, id="a bind beside a volume"),
    pytest.param(
        {"volumes": ["zz:/z"]},
        {"zz": {"driver_opts": {"type": "none", "o": "bind", "device": "/srv/a"}}},
        id="a volume that is a directory",
    ),
    pytest.param(
        {"volumes": ["zz:/z"]},
        {"zz": {"driver": "local", "driver_opts": {"type": "nfs", "o": "rbind,ro", "device": "/srv/a"}}},
        id="a volume that is one whatever its type says",
    ),
    pytest.param({"volumes": ["zz:/z"]}, {"zz": {"external": True}}, id="a volume of somebody else"),
    pytest.param({"volumes_from": ["container:other"]}, {}, id="what another container has"),
]
OF_ITS_OWN: list[Any] = [
    pytest.param({}, {}, id="nothing"),
    pytest.param({"volumes": ["zz:/z"]}, {"zz": {}}, id="a volume"),
    pytest.param({"volumes": ["/z"]}, {}, id="an anonymous volume"),
    pytest.param({"volumes": [{"type": "tmpfs", "target": "/z"}], "tmpfs": ["/y"]}, {}, id="memory"),
    pytest.param(
        {"volumes": ["zz:/z"]},
        {"zz": {"driver_opts": {"type": "nfs", "o": "addr=192.0.2.1", "device": ":/x"}}},
        id="a volume over the network",
    ),
]


def loaded(own: dict[str, Any], volumes: dict[str, Any], policy: Policy, restart: str | None = "always") -> Domain:
    """The domain of a file with one chunk, as it is carried out."""
    said = {"restart": restart} if restart is not None else {}
    one = {"name": "web", "container": {"image": "redis", **said, **own}}
    document = {"name": "shop", "cpuxs": {"main": {"design_chunks": [one]}}, "volumes": volumes}
    judge_now = judging.judge(policy)
    loading = Loading(judging.INSTALLATION.domains, {}, frozenset(), {}, NoContents(), judge_now)
    found = loading.load("shop.json", json.dumps(document).encode()).loaded
    assert found.domain is not None, found.errors
    return found.domain


def only(domain: Domain) -> Chunk:
    return domain.cpuxs[0].chunks[0]


@pytest.mark.parametrize("restart", ["always", "unless-stopped", "on-failure", "on-failure:3"])
@pytest.mark.parametrize(("own", "volumes"), OF_HOST)
def test_the_engine_is_not_told_to_start_it_again(own: dict[str, Any], volumes: dict[str, Any], restart: str) -> None:
    for policy in (STANDARD, STRICT):
        domain = loaded(own, volumes, policy, restart)
        spec = only(domain).container
        assert payload(spec)["HostConfig"]["RestartPolicy"]["Name"] == "no"
        assert (spec.restart_of_ours, spec.judged) == (restart, True)
        (note,) = domain.notes
        assert f"main/web (restart: {restart})" in note.message
        assert RULE in note.message
    for policy in (OPEN, changed(STANDARD, binds__engine_restarts=True)):
        domain = loaded(own, volumes, policy, restart)
        assert only(domain).container.settings["restart"] == restart
        assert not domain.notes


@pytest.mark.parametrize(("own", "volumes"), OF_ITS_OWN)
def test_what_has_nothing_of_the_host_keeps_what_is_declared(own: dict[str, Any], volumes: dict[str, Any]) -> None:
    domain = loaded(own, volumes, STANDARD)
    assert only(domain).container.settings["restart"] == "always"
    assert not only(domain).container.judged
    assert not domain.notes


def test_where_nothing_is_declared_nothing_is_said() -> None:
    for restart in (None, "no"):
        domain = loaded({"volumes": ["/srv/a:/a"]}, {}, STANDARD, restart)
        assert only(domain).container.judged
        assert not domain.notes
        assert not only(domain).container.restart_of_ours


def test_the_hashes_and_the_generation_are_those_of_what_is_declared() -> None:
    own: dict[str, Any] = {"volumes": ["/srv/a:/a"]}
    here, there = loaded(own, {}, STANDARD), loaded(own, {}, OPEN)
    assert (here.intent, here.digest) == (there.intent, there.digest)
    assert only(here).container.digest == only(there).container.digest
    assert only(here).container.fixed == only(there).container.fixed


def test_a_missing_restart_policy_is_no_drift_and_an_extra_one_is_removed_as_it_runs() -> None:
    declared = only(loaded({"volumes": ["/srv/a:/a"]}, {}, STANDARD)).container.settings
    assert not differences(declared, {**declared, "restart": "no"})
    (difference,) = differences(declared, {**declared, "restart": "always"})
    assert difference.setting == "restart"
    assert difference.in_place


def test_a_container_of_somebody_else_is_taken_over_though_its_engine_restarts_it() -> None:
    chunk = only(loaded({"volumes": ["/srv/a:/a"]}, {}, STANDARD))
    settings = {**chunk.container.settings, "restart": "always"}
    there = Container("c", "shop_main_web", chunk.container.image, "i", Condition.RUNNING, settings=settings)
    assert not [one for one in mismatches(chunk, there) if one.startswith("restart")]
    other = replace(there, settings={**settings, "restart": "on-failure"})
    assert [one for one in mismatches(chunk, other) if one.startswith("restart")]


# --- at the engine -------------------------------------------------------------------------------------------------

ALWAYS = {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}
BINDING = {"vv": {"Driver": "local", "Options": {"type": "none", "o": "bind", "device": "/srv/a"}}}
HOSTS: list[Any] = [
    pytest.param({"Binds": ["/srv/a:/a"]}, id="a bind"),
    pytest.param({"Mounts": [{"Type": "bind", "Source": "/srv/a", "Target": "/a"}]}, id="a mount"),
    pytest.param({"Binds": ["vv:/a"]}, id="a volume that is a directory"),
    pytest.param({"Mounts": [{"Type": "volume", "Source": "vv", "Target": "/a"}]}, id="the same, long"),
    pytest.param(
        {
            "Mounts": [
                {
                    "Type": "volume",
                    "Target": "/a",
                    "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": BINDING["vv"]["Options"]}},
                }
            ]
        },
        id="a volume that is made with it",
    ),
    pytest.param({"VolumesFrom": ["web"]}, id="what another container has"),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", ["always", "unless-stopped", "on-failure", "Always"])
def test_no_request_tells_the_engine_to_start_it_again(host: dict[str, Any], name: str) -> None:
    policy = {"RestartPolicy": {"Name": name}}
    there = Engine({"web": {**container(), "HostConfig": host, "Id": "web"}}, BINDING)
    for asked in (
        create({**host, **policy}),
        send("POST", "/containers/web/update", policy),
    ):
        assert RULE in rules(asked, engine=there)
        assert RULE not in rules(asked, changed(STANDARD, binds__engine_restarts=True), engine=there)
        assert rules(asked, OPEN, engine=there) == set()
    started = Engine({"web": {**container(), "HostConfig": {**host, **policy}}}, BINDING)
    assert RULE in rules(send("POST", "/containers/web/start"), engine=started)
    assert judge().is_judged(started.containers["web"], started)
    for never in ({}, {"RestartPolicy": {"Name": "no"}}, {"RestartPolicy": {"Name": ""}}):
        assert RULE not in rules(create({**host, **never}), engine=there)
        assert RULE not in rules(send("POST", "/containers/web/update", never), engine=there)


def test_what_pnr_itself_mounts_is_nothing_of_the_host() -> None:
    own = [
        {"Type": "bind", "Source": "/srv/pnr/state/runtime/shop/main/web", "Target": "/runtime"},
        {"Type": "bind", "Source": "/run/pnr/files/shop/main/web/" + "a" * 64, "Target": "/s", "ReadOnly": True},
    ]
    assert rules(create({"Mounts": own, **ALWAYS})) == set()
    own_volume = Engine(volumes={"v2": {"Driver": "local", "Labels": {"io.pnr.domain": "shop"}}})
    assert rules(create({"Binds": ["v2:/v"], **ALWAYS}), engine=own_volume) == set()
    forged = {**create({"Mounts": own, **ALWAYS}).body, "Labels": {**OWN, "io.pnr.chunk": "db"}}
    assert RULE in rules(send("POST", "/containers/create", forged))


@pytest.mark.parametrize(
    ("mount", "rule"),
    [
        ({"Type": "bind", "Source": "/etc", "Destination": "/x", "RW": True}, "binds.protected"),
        ({"Type": "bind", "Source": "/etc", "Destination": "/x", "RW": False}, "binds.protected"),
        ({"Type": "bind", "Source": "/run/docker.sock", "Destination": "/x", "RW": True}, "binds.engine_socket"),
        ({"Type": "bind", "Source": "/srv/link/x", "Destination": "/x", "RW": True}, "binds.links"),
        ({"Type": "volume", "Name": "bad", "Destination": "/x", "RW": True}, "binds.protected"),
        ({"Type": "bind", "Source": "/srv/pnr/state/runtime", "Destination": "/r", "RW": True}, "binds.protected"),
    ],
)  # fmt: skip
def test_what_a_container_has_by_another_that_is_gone_is_judged_as_it_is_started(mount: Any, rule: str) -> None:
    bad = {"bad": {"Driver": "local", "Options": {"type": "none", "o": "bind", "device": "/etc"}}}
    there = Engine({"web": {**container(), "Mounts": [mount]}}, bad)
    disk = judging.Disk(links={"/srv/link": "/srv/other"})
    for how in ("start", "restart"):
        assert rule in rules(send("POST", f"/containers/web/{how}"), engine=there, disk=disk)
    found = judge(STANDARD, disk).existing(there.containers["web"], there)
    assert rule in {refusal.rule for refusal in found}


def test_what_a_sibling_lends_of_pnrs_own_is_no_place_of_the_host() -> None:
    own = {"Type": "bind", "Source": "/srv/pnr/state/runtime/shop/main/db", "Destination": "/runtime", "RW": True}
    lender = {**container(), "Config": {"Labels": {**OWN, "io.pnr.chunk": "db"}}, "Mounts": [own]}
    web = {**container(VolumesFrom=["db"]), "Mounts": [own]}
    assert rules(send("POST", "/containers/web/start"), engine=Engine({"web": web, "db": lender})) == set()
