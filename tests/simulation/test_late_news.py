"""A probe's answer may come before the news of what it comes from: before anything is restarted for ill health its
container is looked at again, and what is seen then is what is put right, and told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.observed import Container
from tests.simulation.world import World, chunk, domain

CHECK = {"type": "tcp", "port_key": "80", "interval_seconds": 1, "failure_threshold": 1, "deadline_seconds": 10}


def shop(image: str = "web:1", *more: dict[str, Any], **of_web: Any) -> dict[str, Any]:
    container = {"image": image, "networks": ["default", "lan"], **of_web.pop("container", {})}
    web = chunk("web", health_check=CHECK, container=container, **of_web)
    return domain(web, *more, networks={"lan": {"external": True, "name": "lan"}})


def deaf(w: World, seconds: float = 50.0) -> None:
    """No news comes by itself; what is looked at shows itself as it is."""
    w.engine.weather.deaf_until = asyncio.get_running_loop().time() + seconds


def well_when(w: World, condition: Callable[[Container], bool], name: str = "shop_web") -> None:
    """It is well as soon as that is so of its container."""
    loop, id = asyncio.get_running_loop(), w.container(name).id

    def look() -> None:
        now = w.engine.containers.get(id)
        if now is not None and condition(now):
            w.engine.make_ill(now.name, False)
        elif now is not None:
            loop.call_later(0.01, look)

    look()


def cut(w: World) -> None:
    """Somebody takes a network from it, and nobody reaches it until it is back."""
    w.engine.make_ill("shop_web")
    w.engine.disconnect_by_hand("shop_web", "lan")
    well_when(w, lambda c: "lan" in c.networks)


def journal(w: World, kind: str) -> list[str]:
    return [str(entry["message"]) for entry in w.stores.entries if entry["kind"] == kind]


async def up(w: World, *more: dict[str, Any], **of_web: Any) -> str:
    """It is up; its run."""
    w.engine.plant_network("lan")
    w.files.write("shop", shop("web:1", *more, **of_web))
    await w.until_settled()
    await asyncio.sleep(7.3)
    w.stores.entries.clear()
    return w.container("shop_web").run


def not_restarted(w: World, before: str) -> None:
    assert w.container("shop_web").run == before
    assert w.chunk("web")["restarts"] == 0
    assert w.order("StopContainer") == []
    assert not any("health check failed" in text for text in journal(w, "setback"))


async def test_what_lost_a_network_is_connected_again_and_not_restarted() -> None:
    async with World() as w:
        before = await up(w)
        deaf(w)
        cut(w)
        await w.until(lambda: "lan" in w.container("shop_web").networks, limit=10)
        await w.until_settled(limit=10)
        not_restarted(w, before)
        assert journal(w, "work") == ["is not connected to lan"]


async def test_what_lost_a_network_that_is_gone_waits_for_it_and_is_not_restarted() -> None:
    async with World() as w:
        before = await up(w)
        deaf(w)
        cut(w)
        del w.engine.networks["lan"]
        await w.until(lambda: w.chunk("web")["reason"] == "Unhealthy", limit=10)
        await asyncio.sleep(70.0)
        assert w.chunk("web")["reason"] == "ExternalMissing"
        assert w.fact("web_ready") == "N"
        w.engine.plant_network("lan")
        await w.until_settled(limit=90)
        not_restarted(w, before)


async def test_what_was_paused_goes_on_and_is_not_restarted() -> None:
    async with World() as w:
        before = await up(w)
        deaf(w)
        w.engine.pause_by_hand("shop_web")
        await w.until(lambda: w.chunk("web")["reason"] == "Unhealthy", limit=10)
        await w.until_settled(limit=10)
        not_restarted(w, before)
        assert journal(w, "work") == ["was paused"]


@pytest.mark.parametrize("unnoticed", [0.0, 0.1, 0.4])
async def test_what_ended_by_itself_is_started_for_that_and_for_nothing_else(unnoticed: float) -> None:
    """An engine notices the end of a process a while after it."""

    async with World() as w:
        await up(w)
        deaf(w)
        await w.until(lambda: w.engine.is_ready(w.container("shop_web").id))
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.chunk("web")["reason"] == "Unhealthy", limit=10)
        await asyncio.sleep(unnoticed)
        w.engine.die("shop_web", 3)
        await w.until_settled(limit=10)
        assert w.chunk("web")["exit"]["code"] == 3
        assert w.order("StopContainer") == []
        assert all("exit code 3" in text for text in journal(w, "setback"))
        assert w.engine.runs[-2:] == ["shop_web", "shop_web"]


async def test_what_its_engine_has_started_again_is_not_started_once_more() -> None:
    async with World() as w:
        await up(w)
        deaf(w)
        fate = w.engine.fate("web:1")
        fate.exit_code, fate.exit_after, fate.restarts, fate.restarts_after = 3, 0.9, True, 0.3
        w.engine.doom("shop_web")
        w.engine.make_ill("shop_web")
        await asyncio.sleep(1.0)
        fate.exit_code = None
        await w.until_settled(limit=10)
        await asyncio.sleep(30.0)
        assert w.settled()
        assert w.engine.runs == ["shop_web", "shop_web"]
        assert w.order("StopContainer") == []


async def test_what_somebody_has_told_to_end_is_waited_for() -> None:
    async with World() as w:
        await up(w)
        w.engine.stop_by_hand("shop_web", 5.0)
        await w.until(lambda: w.chunk("web")["reason"] == "Unhealthy", limit=10)
        assert "it was told to end from outside" in w.chunk("web")["message"]
        await w.until_settled(limit=15)
        assert w.order("StopContainer") == []
        assert all("exit code 143" in text for text in journal(w, "setback"))
        assert w.chunk("web")["crashes"] == 0


async def test_what_is_renamed_gets_its_name_back_before_it_is_judged() -> None:
    async with World() as w:
        before = await up(w)
        deaf(w)
        w.engine.make_ill("shop_web")
        w.engine.rename_by_hand("shop_web", "other")
        id = w.container("other").id
        well_when(w, lambda c: c.name == "shop_web", "other")
        await w.until(lambda: w.container("shop_web").id == id, limit=10)
        await w.until_settled(limit=10)
        not_restarted(w, before)


async def test_what_is_ill_is_restarted() -> None:
    async with World() as w:
        before = await up(w)
        deaf(w)
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.container("shop_web").run != before, limit=4)
        await w.until_settled(limit=10)
        assert w.chunk("web")["restarts"] == 1
        assert len(journal(w, "setback")) == 1


@pytest.mark.parametrize("trouble", ["cut", "paused"])
@pytest.mark.parametrize("at", [9.0, 9.9, 10.2])
async def test_an_update_survives_what_others_did_to_it_just_before_its_deadline(trouble: str, at: float) -> None:
    async with World() as w:
        await up(w)
        w.engine.fate("web:2").ready_after = 14.0
        w.files.write("shop", shop("web:2"))
        await w.until(lambda: w.container("shop_web").image == "web:2" and "shop_web" in w.running())
        deaf(w, 30.0)
        await asyncio.sleep(at)
        if trouble == "cut":
            w.engine.disconnect_by_hand("shop_web", "lan")
        else:
            w.engine.pause_by_hand("shop_web")
        await w.until(lambda: w.settled() and w.container("shop_web").image == "web:2", limit=60)
        assert not any(entry.get("reason") == "RolledBack" for entry in w.stores.entries)
        assert w.engine.runs[-2:] == ["shop_web", "shop_web"]


NEWS: dict[str, Callable[[World], None]] = {
    "cut": cut,
    "paused": lambda w: w.engine.pause_by_hand("shop_web"),
}


@pytest.mark.parametrize("seed", range(40))
async def test_whenever_the_news_comes_nothing_is_restarted_for_it(seed: int) -> None:
    rng = random.Random(seed)
    engine = SimulatedEngine(seed=seed)
    async with World(engine, seed=seed) as w:
        before = await up(w)
        end = asyncio.get_running_loop().time() + 200.0
        match seed % 3:
            case 0:
                engine.weather.stuttering_until = end
            case 1:
                engine.weather.late_until = end
            case 2:
                engine.weather.deaf_until = end
        for _ in range(6):
            await asyncio.sleep(rng.uniform(0.0, 9.0))
            NEWS[rng.choice(sorted(NEWS))](w)
            await w.until(lambda: w.engine.is_ready(w.container("shop_web").id), limit=120)
            await w.until_settled(limit=120)
        not_restarted(w, before)


async def test_what_is_ill_since_what_it_needs_is_ill_is_not_restarted_for_it() -> None:
    slow = {**CHECK, "interval_seconds": 10, "failure_threshold": 3}
    async with World() as w:
        before = await up(w, chunk("db", health_check=slow), gatekeeper=chunk("web", "db")["gatekeeper"])
        w.engine.make_ill("shop_db")
        w.engine.make_ill("shop_web")
        db = w.container("shop_db").id
        well_when(w, lambda _: w.engine.is_ready(db))
        await w.until(lambda: w.chunk("db")["restarts"] == 1, limit=60)
        await w.until_settled(limit=60)
        assert w.container("shop_web").run == before
