"""An edit that is overtaken while its work is under way: nothing that serves is interrupted for an intent that is no
more, and nothing is started that nobody wants any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine.protocol import Progress
from reconciler.engine.simulated import SimulatedEngine
from reconciler.engine.simulated.faults import Fault
from reconciler.planner.actions import Action
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import RetryState
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain

TIMES = [0.0, 0.02, 0.1, 0.29, 0.303, 0.31, 0.32, 0.4, 0.6, 0.8, 1.0, 1.4, 2.0, 3.0]
"""What is there to be pulled comes after 0.3 s, and then the new container is made within 0.005 s."""
FEW = [0.02, 0.303, 0.31, 0.4, 0.8, 1.4, 3.0]

SPEEDS = {"quick": (0.01, 0.02), "usual": (0.2, 0.6), "slow": (1.0, 2.0)}

speeds = pytest.mark.parametrize("speed", SPEEDS)
strategies = pytest.mark.parametrize("strategy", ["stop-first", "start-first"])


def shop(image: str = "web:1", strategy: str = "stop-first", *more: dict[str, Any], **of_web: Any) -> dict[str, Any]:
    web = chunk("web", strategy=strategy, container={"image": image, **of_web.pop("container", {})}, **of_web)
    if strategy == "start-first":
        del web["container"]["name"]
    return domain(web, *more)


class Noting(SimulatedEngine):
    """Notes what it is asked to do to which container, as it is asked."""

    asked: list[tuple[str, str]]

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        there = [c.id for c in self.containers.values() if c.name == action.object_name]
        self.asked.append((type(action).__name__, there[0] if there else ""))
        return await super().perform(action, progress)


def noting(speed: str, pull: float = 0.3, seed: int = 0) -> Noting:
    times = SPEEDS[speed]
    engine = Noting(seed=seed, start_seconds=times, stop_seconds=times, pull_seconds=(pull, pull))
    engine.asked = []
    return engine


async def up(w: World, strategy: str = "stop-first") -> str:
    """It is up; the id of its container."""
    w.files.write("shop", shop("web:1", strategy))
    await w.until_settled()
    (first,) = w.engine.containers
    w.stores.entries.clear()
    return first


def web(w: World) -> list[Container]:
    return [c for c in w.engine.containers.values() if c.owner is not None and c.owner.chunk == "web"]


async def until_only(w: World, image: str) -> None:
    def is_so() -> bool:
        return w.chunk("web")["state"] == "completed" and [(c.image, c.condition) for c in web(w)] == [
            (image, Condition.RUNNING)
        ]

    await w.until(is_so, limit=120)
    await asyncio.sleep(5.0)
    assert is_so()


def memory(w: World) -> RetryState:
    assert w.controller is not None
    (record,) = (one for id, one in w.controller.known.chunks.items() if id.chunk == "web")
    return record.memory


async def overtake(engine: Noting, after: float, change: Callable[[], None]) -> list[tuple[str, str]]:
    """Web is to be another; after a while there is other news. What was asked for until that was taken in."""
    engine.asked.clear()
    await asyncio.sleep(after)
    change()
    await asyncio.sleep(0.0005)
    return list(engine.asked)


def told(entries: list[Any], kind: str) -> list[str]:
    return [str(e["message"]) for e in entries if e["kind"] == kind]


@speeds
@strategies
@pytest.mark.parametrize("after", TIMES)
async def test_an_edit_that_is_taken_back_leaves_what_serves_as_it_is(after: float, strategy: str, speed: str) -> None:
    sim = noting(speed)
    async with World(sim) as w:
        first = await up(w, strategy)
        before, runs = w.engine.containers[first].run, len(w.engine.runs)
        w.files.write("shop", shop("web:2", strategy))
        asked = await overtake(sim, after, lambda: w.files.write("shop", shop("web:1", strategy)))
        await until_only(w, "web:1")
        (c,) = web(w)
        stopped, started = ("StopContainer", first) in asked, "StartContainer" in [call for call, _ in asked]
        # It is started once more where it was stopped, and the other one only where that was begun before.
        assert (c.run != before) == stopped
        assert (c.id == first) == (("RemoveContainer", first) not in asked)
        assert len(w.engine.runs) - runs == stopped + started
        assert c.run not in (memory(w).stopped_run, memory(w).counted_run)
        assert memory(w).attempts == 0


@pytest.mark.parametrize("speed", ["quick", "slow"])
@pytest.mark.parametrize("after", FEW)
@pytest.mark.parametrize("how", ["removed", "down", "third", "broken", "other-check"])
def test_what_comes_meanwhile_is_done_in_the_end(after: float, how: str, speed: str) -> None:
    check = {"type": "tcp", "port_key": "80", "interval_seconds": 3}
    changes: dict[str, Callable[[World], None]] = {
        "removed": lambda w: w.files.write("shop", domain(chunk("api"))),
        "down": lambda w: w.ask_down("shop"),
        "third": lambda w: w.files.write("shop", shop("web:3", "stop-first")),
        "broken": lambda w: w.files.write("shop", "{"),
        "other-check": lambda w: w.files.write("shop", shop("web:2", "stop-first", health_check=check)),
    }

    async def story() -> None:
        sim = noting(speed)
        async with World(sim) as w:
            first = await up(w)
            runs = len(w.engine.runs)
            w.files.write("shop", shop("web:2"))
            asked = await overtake(sim, after, lambda: changes[how](w))
            stopped, started = ("StopContainer", first) in asked, "StartContainer" in [call for call, _ in asked]
            if how in ("removed", "down"):
                await w.until(lambda: not web(w) and w.running() == ({"shop_api"} if how == "removed" else set()))
                assert w.engine.runs[runs:].count("shop_web") == started
                return
            await until_only(w, "web:3" if how == "third" else "web:2")
            # What was stopped is served by what it was stopped for, until the third is there.
            assert len(w.engine.runs) - runs == (2 if how == "third" and stopped else 1)

    run(story())


@pytest.mark.parametrize("speed", ["quick", "slow"])
@pytest.mark.parametrize("after", FEW)
async def test_a_removal_that_is_taken_back_leaves_alone_what_is_not_stopped_yet(after: float, speed: str) -> None:
    sim = noting(speed)
    async with World(sim) as w:
        first = await up(w)
        before = w.engine.containers[first].run
        w.files.write("shop", domain(chunk("api")))
        asked = await overtake(sim, after, lambda: w.files.write("shop", shop("web:1")))
        await until_only(w, "web:1")
        (c,) = web(w)
        assert (c.run == before) == (("StopContainer", first) not in asked)
        assert (c.id == first) == (("RemoveContainer", first) not in asked)


@pytest.mark.parametrize("speed", ["quick", "slow"])
@pytest.mark.parametrize("after", FEW)
async def test_a_job_of_a_generation_that_is_no_more_is_not_started(after: float, speed: str) -> None:
    def document(text: str) -> dict[str, Any]:
        return domain(chunk("web", kind="job", container={"environment": {"TEXT": text}}, health_check=None))

    sim = noting(speed)
    async with World(sim) as w:
        w.files.write("shop", document("1"))
        await w.until_settled()
        runs = len(w.engine.runs)
        w.files.write("shop", document("2"))
        asked = await overtake(sim, after, lambda: w.files.write("shop", document("3")))
        await w.until_settled(limit=60)
        started = [call for call, _ in asked].count("StartContainer")
        assert len(w.engine.runs) - runs == started + 1


async def test_what_is_made_for_an_edit_taken_back_during_its_pull_changes_nothing() -> None:
    """What serves may end, or fall ill, later: that is noticed as ever."""

    sim = noting("usual", pull=30.0)
    async with World(sim) as w:
        await up(w)
        w.files.write("shop", shop("web:2"))
        await asyncio.sleep(5.0)
        w.files.write("shop", shop("web:1"))
        await w.until_settled()
        assert memory(w).stopped_run == memory(w).counted_run == ""
        w.engine.die("shop_web", 3)
        await w.until(lambda: not w.settled())
        await w.until_settled()
        assert w.chunk("web")["crashes"] == 1
        assert any("exit code 3" in text for text in told(w.stores.entries, "setback"))


@pytest.mark.parametrize("fault", ["fail", "lost"])
@pytest.mark.parametrize("seed", range(6))
async def test_where_the_engine_refuses_the_work_what_serves_is_known_not_to_be_stopped(fault: str, seed: int) -> None:
    sim = noting("usual", seed=seed)
    async with World(sim, seed=seed) as w:
        first = await up(w)
        before = w.engine.containers[first].run
        sim.strike(Fault(0.0, fault, 3.0))
        w.files.write("shop", shop("web:2"))
        await asyncio.sleep(0.1 * seed)
        w.files.write("shop", shop("web:1"))
        await until_only(w, "web:1")
        (c,) = web(w)
        if c.run == before:
            assert "StopContainer shop_web" not in w.order("StopContainer")
        await asyncio.sleep(80.0)
        assert c.run not in (memory(w).stopped_run, memory(w).counted_run)
