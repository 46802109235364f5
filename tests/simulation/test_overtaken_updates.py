"""A change that comes while the one before is still under way: what was up last is kept until something else is up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import World, chunk, domain


def shop(image: str, strategy: str) -> dict[str, Any]:
    web = chunk("web", container={"image": image}, strategy=strategy)
    if strategy == "start-first":
        del web["container"]["name"]
    return domain(web)


def running(w: World) -> set[str]:
    return {c.image for c in w.engine.containers.values() if c.condition == "running"}


async def overtaken(w: World, strategy: str) -> str:
    """One version is up, the next has been started, and then comes a third; gives the id of the first container."""
    w.files.write("shop", shop("web:1", strategy))
    await w.until_settled()
    (first,) = w.engine.containers
    w.engine.fate("web:2").ready_after = w.engine.fate("web:3").ready_after = 20.0
    w.files.write("shop", shop("web:2", strategy))
    await w.until(lambda: "web:2" in running(w))
    await asyncio.sleep(2.0)
    w.files.write("shop", shop("web:3", strategy))
    return first


async def test_what_serves_goes_on_serving_until_the_newest_is_up() -> None:
    async with World() as w:
        await overtaken(w, "start-first")
        facts = set()
        while running(w) != {"web:3"} or not w.settled():
            assert any(w.engine.is_ready(id) for id in w.engine.containers)
            facts.add(w.fact("web_ready"))
            await asyncio.sleep(0.01)
        assert facts == {"Y"}
        assert len(w.engine.containers) == 1


@pytest.mark.parametrize("strategy", ["start-first", "stop-first"])
async def test_where_the_newest_fails_the_last_that_was_up_comes_back(strategy: str) -> None:
    async with World() as w:
        w.engine.fate("web:3").exit_code = 1
        first = await overtaken(w, strategy)
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        assert set(w.engine.containers) == {first}
        assert running(w) == {"web:1"}
        await w.until(lambda: w.fact("web_ready") == "Y")


async def test_where_the_intent_goes_back_what_was_up_is_kept_as_it_is() -> None:
    async with World() as w:
        first = await overtaken(w, "start-first")
        before = w.engine.containers[first].run
        w.files.write("shop", shop("web:1", "start-first"))
        await w.until(lambda: len(w.engine.containers) == 1 and w.settled())
        assert w.engine.containers[first].run == before


async def test_what_was_started_last_runs_on_while_the_image_of_the_newest_is_fetched() -> None:
    async with World(SimulatedEngine(pull_seconds=(60.0, 60.0), start_seconds=(0.2, 0.6))) as w:
        await overtaken(w, "stop-first")
        await asyncio.sleep(50.0)
        assert running(w) == {"web:2"}
        await w.until(lambda: running(w) == {"web:3"})
        await w.until(lambda: len(w.engine.containers) == 1 and w.settled())


async def test_what_was_up_last_comes_back_where_the_newest_can_not_be_made() -> None:
    async with World() as w:
        w.engine.fate("web:3").missing = True
        first = await overtaken(w, "stop-first")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and running(w) == {"web:1"})
        assert set(w.engine.containers) == {first}
