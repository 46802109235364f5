"""Containers that the engine itself starts again (``restart: always``): they must not hide that nothing comes up."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulation.world import World, chunk, domain

DEADLINE = 60.0


def shop(image: str) -> dict[str, Any]:
    check = {"type": "tcp", "port_key": "80", "deadline_seconds": DEADLINE}
    return domain(chunk("web", container={"image": image, "restart": "always"}, health_check=check))


def crashing(w: World, image: str) -> None:
    fate = w.engine.fate(image)
    fate.exit_code, fate.exit_after, fate.ready_after, fate.restarts = 1, 3.0, 10_000.0, True


async def test_an_update_that_crashes_again_and_again_is_rolled_back_with_its_third_end() -> None:
    async with World() as w:
        w.files.write("shop", shop("web:1"))
        await w.until_settled()
        before = w.container("shop_web").id
        crashing(w, "web:2")
        w.files.write("shop", shop("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=DEADLINE / 2)
        assert w.container("shop_web").id == before
        assert "ended by itself 3 times" in w.chunk("web")["message"]


async def test_an_update_that_crashes_at_times_and_is_never_healthy_is_rolled_back() -> None:
    async with World() as w:
        w.files.write("shop", shop("web:1"))
        await w.until_settled()
        before = w.container("shop_web").id
        crashing(w, "web:2")
        w.engine.fate("web:2").exit_after = 0.4 * DEADLINE
        w.files.write("shop", shop("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=2 * DEADLINE)
        assert w.container("shop_web").id == before
        assert "not healthy within 60 s" in w.chunk("web")["message"]


async def test_a_first_start_that_crashes_again_and_again_fails_with_its_third_end() -> None:
    async with World() as w:
        crashing(w, "web:1")
        w.files.write("shop", shop("web:1"))
        await w.until(lambda: w.chunk("web")["state"] == "failed", limit=DEADLINE / 2)
        assert w.chunk("web")["reason"] == "CrashLooping"
        assert w.fact("web_ready") == "N"


async def test_one_that_comes_up_after_some_crashes_is_fine() -> None:
    async with World() as w:
        crashing(w, "web:1")
        w.files.write("shop", shop("web:1"))
        await asyncio.sleep(DEADLINE / 2)
        w.engine.fate("web:1").exit_code, w.engine.fate("web:1").ready_after = None, 1.0
        await w.until_settled()
        assert w.chunk("web")["restarts"] > 3  # by the engine


async def test_one_that_was_up_has_its_whole_deadline_again_after_a_crash() -> None:
    async with World() as w:
        w.files.write("shop", shop("web:1"))
        await w.until_settled()
        await asyncio.sleep(10 * DEADLINE)
        w.engine.fate("web:1").ready_after = DEADLINE / 2
        w.engine.fate("web:1").restarts = True
        w.engine.die("shop_web")
        await asyncio.sleep(DEADLINE / 4)
        assert w.chunk("web")["state"] == "executing"
        await w.until_settled()
