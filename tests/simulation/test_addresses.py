"""Fixed addresses, on an engine that gives who asks for none the lowest that is free, as Docker does."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from reconciler.engine.simulated import Fault
from reconciler.planner.observed import Condition
from tests.simulation.world import World, chunk, domain

NET = "pnr_shop_lan"
FIXED = "10.213.4.2"  # the first that is given to who asks for none


def in_lan(name: str, *needs: str, address: str | None = None, **more: Any) -> dict[str, Any]:
    joined = {"lan": {"ipv4_address": address} if address else None}
    return chunk(name, *needs, container={"networks": joined}, **more)


def lan(*chunks: dict[str, Any], name: str = "shop") -> dict[str, Any]:
    return domain(*chunks, name=name, networks={"lan": {"ipam": {"config": [{"subnet": "10.213.4.0/28"}]}}})


def address(w: World, name: str) -> str:
    return w.container(f"shop_{name}").networks[NET]


def has(w: World, wanted: str) -> bool:
    return w.container("shop_fix").networks.get(NET) == wanted


def has_its_address(w: World) -> bool:
    ours = [c for c in w.engine.containers.values() if c.owner is not None]
    given = [c.networks.get(NET) for c in ours]
    return address(w, "fix") == FIXED and len(set(given)) == len(given) and all(given)


THREE = [in_lan(f"d{n}", "system_ready") for n in range(3)]
FIX = in_lan("fix", "system_ready", address=FIXED)


@pytest.mark.parametrize("place", range(4))
async def test_who_has_a_fixed_address_begins_first_and_nobody_has_to_move(place: int) -> None:
    async with World(seed=place) as w:
        w.files.write("shop", lan(*THREE[:place], FIX, *THREE[place:]))
        await w.until_settled()
        assert has_its_address(w)
        assert w.order("DisconnectNetwork") == []
        assert len(w.engine.runs) == 4


@pytest.mark.parametrize("seed", range(4))
async def test_after_a_reboot_everybody_has_an_address_again(seed: int) -> None:
    async with World(seed=seed) as w:
        w.files.write("shop", lan(*THREE, FIX))
        await w.until_settled()
        w.engine.strike(Fault(0.0, "reboot", 30.0))
        await asyncio.sleep(60)
        await w.until_settled()
        assert has_its_address(w)
        assert len(w.engine.runs) == 8


async def test_what_the_engine_itself_started_first_gives_the_address_up_without_a_restart() -> None:
    async with World() as w:
        w.files.write("shop", lan(*THREE, FIX))
        await w.until_settled()
        await w.kill()
        w.engine.die("shop_fix")
        for n in range(3):
            w.engine.die(f"shop_d{n}")
        for n in range(3):  # by its restart policies
            w.engine.start(f"shop_d{n}")
        runs = {n: w.container(f"shop_d{n}").run for n in range(3)}
        w.start()
        await w.until(lambda: w.container("shop_fix").condition is Condition.RUNNING)
        await w.until_settled()
        assert has_its_address(w)
        assert {n: w.container(f"shop_d{n}").run for n in range(3)} == runs
        assert len(w.order("DisconnectNetwork")) == 1


async def test_who_comes_late_gets_its_address_and_who_had_it_another() -> None:
    async with World() as w:
        w.files.write("shop", lan(*THREE, in_lan("fix", "d0", address=FIXED)))
        await w.until_settled()
        assert has_its_address(w)
        assert len(w.engine.runs) == 4


async def test_an_address_that_is_declared_for_who_runs_is_taken_from_who_has_it() -> None:
    async with World() as w:
        w.files.write("shop", lan(*THREE, in_lan("fix", "system_ready")))
        await w.until_settled()
        runs = list(w.engine.runs)
        for wanted in ("10.213.4.2", "10.213.4.3", "10.213.4.4", "10.213.4.5"):
            w.files.write("shop", lan(*THREE, in_lan("fix", "system_ready", address=wanted)))
            await w.until(partial(has, w, wanted))
            await w.until_settled()
        assert w.engine.runs == runs


async def test_two_that_swap_their_addresses_both_get_them() -> None:
    async with World() as w:

        def document(one: str, two: str) -> dict[str, Any]:
            return lan(in_lan("one", address=one), in_lan("two", address=two))

        w.files.write("shop", document("10.213.4.4", "10.213.4.5"))
        await w.until_settled()
        w.files.write("shop", document("10.213.4.5", "10.213.4.4"))
        await w.until(lambda: w.container("shop_one").networks.get(NET) == "10.213.4.5")
        await w.until_settled()
        assert address(w, "two") == "10.213.4.4"
        assert len(w.engine.runs) == 2


async def test_a_foreign_holder_is_named_and_left_alone() -> None:
    async with World() as w:
        w.files.write("shop", lan(*THREE))
        await w.until_settled()
        w.engine.plant_container("squatter")
        w.engine.connect_by_hand("squatter", NET, ipv4_address="10.213.4.9")
        w.files.write("shop", lan(*THREE, in_lan("fix", "system_ready", address="10.213.4.9")))
        await w.until(lambda: w.chunk("fix")["state"] == "failed")
        assert w.chunk("fix")["reason"] == "AddressInUse"
        assert f"the address 10.213.4.9 in network {NET} is held by container squatter" in w.chunk("fix")["message"]
        await asyncio.sleep(600)
        assert w.container("squatter").networks[NET] == "10.213.4.9"
        w.engine.disconnect_by_hand("squatter", NET)
        await w.until_settled(limit=30)
        assert address(w, "fix") == "10.213.4.9"


async def test_an_update_of_who_has_a_fixed_address_stops_the_old_one_first() -> None:
    async with World() as w:

        def document(version: str) -> dict[str, Any]:
            fix = in_lan("fix", "system_ready", address=FIXED)
            fix["container"]["environment"] = {"V": version}
            del fix["container"]["name"]
            return lan(*THREE, fix)

        w.files.write("shop", document("1"))
        await w.until_settled()
        for version in ("2", "3"):
            w.files.write("shop", document(version))
            await asyncio.sleep(1)
            await w.until_settled()
        assert len(w.engine.runs) == 6
        (fix,) = (c for c in w.engine.containers.values() if c.name == "shop-main-fix-1")
        assert fix.networks[NET] == FIXED
