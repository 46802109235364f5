"""What is done about networks and volumes, and about how containers are connected: one situation each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent.model import ContainerSpec, Domain, Ipam, NetworkSpec, Pool, VolumeSpec
from reconciler.planner.arranged import Belongings
from reconciler.planner.belongings_compare import network_differences, volume_differences
from reconciler.planner.endpoints import endpoint_differences
from reconciler.planner.network_changes import NetworkChange
from reconciler.planner.networks_and_volumes import (
    as_made,
    conflict,
    leftovers,
    networks,
    remarks,
    volume_as_made,
    volumes,
)
from reconciler.planner.observed import Condition, Container, Network, Observed, Volume
from reconciler.states import Reason
from tests.planned import Wish, plan_all
from tests.unit.planner.build import chunk, container, domain, healthy, situation, steps, think

NET = "pnr_shop"
MTU = {"com.docker.network.driver.mtu": "1400"}


def network(**seen: Any) -> Network:
    return Network("n1", NET, "shop", **seen)


def world(*containers: Container, networks: Any = (), volumes: Any = ()) -> Observed:
    return Observed(
        {c.id: c for c in containers}, {n.name: n for n in networks}, {volume.name: volume for volume in volumes}
    )


def foreign(name: str, **more: Any) -> Container:
    return Container(f"id-{name}", name, "other:1", "sha256:2", Condition.RUNNING, **more)


def shop(
    *, network: NetworkSpec | None = None, volumes: tuple[VolumeSpec, ...] = (), mounts: tuple[str, ...] = ()
) -> Domain:
    mounted = [{"type": "volume", "source": name, "target": f"/{name}", "read_only": False} for name in mounts]
    web = chunk("web", settings={"volumes": mounted} if mounted else {})
    return replace(domain(web), networks=(network or NetworkSpec(NET),), volumes=volumes)


def done(found: Any) -> list[str]:
    return [f"{action.describe()}: {cause}" for work in found.work for action, cause in work.steps]


# --- comparing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "seen", "said"),
    [
        ({}, {"driver": "bridge", "driver_opts": MTU, "labels": {"x": "y"}, "enable_ipv6": True}, ()),
        ({}, {"ipam": Ipam("default", (Pool("172.18.0.0/16", gateway="172.18.0.1"),))}, ()),
        ({"driver": "macvlan"}, {"driver": "bridge"}, ("driver: macvlan declared, bridge found",)),
        ({"internal": True}, {}, ("internal: true declared, false found",)),
        ({}, {"attachable": True}, ("attachable: false declared, true found",)),
        ({"enable_ipv4": False}, {"enable_ipv4": True}, ("enable_ipv4: false declared, true found",)),
        ({"enable_ipv4": True}, {"enable_ipv4": None}, ()),
        ({"enable_ipv6": False}, {"enable_ipv6": True}, ("enable_ipv6: false declared, true found",)),
        ({"driver_opts": {"name": "a"}}, {"driver_opts": {"name": "b"}}, ("driver_opts name: a declared, b found",)),
        ({"labels": {"a": "1"}}, {}, ("labels a: 1 declared, nothing found",)),
        ({"ipam": Ipam(options={"a": "1"})}, {}, ("ipam options a: 1 declared, nothing found",)),
        (
            {"ipam": Ipam(pools=(Pool("fd00:abc::/64"),))},
            {"ipam": Ipam(pools=(Pool("172.18.0.0/16"), Pool("fd00:aBc::/64")))},
            (),
        ),
        (
            {"ipam": Ipam(pools=(Pool("10.1.0.0/16", "10.1.0.0/24", "10.1.0.1", {"a": "10.1.0.9"}),))},
            {"ipam": Ipam(pools=(Pool("10.1.0.7/16", "10.1.0.7/24", "10.1.0.2"),))},
            (
                "ipam gateway of 10.1.0.0/16: 10.1.0.1 declared, 10.1.0.2 found",
                "ipam aux_addresses of 10.1.0.0/16 a: 10.1.0.9 declared, nothing found",
            ),
        ),
        (
            {"ipam": Ipam(pools=(Pool("10.1.0.0/16"),))},
            {"ipam": Ipam(pools=(Pool("172.18.0.0/16"),))},
            ("ipam subnet: 10.1.0.0/16 declared, 172.18.0.0/16 found",),
        ),
    ],
)
def test_what_was_declared_is_compared_and_what_the_engine_chose_is_not(
    declared: dict[str, Any], seen: dict[str, Any], said: tuple[str, ...]
) -> None:
    assert network_differences(NetworkSpec(NET, **declared), network(**seen)) == said


def test_what_an_earlier_declaration_asked_for_is_a_difference() -> None:
    spec = NetworkSpec(NET, digest="new")
    beyond = network(spec="old", driver_opts=MTU, labels={"a": "b"})
    assert network_differences(spec, beyond) == (
        "driver_opts com.docker.network.driver.mtu: not declared, 1400 found",
        "labels a: not declared, b found",
    )
    assert network_differences(spec, network(spec="old")) == ("its declaration has changed since it was made",)
    assert network_differences(spec, replace(beyond, spec="new")) == ()
    assert network_differences(spec, replace(beyond, spec="")) == ()


def test_what_was_just_made_is_as_declared() -> None:
    spec = NetworkSpec(
        NET, internal=True, driver="bridge", driver_opts=MTU, enable_ipv6=True, ipam=Ipam(pools=(Pool("fd00::/64"),))
    )
    assert network_differences(spec, as_made(spec, "shop")) == ()
    volume = VolumeSpec("v", driver_opts={"a": "b"}, keep=False)
    assert volume_differences(volume, volume_as_made(volume, "shop")) == ()


def test_a_volume_is_compared_with_all_of_its_options() -> None:
    seen = Volume("v", "shop", driver="local", driver_opts={"o": "size=1m"}, labels={"a": "b"})
    assert volume_differences(VolumeSpec("v", driver_opts={"o": "size=1m"}), seen) == ()
    assert volume_differences(VolumeSpec("v", driver="nfs"), seen) == (
        "driver: nfs declared, local found",
        "driver_opts o: not declared, size=1m found",
    )


# --- what is declared -----------------------------------------------------------------------------------------


def test_a_network_that_differs_is_removed_and_made() -> None:
    of = shop(network=NetworkSpec(NET, driver_opts=MTU))
    (web,) = of.chunks()
    found = networks(of, world(container(web), networks=[network()]))
    said = "driver_opts com.docker.network.driver.mtu: 1400 declared, nothing found"
    trial = "to see whether the engine takes it, before any container is disconnected"
    assert done(found) == [
        f"CreateNetwork {NET}.pnr-trial: {trial}",
        f"RemoveNetwork {NET}.pnr-trial: {trial}",
        f"RemoveNetwork {NET}: {said}",
        f"CreateNetwork {NET}: {said}",
    ]
    assert found.missing == {NET: f"network {NET}, which is recreated ({said})"}
    assert found.conflict == {}


def test_a_network_that_others_use_is_told_and_left() -> None:
    of = shop(network=NetworkSpec(NET, internal=True))
    (web,) = of.chunks()
    seen = world(container(web), foreign("proxy", networks={NET: ""}), networks=[network()])
    found = networks(of, seen)
    assert found.work == []
    assert found.missing == {}
    assert found.conflict == {}
    assert "proxy" in found.stuck[NET]
    assert conflict(web, of, seen) == (Reason.CREATE_FAILED, found.stuck[NET])
    assert remarks(of, seen, found, volumes(of, seen)) == (found.stuck[NET],)
    _, decision = think(situation(web, container(web), conflict=conflict(web, of, seen), health=healthy()))
    assert decision.state == "completed"
    _, first = think(situation(web, conflict=conflict(web, of, seen)))
    assert (first.state, first.reason, first.work) == ("failed", "CreateFailed", None)


def test_the_same_differences_are_not_cured_twice() -> None:
    spec = NetworkSpec(NET, internal=True, digest="d")
    seen = world(networks=[network(spec="d")])
    of = shop(network=spec)
    assert networks(of, seen).work
    made = {NET: NetworkChange(left="internal: true declared, false found")}
    assert networks(of, seen, made).work == []
    assert networks(of, world(networks=[network(spec="other")]), made).work


def test_networks_of_others_are_required_or_in_the_way() -> None:
    external = shop(network=NetworkSpec("lan", external=True))
    assert "does not exist" in networks(external, world()).missing["lan"]
    assert networks(external, world(networks=[Network("n", "lan", "other", driver="x")])).missing == {}
    taken = networks(shop(), world(networks=[Network("n", NET, None)]))
    assert (taken.work, list(taken.missing)) == ([], [NET])
    assert "was not made by pnr" in taken.conflict[NET]


def test_a_volume_of_ours_that_differs_serves_and_is_told_with_what_to_do() -> None:
    spec = VolumeSpec("data", driver_opts={"o": "size=1m"}, labels={"team": "shop"})
    of = shop(volumes=(spec,), mounts=("data",))
    (web,) = of.chunks()
    seen = world(volumes=[Volume("data", "shop", driver="local", labels={"more": "1"})], networks=[network()])
    assert volumes(of, seen) == Belongings()
    assert conflict(web, of, seen) is None
    (said,) = remarks(of, seen, networks(of, seen), volumes(of, seen))
    assert said == (
        "volume data is not as declared (driver_opts o: size=1m declared, nothing found; labels team: shop declared,"
        " nothing found) and is used as it is, since what is in it would be lost if it were recreated: declare it as it"
        " is; or save its content, then `pnr down shop`, `docker volume rm data`, `pnr apply shop`"
    )


def test_a_foreign_volume_is_used_only_where_the_file_says_that_it_is_external() -> None:
    of = shop(volumes=(VolumeSpec("data"),), mounts=("data",))
    (web,) = of.chunks()
    for owner, said in ((None, "was not made by pnr"), ("other", "belongs to domain other")):
        seen = world(volumes=[Volume("data", owner)], networks=[network()])
        failure = conflict(web, of, seen)
        assert failure is not None
        assert failure[0] is Reason.NAME_CONFLICT
        assert said in failure[1]
        assert "declare it as external" in failure[1]
        assert volumes(of, seen).work == []
        external = replace(of, volumes=(VolumeSpec("data", external=True),))
        assert conflict(web, external, seen) is None
        _, kept = think(situation(web, container(web), conflict=conflict(web, of, seen)))
        assert (kept.state, kept.work) == ("completed", None)


# --- what is not declared any more ----------------------------------------------------------------------------


def test_networks_go_once_nobody_of_the_domain_uses_them() -> None:
    of = shop()
    (web,) = of.chunks()
    left = Network("n2", f"{NET}_back", "shop")
    seen = world(container(web), networks=[network(), left])
    assert done(leftovers("shop", of, of, seen)) == [f"RemoveNetwork {NET}_back: no longer declared"]
    used = world(container(web, networks={NET: "", left.name: ""}), networks=[network(), left])
    waiting = leftovers("shop", of, of, used)
    assert (waiting.work, waiting.missing) == ([], {})
    shared = world(foreign("proxy", networks={left.name: ""}), networks=[network(), left])
    held = leftovers("shop", of, of, shared)
    assert (held.work, held.missing) == ([], {left.name: f"network {left.name} stays while proxy uses it"})
    stopped = world(foreign("proxy", networks={left.name: ""}), networks=[left])
    (proxy,) = stopped.containers.values()
    assert leftovers("shop", of, of, world(replace(proxy, condition=Condition.EXITED), networks=[left])).work


@pytest.mark.parametrize("made_to_be_kept", [True, False])
@pytest.mark.parametrize("declared", [True, False, None])
def test_a_volume_goes_with_its_domain_where_that_was_the_last_word(
    made_to_be_kept: bool, declared: bool | None
) -> None:
    last = None if declared is None else shop(volumes=(VolumeSpec("data", keep=declared),))
    seen = world(volumes=[Volume("data", "shop", keep=made_to_be_kept), Volume("theirs")])
    stays = made_to_be_kept if declared is None else declared
    assert bool(leftovers("shop", None, last, seen).work) is not stays
    asked = done(leftovers("shop", None, last, seen, volumes_too=True))
    assert asked == ["RemoveVolume data: a person asked for it"]


def test_a_volume_that_leaves_the_file_goes_only_as_it_was_made_to() -> None:
    of = shop()
    seen = world(volumes=[Volume("kept", "shop"), Volume("loose", "shop", keep=False)])
    found = leftovers("shop", of, of, seen, volumes_too=True)
    assert done(found) == ["RemoveVolume loose: no longer declared, and it is not to be kept"]
    declared = replace(of, unused_volumes=(VolumeSpec("loose", keep=False),))
    assert leftovers("shop", declared, declared, seen).work == []
    (web,) = shop(mounts=("loose",)).chunks()
    mounting = container(web, settings=dict(web.container.settings))
    assert leftovers("shop", of, of, world(mounting, volumes=seen.volumes.values())).work == []
    assert "loose" in leftovers("other", of, of, world(mounting, volumes=[Volume("loose", "other", False)])).missing


def test_a_keep_that_came_too_late_is_told() -> None:
    of = shop(volumes=(VolumeSpec("data"),))
    seen = world(volumes=[Volume("data", "shop", keep=False)], networks=[network()])
    (said,) = remarks(of, seen, networks(of, seen), volumes(of, seen))
    assert "made with keep false" in said
    assert "it will be removed" in said


def test_the_plan_shows_what_is_made_anew_who_is_connected_again_and_what_goes() -> None:
    of = shop(network=NetworkSpec(NET, internal=True))
    (web,) = of.chunks()
    seen = world(container(web), networks=[network(), Network("n2", f"{NET}_back", "shop")])
    trial = "to see whether the engine takes it, before any container is disconnected"
    plan = plan_all([Wish("shop", of)], seen).plan
    assert [str(step) for step in plan] == [
        f"[] -> #1 shop, RemoveNetwork {NET}_back, no longer declared",
        f"[] -> #2 shop, CreateNetwork {NET}.pnr-trial, {trial}",
        f"[2] -> #3 shop, RemoveNetwork {NET}.pnr-trial, {trial}",
        f"[3] -> #4 shop, RemoveNetwork {NET}, internal: true declared, false found",
        f"[4] -> #5 shop, CreateNetwork {NET}, internal: true declared, false found",
        f"[5] -> #6 shop/main/web, ConnectNetwork shop_web to {NET}, is not connected to {NET}",
    ]


# --- how containers are connected -----------------------------------------------------------------------------


def connected(spec: ContainerSpec, **endpoint: Any) -> dict[str, Any]:
    return {name: {"aliases": list(aliases), **endpoint} for name, aliases in spec.networks.items()}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"aliases": ["web", "shop_web"]}, ""),
        ({"aliases": ["web"]}, ""),
        ({"aliases": ["shop_web"]}, "alias web missing"),
        ({"aliases": ["web", "db"]}, "alias db not declared"),
        ({"ipv4_address": None}, "ipv4_address 10.0.0.9 declared, nothing found"),
        ({"ipv6_address": "FD00::0:9"}, ""),
        ({"link_local_ips": ["169.254.0.9"]}, "link_local_ips 169.254.0.8 declared, 169.254.0.9 found"),
        ({"driver_opts": {"a": "2"}}, "driver_opts a: 1 declared, 2 found"),
        ({"gw_priority": None}, "gw_priority 7 declared, nothing found"),
        ({"mac_address": "02:42:00:00:00:09"}, ""),
    ],
)
def test_each_difference_of_a_connection_is_named(found: dict[str, Any], said: str) -> None:
    declared = {
        "ipv4_address": "10.0.0.9",
        "ipv6_address": "fd00::9",
        "link_local_ips": ["169.254.0.8"],
        "driver_opts": {"a": "1"},
        "gw_priority": 7,
    }
    c = chunk()
    spec = replace(c.container, endpoints={NET: declared})
    right = {"aliases": ["web"], **declared}
    seen = container(c, endpoints={NET: {**right, **found}})
    assert endpoint_differences(spec, seen) == ({NET: said} if said else {})


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (["db:database"], True),
        (["db:database", "db:db-1"], True),  # Compose makes further names for the same container
        (["db:db-1"], False),
        (["db:database", "other:cache"], False),
        ([], False),
    ],
)
def test_links_lead_where_they_were_declared_to_lead(found: list[str], right: bool) -> None:
    c = chunk()
    spec = replace(c.container, endpoints={NET: {"links": ["db:database"]}})
    seen = container(c, endpoints={NET: {"aliases": ["web"], "links": found}})
    assert (endpoint_differences(spec, seen) == {}) is right


def test_the_names_that_an_engine_adds_by_itself_are_no_aliases_that_nobody_declared() -> None:
    c = chunk()
    spec = replace(c.container, settings={"hostname": "host", "domainname": "example.com"})
    seen = container(c, endpoints={NET: {"aliases": ["web", "shop_web", "host", "host.example.com"]}})
    assert endpoint_differences(spec, seen) == {}


def test_a_connection_is_put_right_in_place_and_what_was_not_declared_is_undone() -> None:
    c = chunk()
    wrong = container(c, settings={}, networks={NET: "10.0.0.2", "theirs": "10.1.0.2"})
    wrong = replace(wrong, endpoints={NET: {"aliases": ["other"]}, "theirs": {"aliases": []}})
    _, decision = think(situation(c, wrong, health=healthy()))
    assert steps(decision) == [
        "DisconnectNetwork shop_web from pnr_shop",
        "ConnectNetwork shop_web to pnr_shop",
        "DisconnectNetwork shop_web from theirs",
    ]
    assert decision.work is not None
    causes = [cause for _, cause in decision.work.steps]
    assert causes == [
        f"{NET}: alias web missing; alias other not declared",
        f"{NET}: alias web missing; alias other not declared",
        "is connected to theirs, which is not declared",
    ]
    ignoring = replace(c, ignore_drift=("networks",))
    assert steps(think(situation(ignoring, wrong, health=healthy()))[1]) == []


def test_a_connection_that_is_not_known_is_taken_on_trust() -> None:
    c = chunk()
    assert endpoint_differences(c.container, container(c)) == {}


def test_another_mac_address_takes_another_container() -> None:
    c = chunk()
    c = replace(c, container=replace(c.container, endpoints={NET: {"mac_address": "02:42:00:00:00:01"}}))
    ends = connected(c.container, mac_address="02:42:00:00:00:02")
    _, decision = think(situation(c, container(c, settings={}, endpoints=ends), health=healthy()))
    assert "CreateContainer shop_web.pnr-next" in steps(decision)
    right = connected(c.container, mac_address="02:42:00:00:00:01")
    _, decision = think(situation(c, container(c, settings={}, endpoints=right), health=healthy()))
    assert decision.work is None
