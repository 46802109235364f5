"""Random faults, replayed from their seeds, and a program that is killed at any moment."""

from __future__ import annotations

import asyncio
import random

import pytest

from reconciler.engine.simulated import Fault, SimulatedEngine, schedule
from reconciler.planner.actions import StartContainer
from reconciler.states import State
from tests.simulation.seeds import seeds
from tests.simulation.virtual_time import run
from tests.simulation.world import STACK, World, chunk, domain

DOCUMENTED = {
    ("ready", "executing"),
    ("executing", "completed"),
    ("executing", "failed"),
    ("executing", "ready"),
    ("completed", "executing"),
    ("failed", "ready"),
}


def other_domain() -> dict[str, object]:
    a = chunk("cache", "system_ready", container={"name": "side_cache"})
    b = chunk("worker", "cache", container={"name": "side_worker"})
    return domain(a, b, name="side")


async def weather(seed: int) -> tuple[list[str], int]:
    """Two domains in bad weather; settles after it. Gives what was done, for comparing runs."""
    engine = SimulatedEngine(seed=seed, faults=schedule(seed))
    foreign = [engine.plant_container("foreign"), engine.plant_container("another", port=9999)]
    engine.plant_network("foreign_net")
    async with World(engine, seed=seed) as w:
        w.files.write("shop", STACK)
        w.files.write("side", other_domain())
        await asyncio.sleep(330)
        engine.clear_weather()
        await w.until_settled(limit=1200)
        names = {c.name for c in engine.containers.values()}
        assert names == {"shop_db", "shop_api", "shop_web", "side_cache", "side_worker", "foreign", "another"}
        for container in foreign:
            assert engine.containers[container.id] == container
        assert "foreign_net" in engine.networks
        moves = {(e["from"], e["to"]) for e in w.stores.entries if e["kind"] == "transition"}
        assert moves <= DOCUMENTED
        assert w.controller is not None
        # Six minutes of it: far less than a pass every tenth of a second would be a loop that spins.
        assert len(engine.calls) < 400
        assert w.controller.passes < 6000
        return [call.text for call in engine.calls], w.controller.passes


@pytest.mark.parametrize("seed", seeds(200))
async def test_everything_settles_after_bad_weather_and_nothing_foreign_is_touched(seed: int) -> None:
    await weather(seed)


def test_the_same_seed_gives_the_same_story_to_the_letter() -> None:
    assert run(weather(7)) == run(weather(7))


@pytest.mark.parametrize("seed", seeds(60))
async def test_a_kill_at_any_moment_starts_nothing_twice_and_restarts_nothing_healthy(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        w.files.write("shop", STACK)
        for _ in range(4):
            await asyncio.sleep(rng.uniform(0.0, 3.0))
            healthy = {c.id: c.run for c in w.engine.containers.values() if w.engine.is_ready(c.id)}
            await w.kill()
            await asyncio.sleep(rng.choice([0.0, 0.5, 86_400.0]))
            w.start()
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            for cid, before in healthy.items():
                assert w.engine.containers[cid].run == before
        await w.until_settled()
        starts = [c.action.name for c in w.engine.calls if isinstance(c.action, StartContainer)]
        assert sorted(w.running()) == ["shop_api", "shop_db", "shop_web"]
        # A start that was under way when the program was killed may be asked for again; it is then no new run.
        assert len(w.engine.containers) == 3
        assert len(starts) <= 3 + 4


@pytest.mark.parametrize("seed", seeds(40))
async def test_a_program_killed_in_the_middle_of_an_update_finishes_it(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        document = domain(
            chunk("db", "system_ready", container={"environment": {"A": "1"}}),
            chunk("api", "db"),
            chunk("web", "api"),
        )
        w.files.write("shop", document)
        await asyncio.sleep(rng.uniform(0.0, 1.5))
        await w.kill()
        w.start()
        await asyncio.sleep(0.5)
        await w.until_settled()
        assert len(w.engine.containers) == 3
        assert all(c.generation in (1, 2) for c in w.engine.containers.values())


@pytest.mark.parametrize("seed", seeds(40))
async def test_a_program_killed_in_the_middle_of_a_removal_finishes_it_in_order(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        await asyncio.sleep(0.5)
        w.files.remove("shop")
        await w.until(lambda: bool(w.stores.documents["shop"]["gone"]))
        await asyncio.sleep(rng.uniform(0.0, 1.5))
        await w.kill()
        w.start()
        await w.until(lambda: not w.engine.containers and "pnr_shop" not in w.engine.networks)
        removed = list(dict.fromkeys(w.order("RemoveContainer")))
        assert removed == ["RemoveContainer shop_web", "RemoveContainer shop_api", "RemoveContainer shop_db"]


async def test_a_start_whose_answer_was_lost_is_not_made_twice() -> None:
    engine = SimulatedEngine(seed=3, faults=(Fault(0.0, "lost", 30.0),))
    async with World(engine) as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        assert len(engine.containers) == 3
        assert all(w.chunk(name)["state"] == State.COMPLETED for name in ("db", "api", "web"))
