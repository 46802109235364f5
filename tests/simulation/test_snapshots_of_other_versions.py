"""The program starts on a state that another version wrote: it says so, and touches nothing that runs."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.simulation.seeds import seeds
from tests.simulation.world import World, chunk, domain

FUTURE: list[Any] = ["weird", "FromTheFuture", 1 << 60, -5, 1.5, [], {}, ["x"]]


def stack() -> dict[str, Any]:
    job = chunk("job", "db", kind="job", container={"image": "work:1"})
    del job["health_check"]
    return domain(chunk("db", "system_ready"), job, chunk("web", "job"))


def spoil(node: Any, rng: random.Random, share: float) -> None:
    """Values of another version, anywhere but in the names."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        if isinstance(node[key], (dict, list)) and rng.random() > share / 4:
            spoil(node[key], rng, share)
        elif key not in ("name", "domain", "number", "job_generation") and rng.random() < share:
            node[key] = rng.choice(FUTURE)


@pytest.mark.parametrize("seed", seeds(40))
async def test_values_that_are_not_known_restart_nothing_and_are_told(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        w.engine.fate("work:1").exit_code = 0
        w.engine.fate("work:1").exit_after = 1.0
        w.files.write("shop", stack())
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        before = {c.id: c.run for c in w.engine.containers.values()}
        spoil(w.stores.documents["shop"], rng, 0.15)
        calls = len(w.engine.calls)
        w.start()
        await asyncio.sleep(1)
        await w.until_settled()
        await asyncio.sleep(30)
        assert {c.id: c.run for c in w.engine.containers.values()} == before
        assert w.engine.calls[calls:] == []
        for name, unknown in w.stores.aside:
            assert any(unknown[0] in note for note in w.domain(name)["notes"])
            assert any(e["kind"] == "state" and unknown[0] in e["message"] for e in w.stores.entries)


async def test_a_state_and_a_generation_that_are_not_known_are_found_out_anew() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        before = {c.id: c.run for c in w.engine.containers.values()}
        document = w.stores.documents["shop"]
        document["generation"] = "x"
        document["cpux"][0]["chunk"][0].update(state="weird", reason="FromTheFuture")
        w.start()
        await asyncio.sleep(1)
        await w.until_settled()
        assert {c.id: c.run for c in w.engine.containers.values()} == before
        assert w.stores.aside[0][0] == "shop"
        assert w.stores.documents["shop"]["generation"] == 1
