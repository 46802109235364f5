"""What the engine can't honour is told before anything is touched."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.engine.protocol import EngineInfo
from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import World, chunk, domain


class OldEngine(SimulatedEngine):
    """One that speaks an old API, on Linux."""

    async def connect(self) -> EngineInfo:
        await super().connect()
        return EngineInfo("docker", "20.10.24", "1.41", "linux")


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"annotations": {"a": "1"}}, ("annotations", "API 1.43", "docker 20.10.24", "1.41")),
        (
            {"healthcheck": {"test": "true", "start_interval": "1s"}},
            ("healthcheck.start_interval", "API 1.44", "docker 20.10.24"),
        ),
        ({"cpu_count": 2}, ("cpu_count", "windows", "docker 20.10.24")),
    ],
)
async def test_a_setting_that_the_engine_does_not_know_is_named_with_its_version(
    container: dict[str, object], words: tuple[str, ...]
) -> None:
    async with World(OldEngine()) as w:
        w.files.write("shop", domain(chunk("db", container=container)))
        await w.until(lambda: w.chunk("db")["reason"] == "Unsupported")
        for word in words:
            assert word in w.chunk("db")["message"]
        await asyncio.sleep(600)
        assert w.order("EnsureImage", "CreateContainer", "CreateNetwork", "CreateVolume") == []
        assert w.view()["domains"][0]["arranging"] is False
        w.files.write("shop", domain(chunk("db")))
        await w.until_settled()


async def test_what_runs_already_stays_when_its_new_intent_can_not_be_honoured() -> None:
    async with World(OldEngine()) as w:
        w.files.write("shop", domain(chunk("db")))
        await w.until_settled()
        before = w.container("shop_db")
        w.files.write("shop", domain(chunk("db", container={"annotations": {"a": "1"}})))
        await w.until(lambda: w.chunk("db")["reason"] == "Unsupported")
        await asyncio.sleep(600)
        assert w.container("shop_db").run == before.run
        assert w.fact("db_ready") == "Y"


async def test_nothing_is_made_that_only_a_chunk_wants_which_can_not_be_honoured() -> None:
    async with World(OldEngine()) as w:
        odd = {"annotations": {"a": "1"}, "networks": ["default", "back"], "volumes": ["data:/data", "logs:/logs"]}
        plain = {"volumes": ["logs:/logs"]}
        stack = domain(chunk("db", container=odd), chunk("web", container=plain))
        w.files.write("shop", {**stack, "networks": {"back": {}}, "volumes": {"data": {}, "logs": {}}})
        await w.until(lambda: w.chunk("web")["state"] == "completed")
        await asyncio.sleep(600)
        made = {name.split()[-1] for name in w.order("CreateNetwork", "CreateVolume")}
        assert made == {"pnr_shop", "shop_logs"}
        assert w.chunk("db")["reason"] == "Unsupported"
