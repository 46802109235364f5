"""What ends by itself again and again is in a crash loop, whoever starts it again: it is not called up, and nobody is
told that it is, before it has run for longer than it did."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.engine.protocol import EngineError, RunOutput
from reconciler.engine.simulated import SimulatedEngine
from reconciler.engine.simulated.faults import Fault
from reconciler.planner.observed import Condition, Container
from tests.simulation.world import World, chunk, domain

WEB = "shop_web"


def shop(image: str = "web:1", **more: Any) -> dict[str, Any]:
    return domain(chunk("web", **{"health_check": None, "container": {"image": image}, **more}), chunk("api", "web"))


def crashing(w: World, image: str, after: float, *, by_engine: bool) -> None:
    fate = w.engine.fate(image)
    fate.exit_code, fate.exit_after, fate.restarts = 3, after, by_engine


async def watch(w: World, seconds: float, step: float = 0.17) -> set[tuple[str, str, str]]:
    """All that the chunk and its fact were in this time."""
    seen: set[tuple[str, str, str]] = set()
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        seen.add((w.chunk("web")["state"], w.chunk("web")["reason"], w.fact("web_ready")))
        await asyncio.sleep(step)
    return seen


async def until_looping(w: World) -> None:
    await w.until(lambda: w.chunk("web")["reason"] == "CrashLooping")


by_whom = pytest.mark.parametrize("by_engine", [False, True], ids=["we-restart", "engine-restarts"])


@by_whom
@pytest.mark.parametrize("after", [0.2, 2.0, 20.0, 100.0])
async def test_three_ends_within_ten_minutes_are_a_loop_that_is_never_called_up(after: float, by_engine: bool) -> None:
    async with World() as w:
        crashing(w, "web:1", after, by_engine=by_engine)
        w.files.write("shop", shop())
        await until_looping(w)
        seen = await watch(w, 60.0 + 3 * after, 0.13 + after / 100)
        assert {state for state, _, _ in seen} <= {"failed", "executing", "ready"}
        assert {fact for _, _, fact in seen} <= {"N", "U"}
        assert ("failed", "CrashLooping", "N") in seen
        assert w.chunk("web")["crashes"] >= 3
        assert w.chunk("web")["restarts"] >= 2
        said = w.chunk("web")["message"]
        assert "ended by itself" in said or w.chunk("web")["reason"] != "CrashLooping"
        assert w.chunk("web")["exit"]["code"] == 3
        ends = w.chunk("web")["crashes"]
        assert f"ended by itself {ends} times" in w.chunk("web")["last_error"]
        assert "exit code 3" in w.chunk("web")["last_error"]
        assert "simulated output" in w.chunk("web")["exit"]["output"]


@by_whom
async def test_while_it_runs_again_it_executes_and_says_what_it_waits_for(by_engine: bool) -> None:
    async with World() as w:
        crashing(w, "web:1", 60.0, by_engine=by_engine)
        w.files.write("shop", shop())
        await until_looping(w)
        await w.until(lambda: w.chunk("web")["state"] == "executing" and w.chunk("web")["reason"] == "CrashLooping")
        assert "counts as up once it has been up for 75 s" in w.chunk("web")["message"]
        assert "exit code 3" in w.chunk("web")["message"]


@by_whom
@pytest.mark.parametrize("checked", [False, True], ids=["no-check", "checked"])
async def test_it_is_out_of_the_loop_once_it_has_been_up_for_longer_than_it_was(by_engine: bool, checked: bool) -> None:
    async with World() as w:
        crashing(w, "web:1", 20.0, by_engine=by_engine)
        more: dict[str, Any] = {"health_check": {"type": "tcp", "port_key": "80"}} if checked else {}
        w.files.write("shop", shop(**more))
        await until_looping(w)
        w.engine.fate("web:1").exit_code = None
        await w.until(lambda: w.engine.is_ready(w.container("shop_web").id), limit=900)
        w.engine.cancel_fate("shop_web")
        before = asyncio.get_running_loop().time()
        await w.until(lambda: w.chunk("web")["state"] == "completed", limit=900)
        assert asyncio.get_running_loop().time() - before >= 20.0
        assert w.fact("web_ready") == "Y"
        await w.until_settled()
        await asyncio.sleep(700)
        assert w.chunk("web")["crashes"] == 0


class Slow(SimulatedEngine):
    """Hands over output late, or not at all; each run prints a line of its own."""

    late = 3.0
    fails = False
    is_sure = True

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.known_ends: list[float | None] = []

    async def output_of_run(self, ended: Container, after: float | None, limit_bytes: int) -> RunOutput:
        """As late as told."""
        self.known_ends.append(after)
        await asyncio.sleep(self.late)
        if self.fails:
            raise EngineError("the log driver hands over nothing")
        return RunOutput(f"said in run {ended.run}", is_its_own=self.is_sure)


@by_whom
@pytest.mark.parametrize("fails", [False, True], ids=["late", "never"])
async def test_what_a_run_printed_is_told_of_that_run_and_never_that_it_printed_nothing(
    by_engine: bool, fails: bool
) -> None:
    engine = Slow()
    engine.fails = fails
    told = set()
    async with World(engine) as w:
        crashing(w, "web:1", 0.5, by_engine=by_engine)
        w.files.write("shop", shop())
        end = asyncio.get_running_loop().time() + 60
        while asyncio.get_running_loop().time() < end:
            assert w.controller is not None
            record = next((r for id, r in w.controller.known.chunks.items() if id.chunk == "web"), None)
            if record is not None and record.ending is not None:
                assert record.ending.output in (None, f"said in run {record.ending.run}")
                told |= {"its own"} if record.ending.output else {"earlier"} if record.ending.earlier else set()
                assert "printed nothing" not in explain(w.view(), "web")
            await asyncio.sleep(0.1)
    assert bool(told) is not fails


async def test_what_can_not_be_told_of_one_run_is_in_the_journal_as_one_of_its_runs() -> None:
    engine = Slow()
    engine.late, engine.is_sure = 0.1, False
    async with World(engine) as w:
        crashing(w, "web:1", 0.5, by_engine=True)
        w.files.write("shop", shop())
        await until_looping(w)
        await asyncio.sleep(10)
        said = [e["message"] for e in w.stores.entries if e["kind"] == "output"]
        assert any(text.startswith("one of its runs said last: said in run") for text in said)
        assert ", in this run or one before: said in run" in explain(w.view(), "web").splitlines()[0]


async def test_of_a_first_run_it_is_known_that_no_other_has_printed_before_it() -> None:
    """Else what is found late of an update that failed could be another run's, and would go with its container."""

    engine = Slow()
    async with World(engine) as w:
        w.files.write("shop", shop())
        await w.until_settled()
        engine.fate("bad:1").exit_code, engine.fate("bad:1").exit_after = 3, 0.5
        w.files.write("shop", shop("bad:1"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=900)
        assert engine.known_ends[0] == 0.0
        assert "it said: said in run" in w.chunk("web")["message"]


@by_whom
@pytest.mark.parametrize("after", [6.0, 20.0])
@pytest.mark.parametrize("type", ["tcp", "docker"])
async def test_answers_that_come_late_on_a_starved_machine_do_not_make_it_up(
    by_engine: bool, after: float, type: str
) -> None:
    """Each run is healthy for some seconds. That nobody has heard of its end yet does not make it longer."""

    async with World() as w:
        crashing(w, "web:1", after, by_engine=by_engine)
        w.engine.fate("web:1").restarts_after = 0.05
        check = {"type": type, "interval_seconds": 1, **({"port_key": "80"} if type == "tcp" else {})}
        w.files.write("shop", shop(health_check=check))
        await until_looping(w)
        end = asyncio.get_running_loop().time() + 240.0
        w.engine.weather.stuttering_until = end
        w.engine.strike(Fault(0.0, "starved", 240.0))
        w.engine.strike(Fault(0.0, "late", 240.0))
        seen = await watch(w, 240.0, 0.05)
        assert "completed" not in {state for state, _, _ in seen}
        assert "Y" not in {fact for _, _, fact in seen}
        w.engine.fate("web:1").exit_code = None
        await w.until_settled(limit=900)


@by_whom
async def test_a_restart_of_the_program_forgets_no_loop(by_engine: bool) -> None:
    async with World() as w:
        crashing(w, "web:1", 20.0, by_engine=by_engine)
        w.files.write("shop", shop())
        await until_looping(w)
        rng = random.Random(1)
        for _ in range(8):
            await asyncio.sleep(rng.uniform(1.0, 40.0))
            await w.kill()
            await asyncio.sleep(rng.uniform(0.0, 60.0))
            w.start()
            seen = await watch(w, 30.0)
            assert "completed" not in {state for state, _, _ in seen}
            assert "Y" not in {fact for _, _, fact in seen}
        assert w.chunk("web")["crashes"] >= 4


async def test_ends_that_nobody_saw_count_by_the_engines_own_count() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        w.engine.weather.deaf_until = asyncio.get_running_loop().time() + 1e6
        crashing(w, "web:1", 2.0, by_engine=True)
        w.engine.fate("web:1").restarts_after = 0.01
        w.engine.doom("shop_web")
        seen = await watch(w, 200.0)
        assert any(reason == "CrashLooping" for _, reason, _ in seen)
        assert w.chunk("web")["crashes"] >= 10


async def test_a_kill_for_memory_that_the_engine_missed_is_told_as_those_before() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        for flagged in (True, False, True, False):
            run = w.container("shop_web").run
            w.engine.die("shop_web", 137, oom=flagged)
            await w.until(lambda run=run: w.container("shop_web").run != run)  # type: ignore[misc]
            await w.until(lambda: "killed for lack of memory" in w.chunk("web")["last_error"])
        assert w.chunk("web")["reason"] == "CrashLooping"
        w.engine.die("shop_web", 3)
        await w.until(lambda: "exit code 3" in w.chunk("web")["message"])


@by_whom
async def test_a_kill_by_nobody_known_is_told_beside_the_limit_of_memory(by_engine: bool) -> None:
    async with World() as w:
        crashing(w, "web:1", 0.2, by_engine=by_engine)
        w.engine.fate("web:1").exit_code = 137
        w.files.write("shop", shop(container={"image": "web:1", "mem_limit": "16m"}))
        await until_looping(w)
        likely = "most likely killed for lack of memory (exit code 137): it wanted more than its limit of 16 MiB"
        assert likely in w.chunk("web")["last_error"]


async def test_a_kill_by_somebody_is_not_told_as_one_for_memory() -> None:
    async with World() as w:
        w.files.write("shop", shop(container={"image": "web:1", "mem_limit": "16m"}))
        await w.until_settled()
        run = w.container(WEB).run
        w.engine.stop_by_hand(WEB, exit_code=137)
        await w.until(lambda: w.container(WEB).run != run)
        await w.until_settled()
        assert not any("lack of memory" in str(entry.get("message")) for entry in w.stores.entries)


async def test_an_update_that_crashes_is_given_up_also_where_the_engine_restarts_it() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        before = w.container("shop_web").id
        crashing(w, "web:2", 0.4, by_engine=True)
        w.files.write("shop", shop("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=60)
        assert w.container("shop_web").id == before
        assert "ended by itself 3 times" in w.chunk("web")["message"]
        assert "exit code 3" in w.chunk("web")["message"]


async def test_what_an_update_printed_is_told_though_nobody_saw_it_end() -> None:
    """Its engine starts it again before anybody has looked, and then it is taken away."""

    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        crashing(w, "web:2", 0.4, by_engine=True)
        w.engine.fate("web:2").restarts_after = 0.01
        w.engine.weather.deaf_until = asyncio.get_running_loop().time() + 1e6
        w.files.write("shop", shop("web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=120)
        assert "its exit code is not known" in w.chunk("web")["message"]
        said = [e["message"] for e in w.stores.entries if e["kind"] == "output"]
        assert any("simulated output" in text for text in said)


async def test_a_person_who_asks_has_it_tried_at_once_and_not_called_up_at_once() -> None:
    async with World() as w:
        crashing(w, "web:1", 20.0, by_engine=False)
        w.files.write("shop", shop())
        await until_looping(w)
        for _ in range(5):
            w.ask_apply()
            seen = await watch(w, 60.0)
            assert "completed" not in {state for state, _, _ in seen}
            assert "Y" not in {fact for _, _, fact in seen}


async def test_a_changed_container_begins_anew() -> None:
    async with World() as w:
        crashing(w, "web:1", 20.0, by_engine=False)
        w.files.write("shop", shop())
        await until_looping(w)
        w.files.write("shop", shop("web:2"))
        await w.until_settled(limit=30)


@pytest.mark.parametrize("after", [0.05, 2.0])
async def test_an_edit_heals_a_loop_in_which_the_engine_is_about_to_start_it_again(after: float) -> None:
    async with World() as w:
        crashing(w, "web:1", after, by_engine=True)
        w.engine.fate("web:1").restarts_after = 20.0
        nameless = {"strategy": "start-first"}
        w.files.write("shop", shop(container={"image": "web:1", "name": None}, **nameless))
        await until_looping(w)
        await w.until(lambda: w.container("shop-main-web-1").condition is Condition.RESTARTING)
        w.files.write("shop", shop(container={"image": "web:2", "name": None}, **nameless))
        await w.until(lambda: w.settled() and w.container("shop-main-web-1").image == "web:2", limit=30)
        assert len([c for c in w.engine.containers.values() if c.image.startswith("web")]) == 1


async def test_what_a_run_of_ten_minutes_ended_with_is_no_measure() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        await asyncio.sleep(3600)
        for _ in range(3):
            w.engine.die("shop_web", 1)
            await w.until(lambda: "shop_web" in w.running())
            await asyncio.sleep(1.0)
        assert w.chunk("web")["reason"] == "CrashLooping"
        await w.until_settled(limit=30)


async def test_what_we_stop_ourselves_is_no_end_by_itself() -> None:
    async with World() as w:
        check = {"type": "tcp", "port_key": "80"}
        w.files.write("shop", shop(health_check=check))
        await w.until_settled()
        for _ in range(4):
            w.engine.make_ill("shop_web")
            await w.until(lambda: not w.settled())
            await w.until_settled()
        assert w.chunk("web")["crashes"] == 0


async def test_what_a_person_stops_is_no_end_by_itself() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        for _ in range(6):
            await asyncio.sleep(20)
            w.engine.stop_by_hand("shop_web")
            await w.until(lambda: not w.settled(), limit=5)
            await w.until_settled(limit=60)
        assert w.chunk("web")["crashes"] == 0


async def test_work_that_fails_is_no_loop() -> None:
    async with World() as w:
        crashing(w, "web:1", 1.0, by_engine=False)
        job = shop(kind="job")
        w.files.write("shop", job)
        await w.until(lambda: w.chunk("web").get("attempts", 0) >= 5)
        assert w.chunk("web")["reason"] != "CrashLooping"
        assert w.chunk("web")["crashes"] == 0
