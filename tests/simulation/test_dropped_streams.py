"""A stream of hints that breaks off says nothing of the engine: what is known stands, and goes on being looked at."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.engine.protocol import EngineError
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.observed import Observed
from tests.simulation.world import STACK, World

KEYS = ("db_ready", "api_ready", "web_ready")


async def _settled(w: World) -> None:
    w.files.write("shop", STACK)
    await w.until_settled()
    await asyncio.sleep(5.0)  # until the journal has all of it


def _facts_said(w: World) -> list[str]:
    return [str(entry["fact"]) for entry in w.stores.entries if entry["kind"] == "fact"]


@pytest.mark.parametrize("seconds", [0.0, 0.5, 20.0, 200.0])
async def test_a_dropped_stream_changes_no_fact_and_restarts_nothing(seconds: float) -> None:
    async with World() as w:
        await _settled(w)
        calls, said = len(w.engine.calls), len(_facts_said(w))
        w.engine.drop_stream(seconds)
        for _ in range(300):
            await asyncio.sleep(1.0)
            assert w.view()["daemon"]["ready"]
            assert [w.fact(key) for key in KEYS] == ["Y", "Y", "Y"]
        assert len(w.engine.calls) == calls
        assert len(_facts_said(w)) == said
        told = [entry["message"] for entry in w.stores.entries if entry["kind"] == "engine"]
        assert len([text for text in told if "without its events" in text]) == 1
        assert not [text for text in told if text.startswith("lost")]


async def test_what_happens_while_no_stream_can_be_had_is_seen_and_healed() -> None:
    async with World() as w:
        await _settled(w)
        w.engine.drop_stream(600.0)
        await asyncio.sleep(60.0)
        w.engine.remove_by_hand("shop_db")
        await w.until(lambda: not w.settled(), limit=15.0)
        await w.until_settled(limit=60.0)
        assert "shop_db" in w.running()


async def test_an_engine_that_is_gone_with_its_stream_is_lost_at_once() -> None:
    async with World() as w:
        await _settled(w)
        w.engine.go_down()
        await w.until(lambda: not w.view()["daemon"]["ready"], limit=1.0)
        assert w.fact("db_ready") == "U"
        w.engine.come_back()
        await w.until_settled(limit=30.0)


class _Blind(SimulatedEngine):
    """Shows nothing for a while, and answers all else."""

    blind = False

    async def observe(self) -> Observed:
        if self.blind:
            raise EngineError("the simulated engine can't list its containers")
        return await super().observe()


async def test_a_look_that_fails_is_made_again_before_the_engine_counts_as_lost() -> None:
    async with World(_Blind()) as w:
        engine = w.engine
        assert isinstance(engine, _Blind)
        await _settled(w)
        engine.blind = True
        engine.drop_stream(0.0)
        await asyncio.sleep(30.0)
        assert w.view()["daemon"]["ready"]
        await w.until(lambda: not w.view()["daemon"]["ready"], limit=120.0)
        assert "can't list its containers" in w.view()["daemon"]["message"]
        engine.blind = False
        await w.until_settled(limit=60.0)
