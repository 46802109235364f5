"""The whole loop on the simulated engine: order, healing, updates, removal."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from reconciler.facts import TV, Pnr
from reconciler.intent.model import ChunkId
from tests.simulation.world import STACK, World, chunk, domain


async def test_a_stack_comes_up_in_the_order_of_its_readiness() -> None:
    async with World() as w:
        w.engine.fate("db:1").ready_after = 20.0
        w.files.write("shop", STACK)
        await w.until(lambda: "shop_db" in w.running())
        await asyncio.sleep(10)
        assert w.running() == {"shop_db"}
        assert w.chunk("api")["reason"] == "WaitingForGatekeeper"
        await w.until_settled()
        assert w.order("StartContainer") == [
            "StartContainer shop_db",
            "StartContainer shop_api",
            "StartContainer shop_web",
        ]
        assert w.fact("web_ready") == "Y"


async def test_nothing_is_done_once_everything_is_as_it_should_be() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        calls, passes = len(w.engine.calls), w.controller.passes if w.controller else 0
        await asyncio.sleep(3600)
        assert len(w.engine.calls) == calls
        assert w.controller is not None
        # The resync of every minute, and the probes of three chunks that change nothing.
        assert w.controller.passes - passes < 200


@pytest.mark.parametrize("what", ["die", "stop_by_hand", "remove_by_hand", "pause_by_hand"])
async def test_a_container_that_is_tampered_with_is_put_right(what: str) -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        others = {n: w.container(n).run for n in ("shop_db", "shop_web")}
        getattr(w.engine, what)("shop_api")
        await asyncio.sleep(0.05)
        await w.until_settled()
        assert "shop_api" in w.running()
        assert {n: w.container(n).run for n in others} == others


async def test_a_renamed_container_gets_its_name_back_without_a_restart() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = w.container("shop_api").run
        w.engine.rename_by_hand("shop_api", "elsewhere")
        await asyncio.sleep(1)
        await w.until_settled()
        assert w.container("shop_api").run == before


async def test_a_disconnected_container_is_connected_again_without_a_restart() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = w.container("shop_api").run
        w.engine.disconnect_by_hand("shop_api", "pnr_shop")
        await asyncio.sleep(1)
        assert "pnr_shop" in w.container("shop_api").networks
        assert w.container("shop_api").run == before


async def test_what_no_event_told_is_found_within_a_minute() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.engine.weather.deaf_until = 1e9
        w.engine.remove_by_hand("shop_web")
        await asyncio.sleep(62)
        await w.until_settled()
        assert "shop_web" in w.running()


async def test_a_fact_says_no_as_soon_as_its_container_has_died_and_yes_once_it_is_back() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.engine.die("shop_db")
        await w.until(lambda: w.fact("db_ready") == "N", limit=1)
        await w.until(lambda: w.fact("db_ready") == "Y")
        assert w.chunk("api")["state"] == "completed"


async def test_a_maintenance_page_waits_for_a_no() -> None:
    async with World() as w:
        page = chunk("page", "api=N", on_gate_close="stop")
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("api", "db"), page))
        await w.until(lambda: w.chunk("api")["state"] == "completed")
        assert "shop_page" not in w.running()
        w.engine.make_ill("shop_api")
        w.engine.fate("api:1").ready_after = 60.0
        await w.until(lambda: "shop_page" in w.running())
        await w.until(lambda: w.fact("api_ready") == "Y")
        await w.until(lambda: "shop_page" not in w.running())
        assert w.chunk("page")["state"] == "ready"


async def test_an_unhealthy_container_is_restarted() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = w.container("shop_api").run
        w.engine.make_ill("shop_api")
        await w.until(lambda: w.container("shop_api").run != before)
        await w.until_settled()
        assert w.chunk("api")["restarts"] == 1


async def test_a_crash_loop_backs_off_up_to_five_minutes_and_says_why() -> None:
    async with World() as w:
        fate = w.engine.fate("db:1")
        fate.exit_code, fate.exit_after, fate.ready_after = 3, 0.1, 1.0
        w.files.write("shop", STACK)
        await asyncio.sleep(3600)
        starts = [c.at for c in w.engine.calls if c.text == "StartContainer shop_db"]
        gaps = [b - a for a, b in itertools.pairwise(starts)]
        assert gaps[0] < 2
        assert 260 < gaps[-1] < 340
        assert len(starts) < 25
        assert w.chunk("db")["state"] in ("failed", "executing")
        assert "exit code 3" in w.chunk("db")["last_error"]
        assert "simulated output" in w.chunk("db")["exit"]["output"]
        fate.exit_code = None
        await w.until_settled()


async def test_setbacks_are_forgotten_after_ten_minutes_of_health() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until_settled()
        for _ in range(4):
            w.engine.die("shop_db")
            await asyncio.sleep(0.05)
            await w.until_settled()
        await asyncio.sleep(700)
        w.engine.die("shop_db")
        await asyncio.sleep(2)
        assert w.settled()


async def test_a_foreign_container_under_a_wanted_name_is_left_alone_and_waited_for() -> None:
    async with World() as w:
        foreign = w.engine.plant_container("shop_db")
        w.files.write("shop", STACK)
        await w.until(lambda: w.chunk("db")["reason"] == "NameConflict")
        assert foreign.id[:12] in w.chunk("db")["message"]
        await asyncio.sleep(600)
        assert w.engine.containers[foreign.id] == foreign
        w.engine.remove_by_hand("shop_db")
        await w.until_settled(limit=30)


async def test_a_held_port_names_its_holder_and_is_taken_when_it_is_free() -> None:
    async with World() as w:
        w.engine.plant_container("squatter", port=8080)
        db = chunk("db", "system_ready", container={"ports": {"80": "8080"}})
        w.files.write("shop", domain(db))
        await w.until(lambda: w.chunk("db")["reason"] == "PortInUse")
        assert "squatter" in w.chunk("db")["message"]
        await asyncio.sleep(1000)
        w.engine.die("squatter")
        await w.until_settled(limit=30)


async def test_a_cpux_whose_gate_can_never_open_is_stalled() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("page", "db=N")))
        await w.until(lambda: bool(w.domain("shop")["stalled"]))
        assert "db_ready" in w.chunk("page")["message"]
        assert not w.settled()


async def test_facts_of_another_domain_can_be_waited_for() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("web", "infra/main/db_ready")))
        await asyncio.sleep(30)
        assert w.chunk("web")["state"] == "ready"
        infra = chunk("db", "system_ready", container={"name": "infra_db"})
        w.files.write("infra", domain(infra, name="infra"))
        await w.until_settled()


async def test_rt_state_holds_from_the_start() -> None:
    async with World() as w:
        document = domain(chunk("web", "licence"))
        facts = {"licence_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}}
        document["cpuxs"]["main"]["rt_state"] = facts
        w.files.write("shop", document)
        await w.until_settled()


async def test_a_job_runs_once_and_opens_the_gate_of_others() -> None:
    async with World() as w:
        job = chunk("migrate", "db", kind="job")
        del job["health_check"]
        fate = w.engine.fate("migrate:1")
        fate.exit_code, fate.exit_after = 0, 5.0
        w.files.write("shop", domain(chunk("db", "system_ready"), job, chunk("api", "migrate")))
        await w.until_settled()
        assert w.chunk("migrate")["reason"] == "JobSucceeded"
        await asyncio.sleep(3600)
        assert w.order("StartContainer").count("StartContainer shop_migrate") == 1


async def test_a_container_answers_its_own_facts() -> None:
    async with World() as w:
        own = chunk("api", facts=True)
        del own["health_check"]
        w.files.write("shop", domain(own, chunk("web", "api")))
        await w.until(lambda: "shop_api" in w.running())
        await asyncio.sleep(60)
        assert "shop_web" not in w.running()
        id = ChunkId("shop", "main", "api")
        w.spoken.say(id, api_ready=Pnr("?", ("yes",), TV.Y), web_ready=Pnr("?", ("yes",), TV.Y))
        await w.until_settled()
        w.spoken.say(id, api_ready=Pnr("?", ("no",), TV.N))
        await w.until(lambda: w.fact("api_ready") == "N", limit=1)


async def test_the_engine_going_away_restarts_nothing() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        calls = len(w.engine.calls)
        w.engine.go_down()
        await w.until(lambda: w.chunk("db")["reason"] == "EngineUnavailable")
        assert w.fact("db_ready") == "U"
        await asyncio.sleep(600)
        w.engine.come_back()
        await w.until(lambda: w.fact("web_ready") == "Y")
        assert len(w.engine.calls) == calls


@pytest.mark.timeout(900)
async def test_a_hundred_domains_of_ten_come_up_without_melting_the_loop() -> None:
    async with World() as w:
        for d in range(100):
            chunks = [
                chunk(f"c{n}", *([f"c{n - 1}"] if n else []), container={"name": f"d{d}_c{n}", "image": "x:1"})
                for n in range(10)
            ]
            w.files.write(f"d{d}", domain(*chunks, name=f"d{d}"))
        await asyncio.sleep(60)
        assert w.settled()
        assert len(w.running()) == 1000
