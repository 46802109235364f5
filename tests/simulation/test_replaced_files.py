"""Files of the host that containers have mounted one by one are replaced by others, in every way and at every time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from reconciler.controller.host_files import LONGEST_PAUSE_SECONDS
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container
from tests.simulation.world import World, chunk, domain

CONF = "/srv/app.conf"
NAMELESS = "shop-main-web-1"
QUIET_SECONDS = 30.0


def web(**more: Any) -> dict[str, Any]:
    made = chunk("web", "system_ready", container={"volumes": [f"{CONF}:/etc/app.conf:ro"]}, **more)
    if more.get("strategy") == "start-first":
        del made["container"]["name"]
    return made


async def _settled(w: World, *chunks: dict[str, Any]) -> None:
    w.engine.replace_file(CONF, "one")
    w.files.write("shop", domain(*(chunks or (web(),))))
    await w.until_settled()


def _has(w: World, name: str = "shop_web") -> str:
    return w.engine.has_file(name, "/etc/app.conf")


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_replaced_file_is_brought_into_the_container_once(strategy: str) -> None:
    async with World() as w:
        await _settled(w, web(strategy=strategy))
        name = "shop_web" if strategy == "stop-first" else NAMELESS
        before = w.container(name).id
        w.engine.replace_file(CONF, "two")
        await w.until(lambda: name in w.running() and _has(w, name) == "two", limit=QUIET_SECONDS)
        await w.until_settled()
        assert w.container(name).id != before
        calls = len(w.engine.calls)
        await asyncio.sleep(900.0)
        assert len(w.engine.calls) == calls
        assert len(w.engine.containers) == 1


async def test_what_the_container_sees_anyway_is_no_reason_to_act() -> None:
    async with World() as w:
        await _settled(w)
        calls = len(w.engine.calls)
        w.engine.rewrite_file(CONF, "two")
        await asyncio.sleep(QUIET_SECONDS)
        w.engine.replace_file(CONF, "two")
        await asyncio.sleep(QUIET_SECONDS)
        assert len(w.engine.calls) == calls


async def test_a_file_that_is_gone_for_a_moment_is_waited_for_and_told_when_it_stays_away() -> None:
    async with World() as w:
        await _settled(w)
        calls = len(w.engine.calls)
        del w.engine.host_files[CONF]
        await asyncio.sleep(QUIET_SECONDS)
        assert w.domain("shop")["notes"] == []
        await w.until(lambda: bool(w.domain("shop")["notes"]), limit=60.0)
        assert f"{CONF} is gone from the host" in w.domain("shop")["notes"][0]
        assert len(w.engine.calls) == calls
        w.engine.replace_file(CONF, "two")
        await w.until(lambda: "shop_web" in w.running() and _has(w) == "two", limit=QUIET_SECONDS)
        await w.until_settled()
        assert w.domain("shop")["notes"] == []


async def test_a_file_that_is_replaced_while_nobody_looks_is_found_at_the_next_start() -> None:
    async with World() as w:
        await _settled(w)
        await w.kill()
        w.engine.replace_file(CONF, "two")
        await asyncio.sleep(3600.0)
        w.start()
        await w.until(lambda: "shop_web" in w.running() and _has(w) == "two", limit=QUIET_SECONDS)
        await w.until_settled()


async def test_a_restart_by_others_brings_the_file_along() -> None:
    async with World() as w:
        await _settled(w)
        await w.kill()
        w.engine.replace_file(CONF, "two")
        w.engine.stop_by_hand("shop_web")
        w.engine.start("shop_web")
        calls, id = len(w.engine.calls), w.container("shop_web").id
        w.start()
        await asyncio.sleep(QUIET_SECONDS)
        assert w.settled()
        assert (len(w.engine.calls), w.container("shop_web").id) == (calls, id)


async def test_a_chunk_that_ignores_it_is_left_alone_with_a_note() -> None:
    async with World() as w:
        await _settled(w, web(on_file_change="ignore"))
        calls = len(w.engine.calls)
        w.engine.replace_file(CONF, "two")
        await w.until(lambda: bool(w.domain("shop")["notes"]), limit=QUIET_SECONDS)
        assert "on_file_change is ignore" in w.domain("shop")["notes"][0]
        assert "on_file_change is ignore" in w.chunk("web")["file_notes"][0]
        await asyncio.sleep(900.0)
        assert w.settled()
        assert len(w.engine.calls) == calls


class _SlowDisk(SimulatedEngine):
    """To look at the host's files takes longer than all else."""

    async def file_news(self, containers: Collection[Container]) -> tuple[News, bool]:
        await asyncio.sleep(5.0)
        return await super().file_news(containers)


