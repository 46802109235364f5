"""Never two writers on one volume: neither in an update, nor where what a file calls the chunk has changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.engine.simulated import Fault, SimulatedEngine
from tests.simulation.world import Stores, World, chunk, domain


def db(value: str, name: str = "db", **more: Any) -> dict[str, Any]:
    container = {"name": None, "volumes": ["/srv/data:/data"], "environment": {"V": value}}
    return chunk(name, container=container, **more)


def running(w: World) -> int:
    return len(w.running())


@pytest.mark.parametrize("away", [None, 0.0, 0.1, 1.0])
async def test_edits_roll_backs_and_lost_memories_never_let_two_run_at_one_time(away: float | None) -> None:
    """``away``: for how long there is no program, which comes back with nothing remembered; what the one before asked
    the engine for may still be under way then."""

    engine = SimulatedEngine(start_seconds=(0.2, 0.6), stop_seconds=(1.0, 3.0))
    async with World(engine) as w:
        w.files.write("shop", domain(db("0")))
        await w.until_settled()
        for number in range(6):
            bad = number % 3 == 2
            engine.fate("bad:1").exit_code = 1
            edited = db(str(number + 1))
            edited["container"]["image"] = "bad:1" if bad else "db:1"
            w.files.write("shop", domain(edited))
            end = asyncio.get_running_loop().time() + 30.0
            looks = 0
            while asyncio.get_running_loop().time() < end:
                looks += 1
                await asyncio.sleep(0.05)
                assert running(w) <= 1
                if away is not None and looks % 40 == 20 and looks < 400:
                    await w.kill()
                    w.stores = Stores()
                    await asyncio.sleep(away)
                    w.start()
                    await asyncio.sleep(0.5)
            wanted = "RolledBack" if bad else "Healthy"
            await w.until(lambda wanted=wanted: w.chunk("db")["reason"] == wanted)  # type: ignore[misc]


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure"])
@pytest.mark.parametrize("bad", [False, True])
async def test_an_engine_restarted_during_an_update_starts_no_second_writer(policy: str, bad: bool) -> None:
    engine = SimulatedEngine(start_seconds=(0.2, 0.3), stop_seconds=(0.2, 0.3))
    engine.fate("bad:1").exit_code, engine.fate("bad:1").exit_after = 1, 3.0
    async with World(engine) as w:
        for moment in range(6):
            edited = db(str(2 * moment))
            edited["container"]["restart"] = policy
            w.files.write("shop", domain(edited))
            await w.until_settled()
            edited["container"]["environment"] = {"V": str(2 * moment + 1)}
            edited["container"]["image"] = "bad:1" if bad else "db:1"
            w.files.write("shop", domain(edited))
            await asyncio.sleep(0.2 + 0.6 * moment)
            engine.strike(Fault(0.0, "reboot", 1.0))
            end = asyncio.get_running_loop().time() + 5.0
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.02)
                assert running(w) <= 1
            await w.until(lambda: w.chunk("db")["reason"] == ("RolledBack" if bad else "Healthy") and running(w) == 1)
            (only,) = w.engine.containers.values()
            assert (only.settings or {})["restart"] == policy


@pytest.mark.parametrize("kind", ["service", "job"])
@pytest.mark.parametrize("name", ["shop_db", None])
async def test_what_somebody_renames_in_the_middle_of_an_update_is_ended_all_the_same(
    kind: str, name: str | None
) -> None:
    """An action goes to the container that it was meant for, whatever that is called by then."""

    engine = SimulatedEngine(start_seconds=(0.02, 0.03), stop_seconds=(0.02, 0.03))
    if kind == "job":
        engine.fate("db:1").exit_code, engine.fate("db:1").exit_after = 0, 600.0
    async with World(engine) as w:
        for moment in range(60):
            edited = db(str(moment), kind=kind)
            edited["container"]["name"] = name
            if kind == "job":
                del edited["health_check"]
            before = set(engine.containers)
            engine.strike(Fault(0.0, "deaf", 2.0))
            w.files.write("shop", domain(edited))
            await asyncio.sleep(0.002 * moment)
            for old in before & set(engine.containers):
                engine.rename_by_hand(engine.containers[old].name, f"by_hand_{moment}")
            await w.until(lambda before=before: running(w) == 1 and not before & set(engine.containers))  # type: ignore[misc]
            await asyncio.sleep(5.0)
        assert engine.double_writers == []


async def test_a_renamed_chunk_begins_when_the_one_of_the_old_name_has_ended() -> None:
    engine = SimulatedEngine(start_seconds=(0.2, 0.6), stop_seconds=(5.0, 8.0))
    async with World(engine) as w:
        w.files.write("shop", domain(db("0")))
        await w.until_settled()
        w.files.write("shop", domain(db("0", "database")))
        said = set()
        while not (w.settled() and w.domain("shop")["generation"] == 2):
            said.add(w.chunk("database")["message"])
            assert running(w) <= 1
            await asyncio.sleep(0.02)
        assert any("which is to go and writes to directory /srv/data" in one for one in said)
        assert w.running() == {"shop-main-database-1"}


@pytest.mark.parametrize("down", [False, True], ids=["while it runs", "while it is down"])
async def test_a_renamed_domain_begins_when_the_one_of_the_old_name_has_ended(down: bool) -> None:
    engine = SimulatedEngine(start_seconds=(0.2, 0.6), stop_seconds=(5.0, 8.0))
    async with World(engine) as w:
        w.files.write("shop", domain(db("0")))
        await w.until_settled()
        if down:
            await w.kill()
        w.files.write("shop", domain(db("0"), name="store"))
        if down:
            w.start()
        await w.until(lambda: "store" in {one["name"] for one in w.view()["domains"]})
        said = set()
        for look in range(1000):
            if down and look == 500:
                assert w.held() == {"shop"}
                w.ask_confirm("shop")
            said.add(w.chunk("db", "store")["message"])
            assert running(w) <= 1
            await asyncio.sleep(0.05)
        assert any("whose file is gone and which writes to directory /srv/data" in one for one in said)
        assert w.running() == {"store-main-db-1"}


async def test_what_shares_a_directory_with_a_domain_whose_removal_is_held_goes_on() -> None:
    async with World() as w:
        shared = {name: domain(db("0"), name=name) for name in ("one", "two", "three", "four")}
        for name, document in shared.items():
            w.files.write(name, document)
        await w.until_settled()
        w.files.remove("one", "two", "three")
        await w.until(lambda: w.held() == {"one", "two", "three"})
        w.engine.die("four-main-db-1")
        w.files.write("four", domain(db("1"), name="four"))
        await w.until(lambda: w.settled("four") and w.domain("four")["generation"] == 2, limit=30)
        assert running(w) == 4


async def test_replicas_that_write_to_one_volume_are_updated_one_by_one() -> None:
    async with World() as w:
        w.files.write("shop", domain(db("0", replicas=3)))
        await w.until_settled()
        w.files.write("shop", domain(db("1", replicas=3)))
        fewest = 3
        while not (w.settled() and w.domain("shop")["generation"] == 2):
            fewest = min(fewest, running(w))
            assert running(w) <= 3
            await asyncio.sleep(0.01)
        assert fewest == 2


@pytest.mark.parametrize(
    "names", [("shop_db", "shop_db"), ("shop_db", None), (None, "shop_db"), ("shop_db", "shop_other")]
)
async def test_an_edit_that_is_taken_back_at_any_moment_starts_no_second_writer(
    names: tuple[str | None, str | None],
) -> None:
    """What was replaced is wanted again while what replaced it comes up, under the same name or another one."""

    engine = SimulatedEngine(start_seconds=(0.02, 0.03), stop_seconds=(0.02, 0.03))
    async with World(engine) as w:
        before, after = db("1"), db("2")
        before["container"]["name"], after["container"]["name"] = names
        for moment in range(60):
            w.files.write("shop", domain(before))
            await w.until_settled()
            w.files.write("shop", domain(after))
            await asyncio.sleep(0.003 * moment)
            w.files.write("shop", domain(before))
            await w.until_settled()
            assert running(w) == 1
        assert engine.double_writers == []
