"""What a decision looks up of what is seen is what it would find by going through all of it."""

from __future__ import annotations

import random
from dataclasses import replace

from reconciler.controller.observed_state import ObservedState
from reconciler.intent.model import ChunkId
from reconciler.intent.writers import written
from reconciler.planner.observed import Condition, Container, Network, Observed, Owned, Volume, owned

NETWORKS = ("front", "back", "lan")
ADDRESSES = ("", "10.0.0.2", "10.0.0.3")


def any_container(source: random.Random, number: int) -> Container:
    owner = source.choice((None, *(ChunkId(d, "main", c) for d in ("shop", "blog") for c in ("db", "web"))))
    mounts = [{"type": "volume", "source": f"v{source.randrange(3)}"} for _ in range(source.randrange(3))]
    return Container(
        id=f"id{number}",
        name=f"name{source.randrange(12)}",
        image="x",
        image_id="x",
        condition=source.choice((Condition.RUNNING, Condition.EXITED)),
        owner=owner,
        networks={network: source.choice(ADDRESSES) for network in NETWORKS if source.random() < 0.5},
        ipv6_addresses={"back": "fd00::2"} if source.random() < 0.2 else {},
        settings=source.choice((None, {"volumes": mounts})),
    )


def ids(containers: list[Container]) -> set[str]:
    assert len({c.id for c in containers}) == len(containers)
    return {c.id for c in containers}


def check(world: ObservedState) -> None:
    everything = world.containers.values()
    for network in NETWORKS:
        for address in (*ADDRESSES[1:], "fd00::2"):
            having = {c.id for c in everything if address in (c.networks.get(network), c.ipv6_addresses.get(network))}
            assert ids(world.at(network, address)) == having
        strangers = {c.id for c in everything if c.owner is None and network in c.networks}
        assert ids(world.strangers_in(network)) == strangers
    for volume in ("v0", "v1", "v2"):
        what = f"volume {volume}"
        writing = {c.id for c in everything if c.owner is not None and what in written(c.settings or {})}
        assert ids(world.writing(what)) == writing
    for domain in ("shop", "blog", "nobody"):
        owners = {c.owner for c in everything if c.owner is not None and c.owner.domain == domain}
        assert world.owners(domain) == owners
        assert world.has_owners(domain) == bool(owners)


def test_look_ups_follow_what_comes_changes_and_goes() -> None:
    source = random.Random(7)
    world = ObservedState()
    for _ in range(600):
        number = source.randrange(25)
        if source.random() < 0.3:
            world.drop(f"id{number}")
        elif source.random() < 0.05:
            seen = [any_container(source, n) for n in range(25) if source.random() < 0.7]
            for _ in world.replace(Observed({c.id: c for c in seen}), lambda c: c.id == "id3"):
                pass
        else:
            world.put(any_container(source, number))
        check(world)


def test_what_a_domain_owns_is_at_hand() -> None:
    source = random.Random(7)
    networks: Owned[Network] = Owned({"n0": Network("0", "n0", "shop")})
    plain: dict[str, Network] = dict(networks)
    for number in range(500):
        name, domain = f"n{source.randrange(6)}", source.choice((None, "shop", "blog"))
        match source.randrange(4):
            case 0:
                assert networks.pop(name, None) == plain.pop(name, None)
            case 1 if name in plain:
                del networks[name], plain[name]
            case 2:
                one = Network(f"{number}", name, domain)
                assert networks.setdefault(name, one) == plain.setdefault(name, one)
            case _:
                twin = replace(Network(f"t{number}", name, source.choice((None, "shop", "blog"))), name=name)
                networks[name] = plain[name] = Network(f"{number}", name, domain, twins=(twin,))
        assert networks == plain
        for whose in ("shop", "blog", "nobody"):
            assert {one.name for one in owned(networks, whose)} == {one.name for one in owned(plain, whose)}


def test_it_is_the_same_of_volumes() -> None:
    volumes = {"a": Volume("a", "shop"), "b": Volume("b"), "c": Volume("c", "blog")}
    assert owned(volumes, "shop") == owned(Owned(volumes), "shop") == [volumes["a"]]
