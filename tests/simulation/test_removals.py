"""Files vanish in every rhythm and for every cause: nothing goes that was not meant to go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from reconciler.engine.simulated import SimulatedEngine
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain

FIVE = ("d1", "d2", "d3", "d4", "d5")


async def have(w: World, *names: str) -> None:
    """Domains of one container each, settled, and the folder quiet."""
    for name in names:
        w.files.write(name, domain(chunk("x", container={"name": name}), name=name))
    await w.until_settled()
    await asyncio.sleep(10)


def tell(story: Callable[[World], Awaitable[None]]) -> None:
    async def told() -> None:
        async with World() as w:
            await story(w)

    run(told())


def journal(w: World, kind: str, name: str) -> list[str]:
    return [str(entry["message"]) for entry in w.stores.entries if (entry["kind"], entry.get("domain")) == (kind, name)]


@pytest.mark.parametrize(
    ("pause", "came"),
    [(0.0, ""), (0.005, ""), (0.03, "broken"), (0.15, "valid"), (1.0, ""), (1.0, "valid"), (1.9, "broken")],
)
def test_a_loop_that_removes_all_files_removes_no_container(pause: float, came: str) -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        if came:
            broken = "{" if came == "broken" else domain(chunk("x", container={"name": "came"}), name="came")
            w.files.write("came", broken)
        for name in FIVE:
            w.files.remove(name)
            await asyncio.sleep(pause)
        await asyncio.sleep(600)
        assert w.running() >= set(FIVE)
        assert w.held() == set(FIVE)
        for name in FIVE:
            assert w.domain(name)["held_reason"] == "AllGone"
            assert "the files of all 5 known domains" in w.domain(name)["held"]
            assert "nothing is removed until their files are back" in w.domain(name)["held"]
            assert ("domains that have come since" in w.domain(name)["held"]) == (came == "valid")
            assert "`pnr confirm-removal d1 d2 d3 d4 d5`" in w.domain(name)["held"]
            assert not w.domain(name)["settled"]
            assert len(journal(w, "held", name)) == 1
        w.ask_confirm()
        await w.until(lambda: not w.running() & set(FIVE))
        await w.until(lambda: {d["name"] for d in w.view()["domains"]} <= {"came", "came.json"})

    tell(story)


@pytest.mark.parametrize("pause", [3.0, 10.0])
def test_a_loop_so_slow_that_each_file_goes_alone_is_held_at_half_of_them(pause: float) -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        for name in FIVE:
            w.files.remove(name)
            await asyncio.sleep(pause)
        await asyncio.sleep(600)
        assert w.running() == {"d3", "d4", "d5"} == w.held()

    tell(story)


def test_files_that_go_far_apart_in_time_are_removed_one_after_the_other() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        for name in FIVE:
            w.files.remove(name)
            await asyncio.sleep(90)
        assert not w.engine.containers

    tell(story)


def test_a_file_that_is_deleted_and_uploaded_is_an_edit() -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2")
        made = w.container("d1").id
        for pause in (0.1, 1.0, 1.9):
            for name in ("d1", "d2"):
                text = w.files.texts[f"{name}.json"].decode()
                w.files.remove(name)
                await asyncio.sleep(pause)
                assert w.domain(name)["vanished"]
                w.files.write(name, text)
                await asyncio.sleep(30)
        # An upload that takes its time, under another name until it is there.
        text = w.files.texts["d1.json"].decode()
        w.files.remove("d1")
        for _ in range(20):
            await asyncio.sleep(1.0)
            w.files.stir()
        w.files.write("d1", text)
        await asyncio.sleep(30)
        assert w.container("d1").id == made
        assert w.domain("d1")["generation"] == 1
        assert w.settled("d1", "d2")

    tell(story)


def test_endless_writing_holds_up_a_removal_for_a_minute_and_no_longer() -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2")
        w.files.remove("d1")
        for _ in range(90):
            await asyncio.sleep(1.0)
            w.files.stir()
        assert w.running() == {"d2"}

    tell(story)


def test_two_of_five_go_and_what_depends_on_them_goes_on() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.remove("d1", "d2")
        await w.until(lambda: w.running() == {"d3", "d4", "d5"})
        await w.until(lambda: w.settled())
        assert not w.held()

    tell(story)


def test_the_only_file_of_a_daemon_that_runs_goes_and_its_domain_with_it() -> None:
    async def story(w: World) -> None:
        await have(w, "d1")
        w.files.remove("d1")
        await w.until(lambda: not w.engine.containers, limit=10)

    tell(story)


@pytest.mark.parametrize("names", [("d1",), FIVE])
@pytest.mark.parametrize("restart", [False, True])
def test_a_directory_that_is_missing_or_another_one_holds_all_until_it_is_back(
    names: tuple[str, ...], restart: bool
) -> None:
    async def story(w: World) -> None:
        await have(w, *names)
        texts = dict(w.files.texts)

        async def pass_by() -> None:
            if restart:
                await w.kill()
                w.start()
            await asyncio.sleep(300)
            assert w.running() == w.held() == set(names)

        w.files.vanish()
        await pass_by()
        assert {d["held_reason"] for d in w.view()["domains"]} == {"FolderMissing"}
        assert "the domains directory is missing" in w.domain("d1")["held"]
        w.files.missing = False
        w.files.replace("the empty mount point")
        await pass_by()
        w.files.texts = texts
        w.files.replace("a disk", *names)
        await w.until(lambda: not w.held() and w.settled(*names))
        assert "is there again" in journal(w, "held", "d1")[-1]
        w.files.replace("the empty mount point")
        w.files.write("valid", domain(chunk("y", container={"name": "valid"}), name="valid"))
        w.files.write("broken", "{")
        await asyncio.sleep(300)
        assert w.running() == {*names, "valid"}
        if not restart or len(names) > 1:
            assert "another directory was put in the place" in w.domain("d1")["held"]
        assert w.held() == set(names)

    tell(story)


def test_in_another_directory_with_most_of_the_files_only_the_others_are_held() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.replace("another disk", "d1", "d2", "d3", "d4")
        await w.until(lambda: w.held() == {"d5"})
        assert w.domain("d5")["held_reason"] == "FolderReplaced"
        await asyncio.sleep(100)
        w.files.remove("d4")
        await w.until(lambda: w.running() == {"d1", "d2", "d3", "d5"})
        await w.kill()
        w.start()
        await asyncio.sleep(60)
        assert w.held() == {"d5"}
        assert w.running() == {"d1", "d2", "d3", "d5"}

    tell(story)


def test_another_directory_with_all_the_files_is_the_right_one_from_then_on() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.replace("another disk", *FIVE)
        await asyncio.sleep(30)
        w.files.remove("d1")
        await w.until(lambda: "d1" not in w.running())

    tell(story)


@pytest.mark.parametrize("taken", [("d1",), ("d1", "d2", "d3", "d4")])
def test_what_a_commit_removes_goes_without_a_question(taken: tuple[str, ...]) -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.commit()
        await asyncio.sleep(10)
        w.files.commit(*taken)
        await w.until(lambda: w.running() == set(FIVE) - set(taken), limit=10)
        assert not w.held()

    tell(story)


def test_a_commit_that_removes_all_is_held_as_any_other_cause_would_be() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.commit()
        await asyncio.sleep(10)
        w.files.commit(*FIVE)
        await asyncio.sleep(300)
        assert w.held() == w.running() == set(FIVE)

    tell(story)


def test_a_commit_that_came_while_nobody_looked_is_meant_too() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.commit()
        await asyncio.sleep(10)
        await w.kill()
        w.files.commit("d1", "d2", "d3")
        w.start()
        await w.until(lambda: w.running() == {"d4", "d5"})

    tell(story)


def test_a_removal_by_hand_in_a_work_tree_is_judged_as_elsewhere_until_a_commit() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.commit()
        await asyncio.sleep(10)
        w.files.remove("d1", "d2", "d3")
        await w.until(lambda: w.held() == {"d1", "d2", "d3"})
        # A commit of something else: it still has the files.
        had = w.files.commits[w.files.head or ""]
        w.files.commit()
        w.files.commits[w.files.head or ""] = had
        await asyncio.sleep(100)
        assert w.running() == set(FIVE)
        w.files.commit()
        await w.until(lambda: w.running() == {"d4", "d5"})

    tell(story)


def test_in_the_middle_of_a_rebase_nothing_goes() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        w.files.commit()
        await asyncio.sleep(10)
        text = w.files.texts["d1.json"].decode()
        w.files.rebasing = True
        w.files.commit("d1")
        await asyncio.sleep(300)
        assert w.running() == set(FIVE)
        assert w.domain("d1")["vanished"]
        w.files.rebasing = False
        w.files.write("d1", text)
        await w.until(lambda: w.settled())
        w.files.rebasing = True
        w.files.commit("d1")
        await asyncio.sleep(100)
        w.files.rebasing = False
        w.files.stir()
        await w.files.look_now()
        await w.until(lambda: "d1" not in w.running())

    tell(story)


@pytest.mark.parametrize("after", [1, 2, 3, 4])
@pytest.mark.parametrize("pause", [0.15, 1.0, 3.0])
def test_a_restart_in_the_middle_of_a_loop_changes_nothing(pause: float, after: int) -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        for number, name in enumerate(FIVE):
            w.files.remove(name)
            await asyncio.sleep(pause)
            if number + 1 == after:
                await w.kill()
                await asyncio.sleep(0.5)
                w.start()
        await asyncio.sleep(300)
        left = {"d3", "d4", "d5"}
        assert w.held() >= left
        assert w.running() >= left
        if pause < 2:
            assert w.running() == set(FIVE)

    tell(story)


def test_what_is_held_stays_so_over_restarts_and_is_released_file_by_file() -> None:
    async def story(w: World) -> None:
        await have(w, *FIVE)
        texts = {name: w.files.texts[f"{name}.json"].decode() for name in FIVE}
        w.files.remove(*FIVE)
        await w.until(lambda: w.held() == set(FIVE))
        since = w.domain("d1")["held_since"]
        for _ in range(3):
            await w.kill()
            w.start()
            await asyncio.sleep(30)
            assert w.held() == w.running() == set(FIVE)
            assert w.domain("d1")["held_since"] == since
        w.files.write("d1", texts["d1"])
        await w.until(lambda: w.held() == {"d2", "d3", "d4", "d5"})
        assert "`pnr confirm-removal d2 d3 d4 d5`" in w.domain("d2")["held"]
        w.files.write("d2", "{")
        await w.until(lambda: w.held() == {"d3", "d4", "d5"})
        w.ask_confirm("d3")
        await w.until(lambda: "d3" not in w.running())
        w.ask_down("d4")
        await w.until(lambda: "d4" not in {d["name"] for d in w.view()["domains"]})
        await asyncio.sleep(100)
        assert w.running() == {"d1", "d2", "d5"}
        assert w.held() == {"d5"}
        w.files.write("d3", texts["d3"])
        await w.until(lambda: "d3" in w.running())

    tell(story)


def test_a_person_may_confirm_before_it_is_judged() -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2")
        w.files.remove("d1", "d2")
        await asyncio.sleep(0.5)
        w.ask_confirm("d1", "d2")
        await w.until(lambda: not w.engine.containers, limit=10)

    tell(story)


def test_what_a_person_took_down_before_its_file_went_is_simply_forgotten() -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2", "d3")
        w.ask_down("d1", "d2")
        await w.until(lambda: w.running() == {"d3"})
        w.files.remove("d1", "d2")
        await w.until(lambda: {d["name"] for d in w.view()["domains"]} == {"d3"})
        w.files.remove("d3")
        await w.until(lambda: not w.engine.containers)

    tell(story)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_what_is_taken_down_when_its_file_is_gone_does_not_come_back(restarted: bool, held: bool) -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2", "d3")
        w.files.remove("d1", "d2", "d3")
        if held:
            await w.until(lambda: w.held() == {"d1", "d2", "d3"})
        if restarted:
            await w.kill()
            w.start()
            await w.until(lambda: w.controller is not None and w.controller.first_pass_done)
        w.ask_down("d1")
        await w.until(lambda: w.running() == {"d2", "d3"}, limit=10)
        if restarted:
            await w.kill()
            w.start()
            await w.until(lambda: w.controller is not None and w.controller.first_pass_done)
        w.ask_apply()
        await asyncio.sleep(100)
        assert w.running() == {"d2", "d3"} == w.held()
        assert {d["name"] for d in w.view()["domains"]} == {"d2", "d3"}
        assert not any("all 0 domains" in d["held"] for d in w.view()["domains"])

    tell(story)


def test_a_domain_that_moves_to_another_file_is_not_gone() -> None:
    async def story(w: World) -> None:
        await have(w, "d1", "d2")
        made = w.container("d1").id
        for name in ("d1", "d2"):
            w.files.texts[f"{name}_moved.json"] = w.files.texts[f"{name}.json"]
            w.files.remove(name)
        await asyncio.sleep(60)
        assert w.settled("d1", "d2")
        assert w.container("d1").id == made
        assert w.domain("d1")["file"] == "d1_moved.json"

    tell(story)


async def test_of_many_that_have_to_go_first_some_are_named_and_the_rest_is_counted() -> None:
    async with World(SimulatedEngine(stop_seconds=(60.0, 60.0))) as w:
        many = [chunk(f"c{number:02}", "db") for number in range(25)]
        w.files.write("shop", domain(chunk("db"), *many))
        w.files.write("other", domain(chunk("x"), name="other"))
        await w.until_settled()
        w.files.remove("shop")
        await w.until(lambda: "and 5 more" in w.chunk("db")["message"], limit=60)
        message = w.chunk("db")["message"]
        assert "shop/main/c00, shop/main/c01" in message
        assert "shop/main/c20" not in message
        await w.until(lambda: w.running() == {"shop_x"}, limit=600)
