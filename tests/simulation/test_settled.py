"""Settled is who has all that he declares, and nothing more that he does not; what is to go waits for nothing."""

from __future__ import annotations

from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import World, chunk, domain


def names(w: World) -> set[str]:
    return {c.name for c in w.engine.containers.values()}


async def test_a_domain_is_not_settled_before_what_left_its_file_is_gone() -> None:
    async with World(SimulatedEngine(stop_seconds=(20.0, 20.0))) as w:
        w.files.write("shop", domain(chunk("db"), chunk("web")))
        await w.until_settled()
        w.files.write("shop", domain(chunk("db")))
        await w.until(lambda: not w.settled(), limit=5)
        await w.until_settled()
        assert names(w) == {"shop_db"}


async def test_what_leaves_its_file_while_its_image_is_pulled_goes_at_once() -> None:
    async with World(SimulatedEngine(pull_seconds=(600.0, 600.0))) as w:
        w.engine.images.add("db:1")
        w.files.write("shop", domain(chunk("db"), chunk("web")))
        await w.until(lambda: w.chunk("web")["reason"] == "PullingImage")
        w.files.write("shop", domain(chunk("db")))
        await w.until(lambda: not w.chunk("web")["state"], limit=5)
        await w.until_settled(limit=5)


async def test_what_leaves_its_file_while_it_is_held_back_goes_at_once() -> None:
    async with World() as w:
        fate = w.engine.fate("web:1")
        fate.exit_code, fate.exit_after = 1, 0.5
        w.files.write("shop", domain(chunk("db"), chunk("web")))
        await w.until(lambda: w.chunk("web").get("attempts", 0) >= 10)
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        w.files.write("shop", domain(chunk("db")))
        await w.until(lambda: "shop_web" not in names(w), limit=5)
        await w.until_settled(limit=5)
