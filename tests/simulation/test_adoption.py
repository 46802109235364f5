"""Containers that somebody else made, and that a chunk takes over."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulation.world import World, chunk, domain

MIB = 1024**2


def shop(**more: Any) -> dict[str, Any]:
    container = {"image": "db:1", "mem_limit": "64m", **more.pop("container", {})}
    return domain(chunk("db", container=container, **more))


async def planted(w: World, **asked: Any) -> str:
    """A stack of another program: its container has the chunk's name; gives its id."""
    planted = w.engine.plant_container("shop_db", image="db:1", **asked)
    return planted.id


async def test_a_container_that_is_as_declared_is_taken_over_without_a_restart() -> None:
    async with World() as w:
        id = await planted(w, mem_limit=64 * MIB)
        w.files.write("shop", shop(adopt=True))
        await w.until_settled()
        assert w.container("shop_db").id == id
        assert w.fact("db_ready") == "Y"
        assert w.order("StartContainer", "CreateContainer", "StopContainer") == []
        calls = len(w.engine.calls)
        await asyncio.sleep(600)
        assert len(w.engine.calls) == calls


async def test_one_that_is_not_as_declared_is_left_alone_and_the_differences_are_named() -> None:
    async with World() as w:
        id = await planted(w, mem_limit=128 * MIB, read_only=True)
        w.files.write("shop", shop(adopt=True))
        await w.until(lambda: w.chunk("db")["reason"] == "NameConflict")
        message = w.chunk("db")["message"]
        assert "mem_limit: 64m declared, 128m found" in message
        assert "read_only" in message
        await asyncio.sleep(600)
        assert w.container("shop_db").id == id
        assert w.container("shop_db").owner is None
        assert w.engine.trespasses == []


async def test_without_being_told_so_nothing_of_somebody_else_is_taken_over() -> None:
    async with World() as w:
        id = await planted(w, mem_limit=64 * MIB)
        w.files.write("shop", shop())
        await w.until(lambda: w.chunk("db")["reason"] == "NameConflict")
        await asyncio.sleep(600)
        assert (w.container("shop_db").id, w.container("shop_db").owner) == (id, None)


async def test_one_that_does_not_match_is_replaced_where_that_is_asked_for() -> None:
    async with World() as w:
        id = await planted(w, mem_limit=128 * MIB)
        w.files.write("shop", shop(adopt="replace"))
        await w.until_settled()
        assert w.container("shop_db").id != id
        assert (w.container("shop_db").settings or {})["mem_limit"] == 64 * MIB
        assert len(w.engine.containers) == 1


async def test_a_replacement_that_does_not_come_up_brings_back_what_was_there() -> None:
    async with World() as w:
        w.engine.fate("db:2").exit_code = 1
        id = await planted(w, mem_limit=64 * MIB)
        w.files.write("shop", shop(adopt="replace", container={"image": "db:2"}))
        await w.until(lambda: w.chunk("db")["reason"] == "RolledBack")
        assert w.container("shop_db").id == id
        assert w.container("shop_db").condition == "running"


async def test_what_was_taken_over_is_updated_and_removed_like_any_other() -> None:
    async with World() as w:
        id = await planted(w, mem_limit=64 * MIB)
        w.files.write("shop", shop(adopt=True))
        w.files.write("other", domain(chunk("x", container={"name": "other_x"}), name="other"))
        await w.until_settled()
        w.files.write("shop", shop(adopt=True, container={"image": "db:2"}))
        await w.until(lambda: w.container("shop_db").id != id)
        await w.until_settled()
        w.files.remove("shop")
        await w.until(lambda: not any(c.name == "shop_db" for c in w.engine.containers.values()))
