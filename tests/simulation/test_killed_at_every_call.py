"""The program is killed around every single call that it makes, and goes on where reality is when it starts again."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reconciler.engine.protocol import Progress
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import Action
from reconciler.planner.observed import Container
from tests.simulation.virtual_time import run
from tests.simulation.world import STACK, Stores, World, chunk, domain

Change = Callable[[World], Awaitable[None]]


class Tripwire(SimulatedEngine):
    """Pulls a trigger at one moment: just before a call, when the call was carried out, or after its answer."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.moments = 0
        self.at: int | None = None
        self.pulled: Callable[[], None] | None = None

    def _moment(self) -> None:
        if self.moments == self.at and self.pulled is not None:
            self.pulled()
        self.moments += 1

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        self._moment()
        try:
            return await super().perform(action, progress)
        finally:
            self._moment()

    def _carry_out(self, action: Action) -> Container | None:
        try:
            return super()._carry_out(action)
        finally:
            self._moment()


async def start(w: World) -> None:
    w.files.write("shop", STACK)
    await w.until_settled()


async def update(w: World) -> None:
    document = copy.deepcopy(STACK)
    document["cpuxs"]["main"]["design_chunks"][0]["container"]["environment"] = {"A": "1"}
    w.files.write("shop", document)
    await w.until(lambda: w.domain("shop").get("generation") == 2)
    await w.until_settled()


async def start_first(w: World) -> None:
    await change_unnamed(w, "1")


async def start_first_again(w: World) -> None:
    await change_unnamed(w, "2")


async def change_unnamed(w: World, value: str) -> None:
    document: dict[str, Any] = copy.deepcopy(STACK)
    for each in document["cpuxs"]["main"]["design_chunks"]:
        del each["container"]["name"]
    document["cpuxs"]["main"]["design_chunks"][0]["container"]["environment"] = {"A": value}
    w.files.write("shop", document)
    await w.until(lambda: w.domain("shop").get("generation") == int(value))
    await w.until_settled()


async def writer(w: World) -> None:
    await change_writer(w, "1")


async def writer_again(w: World) -> None:
    await change_writer(w, "2")


async def change_writer(w: World, value: str) -> None:
    """A chunk that writes to a volume, and has neither a name nor a host port."""
    container = {"name": None, "volumes": ["data:/data"], "environment": {"A": value}}
    document = domain(chunk("db", container=container), volumes={"data": {}})
    w.files.write("shop", document)
    await w.until(lambda: all(c.settings and f"{value}" in str(c.settings) for c in w.engine.containers.values()))
    await w.until_settled()


async def heal(w: World) -> None:
    w.engine.die("shop_api")
    await w.until(lambda: not w.settled())
    await w.until_settled()


async def put_right(w: World) -> None:
    w.engine.rename_by_hand("shop_api", "elsewhere")
    w.engine.remove_by_hand("shop_web")
    w.engine.disconnect_by_hand("shop_db", "pnr_shop")
    await w.until(lambda: not w.settled())
    await w.until_settled()


async def remove(w: World) -> None:
    w.files.remove("shop")
    await w.until(lambda: not w.engine.containers and "pnr_shop" not in w.engine.networks)


async def told(
    before: Change | None, change: Change, at: int | None, pause: float, *, forgets: bool = False
) -> Tripwire:
    """Live through a change, killed at one moment of it and started again after a pause. ``forgets``: what was kept of
    all that is lost then."""
    engine = Tripwire()
    async with World(engine) as w:
        if before is not None:
            await before(w)
            await asyncio.sleep(1.0)
        engine.moments, engine.at = 0, at
        engine.runs.clear()
        killing: list[asyncio.Task[None]] = []

        async def kill_and_start() -> None:
            await w.kill()
            await asyncio.sleep(pause)
            if forgets:
                w.stores = Stores()
            w.start()

        engine.pulled = lambda: killing.append(asyncio.get_running_loop().create_task(kill_and_start()))
        await change(w)
        await asyncio.gather(*killing)
        await asyncio.sleep(5.0)
        if change is not remove:
            await w.until_settled()
        moments = engine.moments
        calls = len(engine.calls)
        await asyncio.sleep(120.0)
        assert len(engine.calls) == calls
        engine.moments = moments
    return engine


STORIES = [
    (None, start, {"shop_db": 1, "shop_api": 1, "shop_web": 1}),
    (start, update, {"shop_db": 1}),
    (start_first, start_first_again, {"shop-main-db-1": 1}),
    (writer, writer_again, {"shop-main-db-1": 1}),
    (start, heal, {"shop_api": 1}),
    (start, put_right, {"shop_web": 1}),
    (start, remove, {}),
]


@pytest.mark.parametrize("pause", [0.0, 30.0])
@pytest.mark.parametrize(("before", "change", "runs"), STORIES, ids=lambda value: getattr(value, "__name__", ""))
def test_killed_around_any_call_it_starts_nothing_twice_and_ends_the_same(
    before: Change | None, change: Change, runs: dict[str, int], pause: float
) -> None:
    undisturbed = run(told(before, change, None, pause))
    assert Counter(undisturbed.runs) == runs
    names = {c.name for c in undisturbed.containers.values()}
    assert undisturbed.moments >= 3
    for at in range(undisturbed.moments):
        killed = run(told(before, change, at, pause))
        assert Counter(killed.runs) == runs, f"killed at moment {at}"
        assert {c.name for c in killed.containers.values()} == names
        assert all(set(c.networks) == {"pnr_shop"} for c in killed.containers.values())


def versions(engine: SimulatedEngine) -> set[tuple[str, str]]:
    return {(c.name, str((c.settings or {}).get("environment"))) for c in engine.containers.values()}


@pytest.mark.parametrize("form", ["name", "writer", "start-first"])
def test_an_update_killed_around_any_call_with_its_memory_lost_ends_the_same(form: str) -> None:
    def document(value: str) -> dict[str, Any]:
        container: dict[str, Any] = {"environment": {"A": value}}
        if form != "name":
            container["name"] = None
        if form == "writer":
            container["volumes"] = ["data:/data"]
        return domain(chunk("db", container=container), volumes={"data": {}})

    async def change(w: World) -> None:
        (old,) = w.engine.containers
        w.files.write("shop", document("2"))
        await w.until(lambda: bool(w.engine.containers) and old not in w.engine.containers)
        await w.until_settled()

    async def before(w: World) -> None:
        w.files.write("shop", document("1"))
        await w.until_settled()

    undisturbed = run(told(before, change, None, 0.0))
    for at in range(undisturbed.moments):
        killed = run(told(before, change, at, 0.0, forgets=True))
        assert versions(killed) == versions(undisturbed), f"killed at moment {at}"
