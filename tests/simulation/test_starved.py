"""Load is not ill health: where nobody on the machine has a turn, silence says nothing about who was asked, and many
that fall ill together are not all restarted together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.daemon import simulation
from reconciler.engine.simulated.faults import Fault
from tests.simulation.virtual_time import VirtualLoop, run
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


def test_a_starved_machine_makes_nobody_ill() -> None:
    async def story() -> None:
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

    run(story())


def test_a_machine_that_stood_still_past_the_deadline_gives_nobody_up() -> None:
    async def story() -> None:
        async with World() as w:
            w.engine.fate("c0:1").ready_after = 20.0
            w.files.write("shop", shop(1))
            await w.until(lambda: w.chunk("c0")["reason"] == "Probing")
            await asyncio.sleep(5.0)
            stall(100.0)
            await w.until_settled(limit=20)
            assert w.chunk("c0")["restarts"] == 0
            assert not any(e["kind"] == "setback" for e in w.stores.entries)

    run(story())


def test_what_is_never_healthy_fails_on_a_starved_machine_too() -> None:
    async def story() -> None:
        async with World() as w:
            w.engine.fate("c0:1").ready_after = 1e9
            w.files.write("shop", shop(1))
            w.engine.strike(Fault(0.0, "starved", 300.0))
            await w.until(lambda: w.chunk("c0")["reason"] == "DeadlineExceeded", limit=600)

    run(story())


def test_a_container_that_is_really_ill_is_found_so_in_the_midst_of_it() -> None:
    async def story() -> None:
        async with World() as w:
            w.files.write("shop", shop(1))
            await w.until_settled()
            w.engine.strike(Fault(0.0, "starved", 120.0))
            w.engine.make_ill("shop_c0")
            await w.until(lambda: w.chunk("c0")["restarts"] == 1, limit=120)

    run(story())


def test_many_that_fall_ill_together_are_restarted_a_few_at_a_time() -> None:
    async def story() -> None:
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

    run(story())


def test_who_gets_well_while_he_waits_for_his_turn_is_not_restarted() -> None:
    async def story() -> None:
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

    run(story())


def test_those_that_never_get_well_do_not_keep_others_from_their_turn() -> None:
    async def story() -> None:
        async with World() as w:
            w.files.write("shop", shop(8))
            await w.until_settled()
            for n in range(8):
                w.engine.fate(f"c{n}:1").ready_after = 1e9 if n < 4 else 0.1
                w.engine.make_ill(f"shop_c{n}")
            before = len(w.engine.runs)
            await w.until(lambda: {f"shop_c{n}" for n in range(8)} <= set(w.engine.runs[before:]), limit=200)

    run(story())
