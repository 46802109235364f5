"""Single stories of the whole loop: updates that are taken back, machines that reboot, gates that close, and others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.daemon.simulation import SimulatedRuntime
from reconciler.engine.simulated import Fault
from tests.simulation.world import STACK, World, chunk, domain


def unnamed(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    """A chunk whose container is named by pnr, so that two of them can run at once."""
    made = chunk(name, *needs, **more)
    del made["container"]["name"]
    return made


def facts_of(w: World, key: str) -> list[str]:
    """Every truth value that the fact had, in their order."""
    return [e["tv"] for e in w.stores.entries if e["kind"] == "fact" and e["fact"].endswith(f"/{key}")]


def with_image(image: str, **more: Any) -> dict[str, Any]:
    return domain(chunk("db", "system_ready"), chunk("api", "db", container={"image": image}, **more))


@pytest.mark.parametrize("seconds", [0.0, 0.004, 0.1, 0.4, 0.8, 2.0, 10.0])
async def test_an_update_that_is_taken_back_half_way_leaves_the_container_that_was_there(seconds: float) -> None:
    async with World() as w:
        w.engine.fate("api:2").ready_after = 60.0
        w.files.write("shop", with_image("api:1"))
        await w.until_settled()
        before = {name: w.container(name).id for name in ("shop_db", "shop_api")}
        w.files.write("shop", with_image("api:2"))
        await asyncio.sleep(seconds)
        w.files.write("shop", with_image("api:1"))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert {c.name: c.id for c in w.engine.containers.values()} == before
        assert w.running() == set(before)


async def test_an_update_that_starts_first_is_taken_back_without_a_pause_in_service() -> None:
    async with World() as w:
        w.engine.fate("api:2").ready_after = 60.0
        w.files.write("shop", domain(unnamed("api", container={"image": "api:1"})))
        await w.until_settled()
        (before,) = w.engine.containers.values()
        w.files.write("shop", domain(unnamed("api", container={"image": "api:2"})))
        await asyncio.sleep(10)
        assert len(w.running()) == 2
        w.files.write("shop", domain(unnamed("api", container={"image": "api:1"})))
        await asyncio.sleep(5)
        await w.until_settled()
        (after,) = w.engine.containers.values()
        assert (after.id, after.run) == (before.id, before.run)


async def test_an_update_that_starts_first_never_leaves_the_service_alone() -> None:
    async with World() as w:
        w.engine.fate("api:2").ready_after = 20.0
        w.files.write("shop", domain(unnamed("api", container={"image": "api:1"}), chunk("web", "api")))
        await w.until_settled()
        (old,) = (c for c in w.engine.containers.values() if c.image == "api:1")
        w.files.write("shop", domain(unnamed("api", container={"image": "api:2"}), chunk("web", "api")))
        await asyncio.sleep(15)
        assert w.engine.containers[old.id].run == old.run
        assert w.chunk("api")["reason"] in ("Probing", "Updating")
        await w.until_settled()
        assert old.id not in w.engine.containers
        assert facts_of(w, "api_ready") == ["Y"]


async def test_an_update_that_fails_under_pause_waits_for_a_person_and_keeps_the_old_one() -> None:
    async with World() as w:
        w.files.write("shop", with_image("api:1", on_failure="pause"))
        await w.until_settled()
        old = w.container("shop_api").id
        fate = w.engine.fate("api:2")
        fate.exit_code, fate.ready_after = 1, 5.0
        w.files.write("shop", with_image("api:2", on_failure="pause"))
        await w.until(lambda: w.chunk("api")["reason"] == "UpdatePaused")
        calls = len(w.engine.calls)
        await asyncio.sleep(3600)
        assert len(w.engine.calls) == calls
        assert old in w.engine.containers
        w.files.write("shop", with_image("api:1", on_failure="pause"))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert w.container("shop_api").id == old


async def test_a_setting_that_was_changed_by_hand_is_put_right() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        others = {name: w.container(name) for name in ("shop_db", "shop_web")}
        w.engine.update_by_hand("shop_api", mem_limit=64 * 1024**2)
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert (w.container("shop_api").settings or {}).get("mem_limit") is None
        assert {name: w.container(name) for name in others} == others


async def test_a_network_that_was_removed_by_hand_comes_back_and_restarts_nobody() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        runs = {name: w.container(name).run for name in w.running()}
        w.engine.remove_network_by_hand("pnr_shop")
        await w.until(lambda: all(set(w.container(name).networks) == {"pnr_shop"} for name in runs))
        await w.until_settled()
        assert {name: w.container(name).run for name in runs} == runs


async def test_after_a_reboot_the_stack_comes_up_in_the_order_of_its_readiness() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        ids = set(w.engine.containers)
        w.engine.calls.clear()
        w.engine.strike(Fault(0.0, "reboot", 30.0))
        await w.until(lambda: "shop_web" in w.running())
        await w.until_settled()
        assert w.order("StartContainer") == [f"StartContainer shop_{name}" for name in ("db", "api", "web")]
        assert set(w.engine.containers) == ids


async def test_what_died_while_the_engine_was_away_is_healed_and_the_rest_is_left_alone() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        runs = {name: w.container(name).run for name in ("shop_db", "shop_web")}
        w.engine.go_down()
        w.engine.die("shop_api")
        await asyncio.sleep(3600)
        w.engine.come_back()
        await w.until(lambda: "shop_api" in w.running())
        await w.until_settled()
        assert {name: w.container(name).run for name in runs} == runs


async def test_a_day_without_the_program_restarts_nothing() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        await asyncio.sleep(1)
        before = dict(w.engine.containers)
        await w.kill()
        await asyncio.sleep(86_400)
        w.start()
        await w.until_settled()
        await asyncio.sleep(120)
        assert w.engine.containers == before


@pytest.mark.parametrize(("policy", "restarts"), [("keep", 0), ("stop", 1), ("restart", 1)])
async def test_a_gate_that_closes_and_opens_again_does_what_the_chunk_says(policy: str, restarts: int) -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("api", "db", on_gate_close=policy)))
        await w.until_settled()
        w.engine.runs.clear()
        w.engine.fate("db:1").ready_after = 30.0
        w.engine.die("shop_db")
        await asyncio.sleep(20)
        assert w.fact("db_ready") == "N"
        assert ("shop_api" in w.running()) == (policy != "stop")
        await w.until_settled()
        await asyncio.sleep(60)
        assert w.engine.runs.count("shop_api") == restarts
        assert w.settled()


async def test_unknown_closes_no_gate() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("api", "db", on_gate_close="stop")))
        await w.until_settled()
        w.engine.go_down()
        await asyncio.sleep(600)
        w.engine.come_back()
        await w.until_settled()
        assert w.engine.runs == ["shop_db", "shop_api"]


async def test_a_failed_job_says_why_is_tried_again_and_opens_the_gate_when_it_succeeds() -> None:
    async with World() as w:
        job = chunk("migrate", "db", kind="job")
        del job["health_check"]
        fate = w.engine.fate("migrate:1")
        fate.exit_code, fate.exit_after = 3, 1.0
        w.files.write("shop", domain(chunk("db", "system_ready"), job, chunk("api", "migrate")))
        await w.until(lambda: w.chunk("migrate")["state"] == "failed")
        await asyncio.sleep(60)
        assert "exit code 3" in w.chunk("migrate")["last_error"]
        assert "simulated output of shop_migrate" in w.chunk("migrate")["last_error"]
        assert "shop_api" not in w.running()
        fate.exit_code = 0
        await w.until_settled()
        assert w.chunk("migrate")["reason"] == "JobSucceeded"


async def test_a_job_runs_again_in_the_next_generation_of_its_own_intent() -> None:
    async with World() as w:
        for value in ("1", "2"):
            job = chunk("migrate", kind="job", container={"environment": {"V": value}})
            del job["health_check"]
            w.files.write("shop", domain(job))
            await asyncio.sleep(0.1)
            await w.until_settled()
        assert w.engine.runs == ["shop_migrate", "shop_migrate"]
        assert len(w.engine.containers) == 1


async def test_dockers_own_health_check_is_taken_at_its_word() -> None:
    async with World() as w:
        db = chunk("db", "system_ready", health_check={"type": "docker"})
        w.engine.fate("db:1").ready_after = 15.0
        w.files.write("shop", domain(db))
        await asyncio.sleep(10)
        assert w.fact("db_ready") == "U"
        await w.until_settled()
        before = w.container("shop_db").run
        w.engine.make_ill("shop_db")
        await w.until(lambda: w.fact("db_ready") == "N", limit=1)
        await w.until_settled()
        assert w.container("shop_db").run != before


async def test_a_simulated_container_answers_its_own_facts_once_it_is_ready() -> None:
    w = World()
    w.runtime = SimulatedRuntime(w.engine)
    async with w:
        w.engine.fate("api:1").ready_after = 20.0
        own = chunk("api", facts=True)
        del own["health_check"]
        w.files.write("shop", domain(own, chunk("web", "api")))
        await asyncio.sleep(10)
        assert "shop_web" not in w.running()
        await w.until_settled(limit=30)


async def test_what_dies_now_and_then_is_started_at_once_every_time() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until_settled()
        for _ in range(30):
            await asyncio.sleep(11 * 60)
            w.engine.die("shop_db")
            await asyncio.sleep(2)
            assert w.settled()


async def test_a_chunk_that_leaves_its_file_goes_alone() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = {name: w.container(name) for name in ("shop_db", "shop_api")}
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("api", "db")))
        await w.until(lambda: w.chunk("web")["state"] == "")
        await w.until_settled()
        assert {c.name: c for c in w.engine.containers.values()} == before


async def test_a_domain_that_comes_back_while_it_is_taken_down_comes_up_again() -> None:
    async with World() as w:
        for pause in (0.0, 0.1, 0.3, 0.6, 1.0):
            w.files.write("shop", STACK)
            await asyncio.sleep(0.1)
            await w.until_settled()
            w.files.remove("shop")
            await asyncio.sleep(pause)
        w.files.write("shop", STACK)
        await asyncio.sleep(1.0)
        await w.until_settled()
        assert w.running() == {"shop_db", "shop_api", "shop_web"}


async def test_hints_that_come_twice_late_and_in_any_order_do_no_harm() -> None:
    async with World() as w:
        w.engine.strike(Fault(0.0, "stutter", 120.0))
        w.files.write("shop", STACK)
        await w.until_settled()
        for name in ("shop_db", "shop_api", "shop_web"):
            w.engine.die(name)
        await asyncio.sleep(30)
        await w.until_settled()
        assert sorted(w.engine.runs) == sorted(["shop_db", "shop_api", "shop_web"] * 2)


def limited(megabytes: int, **more: Any) -> dict[str, Any]:
    """A database whose container may use so much memory."""
    return domain(chunk("db", container={"mem_limit": f"{megabytes}m"}, **more))


def causes(w: World) -> list[str]:
    """Why work was begun, in its order."""
    return [e["message"] for e in w.stores.entries if e["kind"] == "work"]


async def test_a_limit_that_was_changed_by_hand_is_set_back_in_place_and_named() -> None:
    async with World() as w:
        w.files.write("shop", limited(64))
        await w.until_settled()
        before = w.container("shop_db")
        w.engine.update_by_hand("shop_db", mem_limit=128 * 1024**2)
        await w.until(lambda: (w.container("shop_db").settings or {})["mem_limit"] == 64 * 1024**2)
        await w.until_settled()
        after = w.container("shop_db")
        assert (after.id, after.run) == (before.id, before.run)
        assert "mem_limit: 64m declared, 128m found" in causes(w)
        assert "U" not in facts_of(w, "db_ready")[1:]


async def test_a_limit_that_is_declared_anew_changes_the_container_that_runs() -> None:
    async with World() as w:
        w.files.write("shop", limited(64))
        await w.until_settled()
        before = w.container("shop_db")
        w.files.write("shop", limited(128))
        await w.until(lambda: (w.container("shop_db").settings or {})["mem_limit"] == 128 * 1024**2)
        await w.until_settled()
        after = w.container("shop_db")
        assert (after.id, after.run) == (before.id, before.run)
        calls = len(w.engine.calls)
        await w.kill()
        w.start()
        await w.until_settled()
        await asyncio.sleep(600)
        assert [c.text for c in w.engine.calls[calls:]] == []


async def test_a_container_that_the_engine_will_not_change_is_replaced() -> None:
    async with World() as w:
        w.engine.fate("db:1").unchangeable = True
        w.files.write("shop", limited(64))
        await w.until_settled()
        before = w.container("shop_db")
        w.files.write("shop", limited(128))
        await w.until(lambda: w.container("shop_db").id != before.id)
        await w.until_settled()
        assert (w.container("shop_db").settings or {})["mem_limit"] == 128 * 1024**2
        assert len(w.engine.containers) == 1


async def test_drift_that_is_to_be_ignored_is_left_alone() -> None:
    async with World() as w:
        w.files.write("shop", limited(64, ignore_drift=["mem_limit"]))
        await w.until_settled()
        calls = len(w.engine.calls)
        w.engine.update_by_hand("shop_db", mem_limit=128 * 1024**2)
        await asyncio.sleep(600)
        assert (w.container("shop_db").settings or {})["mem_limit"] == 128 * 1024**2
        assert len(w.engine.calls) == calls