@pytest.mark.parametrize("engine", [SimulatedEngine, _SlowDisk])
async def test_a_bad_file_leaves_what_serves_and_the_next_one_is_tried_at_once(engine: type[SimulatedEngine]) -> None:
    async with World(engine()) as w:
        update = {"strategy": "start-first"}
        check = {"type": "tcp", "port_key": "80", "deadline_seconds": 20}
        await _settled(w, web(**update, health_check=check))
        before = w.container(NAMELESS).id
        w.engine.fate("web:1").ready_after = 10_000.0
        w.engine.replace_file(CONF, "bad")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=120.0)
        assert w.container(NAMELESS).id == before
        assert w.fact("web_ready") == "Y"
        made = len(w.order("CreateContainer"))
        await w.kill()
        w.start()
        await asyncio.sleep(120.0)
        w.engine.go_down()
        await asyncio.sleep(30.0)
        w.engine.come_back()
        await asyncio.sleep(120.0)
        assert w.chunk("web")["reason"] == "RolledBack"
        assert len(w.order("CreateContainer")) == made
        w.engine.fate("web:1").ready_after = 0.1
        w.engine.replace_file(CONF, "good")
        # Where a look takes long, the next one is half a minute away: looking has its share of the time.
        await w.until(lambda: w.settled() and _has(w, NAMELESS) == "good", limit=QUIET_SECONDS + LONGEST_PAUSE_SECONDS)


async def test_a_bad_file_that_is_put_back_leaves_what_serves_as_it_is() -> None:
    async with World() as w:
        check = {"type": "tcp", "port_key": "80", "deadline_seconds": 20}
        await _settled(w, web(strategy="start-first", health_check=check))
        before = w.container(NAMELESS).id
        w.engine.fate("web:1").ready_after = 10_000.0
        w.engine.replace_file(CONF, "bad")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack", limit=120.0)
        w.engine.replace_file(CONF, "one")
        await w.until(w.settled, limit=QUIET_SECONDS)
        assert w.container(NAMELESS).id == before


async def test_what_is_replaced_without_end_does_not_have_containers_made_without_end() -> None:
    async with World() as w:
        await _settled(w)
        made = len(w.order("CreateContainer"))
        for n in range(200):
            w.engine.replace_file(CONF, f"content {n}")
            await asyncio.sleep(3.0)
        assert len(w.order("CreateContainer")) - made < 12
        await w.until(lambda: w.settled() and _has(w) == "content 199", limit=900.0)


async def test_replicas_are_brought_to_the_new_file_one_after_the_other() -> None:
    async with World() as w:
        container = {"volumes": [f"{CONF}:/etc/app.conf:ro"]}
        made = chunk("web", "system_ready", container=container, replicas=3, min_ready=2)
        del made["container"]["name"]
        await _settled(w, made)
        w.engine.replace_file(CONF, "two")
        names = [f"shop-main-web-{n}" for n in (1, 2, 3)]

        def all_new() -> bool:
            assert w.fact("web_ready") == "Y"
            return w.running() >= set(names) and all(_has(w, name) == "two" for name in names)

        await w.until(all_new, limit=120.0)
        await w.until_settled()
        assert w.running() == set(names)


async def test_a_closed_gate_holds_it_back_as_any_update() -> None:
    async with World() as w:
        await _settled(w, chunk("db", "system_ready"), web(gatekeeper={"db_ready": {"prompt": "?", "tv": "Y"}}))
        w.engine.make_ill("shop_db")
        await w.until(lambda: w.fact("db_ready") == "N", limit=60.0)
        w.engine.replace_file(CONF, "two")
        await w.until(lambda: "the update waits" in w.chunk("web")["message"], limit=QUIET_SECONDS)
        assert _has(w) == "one"
        w.engine.make_ill("shop_db", ill=False)
        await w.until(lambda: w.settled() and _has(w) == "two", limit=600.0)
