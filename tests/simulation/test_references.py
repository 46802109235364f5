"""Chunks whose containers share the network or the volumes of another chunk's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import World, chunk, domain


async def test_a_container_in_the_network_of_another_starts_after_it_and_follows_it() -> None:
    async with World() as w:

        def shop(image: str) -> None:
            owner = chunk("db", container={"image": image})
            sharer = chunk("side", container={"network_mode": "service:db", "volumes_from": ["db:ro"]})
            w.files.write("shop", domain(sharer, owner))

        shop("db:1")
        await w.until_settled()
        assert w.order("StartContainer") == ["StartContainer shop_db", "StartContainer shop_side"]
        settings = w.container("shop_side").settings or {}
        assert settings["network_mode"] == f"container:{w.container('shop_db').id}"
        assert settings["volumes_from"] == ["container:shop_db:ro"]
        first = w.container("shop_side").id
        shop("db:2")
        await w.until(lambda: w.container("shop_db").image == "db:2")
        await w.until(lambda: w.container("shop_side").id != first)
        await w.until_settled()
        calls = len(w.engine.calls)
        await asyncio.sleep(600)
        assert len(w.engine.calls) == calls


def shared(*more: str) -> dict[str, Any]:
    """An owner of a network, and who shares it, without a health check of its own, behind the owner's fact."""
    side = chunk("side", *more, container={"network_mode": "service:db"})
    del side["health_check"]
    return domain(chunk("db"), side)


async def test_who_shares_a_network_is_started_anew_when_its_owner_was() -> None:
    async with World() as w:
        w.files.write("shop", shared("db"))
        await w.until_settled()
        before = w.container("shop_side")
        w.engine.die("shop_db")
        await w.until(lambda: w.container("shop_side").run != before.run)
        assert w.container("shop_side").id == before.id
        await w.until_settled()
        assert w.order("StartContainer")[-2:] == ["StartContainer shop_db", "StartContainer shop_side"]
        calls = len(w.engine.calls)
        await asyncio.sleep(600)
        assert len(w.engine.calls) == calls


async def test_a_restart_of_the_owner_while_the_program_is_away_is_noticed() -> None:
    async with World() as w:
        w.files.write("shop", shared())
        await w.until_settled()
        await asyncio.sleep(1.0)
        before = w.container("shop_side").run
        await w.kill()
        w.engine.die("shop_db")
        w.engine.start("shop_db")
        w.start()
        await w.until(lambda: w.container("shop_side").run != before)
        await w.until_settled()


async def test_a_restart_of_the_program_alone_starts_nobody_anew() -> None:
    async with World() as w:
        w.files.write("shop", shared("db"))
        await w.until_settled()
        runs = {c.name: c.run for c in w.engine.containers.values()}
        await w.kill()
        w.stores.documents.clear()
        w.start()
        await w.until_settled()
        await asyncio.sleep(600)
        assert {c.name: c.run for c in w.engine.containers.values()} == runs


async def test_who_shares_a_network_follows_its_owner_back_from_a_failed_update() -> None:
    async with World() as w:

        def shop(image: str) -> None:
            owner = chunk("db", container={"image": image})
            w.files.write("shop", domain(owner, chunk("side", container={"pid": "service:db"})))

        shop("db:1")
        await w.until_settled()
        owner = w.container("shop_db").id
        w.engine.fate("db:2").exit_code, w.engine.fate("db:2").exit_after = 1, 20.0
        w.engine.fate("db:2").ready_after = 1e9
        shop("db:2")
        await w.until(lambda: w.chunk("db")["reason"] == "RolledBack")
        assert w.container("shop_db").id == owner
        await w.until(lambda: w.chunk("side")["state"] == "completed" and w.fact("side_ready") == "Y")
        assert (w.container("shop_side").settings or {})["pid"] == f"container:{owner}"
        # After its owner, in its present run.
        assert w.engine.runs[-1] == "shop_side"


async def test_who_shares_the_processes_of_somebody_elses_container_follows_it() -> None:
    async with World() as w:
        w.engine.plant_container("theirs")
        w.files.write("shop", domain(chunk("side", container={"pid": "container:theirs"})))
        await w.until_settled()
        first = w.container("shop_side").id
        w.engine.remove_by_hand("theirs")
        w.engine.plant_container("theirs")
        await w.until(lambda: w.container("shop_side").id != first)
        await w.until_settled()


async def test_who_shares_with_one_that_shares_with_a_third_is_asked_where_all_of_them_are() -> None:
    async with World() as w:
        check = {"type": "tcp", "port_key": "80", "deadline_seconds": 30}
        inner = chunk("inner", "db", container={"network_mode": "service:db"}, health_check=check)
        outer = chunk("outer", "inner", container={"network_mode": "service:inner"}, health_check=check)
        w.files.write("shop", domain(chunk("db"), inner, outer))
        await w.until_settled()
        w.files.write("shop", domain(chunk("db", container={"labels": {"a": "1"}}), inner, outer))
        await w.until(lambda: not w.settled())
        await w.until_settled()


@pytest.mark.parametrize("late", [0.0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5])
@pytest.mark.parametrize("sharing", [{"volumes_from": ["db"]}, {"pid": "service:db"}])
async def test_an_update_that_meets_its_owner_being_replaced_is_no_failure(
    sharing: dict[str, Any], late: float
) -> None:
    engine = SimulatedEngine(start_seconds=(1.5, 1.5), stop_seconds=(0.5, 0.5))
    async with World(engine) as w:

        def shop(owner: str, sharer: str) -> None:
            side = chunk("side", container={"image": sharer, **sharing})
            w.files.write("shop", domain(chunk("db", container={"image": owner}), side))

        shop("db:1", "side:1")
        await w.until_settled()
        shop("db:1", "side:2")
        await asyncio.sleep(late)
        shop("db:2", "side:2")
        await w.until(lambda: w.container("shop_db").image == "db:2")
        await w.until_settled()
        assert w.container("shop_side").image == "side:2"
        assert not {e.get("reason") for e in w.stores.entries} & {"RolledBack", "StartFailed", "CreateFailed"}
