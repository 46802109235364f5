"""What serves again after a failed update is looked after like anything else; that the update failed stays said."""

from __future__ import annotations

import asyncio
from typing import Any

from reconciler.planner.observed import Condition
from tests.simulation.world import World, chunk, domain

DEADLINE = 10.0


def shop(image: str, **more: Any) -> dict[str, Any]:
    check = {"type": "tcp", "port_key": "80", "deadline_seconds": DEADLINE}
    return domain(chunk("web", container={"image": image}, health_check=check, **more))


async def rolled_back(w: World, **more: Any) -> None:
    """An update fails, and the one before serves again."""
    w.files.write("shop", shop("web:1", **more))
    await w.until_settled()
    w.engine.fate("web:2").exit_code = 1
    w.files.write("shop", shop("web:2", **more))
    await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")


async def test_one_that_becomes_unhealthy_is_started_anew() -> None:
    async with World() as w:
        await rolled_back(w)
        before = w.container("shop_web")
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until(lambda: w.container("shop_web").run != before.run)
        await w.until(lambda: w.fact("web_ready") == "Y" and w.chunk("web")["reason"] == "RolledBack")
        assert w.container("shop_web").id == before.id
        assert w.chunk("web")["restarts"] == 1
        assert "the update failed" in w.chunk("web")["message"]
        assert "exit code 1" in w.chunk("web")["message"]


async def test_one_that_does_not_become_healthy_again_is_started_ever_less() -> None:
    async with World() as w:
        await rolled_back(w)
        w.engine.fate("web:1").ready_after = 1e9
        w.engine.make_ill("shop_web")
        first = len(w.engine.runs)
        await asyncio.sleep(600.0)
        starts = len(w.engine.runs) - first
        assert 4 <= starts <= 10
        assert w.chunk("web")["state"] == "failed"
        assert w.chunk("web")["reason"] == "RolledBack"
        await w.until(lambda: "not healthy itself" in w.chunk("web")["message"])
        assert w.fact("web_ready") == "N"
        await asyncio.sleep(3600.0)
        assert len(w.engine.runs) - first - starts <= 3600 / 270


async def test_ten_minutes_of_health_forget_what_it_took_to_get_there() -> None:
    async with World() as w:
        await rolled_back(w)
        w.engine.fate("web:1").ready_after = 1e9
        w.engine.make_ill("shop_web")
        await asyncio.sleep(300.0)
        w.engine.fate("web:1").ready_after = 1.0
        await w.until(lambda: w.fact("web_ready") == "Y")
        await asyncio.sleep(700.0)
        before = w.container("shop_web").run
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until(lambda: w.container("shop_web").run != before, limit=3.0)


async def test_its_gate_holds_a_restart_back() -> None:
    async with World() as w:
        db = chunk("db", container={"image": "db:1"})

        def both(image: str) -> dict[str, Any]:
            return domain(db, chunk("web", "db", container={"image": image}))

        w.files.write("shop", both("web:1"))
        await w.until_settled()
        w.engine.fate("web:2").exit_code = 1
        w.files.write("shop", both("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
        w.engine.fate("db:1").ready_after = 60.0
        w.engine.make_ill("shop_db")
        await w.until(lambda: w.fact("db_ready") == "N")
        before = w.container("shop_web").run
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.fact("web_ready") == "N")
        while w.fact("db_ready") != "Y":
            assert w.container("shop_web").run == before
            await asyncio.sleep(0.1)
        await w.until(lambda: w.container("shop_web").run != before)


async def test_what_serves_beside_a_failing_update_is_never_doubted() -> None:
    async with World() as w:

        def start_first(image: str) -> dict[str, Any]:
            document = shop(image, strategy="start-first")
            del document["cpuxs"]["main"]["design_chunks"][0]["container"]["name"]
            return document

        w.files.write("shop", start_first("web:1"))
        await w.until_settled()
        w.engine.fate("web:2").ready_after = 1e9
        w.files.write("shop", start_first("web:2"))
        facts = set()
        while w.chunk("web")["reason"] != "RolledBack":
            facts.add(w.fact("web_ready"))
            await asyncio.sleep(0.01)
        for _ in range(1000):
            facts.add(w.fact("web_ready"))
            await asyncio.sleep(0.01)
        assert facts == {"Y"}
        w.engine.make_ill(next(iter(w.running())))
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until(lambda: w.fact("web_ready") == "Y")
        assert w.chunk("web")["restarts"] == 1


async def test_one_that_can_not_come_back_is_not_told_to_have_ended_by_itself() -> None:
    async with World() as w:
        ports = {"ports": {"80": "8080"}}
        first = domain(chunk("web", container={"image": "web:1", **ports}))
        w.files.write("shop", first)
        await w.until_settled()
        w.engine.fate("web:2").exit_code, w.engine.fate("web:2").exit_after = 1, 2.0
        second = domain(chunk("web", container={"image": "web:2", "ports": {"80": "8081"}}))
        w.files.write("shop", second)
        await w.until(
            lambda: any(c.image == "web:2" and c.condition is Condition.RUNNING for c in w.engine.containers.values())
        )
        w.engine.plant_container("theirs", port=8080)
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await asyncio.sleep(30.0)
        said = [entry["message"] for entry in w.stores.entries if entry["kind"] == "setback"]
        assert said == ["exit code 1"]
        assert "what holds it back: host port 8080 is held by container theirs" in w.chunk("web")["message"]
        w.engine.remove_by_hand("theirs")
        await w.until(lambda: w.fact("web_ready") == "Y" and w.chunk("web")["reason"] == "RolledBack", limit=30)
