"""A connection that is edited and that the engine refuses costs nobody the one that there was."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.engine.simulated import Fault
from reconciler.intent.model import Ipam, Pool
from reconciler.planner.observed import Condition
from tests.simulation.world import World, chunk, domain

NET = "theirs"
WAS = {"ipv4_address": "10.213.4.9"}
CHOSEN = "10.213.4.0/28"
OUTSIDE = {"ipv4_address": "10.213.5.9"}
REFUSED = {"link_local_ips": ["169.254.8.8"], **WAS}


def joined(endpoint: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    web = chunk("web", "system_ready", container={"networks": {"n": endpoint}, **more})
    return domain(web, networks={"n": {"external": True, "name": NET}})


def plant(w: World, *subnets: str, gateway: str | None = None) -> None:
    pools = tuple(Pool(subnet, gateway=gateway) for subnet in subnets)
    w.engine.plant_network(NET, driver="bridge", ipam=Ipam(pools=pools))


def address(w: World) -> str | None:
    return w.container("shop_web").networks.get(NET)


async def watch(w: World, seconds: float) -> float:
    """How long the container was in no network within so many seconds, looked at often."""
    loop, away, step = asyncio.get_running_loop(), 0.0, 0.25
    end = loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(step)
        away += step if address(w) is None else 0.0
    return away


def told(w: World) -> tuple[str, str]:
    first, second = explain(w.view(), "web").splitlines()[:2]
    return first, second


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (OUTSIDE, "the address 10.213.5.9 in network theirs is in none of its subnets (10.213.4.0/28)"),
        ({"ipv4_address": "10.213.4.1"}, "that of the network's own gateway"),
        ({"ipv4_address": "10.213.4.15"}, "the first or the last of its subnet"),
        ({"ipv6_address": "fd00:9::7"}, "the network has no IPv6 addresses"),
    ],
)
async def test_what_the_network_shows_to_be_impossible_is_not_tried(endpoint: dict[str, Any], said: str) -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        run = w.container("shop_web").run
        w.files.write("shop", joined(endpoint))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert await watch(w, 600) == 0
        assert w.order("DisconnectNetwork") == []
        first, second = told(w)
        assert said in first
        assert second.startswith("Give the chunk") or second.startswith("Leave `ipv6_address` out")
        assert w.fact("web_ready") == "Y"
        w.files.write("shop", joined(WAS))
        await w.until_settled(limit=30)
        assert (address(w), w.container("shop_web").run) == (WAS["ipv4_address"], run)


async def test_the_first_start_with_an_impossible_address_is_not_tried_either() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(OUTSIDE))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert w.chunk("web")["reason"] == "AddressImpossible"
        assert w.engine.containers == {}
        w.engine.remove_network_by_hand(NET)
        plant(w, "10.213.5.0/28")
        await w.until_settled(limit=60)
        assert address(w) == OUTSIDE["ipv4_address"]


@pytest.mark.parametrize(
    ("subnets", "endpoint", "said"),
    [
        ((), {"ipv4_address": "198.18.0.77"}, "only when connecting to networks with user configured subnets"),
        ((CHOSEN,), {"link_local_ips": ["10.0.0.9"]}, "invalid link local IP address: 10.0.0.9"),
    ],
)
async def test_a_verdict_of_the_engine_brings_the_connection_back_and_is_not_asked_again(
    subnets: tuple[str, ...], endpoint: dict[str, Any], said: str
) -> None:
    async with World() as w:
        plant(w, *subnets)
        before = {"aliases": ["shop", "store"]}
        w.files.write("shop", joined(before))
        await w.until_settled()
        was = w.container("shop_web")
        w.files.write("shop", joined({**before, **endpoint}))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert await watch(w, 3600) == 0
        assert len(w.order("DisconnectNetwork")) == 1
        assert (w.chunk("web")["reason"], w.fact("web_ready")) == ("RolledBack", "Y")
        assert said in told(w)[0]
        assert "it is connected as before until then" in told(w)[1]
        assert w.container("shop_web") == was
        await w.kill()
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        assert await watch(w, 600) == 0
        assert len(w.order("DisconnectNetwork")) == 1
        w.files.write("shop", joined(before))
        await w.until_settled(limit=30)
        assert w.container("shop_web") == was


async def test_a_refusal_that_can_pass_is_tried_again_ever_less_often_until_it_is_over() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        run = w.container("shop_web").run
        w.engine.refusing_endpoints = "no such address today"
        w.files.write("shop", joined(REFUSED))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert await watch(w, 5400) < 1
        assert "no such address today" in told(w)[0]
        assert w.chunk("web")["next_try"]
        tries = [call.at for call in w.engine.calls if call.text.startswith("DisconnectNetwork")]
        pauses = [after - at for at, after in pairwise(tries)]
        assert 4 <= len(tries) <= 10
        assert pauses == sorted(pauses)
        w.engine.refusing_endpoints = ""
        w.ask_apply()
        await w.until_settled(limit=30)
        assert w.container("shop_web").endpoints[NET]["link_local_ips"] == REFUSED["link_local_ips"]
        assert (address(w), w.container("shop_web").run) == (WAS["ipv4_address"], run)


async def test_an_edit_that_was_refused_and_is_edited_again_is_had_at_once() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        w.files.write("shop", joined({"link_local_ips": ["10.0.0.9"]}))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        w.files.write("shop", joined({"ipv4_address": "10.213.4.11"}))
        await w.until_settled(limit=10)
        assert address(w) == "10.213.4.11"


async def test_a_container_that_ends_while_it_keeps_its_connection_comes_back_with_it() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        w.files.write("shop", joined({"link_local_ips": ["10.0.0.9"]}))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        for end in (w.engine.die, w.engine.remove_by_hand):
            end("shop_web")
            await w.until(lambda: "shop_web" in w.running() and w.chunk("web")["reason"] == "RolledBack", limit=30)
            assert address(w) == WAS["ipv4_address"]


async def test_one_that_was_edited_while_it_did_not_run_is_started_as_it_was() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        await w.kill()
        w.engine.die("shop_web")
        w.files.write("shop", joined({"link_local_ips": ["10.0.0.9"]}))
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=30)
        assert address(w) == WAS["ipv4_address"]
        assert len(w.engine.containers) == 1


async def test_a_network_that_is_added_and_refused_is_told_in_the_words_of_the_engine() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        both = domain(
            chunk(
                "web", "system_ready", container={"networks": {"default": {}, "n": {"link_local_ips": ["10.0.0.9"]}}}
            ),
            networks={"n": {"external": True, "name": NET}},
        )
        w.files.write("shop", domain(chunk("web", "system_ready")))
        await w.until_settled()
        w.files.write("shop", both)
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert "invalid link local IP address: 10.0.0.9" in told(w)[0]
        assert "pnr_shop" in w.container("shop_web").networks
        assert w.order("DisconnectNetwork") == []


async def test_who_got_the_old_address_meanwhile_keeps_it_and_nobody_is_left_without() -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined({"ipv4_address": "10.213.4.2"}))
        await w.until_settled()
        w.engine.plant_container("squatter")
        disconnect = w.engine.disconnect_network

        def and_it_is_taken(name: str, network: str) -> Any:
            done = disconnect(name, network)
            if not w.engine.named("squatter").networks:
                w.engine.connect_by_hand("squatter", NET)
            return done

        w.engine.disconnect_network = and_it_is_taken  # type: ignore[method-assign]
        w.files.write("shop", joined({"link_local_ips": ["10.0.0.9"]}))
        await w.until(lambda: w.chunk("web")["state"] == "failed" and bool(address(w)))
        assert address(w) not in (None, "", "10.213.4.2")
        assert w.engine.named("squatter").networks[NET] == "10.213.4.2"


@pytest.mark.parametrize("milliseconds", range(0, 40, 4))
async def test_a_program_that_is_killed_in_a_refused_edit_leaves_nobody_cut_off(milliseconds: int) -> None:
    async with World() as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        run = w.container("shop_web").run
        w.files.write("shop", joined({**WAS, "link_local_ips": ["10.0.0.9"]}))
        await asyncio.sleep(milliseconds / 1000)
        await w.kill()
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        assert address(w)
        assert w.container("shop_web").run == run
        w.files.write("shop", joined(WAS))
        await w.until_settled(limit=30)
        assert address(w) == WAS["ipv4_address"]


@pytest.mark.parametrize("kind", ["fail", "lost", "half", "late", "down", "drop", "deaf", "disconnect", "die"])
@pytest.mark.parametrize("seed", range(2))
async def test_whatever_goes_wrong_in_a_refused_edit_it_ends_connected(kind: str, seed: int) -> None:
    async with World(seed=seed) as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        w.engine.strike(Fault(0.0, kind, 8.0))
        w.files.write("shop", joined({**WAS, "link_local_ips": ["10.0.0.9"]}))
        await asyncio.sleep(60)
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=120)
        assert address(w)
        assert w.container("shop_web").condition is Condition.RUNNING
        w.files.write("shop", joined(WAS))
        await w.until_settled(limit=60)
        assert address(w) == WAS["ipv4_address"]


@pytest.mark.parametrize("kind", ["fail", "lost", "half", "down"])
@pytest.mark.parametrize("seed", range(2))
async def test_an_edit_that_is_disturbed_is_carried_out_all_the_same(kind: str, seed: int) -> None:
    async with World(seed=seed) as w:
        plant(w, CHOSEN)
        w.files.write("shop", joined(WAS))
        await w.until_settled()
        w.engine.strike(Fault(0.0, kind, 8.0))
        w.files.write("shop", joined({"ipv4_address": "10.213.4.11"}))
        await asyncio.sleep(60)
        await w.until(lambda: address(w) == "10.213.4.11", limit=300)
        await w.until_settled(limit=300)
        assert "left as it is" not in w.chunk("web")["message"]
