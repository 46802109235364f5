"""How a version that was given up ended, and its last words, are told, whatever the one before it does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.engine.protocol import RunOutput
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import PREVIOUS_SUFFIX
from tests.simulation.world import World, chunk, domain

WEB = "shop-main-web-1"
WORDS = "cannot open /etc/app.conf"


class Slow(SimulatedEngine):
    """Takes its time to tell what a container printed."""

    def __init__(self, takes: float) -> None:
        super().__init__(seed=1, start_seconds=(0.2, 0.6))
        self.takes = takes

    async def output_of_run(self, ended: Container, after: float | None, limit_bytes: int) -> RunOutput:
        await asyncio.sleep(self.takes)
        return await super().output_of_run(ended, after, limit_bytes)


def shop(image: str, **more: Any) -> dict[str, Any]:
    container = {"image": image, "name": None, **more.pop("container", {})}
    return domain(chunk("web", container=container, **more))


async def given_up(w: World, **more: Any) -> None:
    """An update whose new container ends, until it is being given up."""
    w.engine.fate("web:1").says = "serving"
    w.engine.fate("web:2").says = WORDS
    w.files.write("shop", shop("web:1", **more))
    await w.until_settled()
    w.files.write("shop", shop("web:2", **more))
    await w.until(lambda: "setback" in [entry["kind"] for entry in w.stores.entries])


def old(w: World) -> Container:
    return next(c for c in w.engine.containers.values() if c.image == "web:1")


async def all_is_told(w: World, how: str, code: int, oom: bool = False) -> None:
    await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
    await asyncio.sleep(5.0)
    told = w.chunk("web")
    assert f"{how}; it said: {WORDS}" in told["message"]
    assert (told["exit"]["code"], told["exit"]["oom"]) == (code, oom)
    assert WORDS in (told["exit"]["output"] or told["exit"]["earlier_output"])
    assert f"{how}; it said: {WORDS}" in explain(w.view(), "web").splitlines()[0]
    journal = [str(entry["message"]) for entry in w.stores.entries if entry["kind"] == "output"]
    assert f"it said last: {WORDS}" in journal
    snapshot = w.stores.documents["shop"]["cpux"][0]["chunk"][0]
    assert WORDS in snapshot["message"]
    assert WORDS in snapshot["failure"]["message"]
    assert snapshot["exit"]["code"] == code


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("restart", ["no", "always", "on-failure"])
@pytest.mark.parametrize("takes", [0.0, 2.0])
async def test_the_last_words_of_a_new_version_that_ends_are_told(strategy: str, restart: str, takes: float) -> None:
    async with World(Slow(takes)) as w:
        w.engine.fate("web:2").exit_code = 4
        await given_up(w, strategy=strategy, container={"restart": restart})
        await all_is_told(w, "exit code 4", 4)


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_so_is_that_it_was_killed_for_lack_of_memory(strategy: str) -> None:
    async with World(Slow(1.0)) as w:
        w.engine.fate("web:2").ready_after = 1e9
        w.engine.fate("web:1").says, w.engine.fate("web:2").says = "serving", WORDS
        w.files.write("shop", shop("web:1", strategy=strategy))
        await w.until_settled()
        w.files.write("shop", shop("web:2", strategy=strategy))
        await w.until(lambda: WEB in w.running() and w.container(WEB).image == "web:2")
        w.engine.die(WEB, 137, oom=True)
        await all_is_told(w, "killed for lack of memory (exit code 137)", 137, oom=True)


def ends(w: World) -> None:
    if old(w).condition is Condition.RUNNING:
        w.engine.crash(old(w).name, 7)


def is_stopped(w: World) -> None:
    w.engine.stop_by_hand(old(w).name)


def is_started_by_hand(w: World) -> None:
    if old(w).condition is not Condition.RUNNING:
        w.engine.start(old(w).name)


def is_renamed(w: World) -> None:
    if old(w).name.endswith(PREVIOUS_SUFFIX):
        w.engine.rename_by_hand(old(w).name, "by-hand")


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("restart", ["no", "always"])
@pytest.mark.parametrize("happens", [ends, is_stopped, is_started_by_hand, is_renamed])
@pytest.mark.parametrize("when", [0.0, 0.5])
async def test_whatever_the_one_before_does_meanwhile(
    strategy: str, restart: str, happens: Callable[[World], None], when: float
) -> None:
    async with World(Slow(1.0)) as w:
        w.engine.fate("web:2").exit_code = 4
        await given_up(w, strategy=strategy, container={"restart": restart})
        await asyncio.sleep(when)
        happens(w)
        await all_is_told(w, "exit code 4", 4)


async def test_what_serves_again_and_ends_later_is_told_beside_it() -> None:
    async with World(Slow(0.1)) as w:
        w.engine.fate("web:2").exit_code = 4
        await given_up(w, strategy="stop-first")
        await all_is_told(w, "exit code 4", 4)
        w.engine.fate("web:1").exit_code = 7
        w.engine.crash(WEB, 7)
        await w.until(lambda: "exit code 7; it said: serving" in w.chunk("web")["last_error"])
        await w.until(lambda: "what holds it back" in w.chunk("web")["message"])
        assert f"exit code 4; it said: {WORDS}" in w.chunk("web")["message"]
        assert w.chunk("web")["exit"]["code"] == 4
        w.engine.fate("web:1").exit_code = None
        await all_is_told(w, "exit code 4", 4)
        w.files.write("shop", shop("web:1", strategy="stop-first"))
        await w.until_settled()
        w.engine.crash(WEB, 9)
        await w.until(lambda: w.chunk("web")["exit"]["code"] == 9)


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_restart_of_the_daemon_in_between_loses_nothing_of_it(strategy: str) -> None:
    async with World(Slow(2.0)) as w:
        w.engine.fate("web:2").exit_code = 4
        await given_up(w, strategy=strategy)
        await asyncio.sleep(0.5)
        await w.kill()
        w.start()
        await all_is_told(w, "exit code 4", 4)
        await w.kill()
        w.start()
        await all_is_told(w, "exit code 4", 4)
