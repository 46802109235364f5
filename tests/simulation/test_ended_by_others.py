"""What a person, the engine or a reboot ends in the middle of an update says nothing about the new version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.engine.protocol import Progress, StartFailed
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import Action, StartContainer
from reconciler.planner.observed import Condition, Container
from tests.simulation.world import STACK, World, chunk, domain

WEB = "shop-main-web-1"


def shop(image: str, **more: Any) -> dict[str, Any]:
    return domain(chunk("web", container={"image": image, "name": None}, **more))


def new_one(w: World) -> Container:
    """The new container under its final name."""
    web = w.container(WEB)
    assert web.image == "web:2"
    return web


async def in_the_middle(w: World, **more: Any) -> None:
    """The new container runs, and is not known to be up yet."""
    w.engine.fate("web:2").ready_after = 3.0
    w.files.write("shop", shop("web:1", **more))
    await w.until_settled()
    w.files.write("shop", shop("web:2", **more))
    await w.until(lambda: w.container(WEB).image == "web:2" and WEB in w.running())
    await asyncio.sleep(1.0)


def updated(w: World) -> bool:
    return w.settled() and len(w.engine.containers) == 1 and w.container(WEB).image == "web:2"


def was_rejected(w: World) -> bool:
    return any(entry.get("reason") == "RolledBack" for entry in w.stores.entries)


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_new_container_that_a_person_stops_is_started_again(strategy: str) -> None:
    async with World() as w:
        await in_the_middle(w, strategy=strategy)
        w.engine.stop_by_hand(new_one(w).name)
        await w.until(lambda: updated(w), limit=30)
        assert not was_rejected(w)


async def test_what_an_engine_that_was_away_did_to_its_containers_is_told() -> None:
    def said(w: World) -> list[str]:
        return [str(entry["message"]) for entry in w.stores.entries if entry["kind"] == "engine"]

    async with World() as w:
        w.files.write("shop", domain(chunk("web"), chunk("db")))
        await w.until_settled()
        w.engine.go_down()
        await w.until(lambda: not w.view()["daemon"]["engine_up"])
        w.engine.come_back()
        await w.until(lambda: said(w)[-1] == "all containers that ran before (2) ran on while it was away")
        await w.until_settled()
        assert w.chunk("web")["ended_away"] is None
        w.engine.go_down()
        await w.until(lambda: not w.view()["daemon"]["engine_up"])
        w.engine.die("shop_web", 137)
        w.engine.come_back()
        gone = "of the 2 containers that ran before, these ended while it was away: shop_web"
        await w.until(lambda: said(w)[-1] == gone)
        await w.until_settled()
        assert explain(w.view(), "web").startswith("shop/main/web had ended while the engine was away")
        assert w.chunk("db")["ended_away"] is None


async def test_one_that_ended_while_the_engine_was_away_is_started_again() -> None:
    async with World() as w:
        await in_the_middle(w)
        w.engine.go_down()
        await asyncio.sleep(5.0)
        w.engine.die(new_one(w).name, 255)
        w.engine.come_back()
        await w.until(lambda: updated(w), limit=60)
        assert not was_rejected(w)


async def test_one_that_ended_while_the_program_did_not_run_is_started_again() -> None:
    async with World() as w:
        await in_the_middle(w)
        await w.kill()
        w.engine.die(new_one(w).name, 255)
        w.start()
        await w.until(lambda: updated(w), limit=60)
        assert not was_rejected(w)


async def test_a_version_stopped_again_and_again_gives_way_to_the_previous_one_for_a_while() -> None:
    async with World() as w:
        await in_the_middle(w)
        for _ in range(10):
            running = w.running()
            if running and w.container(WEB).image == "web:1":
                break
            if running:
                w.engine.stop_by_hand(WEB)
            await asyncio.sleep(1.0)
        await w.until(lambda: w.container(WEB).image == "web:1" and w.fact("web_ready") == "Y", limit=20)
        await w.until(lambda: updated(w), limit=120)


async def test_a_bad_version_that_ends_while_nobody_looks_is_still_rejected() -> None:
    async with World() as w:
        await in_the_middle(w)
        await w.kill()
        w.engine.fate("web:2").exit_code = 3
        w.engine.die(new_one(w).name, 3)
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y", limit=60)
        assert "until the domain changes" in w.chunk("web")["message"]
        assert w.container(WEB).condition is Condition.RUNNING


class StoppingEngine(SimulatedEngine):
    """Whatever it starts of one image for the first time is stopped before the answer to that comes."""

    stopped = ""

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        done = await super().perform(action, progress)
        if isinstance(action, StartContainer) and done is not None and done.image == "web:2" and not self.stopped:
            self.stopped = done.id
            self.stop_by_hand(action.name)
            await asyncio.sleep(0.2)
        return done


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_new_container_that_is_stopped_while_it_is_being_started_is_started_again(strategy: str) -> None:
    engine = StoppingEngine()
    async with World(engine) as w:
        w.files.write("shop", shop("web:1", strategy=strategy))
        await w.until_settled()
        w.files.write("shop", shop("web:2", strategy=strategy))
        await w.until(lambda: updated(w), limit=30)
        assert not was_rejected(w)
        assert w.container(WEB).id == engine.stopped


class EndingEngine(SimulatedEngine):
    """While it ``ends`` it answers, and can start nothing any more."""

    ends = False

    def _carry_out(self, action: Action) -> Container | None:
        if self.ends and isinstance(action, StartContainer):
            raise StartFailed("the engine's store is closed")
        return super()._carry_out(action)


async def test_a_container_that_an_ending_engine_can_not_start_is_started_when_it_is_back() -> None:
    engine = EndingEngine(seed=1, start_seconds=(0.2, 0.3))
    async with World(engine) as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = set(engine.containers)
        engine.ends = True
        for name in sorted(w.running()):
            engine.die(name, 137)
        await asyncio.sleep(1.5)
        engine.go_down()
        await asyncio.sleep(5.0)
        engine.ends = False
        engine.come_back()
        await w.until_settled(limit=60)
        assert set(engine.containers) == before
        assert [w.chunk(name)["restarts"] for name in ("db", "api", "web")] == [1, 1, 1]
