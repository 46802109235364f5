"""Names and ports that go from one to another: each is one's at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.planner.observed import Condition
from tests.simulation.world import STACK, World, chunk, domain


async def test_a_container_name_can_go_from_one_chunk_to_another() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", container={"name": "store"})))
        await w.until_settled()
        w.files.write("shop", domain(chunk("database", container={"name": "store"})))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=20)
        (only,) = w.engine.containers.values()
        assert only.owner is not None
        assert (only.name, only.owner.chunk, only.condition) == ("store", "database", Condition.RUNNING)


async def test_names_that_move_along_a_row_of_chunks_find_their_places() -> None:
    async with World() as w:

        def row(*names: str) -> dict[str, Any]:
            return domain(*(chunk(f"c{n}", container={"name": name}) for n, name in enumerate(names)))

        w.files.write("shop", row("first", "second"))
        await w.until_settled()
        w.files.write("shop", row("second", "third"))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        owners = {c.name: c.owner.chunk for c in w.engine.containers.values() if c.owner is not None}
        assert owners == {"second": "c0", "third": "c1"}


async def test_a_foreign_container_that_is_renamed_sets_the_name_free() -> None:
    async with World() as w:
        w.engine.plant_container("shop_db")
        w.files.write("shop", STACK)
        await w.until(lambda: w.chunk("db")["reason"] == "NameConflict")
        await asyncio.sleep(600)
        w.engine.rename_by_hand("shop_db", "elsewhere")
        await w.until_settled(limit=30)
        assert w.container("elsewhere").condition is Condition.RUNNING


@pytest.mark.parametrize("how", ["die", "remove_by_hand"])
async def test_a_port_is_taken_as_soon_as_its_holder_is_gone(how: str) -> None:
    async with World() as w:
        w.engine.plant_container("squatter", port=8080)
        w.files.write("shop", domain(chunk("db", "system_ready", container={"ports": {"80": "8080"}})))
        await asyncio.sleep(3600)
        assert w.chunk("db")["reason"] == "PortInUse"
        getattr(w.engine, how)("squatter")
        await w.until_settled(limit=10)


async def test_a_port_goes_from_one_chunk_to_another_within_one_edit() -> None:
    async with World() as w:

        def ports(db: str, api: str) -> dict[str, Any]:
            return domain(chunk("db", container={"ports": {"80": db}}), chunk("api", container={"ports": {"80": api}}))

        w.files.write("shop", ports("8080", "8081"))
        await w.until_settled()
        w.files.write("shop", ports("8081", "8080"))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)


async def test_a_chunk_that_moves_to_another_domain_takes_its_name_along() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("web", container={"name": "shop_web"}), chunk("db")))
        await w.until_settled()
        w.files.write("shop", domain(chunk("db")))
        w.files.write("front", domain(chunk("web", container={"name": "shop_web"}), name="front"))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        owner = w.container("shop_web").owner
        assert owner is not None
        assert owner.domain == "front"
