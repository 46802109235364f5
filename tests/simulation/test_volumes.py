"""Volumes of a domain: made, kept, removed only when that was said, never replaced."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.controller.records import TakeDown
from reconciler.planner.observed import Condition
from tests.simulation.test_belongings import ids
from tests.simulation.world import World, chunk, domain


def with_volume(container: dict[str, Any] | None = None, **volume: Any) -> dict[str, Any]:
    mount = {"volumes": ["data:/data"], **(container or {})}
    return domain(chunk("db", "system_ready", container=mount), volumes={"data": volume})


async def test_a_volume_stays_when_its_declaration_and_its_domain_go() -> None:
    async with World() as w:
        w.files.write("shop", with_volume())
        await w.until_settled()
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await asyncio.sleep(120)
        assert "shop_data" in w.engine.volumes
        w.files.remove("shop")
        await w.until(lambda: not w.view()["domains"])
        await asyncio.sleep(120)
        assert "shop_data" in w.engine.volumes


@pytest.mark.parametrize("how", ["left", "gone", "down"])
async def test_a_volume_that_is_not_to_be_kept_goes_after_its_containers(how: str) -> None:
    async with World() as w:
        w.files.write("shop", with_volume(keep=False))
        await w.until_settled()
        if how == "left":
            w.files.write("shop", domain(chunk("db", "system_ready")))
        elif how == "gone":
            w.files.remove("shop")
        else:
            w.ask_down()
        await w.until(lambda: "shop_data" not in w.engine.volumes)
        assert w.order("RemoveVolume") == ["RemoveVolume shop_data"]


async def test_a_volume_that_no_chunk_mounts_stays_while_it_is_declared() -> None:
    async with World() as w:
        w.files.write("shop", with_volume(keep=False))
        await w.until_settled()
        w.files.write("shop", domain(chunk("db", "system_ready"), volumes={"data": {"keep": False}}))
        await asyncio.sleep(120)
        assert "shop_data" in w.engine.volumes


async def test_the_last_declaration_of_a_volume_goes_before_what_it_was_made_with() -> None:
    async with World() as w:
        w.files.write("shop", with_volume(keep=False))
        await w.until_settled()
        w.files.write("shop", with_volume())
        await w.until(lambda: any("made with keep false" in note for note in w.domain("shop")["notes"]))
        w.files.remove("shop")
        await w.until(lambda: not w.view()["domains"])
        await asyncio.sleep(120)
        assert "shop_data" in w.engine.volumes


async def test_down_with_volumes_removes_all_of_the_domain_and_none_of_others() -> None:
    async with World() as w:
        w.engine.plant_volume("theirs")
        w.files.write("shop", with_volume())
        await w.until_settled()
        assert w.controller is not None
        w.controller.post(TakeDown((), True))
        await w.until(lambda: "shop_data" not in w.engine.volumes)
        assert "theirs" in w.engine.volumes


async def test_a_volume_is_never_replaced_and_one_that_is_not_as_declared_serves_as_it_is() -> None:
    async with World() as w:
        w.files.write("shop", with_volume())
        await w.until_settled()
        before = ids(w)
        options = {"type": "nfs", "o": "addr=10.0.0.5", "device": ":/export"}
        w.files.write("shop", with_volume(driver_opts=options))
        await w.until(lambda: any("driver_opts" in note for note in w.domain("shop")["notes"]))
        await asyncio.sleep(120)
        assert ids(w) == before
        assert w.chunk("db")["state"] == "completed"
        w.engine.die("shop_db")
        await w.until(lambda: w.container("shop_db").condition is Condition.RUNNING)
        w.files.write("shop", with_volume({"image": "db:2"}, driver_opts=options))
        await w.until(lambda: w.container("shop_db").image == "db:2" and w.settled())
        assert len(w.engine.containers) == 1
        assert any("used as it is" in note for note in w.domain("shop")["notes"])
        assert w.order("RemoveVolume") == []
        assert len(w.order("CreateVolume")) == 1
        w.engine.remove_by_hand("shop_db")
        await w.until_settled()
        assert "NameConflict" not in str(w.stores.entries)
        w.files.write("shop", with_volume({"image": "db:2"}))
        await w.until(lambda: w.domain("shop")["notes"] == [] and w.settled())


async def test_a_volume_that_goes_with_its_container_is_made_again_but_not_by_the_engine() -> None:
    async with World() as w:
        w.files.write("shop", with_volume())
        await w.until_settled()
        w.engine.volumes.pop("shop_data")
        w.engine.remove_by_hand("shop_db")
        await w.until(lambda: len(w.order("CreateVolume")) == 2)
        await w.until_settled()
        assert w.engine.volumes["shop_data"].domain == "shop"


async def test_a_volume_of_somebody_else_serves_once_the_file_says_so_and_is_never_removed() -> None:
    async with World() as w:
        w.engine.plant_volume("shop_data", driver="rexray", driver_opts={"size": "1"})
        w.files.write("shop", with_volume(keep=False))
        await w.until(lambda: w.chunk("db")["reason"] == "NameConflict")
        assert "was not made by pnr" in w.chunk("db")["message"]
        w.files.write("shop", with_volume(external=True, name="shop_data"))
        await w.until_settled()
        w.files.remove("shop")
        await w.until(lambda: not w.view()["domains"])
        assert "shop_data" in w.engine.volumes
