"""A chunk that has failed says so in its facts, whether its container ever ran or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.daemon.simulation import SimulatedProbe
from reconciler.probes.protocol import ProbeResult, Target
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain


def shop(port: int, **more: Any) -> dict[str, Any]:
    return domain(chunk("web", container={"image": "web:1", "ports": [f"{port}:80"]}, **more))


async def test_a_first_start_that_the_engine_refuses_answers_no() -> None:
    async with World() as w:
        w.engine.plant_container("other", port=8080)
        w.files.write("shop", shop(8080))
        await w.until(lambda: w.chunk("web")["state"] == "failed")
        assert w.chunk("web")["reason"] == "PortInUse"
        assert w.fact("web_ready") == "N"
        for _ in range(3000):
            await asyncio.sleep(0.1)
            assert w.fact("web_ready") == "N"


async def test_an_update_that_never_runs_and_is_not_taken_back_answers_no() -> None:
    async with World() as w:
        w.files.write("shop", shop(8081, on_failure="pause"))
        await w.until_settled()
        w.engine.fate("web:1").impossible = True
        w.files.write("shop", shop(8080, on_failure="pause"))
        await w.until(lambda: w.chunk("web")["reason"] == "UpdatePaused")
        await asyncio.sleep(60.0)
        assert w.fact("web_ready") == "N"
        await w.kill()
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "UpdatePaused")
        assert w.fact("web_ready") == "N"


async def test_a_check_that_can_not_be_made_since_the_engine_is_away_is_no_bad_result() -> None:
    async with World() as w:
        w.files.write("shop", shop(8080))
        await w.until_settled()
        before = w.container("shop_web").run
        w.engine.is_mute = True
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert w.fact("web_ready") == "Y"
            assert w.chunk("web")["state"] == "completed"
        probe = w.chunk("web")["probe"]
        assert (probe["failures"], probe["last_error"]) == (0, "the simulated engine does not answer")
        w.engine.is_mute = False
        await asyncio.sleep(60.0)
        assert w.container("shop_web").run == before


def test_a_command_that_does_not_end_is_a_bad_result_only_where_the_engine_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs = False
    really = SimulatedProbe.probe

    async def probe(self: SimulatedProbe, target: Target) -> ProbeResult:
        if hangs:
            await asyncio.sleep(3600.0)
        return await really(self, target)

    monkeypatch.setattr(SimulatedProbe, "probe", probe)

    async def story() -> None:
        nonlocal hangs
        async with World() as w:
            w.files.write("shop", domain(chunk("web", health_check={"type": "exec", "command": ["true"]})))
            await w.until_settled()
            before = w.container("shop_web").run
            hangs = w.engine.is_mute = True
            await asyncio.sleep(60.0)
            probe = w.chunk("web")["probe"]
            assert (w.fact("web_ready"), probe["failures"]) == ("Y", 0)
            assert probe["last_error"] == "no answer within 2 s; and the engine does not answer either"
            w.engine.is_mute = False
            await w.until(lambda: w.container("shop_web").run != before)
            assert "failed 3 times: no answer within 2 s" in str(w.stores.entries)

    run(story())
