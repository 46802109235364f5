"""Everything at once: people who write, edit, break and remove files, faults, and a program that is killed.

Whatever the story was, once it is over exactly what is declared runs, and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from reconciler.engine.simulated import SimulatedEngine, schedule
from reconciler.planner.actions import Action
from reconciler.planner.observed import Condition
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain

DOMAINS = ("alpha", "beta", "gamma")
STORY_SECONDS = 240.0


class Author:
    """Writes domain files at random; the same for the same seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def document(self, name: str) -> dict[str, Any]:
        """A domain of up to five chunks; each may need those before it."""
        rng = self._rng
        count = rng.randint(1, 5)
        chunks = [self._chunk(name, n, [f"c{m}" for m in range(n) if rng.random() < 0.5]) for n in range(count)]
        rng.shuffle(chunks)
        return domain(*chunks, name=name)

    def _chunk(self, name: str, n: int, needs: list[str]) -> dict[str, Any]:
        rng = self._rng
        container: dict[str, Any] = {"image": f"image:{rng.randint(1, 2)}"}
        container["name"] = f"{name}_c{n}"
        if rng.random() < 0.3:
            container["environment"] = {"V": str(rng.randint(1, 3))}
        if rng.random() < 0.3:
            container["ports"] = {"80": str(1000 + DOMAINS.index(name) * 100 + n)}
        if rng.random() < 0.3:
            del container["name"]
        more: dict[str, Any] = {
            "on_gate_close": rng.choice(["keep", "stop", "restart"]),
            "on_failure": rng.choice(["rollback", "pause"]),
            "container": container,
        }
        if rng.random() < 0.2:
            more["kind"] = "job"
        elif rng.random() < 0.3 and "ports" not in container and "name" not in container:
            more["strategy"] = rng.choice(["stop-first", "start-first"])
        made = chunk(f"c{n}", *(needs or ["system_ready"]), **more)
        if "name" not in container:
            del made["container"]["name"]
        if "kind" in more:
            del made["health_check"]
        if "health_check" in made:
            made["health_check"]["deadline_seconds"] = 30
            if rng.random() < 0.2:
                made["health_check"] = {"type": "docker"}
        return made


async def live_through(w: World, rng: random.Random, author: Author) -> None:
    """Let four minutes of misfortune pass."""
    loop = asyncio.get_running_loop()
    end = loop.time() + STORY_SECONDS
    while loop.time() < end:
        await asyncio.sleep(rng.choice([0.0, 0.01, 0.1, 1.0, 10.0]) * rng.uniform(0.0, 2.0))
        name = rng.choice(DOMAINS)
        match rng.choice(["write", "write", "write", "break", "remove", "kill", "down", "apply"]):
            case "write":
                w.files.write(name, author.document(name))
            case "break":
                w.files.write(name, '{"name": "' + name)
            case "remove":
                if f"{name}.json" in w.files.texts and len(w.files.texts) > 1:
                    w.files.remove(name)
            case "kill":
                await w.kill()
                await asyncio.sleep(rng.choice([0.0, 0.1, 30.0]))
                w.start()
                await asyncio.sleep(0.1)
            case "down":
                w.ask_down(name)
            case "apply":
                w.ask_apply(name)


def declared_names(w: World, documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    assert w.controller is not None
    for name in documents:
        record = w.controller.known.domains[name]
        assert record.wanted is not None
        for c in record.wanted.chunks():
            found[c.container.name] = {"digest": c.container.digest, "job": c.kind == "job"}
    return found


async def story(seed: int) -> list[Action]:
    rng = random.Random(seed)
    author = Author(rng)
    engine = SimulatedEngine(seed=seed, faults=schedule(seed, until=STORY_SECONDS, count=rng.choice([0, 4, 12])))
    foreign = [engine.plant_container("foreign"), engine.plant_container("another", port=9999)]
    async with World(engine, seed=seed) as w:
        await live_through(w, rng, author)
        engine.clear_weather()
        last = {name: author.document(name) for name in rng.sample(DOMAINS, rng.randint(1, 3))}
        for name, document in last.items():
            document["env"] = {"STORY": "is over"}
            for one in document["cpuxs"]["main"]["design_chunks"]:
                one["container"]["labels"] = {"story": "over"}
            w.files.write(name, document)
        gone = [name for name in DOMAINS if name not in last and f"{name}.json" in w.files.texts]
        w.files.remove(*gone)
        await asyncio.sleep(1.0)
        w.ask_apply()
        await w.until(lambda: w.settled() and {d["name"] for d in w.view()["domains"]} == set(last), limit=1500)
        await asyncio.sleep(5.0)
        await w.until_settled()
        wanted = declared_names(w, last)
        there = {c.name: c for c in engine.containers.values() if c.owner is not None}
        jobs = {name for name, said in wanted.items() if said["job"]}
        assert there.keys() - jobs == wanted.keys() - jobs
        assert there.keys() <= wanted.keys()
        for name, c in there.items():
            assert c.spec == wanted[name]["digest"]
            assert c.condition is (Condition.EXITED if name in jobs else Condition.RUNNING)
            assert set(c.networks) == {f"pnr_{c.owner.domain}" if c.owner else ""}
        for c in foreign:
            assert engine.containers[c.id] == c
        networks = {n.name for n in engine.networks.values() if n.domain is not None}
        assert networks == {f"pnr_{name}" for name in last}
        assert w.controller is not None
        calls, passes = len(engine.calls), w.controller.passes
        await asyncio.sleep(600)
        assert len(engine.calls) == calls
        assert w.controller.passes - passes < 400
        return [call.action for call in engine.calls]


@pytest.mark.parametrize("seed", range(100))
def test_in_the_end_exactly_what_is_declared_runs(seed: int) -> None:
    run(story(seed))
