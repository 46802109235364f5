"""Load is not ill health: where nobody on the machine has a turn, silence says nothing about who was asked, and many
that fall ill together are not all restarted together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.daemon import simulation
from reconciler.engine.protocol import Glimpse
from reconciler.engine.simulated import SimulatedEngine
from reconciler.engine.simulated.faults import Fault
from reconciler.planner.observed import Condition, Container, Network, Observed
from tests.simulation.virtual_time import VirtualLoop
from tests.simulation.world import World, chunk, domain

CHECK = {"type": "tcp", "port_key": "80", "interval_seconds": 1, "timeout_seconds": 1, "deadline_seconds": 30}


@pytest.fixture(autouse=True)
def slow_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers take half of the time that there is: a stall of the machine falls into most of them."""
    monkeypatch.setattr(simulation, "ANSWER_SECONDS", 0.5)


def shop(count: int, **more: Any) -> dict[str, Any]:
    return domain(*(chunk(f"c{n}", health_check={**CHECK, **more}) for n in range(count)))


def stall(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.stall(seconds)


async def test_a_starved_machine_makes_nobody_ill() -> None:
    async with World() as w:
        w.files.write("shop", shop(10))
        await w.until_settled()
        calls = len(w.engine.calls)
        for _ in range(3):
            w.engine.strike(Fault(0.0, "starved", 120.0))
            for _ in range(100):
                await asyncio.sleep(1.0)
                assert {w.fact(f"c{n}_ready") for n in range(10)} == {"Y"}
                assert w.settled()
        assert len(w.engine.calls) == calls


async def test_a_machine_that_stood_still_past_the_deadline_gives_nobody_up() -> None:
    async with World() as w:
        w.engine.fate("c0:1").ready_after = 20.0
        w.files.write("shop", shop(1))
        await w.until(lambda: w.chunk("c0")["reason"] == "Probing")
        await asyncio.sleep(5.0)
        stall(100.0)
        await w.until_settled(limit=20)
        assert w.chunk("c0")["restarts"] == 0
        assert not any(e["kind"] == "setback" for e in w.stores.entries)


async def test_what_is_never_healthy_fails_on_a_starved_machine_too() -> None:
    async with World() as w:
        w.engine.fate("c0:1").ready_after = 1e9
        w.files.write("shop", shop(1))
        w.engine.strike(Fault(0.0, "starved", 300.0))
        await w.until(lambda: w.chunk("c0")["reason"] == "DeadlineExceeded", limit=600)


async def test_a_container_that_is_really_ill_is_found_so_in_the_midst_of_it() -> None:
    async with World(seed=1) as w:
        w.files.write("shop", shop(1))
        await w.until_settled()
        w.engine.strike(Fault(0.0, "starved", 120.0))
        w.engine.make_ill("shop_c0")
        await w.until(lambda: w.chunk("c0")["restarts"] == 1, limit=120)


async def test_many_that_fall_ill_together_are_restarted_a_few_at_a_time() -> None:
    async with World() as w:
        for n in range(9):
            w.engine.fate(f"c{n}:1").ready_after = 3.0
        w.files.write("shop", shop(9))
        await w.until_settled()
        for n in range(9):
            w.engine.make_ill(f"shop_c{n}")
        most, waiting = 0, False
        await w.until(lambda: not w.settled())
        while not w.settled():
            chunks = [w.chunk(f"c{n}") for n in range(9)]
            at_it = [c for c in chunks if c["state"] == "executing" and c["reason"] != "Unhealthy"]
            most = max(most, len(at_it))
            waiting = waiting or any("no more are at a time" in c["message"] for c in chunks)
            await asyncio.sleep(0.1)
        assert 2 <= most <= 4
        assert waiting
        assert all(w.chunk(f"c{n}")["restarts"] == 1 for n in range(9))


async def test_who_gets_well_while_he_waits_for_his_turn_is_not_restarted() -> None:
    async with World() as w:
        for n in range(9):
            w.engine.fate(f"c{n}:1").ready_after = 20.0
        w.files.write("shop", shop(9))
        await w.until_settled()
        for n in range(9):
            w.engine.make_ill(f"shop_c{n}")
        before = len(w.engine.runs)
        await w.until(lambda: len(w.engine.runs) == before + 4)
        for n in range(9):
            w.engine.make_ill(f"shop_c{n}", False)
        await w.until_settled()
        assert sum(w.chunk(f"c{n}")["restarts"] for n in range(9)) == 4


async def test_those_that_never_get_well_do_not_keep_others_from_their_turn() -> None:
    async with World() as w:
        w.files.write("shop", shop(8))
        await w.until_settled()
        for n in range(8):
            w.engine.fate(f"c{n}:1").ready_after = 1e9 if n < 4 else 0.1
            w.engine.make_ill(f"shop_c{n}")
        before = len(w.engine.runs)
        await w.until(lambda: {f"shop_c{n}" for n in range(8)} <= set(w.engine.runs[before:]), limit=200)


class Behind(SimulatedEngine):
    """For a while after the end of a container it lists it as running, tells nobody of the end, and examines it only
    when that while is over. So does a real one that has no turn: it holds the container as it takes in its end, and
    lists what it knew before."""

    late = 8.0

    def __init__(self) -> None:
        super().__init__()
        self._ran: dict[str, Container] = {}
        self._ends: dict[str, float] = {}

    def _put(self, container: Container) -> Container:
        now = asyncio.get_running_loop().time()
        if container.condition is Condition.RUNNING:
            self._ran[container.id] = container
            self._ends.pop(container.id, None)
        elif container.id in self._ran:
            self._ends.setdefault(container.id, now)
        return super()._put(container)

    def _held_for(self, container_id: str | None) -> float:
        ended = self._ends.get(container_id or "")
        return 0.0 if ended is None else max(0.0, ended + self.late - asyncio.get_running_loop().time())

    async def observe(self) -> Observed:
        """The list, with what it shows too late."""
        seen = await super().observe()
        held = {cid: self._ran[cid] for cid in seen.containers if self._held_for(cid)}
        return replace(seen, containers={**seen.containers, **held}, looked_at=seen.looked_at - held.keys())

    async def look(self, container_id: str) -> Container | None:
        """Once it lets go of the container."""
        await asyncio.sleep(self._held_for(container_id))
        return await super().look(container_id)

    async def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints, as late."""
        async for hint in super().glimpses():
            await asyncio.sleep(self._held_for(hint.container_id))
            yield hint


@pytest.mark.parametrize("by_engine", [False, True], ids=["we-restart", "engine-restarts"])
async def test_what_ends_at_once_is_not_up_for_being_listed_as_running(by_engine: bool) -> None:
    async with World(Behind()) as w:
        fate = w.engine.fate("db:1")
        fate.exit_code, fate.exit_after, fate.restarts, fate.restarts_after = 3, 0.2, by_engine, 9.0
        w.files.write("shop", domain(chunk("db", health_check=None), chunk("web", "db", health_check=None)))
        for number in range(120):
            w.engine.networks[f"of_others_{number}"] = Network(f"n{number}", f"of_others_{number}")
            w.engine._hint(Glimpse(None))
            await asyncio.sleep(1.0)
            assert w.fact("db_ready") != "Y"
        assert w.chunk("db")["crashes"] >= 3
