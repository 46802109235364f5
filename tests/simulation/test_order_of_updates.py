"""A change of several chunks is made in their order: who is needed comes first, and is up again before the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulation.world import World, chunk, domain


def shop(version: str, *, db: dict[str, Any] | None = None, migrate: dict[str, Any] | None = None) -> dict[str, Any]:
    """A database, what migrates it, and what uses both."""

    def of(name: str, *needs: str, **more: Any) -> dict[str, Any]:
        own = more.pop("container", {})
        return chunk(name, *needs, container={"environment": {"V": version}, **own}, **more)

    return domain(
        of("api", "migrate", "db"),
        of("migrate", "db", kind="job", health_check=None, **(migrate or {})),
        of("db", **(db or {})),
    )


def told(w: World) -> list[str]:
    """The journal: starts and ends of containers, and facts."""
    return [str(entry["message"]) for entry in w.stores.entries if entry["kind"] in ("action", "fact")]


def last(w: World, *endings: str) -> int:
    """Where the journal tells for the last time of something that has all these words."""
    return max((n for n, line in enumerate(told(w)) if all(word in line for word in endings)), default=-1)


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_migration_runs_once_the_new_database_is_up_and_its_users_follow(
    strategy: str,
) -> None:
    def version(number: str) -> dict[str, Any]:
        unnamed = {"name": None} if strategy == "start-first" else {}
        return shop(number, db={"strategy": strategy, "container": {"environment": {"V": number}, **unnamed}})

    async with World() as w:
        w.engine.fate("db:1").ready_after = 3.0
        w.files.write("shop", version("1"))
        await w.until_settled()
        database = w.chunk("db")["replicas"][0]["container"]
        runs = w.order("StartContainer").count("StartContainer shop_migrate")
        w.files.write("shop", version("2"))
        await w.until(lambda: w.chunk("migrate")["state"] == "ready")
        await asyncio.sleep(2)
        assert "db" in w.chunk("migrate")["message"]
        assert w.chunk("migrate")["state"] == "ready"
        await w.until_settled()
        assert w.order("StartContainer").count("StartContainer shop_migrate") == runs + 1
        started, migrating = last(w, "started container", database), last(w, "started container", "shop_migrate")
        assert started < last(w, "removed container", f"{database}.pnr-previous") < migrating
        assert migrating < last(w, "migrate_ready", "-> Y") < last(w, "stopped container", "shop_api")
        if strategy == "stop-first":
            assert started < last(w, "db_ready", "-> Y") < migrating


async def test_what_waits_for_a_job_waits_until_it_has_run_anew() -> None:
    async with World() as w:
        fate = w.engine.fate("migrate:1")
        fate.exit_code, fate.exit_after = 0, 20.0
        w.files.write("shop", shop("1"))
        await w.until_settled()
        w.files.write("shop", shop("2"))
        await w.until(lambda: w.chunk("migrate")["reason"] == "RunningJob")
        await asyncio.sleep(10)
        assert w.chunk("migrate")["reason"] == "RunningJob"
        assert "the update waits" in w.chunk("api")["message"]
        await w.until_settled()


async def test_an_update_that_fails_keeps_nobody_waiting() -> None:
    async with World() as w:
        w.files.write("shop", shop("1"))
        await w.until_settled()
        w.engine.fate("db:2").ready_after = 1e9
        check = {"type": "tcp", "port_key": "80", "deadline_seconds": 5}
        broken = {"container": {"image": "db:2", "environment": {"V": "2"}}, "health_check": check}
        w.files.write("shop", shop("2", db=broken))
        await w.until(lambda: w.chunk("db")["reason"] == "RolledBack")
        await w.until(lambda: w.chunk("api")["state"] == "completed", limit=60)
        assert w.chunk("migrate")["state"] == "completed"


async def test_an_image_that_can_not_be_had_keeps_nobody_waiting() -> None:
    async with World() as w:
        w.files.write("shop", shop("1"))
        await w.until_settled()
        w.engine.fate("db:2").missing = True
        w.files.write("shop", shop("2", db={"container": {"image": "db:2", "environment": {"V": "2"}}}))
        await w.until(lambda: w.chunk("db")["reason"] == "ImagePullFailed")
        await w.until(lambda: w.chunk("api")["state"] == "completed", limit=60)
        assert w.chunk("migrate")["state"] == "completed"
        assert w.fact("db_ready") == "Y"


async def test_those_who_need_each_other_do_not_wait_for_each_other() -> None:
    def pair(version: str, *, gated: bool = True) -> dict[str, Any]:
        more: dict[str, Any] = {"container": {"environment": {"V": version}}}
        made = domain(chunk("a", *(["b"] if gated else []), **more), chunk("b", "a", **more))
        # From the start, so that it is no cycle that nobody could begin.
        made["cpuxs"]["main"]["rt_state"] = {"b_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}}
        return made

    async with World() as w:
        w.files.write("shop", pair("1", gated=False))
        await w.until_settled()
        w.files.write("shop", pair("1"))
        await asyncio.sleep(1)
        await w.until_settled()
        w.files.write("shop", pair("2"))
        await asyncio.sleep(1)
        await w.until_settled(limit=60)
        assert w.made("shop_a") >= 2


async def test_what_waits_for_a_gate_keeps_nobody_waiting() -> None:
    def stack(version: str, *needs: str) -> dict[str, Any]:
        more: dict[str, Any] = {"container": {"environment": {"V": version}}}
        return domain(chunk("db", *needs, **more), chunk("api", "db", **more))

    async with World() as w:
        w.files.write("shop", stack("1"))
        await w.until_settled()
        w.files.write("shop", stack("2", "other/main/never"))
        await w.until(lambda: "the update waits" in w.chunk("db")["message"])
        await w.until(lambda: w.chunk("api")["state"] == "completed", limit=60)
        assert w.made("shop_api") == 2
        assert w.made("shop_db") == 1


async def test_what_is_new_waits_for_the_change_of_what_it_needs() -> None:
    async with World() as w:
        w.engine.fate("db:1").ready_after = 5.0
        w.files.write("shop", domain(chunk("db")))
        await w.until_settled()
        w.files.write("shop", domain(chunk("api", "db"), chunk("db", container={"environment": {"V": "2"}})))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert (
            last(w, "started container", "shop_db") < last(w, "db_ready", "-> Y") < last(w, "created container", "api")
        )
