"""Equal copies of a chunk: made, counted, scaled, healed and updated one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.controller.records import ChunkRecord
from reconciler.controller.situations import Situations
from reconciler.planner.situation import ChunkInput
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain


def shop(replicas: int, image: str = "web:1", **more: Any) -> dict[str, Any]:
    """A database, three equal web servers behind it, and a proxy that waits for them."""
    web = chunk("web", "db", container={"image": image}, replicas=replicas, **more)
    return domain(chunk("db"), web, chunk("proxy", "web"))


def names(w: World) -> set[str]:
    return {c.name for c in w.engine.containers.values() if "web" in c.name}


def image_of(w: World, name: str) -> str:
    """The image of a container; "" while nobody has the name, as in the middle of an update."""
    return next((c.image for c in w.engine.containers.values() if c.name == name), "")


async def test_so_many_containers_as_declared_and_the_fact_holds_when_all_are_healthy() -> None:
    async with World() as w:
        w.files.write("shop", shop(3))
        await w.until_settled()
        assert names(w) == {"shop_web-1", "shop_web-2", "shop_web-3"}
        assert w.fact("web_ready") == "Y"
        assert w.order("StartContainer")[-1] == "StartContainer shop_proxy"
        shown = w.chunk("web")
        assert shown["state"] == "completed"
        assert {r["container"] for r in shown["replicas"]} == names(w)
        assert "3 of 3" in shown["message"]


async def test_copies_that_an_update_can_not_replace_yet_are_still_told_to_be_up() -> None:
    async with World() as w:
        w.files.write("shop", shop(3))
        await w.until_settled()
        w.engine.fate("web:2").missing = True
        w.files.write("shop", shop(3, "web:2"))
        await w.until(lambda: w.chunk("web")["reason"] == "ImagePullFailed")
        assert w.chunk("web")["message"].startswith("3 of 3 replicas are up; replica ")
        w.engine.die("shop_web-2")
        await w.until(lambda: w.chunk("web")["message"].startswith("2 of 3 replicas are up; replica "))


async def test_one_that_dies_is_healed_and_the_others_are_left_alone() -> None:
    async with World() as w:
        w.files.write("shop", shop(3))
        await w.until_settled()
        before = {name: w.container(name).run for name in names(w)}
        w.engine.die("shop_web-2")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until_settled()
        after = {name: w.container(name).run for name in names(w)}
        assert {name for name in before if before[name] != after[name]} == {"shop_web-2"}
        assert w.fact("web_ready") == "Y"


async def test_the_fact_holds_while_enough_of_them_are_healthy() -> None:
    async with World() as w:
        w.files.write("shop", shop(3, min_ready=2))
        await w.until_settled()
        seen: set[str] = set()
        w.engine.die("shop_web-2")
        for _ in range(50):
            seen.add(w.fact("web_ready"))
            await asyncio.sleep(0.02)
        assert seen == {"Y"}
        w.engine.die("shop_web-1")
        w.engine.die("shop_web-3")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until_settled()
        assert w.fact("web_ready") == "Y"


async def test_scaling_touches_only_the_difference() -> None:
    async with World() as w:
        w.files.write("shop", shop(2))
        await w.until_settled()
        runs = {name: w.container(name).run for name in names(w)}
        w.files.write("shop", shop(4))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert names(w) == {f"shop_web-{n}" for n in (1, 2, 3, 4)}
        assert {name: w.container(name).run for name in runs} == runs
        w.files.write("shop", shop(1, min_ready=1))
        await w.until(lambda: len(names(w)) == 1)
        await w.until_settled()
        left = names(w).pop()
        assert w.container(left).run == runs["shop_web-1"]
        assert [r["container"] for r in w.chunk("web")["replicas"]] == [left]


async def test_an_update_goes_from_copy_to_copy_and_most_go_on_serving() -> None:
    async with World() as w:
        w.files.write("shop", shop(3, min_ready=2))
        await w.until_settled()
        w.files.write("shop", shop(3, "web:2", min_ready=2))
        least, facts = 3, set()
        while any(w.container(name).image != "web:2" for name in names(w)) or not w.settled("shop"):
            least = min(least, sum("web" in name for name in w.running()))
            facts.add(w.fact("web_ready"))
            await asyncio.sleep(0.01)
        assert least >= 2
        assert facts == {"Y"}


async def test_an_update_that_fails_on_the_first_copy_is_not_done_to_the_others() -> None:
    async with World() as w:
        w.files.write("shop", shop(3, min_ready=2))
        await w.until_settled()
        runs = {name: w.container(name).run for name in ("shop_web-2", "shop_web-3")}
        w.engine.fate("web:2").exit_code = 1
        w.files.write("shop", shop(3, "web:2", min_ready=2))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await asyncio.sleep(3600)
        assert {name: w.container(name).run for name in runs} == runs
        assert w.container("shop_web-1").image == "web:1"
        assert w.fact("web_ready") == "Y"


async def test_copies_are_known_again_after_a_crash_of_the_program() -> None:
    async with World() as w:
        w.files.write("shop", shop(3))
        await w.until_settled()
        runs = {name: w.container(name).run for name in names(w)}
        await w.kill()
        w.start()
        await w.until_settled()
        assert {name: w.container(name).run for name in names(w)} == runs


async def test_a_domain_with_copies_is_taken_away_whole() -> None:
    async with World() as w:
        w.files.write("shop", shop(3))
        w.files.write("other", domain(chunk("x"), name="other"))
        await w.until_settled()
        w.files.remove("shop")
        await w.until(lambda: not any(c.name != "shop_x" for c in w.engine.containers.values()))


def test_what_there_is_to_think_about_a_copy_does_not_grow_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[ChunkRecord] = []
    plain = Situations._own_input

    def counted(self: Situations, record: ChunkRecord) -> ChunkInput:
        looks.append(record)
        return plain(self, record)

    monkeypatch.setattr(Situations, "_own_input", counted)

    async def made_and_updated(replicas: int) -> None:
        async with World() as w:
            w.files.write("shop", shop(replicas, min_ready=1))
            await asyncio.sleep(1.0)
            await w.until(w.settled)
            w.files.write("shop", shop(replicas, "web:2", min_ready=1))
            await w.until(lambda: all(w.container(name).image == "web:2" for name in names(w)))
            await w.until_settled()

    def looks_per_copy(replicas: int) -> float:
        looks.clear()
        run(made_and_updated(replicas))
        return len(looks) / replicas

    assert looks_per_copy(24) < 1.5 * looks_per_copy(6)


async def test_an_update_goes_on_where_a_copy_that_waited_has_died_meanwhile() -> None:
    async with World() as w:
        w.files.write("shop", shop(4, min_ready=1))
        await w.until_settled()
        w.engine.fate("web:2").ready_after = 20.0
        w.files.write("shop", shop(4, "web:2", min_ready=1))
        await w.until(lambda: image_of(w, "shop_web-1") == "web:2")
        w.engine.die("shop_web-3")
        await w.until(lambda: all(w.container(name).image == "web:2" for name in names(w)))
        await w.until_settled()


async def test_scaled_down_in_the_middle_of_an_update_the_rest_goes_on() -> None:
    async with World() as w:
        w.files.write("shop", shop(5, min_ready=1))
        await w.until_settled()
        w.engine.fate("web:2").ready_after = 5.0
        w.files.write("shop", shop(5, "web:2", min_ready=1))
        await w.until(lambda: image_of(w, "shop_web-2") == "web:2")
        w.files.write("shop", shop(3, "web:2", min_ready=1))
        await w.until(lambda: names(w) == {f"shop_web-{n}" for n in (1, 2, 3)})
        await w.until(lambda: all(w.container(name).image == "web:2" for name in names(w)))
        await w.until_settled()


async def test_the_copy_that_fails_may_be_the_one_that_scaling_takes_away() -> None:
    async with World() as w:
        w.files.write("shop", shop(3, min_ready=1))
        await w.until_settled()
        w.engine.make_ill("shop_web-3")
        await w.until(lambda: w.chunk("web")["state"] != "completed")
        w.files.write("shop", shop(2, min_ready=1))
        await w.until(lambda: names(w) == {"shop_web-1", "shop_web-2"})
        await w.until_settled()
        assert w.fact("web_ready") == "Y"
