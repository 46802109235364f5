"""Images of chunks whose gates are still closed are fetched ahead, and never hold anybody up."""

from __future__ import annotations

import asyncio
from typing import Any

from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import World, chunk, domain


def slow_database(w: World, seconds: float = 120) -> None:
    w.engine.fate("db:1").ready_after = seconds


def pulls(w: World, image: str) -> int:
    return w.order("EnsureImage").count(f"EnsureImage {image}")


def behind(count: int, image: str | None = None, **more: Any) -> list[dict[str, Any]]:
    """Web servers that wait for the database."""
    return [chunk(f"web{n}", "db", container={"image": image or f"web{n}:1", **more}) for n in range(count)]


async def test_images_behind_a_closed_gate_are_there_when_it_opens() -> None:
    async with World() as w:
        slow_database(w)
        w.files.write("shop", domain(chunk("db"), *behind(6)))
        await w.until(lambda: all(f"web{n}:1" in w.engine.images for n in range(6)), limit=30)
        assert w.chunk("web0")["state"] == "ready"
        assert w.chunk("web0")["reason"] == "WaitingForGatekeeper"
        assert w.fact("db_ready") == "U"
        await w.until_settled()


async def test_one_fetch_an_image_however_many_chunks_wait_for_it() -> None:
    async with World() as w:
        slow_database(w)
        w.files.write("shop", domain(chunk("db"), *behind(8, "web:1")))
        await w.until(lambda: "web:1" in w.engine.images)
        await asyncio.sleep(60)
        assert pulls(w, "web:1") == 1
        await w.until_settled()


async def test_at_most_four_are_fetched_at_once_and_what_is_needed_now_does_not_wait() -> None:
    async with World(SimulatedEngine(pull_seconds=(300, 300))) as w:
        w.engine.images.update({"db:1"})
        slow_database(w, 1e9)
        w.files.write("shop", domain(chunk("db"), *behind(9)))
        await w.until(lambda: sum(f"web{n}:1" in w.engine.images for n in range(9)) == 4, limit=400)
        w.files.write("other", domain(chunk("now", container={"name": "other_now"}), name="other"))
        start = asyncio.get_running_loop().time()
        await w.until_settled("other", limit=400)
        assert asyncio.get_running_loop().time() - start < 320


async def test_how_far_it_is_shows_beside_what_is_waited_for() -> None:
    async with World(SimulatedEngine(pull_seconds=(40, 40))) as w:
        w.engine.images.update({"db:1"})
        slow_database(w)
        w.files.write("shop", domain(chunk("db"), *behind(1)))
        await w.until(lambda: "meanwhile pulling web0:1: 50 %" in w.chunk("web0")["message"])
        assert "db_ready is" in w.chunk("web0")["message"]
        await w.until(lambda: "web0:1" in w.engine.images)
        await asyncio.sleep(1)
        assert "meanwhile" not in w.chunk("web0")["message"]


async def test_an_image_that_can_not_be_had_is_no_failure_before_it_is_needed() -> None:
    async with World() as w:
        slow_database(w, 1200)
        w.engine.fate("web0:1").missing = True
        w.files.write(
            "shop",
            domain(chunk("db", health_check={"type": "tcp", "port_key": "80", "deadline_seconds": 3000}), *behind(2)),
        )
        await w.until(lambda: "web1:1" in w.engine.images)
        await asyncio.sleep(1000)
        assert w.chunk("web0")["reason"] == "WaitingForGatekeeper"
        assert w.chunk("web0")["state"] == "ready"
        assert "does not have it" in w.chunk("web0")["auto_update"]["trouble"]
        told = [e for e in w.stores.entries if "does not have it" in str(e["message"])]
        assert len(told) == 1
        await w.until(lambda: w.chunk("web0")["reason"] == "ImagePullFailed")
        await w.until(lambda: w.chunk("web1")["state"] == "completed")
        w.engine.fate("web0:1").missing = False
        await w.until_settled()


async def test_an_image_that_somebody_removes_is_fetched_again() -> None:
    async with World() as w:
        slow_database(w, 250)
        w.files.write("shop", domain(chunk("db"), *behind(1)))
        await w.until(lambda: "web0:1" in w.engine.images)
        w.engine.images.discard("web0:1")
        await w.until(lambda: "web0:1" in w.engine.images, limit=70)
        assert w.chunk("web0")["state"] == "ready"


async def test_what_may_not_be_pulled_or_is_wanted_no_longer_is_not_fetched() -> None:
    async with World(SimulatedEngine(pull_seconds=(40, 40))) as w:
        w.engine.images.update({"db:1"})
        slow_database(w, 200)
        w.files.write(
            "shop",
            domain(chunk("db"), *behind(2), chunk("own", "db", container={"pull_policy": "never"})),
        )
        await asyncio.sleep(10)
        w.files.write("shop", domain(chunk("db"), *behind(1), chunk("own", "db", container={"pull_policy": "never"})))
        await asyncio.sleep(100)
        assert "web0:1" in w.engine.images
        assert pulls(w, "web1:1") == pulls(w, "own:1") == 0


async def test_an_update_behind_a_closed_gate_fetches_its_image_while_the_old_one_runs() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db"), chunk("web", "db")))
        await w.until_settled()
        before = w.container("shop_web")
        w.engine.make_ill("shop_db")
        await w.until(lambda: w.fact("db_ready") == "N")
        w.engine.fate("db:1").ready_after = 100
        w.files.write("shop", domain(chunk("db"), chunk("web", "db", container={"image": "web:2"})))
        await w.until(lambda: "web:2" in w.engine.images)
        assert w.container("shop_web") == before
        assert "the update waits" in w.chunk("web")["message"]
        await w.until_settled()
        assert w.container("shop_web").image == "web:2"
