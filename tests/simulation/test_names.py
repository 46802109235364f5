"""Names of containers that change: in the file, by hand, crosswise, and from one chunk to another."""

from __future__ import annotations

import asyncio
from typing import Any

from reconciler.planner.observed import Condition
from tests.simulation.world import World, chunk, domain


def shop(*named: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A domain of chunks, each with the name of its container; ``more`` holds images by chunk."""
    return domain(
        *(chunk(name, container={"name": called, "image": more.get(name, f"{name}:1")}) for name, called in named)
    )


def owners(w: World) -> dict[str, str]:
    """By name of container, whose it is."""
    return {c.name: c.owner.chunk if c.owner is not None else "" for c in w.engine.containers.values()}


async def nothing_more_happens(w: World) -> None:
    calls = len(w.engine.calls)
    await asyncio.sleep(600)
    assert len(w.engine.calls) == calls


async def test_two_containers_renamed_crosswise_get_their_names_back_without_a_restart() -> None:
    async with World() as w:
        w.files.write("shop", shop(("a", "xx"), ("b", "yy")))
        await w.until_settled()
        runs = {c.id: c.run for c in w.engine.containers.values()}
        w.engine.rename_by_hand("xx", "zz")
        w.engine.rename_by_hand("yy", "xx")
        w.engine.rename_by_hand("zz", "yy")
        await w.until(lambda: owners(w) == {"xx": "a", "yy": "b"})
        await w.until_settled()
        assert {c.id: c.run for c in w.engine.containers.values()} == runs
        await nothing_more_happens(w)


async def test_names_that_are_swapped_in_the_file_are_swapped_without_a_restart() -> None:
    async with World() as w:
        w.files.write("shop", shop(("a", "xx"), ("b", "yy"), ("c", "zz")))
        await w.until_settled()
        runs = {c.id: c.run for c in w.engine.containers.values()}
        w.files.write("shop", shop(("a", "yy"), ("b", "zz"), ("c", "xx")))
        await w.until(lambda: owners(w) == {"yy": "a", "zz": "b", "xx": "c"})
        await w.until_settled()
        assert {c.id: c.run for c in w.engine.containers.values()} == runs
        await nothing_more_happens(w)


async def test_names_that_are_swapped_together_with_images_are_swapped() -> None:
    async with World() as w:
        w.files.write("shop", shop(("a", "xx"), ("b", "yy")))
        await w.until_settled()
        w.files.write("shop", shop(("a", "yy"), ("b", "xx"), a="a:2", b="b:2"))
        await w.until(lambda: owners(w) == {"yy": "a", "xx": "b"})
        await w.until_settled()
        assert (w.container("yy").image, w.container("xx").image) == ("a:2", "b:2")
        await nothing_more_happens(w)


async def test_swapped_names_with_an_update_that_fails_leave_what_was_there_running() -> None:
    async with World() as w:
        w.engine.fate("a:2").exit_code = 1
        w.files.write("shop", shop(("a", "xx"), ("b", "yy")))
        await w.until_settled()
        before = w.container("xx").id
        w.files.write("shop", shop(("a", "yy"), ("b", "xx"), a="a:2"))
        await w.until(lambda: w.chunk("a")["reason"] == "RolledBack" and w.chunk("b")["state"] == "completed")
        await asyncio.sleep(600)
        assert owners(w) == {"yy": "a", "xx": "b"}
        assert w.container("yy").id == before
        assert w.container("yy").condition is Condition.RUNNING
        w.files.write("shop", shop(("a", "xx"), ("b", "yy")))
        await w.until(lambda: owners(w) == {"xx": "a", "yy": "b"})
        await w.until_settled()


async def test_an_update_with_another_name_that_fails_brings_back_what_was_there() -> None:
    async with World() as w:
        w.engine.fate("a:2").exit_code = 1
        w.files.write("shop", shop(("a", "xx")))
        await w.until_settled()
        before = w.container("xx").id
        w.files.write("shop", shop(("a", "yy"), a="a:2"))
        await w.until(lambda: w.chunk("a")["reason"] == "RolledBack")
        back = w.container("yy")
        assert (back.id, back.condition) == (before, Condition.RUNNING)
        await nothing_more_happens(w)


async def test_a_job_that_is_done_gets_its_name_back_as_well_and_is_not_done_again() -> None:
    async with World() as w:
        w.engine.fate("job:1").exit_code, w.engine.fate("job:1").exit_after = 0, 1.0
        job = chunk("job", kind="job", container={"name": "xx"})
        del job["health_check"]
        w.files.write("shop", domain(job, chunk("web", "job", on_gate_close="stop", container={"name": "yy"})))
        await w.until_settled()
        runs = {c.id: c.run for c in w.engine.containers.values()}
        for new in ("zz", "other"):
            w.engine.rename_by_hand("xx", new)
            await w.until(lambda: owners(w) == {"xx": "job", "yy": "web"})
            await w.until_settled()
        w.engine.rename_by_hand("xx", "zz")
        w.engine.rename_by_hand("yy", "xx")
        w.engine.rename_by_hand("zz", "yy")
        await w.until(lambda: owners(w) == {"xx": "job", "yy": "web"})
        await w.until_settled()
        w.engine.rename_by_hand("xx", "zz")
        w.engine.plant_container("xx")
        await asyncio.sleep(60.0)
        assert w.settled()
        assert w.fact("job_ready") == "Y"
        assert {c.id: c.run for c in w.engine.containers.values() if c.owner is not None} == runs
        await nothing_more_happens(w)


async def test_a_container_brought_back_has_its_own_name_where_the_new_one_is_taken() -> None:
    async with World() as w:
        w.engine.fate("a:2").exit_code = 1
        w.engine.fate("a:2").exit_after, w.engine.fate("a:2").ready_after = 5.0, 60.0
        w.files.write("shop", shop(("a", "xx")))
        await w.until_settled()
        before = w.container("xx").id
        w.files.write("shop", shop(("a", "yy"), a="a:2"))
        await w.until(lambda: "yy" in w.running())
        w.engine.rename_by_hand("yy", "zz")
        w.engine.plant_container("yy")
        await w.until(lambda: w.chunk("a")["reason"] == "RolledBack")
        back = w.container("xx")
        assert (back.id, back.condition) == (before, Condition.RUNNING)
        await nothing_more_happens(w)


async def test_a_name_is_given_up_though_the_gate_of_who_has_it_waits_for_who_wants_it() -> None:
    async with World() as w:
        a, b = chunk("a", container={"name": "xx"}), chunk("b", "a", container={"name": "yy", "image": "b:1"})
        w.files.write("shop", domain(a, b))
        await w.until_settled()
        a = chunk("a", container={"name": "yy", "image": "a:2"})
        b = chunk("b", "a", container={"name": "zz", "image": "b:2"})
        w.engine.die("xx")
        w.files.write("shop", domain(a, b))
        await w.until(lambda: owners(w) == {"yy": "a", "zz": "b"})
        await w.until_settled()


async def test_names_that_are_swapped_between_domains_are_swapped() -> None:
    async with World() as w:

        def write(one: str, other: str) -> None:
            w.files.write("one", domain(chunk("a", container={"name": one}), name="one"))
            w.files.write("two", domain(chunk("b", container={"name": other}), name="two"))

        write("xx", "yy")
        await w.until_settled()
        write("yy", "xx")
        await w.until(lambda: owners(w) == {"yy": "a", "xx": "b"})
        await w.until_settled()


async def test_a_program_killed_while_names_are_swapped_ends_it_when_it_is_back() -> None:
    async with World() as w:
        w.files.write("shop", shop(("a", "xx"), ("b", "yy")))
        await w.until_settled()
        w.files.write("shop", shop(("a", "yy"), ("b", "xx")))
        for _ in range(10_000):
            if any(".pnr-aside" in name for name in owners(w)):
                break
            await asyncio.sleep(0.001)
        assert any(".pnr-aside" in name for name in owners(w))
        await w.kill()
        w.start()
        await w.until(lambda: owners(w) == {"yy": "a", "xx": "b"})
        await w.until_settled()


async def test_a_renamed_chunk_waits_for_its_containers_name_and_is_not_called_failed() -> None:
    async with World() as w:
        w.files.write("shop", shop(("a", "xx")))
        await w.until_settled()
        w.files.write("shop", shop(("b", "xx")))
        seen = set()
        while owners(w) != {"xx": "b"} or not w.settled():
            seen.add(w.chunk("b")["state"])
            await asyncio.sleep(0.01)
        assert "failed" not in seen


async def test_a_name_that_nobody_gives_up_is_a_conflict_still() -> None:
    async with World() as w:
        w.engine.plant_container("yy")
        w.files.write("shop", shop(("a", "xx")))
        await w.until_settled()
        w.files.write("shop", shop(("a", "yy")))
        await w.until(lambda: w.chunk("a")["reason"] == "NameConflict")
        await asyncio.sleep(600)
        assert owners(w) == {"yy": "", "xx": "a"}
