"""Without a health check a service is up once it is known to have run for a while, and not a moment before."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from reconciler.planner.observed import Condition
from tests.simulation.world import World, chunk, domain


def shop(image: str = "web:1", **more: Any) -> dict[str, Any]:
    plain = {"health_check": None, "container": {"image": image}, **more}
    return domain(chunk("web", **plain), chunk("api", "web"))


def told(w: World, key: str) -> set[str]:
    return {str(e["tv"]) for e in w.stores.entries if e["kind"] == "fact" and str(e["fact"]).endswith(key)}


def made(w: World) -> set[str]:
    return {call.split()[1] for call in w.order("CreateContainer")}


@pytest.mark.parametrize("seed", range(12))
async def test_what_ends_within_its_seconds_of_stability_never_answers_and_opens_no_gate(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        fate = w.engine.fate("web:1")
        fate.exit_code, fate.exit_after, fate.restarts = 1, rng.uniform(0.01, 4.9), rng.random() < 0.5
        end = asyncio.get_running_loop().time() + 600.0
        match seed % 4:
            case 0:
                w.engine.weather.deaf_until = end
            case 1:
                w.engine.weather.stuttering_until = end
            case 2:
                w.engine.weather.late_until = end
        w.files.write("shop", shop())
        for _ in range(12):
            await asyncio.sleep(rng.uniform(0.1, 20.0))
            if rng.random() < 0.5:
                await w.kill()
                await asyncio.sleep(rng.uniform(0.0, 20.0))
                w.start()
        assert "Y" not in told(w, "web_ready")
        assert "shop_api" not in made(w)


async def test_it_is_up_after_its_seconds_and_gates_open_then() -> None:
    async with World() as w:
        w.files.write("shop", shop(stable_seconds=30))
        await w.until(lambda: w.chunk("web")["reason"] == "Probing")
        began = asyncio.get_running_loop().time()
        assert "once it has run for 30 s" in w.chunk("web")["message"]
        await w.until(lambda: w.fact("web_ready") == "Y")
        assert 29.0 < asyncio.get_running_loop().time() - began < 31.0
        await w.until_settled(limit=5)


async def test_a_restart_of_the_program_takes_back_nothing_and_gives_away_nothing() -> None:
    async with World() as w:
        w.files.write("shop", shop(stable_seconds=30))
        await w.until_settled()
        for _ in range(3):
            await w.kill()
            w.start()
            await w.until_settled(limit=2)
        w.stores.documents.clear()  # without its state it is the engine's word that counts
        await w.kill()
        w.stores.documents.clear()
        await asyncio.sleep(60)
        w.start()
        await w.until_settled(limit=2)
        w.files.write("shop", shop("web:2", stable_seconds=30))
        await w.until(lambda: w.chunk("web")["reason"] == "Probing" and "shop_web" in w.running())
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(10)
        await w.kill()
        w.start()
        await w.until_settled()
        assert 18.0 < asyncio.get_running_loop().time() - began < 40.0


def running(w: World) -> set[str]:
    """The ids of what runs of the chunk."""
    ours = (c for c in w.engine.containers.values() if c.owner is not None and c.owner.chunk == "web")
    return {c.id for c in ours if c.condition is Condition.RUNNING}


@pytest.mark.parametrize("after", [0.05, 0.4, 2.0, 4.5])
@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("checked", [False, True], ids=["no-check", "checked"])
async def test_an_update_that_ends_soon_is_taken_back_even_if_healthy_for_a_moment(
    after: float, strategy: str, checked: bool
) -> None:
    def document(image: str) -> dict[str, Any]:
        check = {"health_check": {"type": "tcp", "port_key": "80"}} if checked else {"health_check": None}
        web = chunk("web", strategy=strategy, **check, container={"image": image})
        del web["container"]["name"]
        return domain(web)

    async with World() as w:
        fate = w.engine.fate("web:2")
        fate.exit_code, fate.exit_after, fate.ready_after = 1, after, 0.01
        w.files.write("shop", document("web:1"))
        await w.until_settled()
        before = running(w)
        w.files.write("shop", document("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=60)
        await w.until(lambda: running(w) == before)
        await asyncio.sleep(20)
        assert running(w) == before
        assert "exit code 1" in w.chunk("web")["message"]
        w.files.write("shop", document("web:1"))
        await w.until_settled()
