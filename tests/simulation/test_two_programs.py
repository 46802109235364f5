"""Two programs with states of their own and one domain: the second says so and leaves it alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.controller.domain_leases import PATIENCE_SECONDS
from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.world import STACK, World, chunk, domain

ONE = domain(chunk("a", container={"name": "aa"}), name="one")


class Host:
    """Who has which lease."""

    def __init__(self) -> None:
        self.holders: dict[tuple[str, str], Process] = {}


class Process:
    """The leases of one process; they end with it."""

    def __init__(self, host: Host, pid: int) -> None:
        self._host = host
        self.pid = pid

    def take(self, engine: str, domain: str) -> str:
        holder = self._host.holders.setdefault((engine, domain), self)
        return "" if holder is self else f"pid {holder.pid}"

    def is_free(self, engine: str, domain: str) -> bool:
        return (engine, domain) not in self._host.holders

    def release(self, engine: str, domain: str) -> None:
        if self._host.holders.get((engine, domain)) is self:
            del self._host.holders[engine, domain]

    def end(self) -> None:
        for key in [key for key, holder in self._host.holders.items() if holder is self]:
            del self._host.holders[key]


def runs(w: World) -> dict[str, str]:
    return {c.id: c.run for c in w.engine.containers.values()}


def codes(w: World, name: str) -> list[str]:
    return [error["code"] for error in w.domain(name)["errors"]]


def pair(engine_id: str = "engine") -> tuple[World, World, Process, Process]:
    host = Host()
    one, two = Process(host, 1), Process(host, 2)
    engine = SimulatedEngine()
    engine.engine_id = engine_id
    return World(engine, leases=one), World(engine, leases=two), one, two


def changed(version: str) -> dict[str, Any]:
    return domain(chunk("db", "system_ready", container={"environment": {"V": version}}))


async def test_the_second_says_so_and_touches_nothing_whatever_its_files_say() -> None:
    first, second, _, _ = pair()
    async with first:
        first.files.write("shop", STACK)
        await first.until_settled()
        before = runs(first)
        second.files.write("shop", changed("other"))
        second.files.write("one", ONE)
        second.start()
        await second.until(lambda: codes(second, "shop") == ["WorkedOnElsewhere"] and second.settled("one"))
        assert "pid 1" in second.domain("shop")["errors"][0]["message"]
        assert not second.domain("shop")["settled"]
        cause, step, *_ = explain(second.view(), "shop/main/db").splitlines()
        assert cause.startswith("another pnr (pid 1")
        assert cause.endswith("this one does not touch it.")
        assert step == "Stop the other one, or give this domain another name."
        first.engine.stop_by_hand("shop_db")
        await first.until(lambda: first.chunk("db")["state"] != "completed")
        await first.until_settled()
        second.ask_apply()
        second.ask_down("shop")
        await asyncio.sleep(30)
        assert codes(second, "shop") == ["WorkedOnElsewhere"]
        assert {id for id in runs(first) if first.engine.containers[id].name != "aa"} == set(before)
        # Its file goes: it knows of the domain no more, and removes nothing.
        second.files.write("two", domain(chunk("b", container={"name": "bb"}), name="two"))
        second.files.remove("shop")
        await second.until(lambda: second.domain("shop").get("name") is None, limit=120)
        assert set(before) <= set(runs(first))
        await second.kill()


async def test_a_domain_is_taken_over_once_nobody_has_had_it_for_a_while() -> None:
    first, second, one, _ = pair()
    async with first:
        first.files.write("shop", STACK)
        await first.until_settled()
        second.files.write("shop", STACK)
        second.start()
        await second.until(lambda: codes(second, "shop") == ["WorkedOnElsewhere"])
        before = runs(first)
        for _ in range(3):
            # The first is restarted: the second does not step in between.
            await first.kill()
            one.end()
            await asyncio.sleep(PATIENCE_SECONDS / 2)
            first.start()
            await asyncio.sleep(PATIENCE_SECONDS)
            assert codes(second, "shop") == ["WorkedOnElsewhere"]
            assert first.settled("shop")
        await first.kill()
        one.end()
        await second.until(lambda: not codes(second, "shop") and second.settled("shop"), limit=300)
        assert runs(first) == before
        await second.kill()


async def test_a_person_need_not_wait_for_it() -> None:
    first, second, one, _ = pair()
    async with first:
        first.files.write("shop", STACK)
        await first.until_settled()
        second.files.write("shop", STACK)
        second.start()
        await second.until(lambda: codes(second, "shop") == ["WorkedOnElsewhere"])
        await first.kill()
        one.end()
        second.ask_apply("shop")
        await second.until_settled("shop", limit=20)
        await second.kill()


@pytest.mark.parametrize("lost", ["state", "nothing"])
async def test_a_lease_ends_with_its_domain_and_with_its_holder(lost: str) -> None:
    first, second, one, _ = pair()
    async with first:
        first.files.write("shop", STACK)
        first.files.write("one", ONE)
        await first.until_settled()
        before = {c.id for c in first.engine.containers.values() if c.name != "aa"}
        first.files.remove("one")
        await first.until(lambda: ("engine", "one") not in one._host.holders)
        await first.kill()
        one.end()
        if lost == "state":
            first.stores.documents.clear()
            first.stores.texts.clear()
        first.start()
        await asyncio.sleep(1)
        await first.until_settled("shop")
        assert set(runs(first)) == before
        second.files.write("one", ONE)
        second.start()
        await second.until_settled("one")
        await second.kill()
