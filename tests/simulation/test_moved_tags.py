"""Tags that are moved on the engine itself: followed, or put right as drift."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.daemon.verdict import finished_applying
from reconciler.engine.simulated.faults import Fault
from tests.simulation.tagged import (
    HOUR,
    asked,
    check,
    journal,
    lasting,
    never_ready,
    shop,
    web,
    web_image,
)
from tests.simulation.world import World


async def test_an_image_put_under_the_tag_by_hand_is_taken_where_the_local_tag_is_followed() -> None:
    async with World() as w:
        w.files.write("shop", shop("local"))
        await w.until_settled()
        w.engine.load_by_hand("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=30)
        await w.until_settled()
        assert asked(w) == 0
        assert any("image: web:1 is sha256:web:1#1 now" in line for line in journal(w, "work"))


async def test_a_tag_that_moved_while_no_event_told_of_it_is_noticed_within_a_minute() -> None:
    async with World() as w:
        w.files.write("shop", shop("local"))
        await w.until_settled()
        w.engine.strike(Fault(0, "deaf", seconds=HOUR))
        w.engine.load_by_hand("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=70)


async def test_a_swapped_tag_is_put_right_also_after_a_change_without_a_new_container() -> None:
    async with World() as w:
        document = shop(False)
        w.files.write("shop", document)
        await w.until_settled()
        before = w.container("shop_web").id
        web = next(c for c in document["cpuxs"]["main"]["design_chunks"] if c["name"] == "web")
        web["container"]["restart"] = "unless-stopped"
        w.files.write("shop", document)
        await w.until(lambda: (w.container("shop_web").settings or {})["restart"] == "unless-stopped")
        assert w.container("shop_web").id == before
        w.engine.load_by_hand("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=30)
        await w.until_settled()


async def test_a_tag_that_was_swapped_is_drift_and_put_right() -> None:
    async with World() as w:
        w.files.write("shop", shop(False))
        await w.until_settled()
        before = w.container("shop_db")
        w.engine.load_by_hand("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=5)
        await w.until_settled()
        assert w.chunk("web")["image_moved"] == ""
        assert w.container("shop_db") == before
        calls = len(w.engine.calls)
        w.ask_apply()
        await asyncio.sleep(60)
        assert len(w.engine.calls) == calls


async def test_a_tag_that_was_swapped_while_nobody_looked_is_put_right_when_somebody_does() -> None:
    async with World() as w:
        w.files.write("shop", shop(False))
        await w.until_settled()
        await w.kill()
        w.engine.load_by_hand("web:1")
        w.start()
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=5)
        await w.until_settled()


async def test_a_swapped_tag_that_is_to_be_left_alone_restarts_nothing() -> None:
    async with World() as w:
        w.files.write("shop", shop(False, ignore_drift=["image"]))
        await w.until_settled()
        before = web(w)
        w.engine.load_by_hand("web:1")
        await lasting(HOUR, w)
        await w.kill()
        w.start()
        await w.until_settled()
        w.ask_apply()
        await lasting(HOUR, w)
        assert web(w) == before
        assert w.chunk("web")["image_moved"] == ""


async def test_where_containers_are_taken_over_a_moved_tag_is_told_and_waits_for_a_person() -> None:
    async with World() as w:
        w.files.write("shop", shop(False, adopt=True))
        await w.until_settled()
        before = web(w)
        w.engine.load_by_hand("web:1")
        await w.until(lambda: bool(w.chunk("web")["image_moved"]), limit=5)
        assert w.chunk("web")["image_moved"] == "image: web:1 is sha256:web:1#1 now, sha256:web:1 found"
        await lasting(HOUR, w)
        await w.kill()
        w.start()
        await w.until_settled()
        await lasting(HOUR, w)
        assert web(w) == before
        w.ask_apply()
        await w.until(lambda: web_image(w) == "sha256:web:1#1")
        await w.until_settled()


async def test_a_swapped_tag_that_does_not_come_up_is_rolled_back_from_and_not_tried_again() -> None:
    async with World() as w:
        w.files.write("shop", shop(False, **check()))
        await w.until_settled()
        old = web(w).id
        never_ready(w, "sha256:web:1#1")
        w.engine.load_by_hand("web:1")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await lasting(HOUR, w, state="failed")
        assert web(w).id == old
        await w.kill()
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await lasting(HOUR, w, state="failed")
        assert web(w).id == old
        w.engine.load_by_hand("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#2")


@pytest.mark.parametrize("auto_update", [False, "local", "registry"])
async def test_what_another_domain_builds_under_the_tag_is_told_and_never_runs_here(auto_update: Any) -> None:
    async with World() as w:
        w.files.write("shop", shop(auto_update))
        await w.until_settled()
        before = web(w)
        w.engine.build_for("other", "web:1")
        await w.until(lambda: "domain other has built it" in w.chunk("web")["image_moved"], limit=90)
        w.ask_apply()
        await lasting(HOUR, w)
        assert web(w) == before


async def test_what_another_domain_builds_runs_where_the_policy_lets_it_be_taken_up() -> None:
    async with World() as w:
        w.taken_up.add("web:1")
        w.files.write("shop", shop(False))
        await w.until_settled()
        w.engine.build_for("other", "web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=5)
        await w.until_settled()
        assert w.chunk("web")["image_moved"] == ""


async def test_what_the_domain_itself_builds_under_a_tag_is_its_own() -> None:
    async with World() as w:
        w.files.write("shop", shop("local"))
        await w.until_settled()
        w.engine.build_for("shop", "web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=30)


@pytest.mark.parametrize("running", [True, False])
async def test_who_asks_has_a_tag_that_moved_taken_up_and_waits_until_it_is_known(running: bool) -> None:
    """Also right after the program has started, when nobody has looked at the engine's images yet."""

    async with World() as w:
        document = shop(False)
        for one in document["cpuxs"]["main"]["design_chunks"]:
            one["container"]["platform"] = "linux/amd64"  # so that the name alone does not say which is meant
        w.files.write("shop", document)
        await w.until_settled()
        if not running:
            await w.kill()
        w.engine.load_by_hand("web:1")
        if running:
            await asyncio.sleep(100)
            assert web_image(w) == "sha256:web:1"
        else:
            w.start()
        controller = w.controller
        assert controller is not None
        await w.until(lambda: controller.first_pass_done)
        await controller.look_now(())
        await w.until(lambda: controller.idle and finished_applying(controller.view()))
        assert web_image(w) == "sha256:web:1#1"
