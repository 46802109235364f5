"""A chunk follows its image's tag: what the registry says, and what stands on the engine, leads to an update."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from reconciler.engine.protocol import Glimpse, Progress
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import Action, EnsureImage
from reconciler.planner.observed import Container
from tests.simulation.tagged import (
    HOUR,
    asked,
    check,
    in_order,
    journal,
    lasting,
    named,
    never_ready,
    shop,
    web,
    web_image,
)
from tests.simulation.world import World, chunk, domain


async def test_a_moved_tag_is_fetched_while_the_old_container_runs_and_then_taken() -> None:
    async with World() as w:
        w.files.write("shop", shop({"policy": "registry", "interval_seconds": 60}))
        await w.until_settled()
        before, other = web(w), w.container("shop_db")
        await asyncio.sleep(90)
        w.engine.release("web:1")
        await w.until(lambda: w.chunk("web")["reason"] == "PullingImage", limit=67)
        assert w.chunk("web")["state"] == "executing"
        assert web(w) == before
        assert w.fact("web_ready") == "Y"
        await w.until(lambda: web_image(w) == "sha256:web:1#1")
        await w.until_settled()
        assert w.container("shop_db") == other
        assert named(w) == {"shop_db", web(w).name}
        assert w.chunk("web")["auto_update"]["rejected"] is None
        # Only what the registry has decides: nothing more is done.
        calls = len(w.engine.calls)
        await lasting(HOUR, w)
        assert len(w.engine.calls) == calls


class Dawdling(SimulatedEngine):
    """An engine that has what it pulled some time before it says so, as a busy one does."""

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        told: list[str] = []
        done = await super().perform(action, told.append if progress is not None else None)
        if isinstance(action, EnsureImage) and progress is not None:
            self._hint(Glimpse(None, images=True))
            await asyncio.sleep(2)
            for line in told:
                progress(line)
        return done


async def test_a_pulled_newer_image_is_told_also_where_it_was_seen_before_the_pull_ended() -> None:
    async with World(Dawdling()) as w:
        w.files.write("shop", shop())
        await w.until_settled()
        await asyncio.sleep(60)
        before = journal(w, "image").count("pulled web:1 (simulated)")
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: web_image(w) == "sha256:web:1#1")
        await w.until_settled()
        await asyncio.sleep(60)
        assert journal(w, "image").count("pulled web:1 (simulated)") == before + 1


async def test_a_tag_that_does_not_move_is_asked_for_at_its_interval_and_nothing_is_done() -> None:
    async with World() as w:
        w.files.write("shop", shop({"policy": "registry", "interval_seconds": 600}, health_check=None))
        await w.until_settled()
        calls = len(w.engine.calls)
        await lasting(5 * HOUR, w)
        assert 27 <= asked(w) <= 34  # 30 in five hours, spread by a tenth
        assert w.engine.questions.count("db:1") == 0
        assert len(w.engine.calls) == calls


async def test_an_image_is_asked_for_once_however_many_chunks_want_it() -> None:
    async with World() as w:
        webs = (chunk(f"web{n}", auto_update="registry", container={"image": "web:1"}) for n in range(8))
        w.files.write("shop", domain(*webs))
        await w.until_settled()
        await asyncio.sleep(60)
        assert asked(w) == 1
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: {c.image_id for c in w.engine.containers.values()} == {"sha256:web:1#1"})
        await w.until_settled()
        assert asked(w) == 2


async def test_a_person_who_asks_is_answered_at_once_and_waited_for() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        await asyncio.sleep(60)
        w.engine.release("web:1")
        w.ask_apply("shop")
        await asyncio.sleep(0.001)
        assert w.domain("shop")["asking_registries"]
        await w.until(lambda: not w.domain("shop")["asking_registries"], limit=5)
        # From here on there is no moment at which it is settled before the update is made.
        assert not w.settled()
        await w.until_settled(limit=30)
        assert web_image(w) == "sha256:web:1#1"


@pytest.mark.parametrize("trouble", ["toomanyrequests: slow down", "connection refused", "503 Service Unavailable"])
async def test_a_registry_that_is_down_harms_nothing_and_is_asked_ever_less(trouble: str) -> None:
    async with World() as w:
        w.files.write("shop", shop({"policy": "registry", "interval_seconds": 60}, health_check=None))
        await w.until_settled()
        await asyncio.sleep(120)
        before = web(w)
        w.engine.registry_trouble = trouble
        count = asked(w)
        await lasting(6 * HOUR, w)
        assert asked(w) - count < 15
        assert web(w) == before
        assert trouble in w.chunk("web")["auto_update"]["trouble"]
        assert len([line for line in journal(w, "image") if trouble in line]) == 1
        w.engine.registry_trouble = ""
        w.engine.release("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=1.2 * HOUR)
        await w.until_settled()
        assert w.chunk("web")["auto_update"]["trouble"] == ""


async def test_a_registry_that_goes_down_between_answer_and_pull_harms_nothing() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        await asyncio.sleep(60)
        before = web(w)
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: w.chunk("web")["reason"] == "PullingImage")
        w.engine.registry_trouble = "503 Service Unavailable"
        await w.until(lambda: w.chunk("web")["state"] == "completed")
        shown = w.chunk("web")
        soon = datetime.fromisoformat(shown["auto_update"]["next_at"]) - datetime.fromisoformat(shown["since"])
        assert soon < timedelta(minutes=2)
        await asyncio.sleep(HOUR)
        assert web(w) == before
        assert "503" in w.chunk("web")["auto_update"]["trouble"]
        assert w.fact("web_ready") == "Y"
        w.engine.registry_trouble = ""
        await w.until(lambda: web_image(w) == "sha256:web:1#1", limit=1.2 * HOUR)


async def test_a_manifest_that_is_deleted_harms_nothing() -> None:
    async with World() as w:
        w.files.write("shop", shop())
        await w.until_settled()
        before = web(w)
        w.engine.fate("web:1").missing = True
        w.ask_apply()
        await w.until(lambda: bool(w.chunk("web")["auto_update"]["trouble"]))
        await lasting(3 * HOUR, w)
        assert web(w) == before


# --- an update that fails -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_a_new_image_that_does_not_come_up_is_rolled_back_from_and_not_tried_again(strategy: str) -> None:
    async with World() as w:
        w.files.write("shop", shop(**in_order(strategy), **check()))
        await w.until_settled()
        old = web(w).id
        never_ready(w, "sha256:web:1#1")
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await w.until(lambda: w.fact("web_ready") == "Y")
        assert web(w).id == old
        assert named(w) == {"shop_db", web(w).name}
        shown = w.chunk("web")
        assert shown["auto_update"]["rejected"] == "sha256:web:1#1"
        assert shown["next_try"] is None
        assert "the update to web:1 (sha256:" in shown["message"]
        calls = len(w.engine.calls)
        await lasting(2 * HOUR, w, state="failed")
        assert len(w.engine.calls) == calls
        assert web(w).id == old

        # Neither does the program try it again after it was restarted, whether the registry answers or not.
        await w.kill()
        w.engine.registry_trouble = "connection refused"
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and asked(w) > 0)
        await lasting(HOUR, w, state="failed")
        w.engine.registry_trouble = ""
        await lasting(1.2 * HOUR, w, state="failed")
        assert len(w.engine.calls) == calls

        # The next image is another matter.
        w.engine.release("web:1")
        await w.until(lambda: web_image(w) == "sha256:web:1#2", limit=1.2 * HOUR)
        await w.until_settled()
        assert w.chunk("web")["auto_update"]["rejected"] is None
        assert named(w) == {"shop_db", web(w).name}


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("policy", ["registry", "local"])
async def test_a_start_that_ends_before_images_are_looked_at_is_judged_by_what_it_was_for(
    policy: str, strategy: str
) -> None:
    async with World(SimulatedEngine(start_seconds=(0.01, 0.02), stop_seconds=(0.01, 0.02))) as w:
        w.files.write("shop", shop(policy, **in_order(strategy), **check()))
        await w.until_settled()
        old = web(w).id

        def made() -> int:
            return w.made(web(w).name)

        def release() -> None:
            if policy == "registry":
                w.engine.release("web:1")
            else:
                w.engine.load_by_hand("web:1")
            w.ask_apply()

        w.engine.fate("sha256:web:1#1").exit_code = 3
        release()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await lasting(HOUR, w, state="failed")
        assert (web(w).id, made()) == (old, 2)

        release()
        await w.until(lambda: web_image(w) == "sha256:web:1#2")
        await w.until_settled()
        await lasting(HOUR, w)
        assert made() == 3
        assert named(w) == {"shop_db", web(w).name}


async def test_a_tag_that_moves_back_ends_the_roll_back() -> None:
    async with World() as w:
        w.files.write("shop", shop("local", **check()))
        await w.until_settled()
        old = web(w)
        never_ready(w, "sha256:web:1#1")
        w.engine.load_by_hand("web:1")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        w.engine.tag_by_hand("web:1", 0)
        await w.until_settled()
        assert web(w).id == old.id


async def test_an_update_that_pauses_is_left_as_it_is_until_the_tag_moves_on() -> None:
    async with World() as w:
        w.files.write("shop", shop("local", on_failure="pause", **check()))
        await w.until_settled()
        never_ready(w, "sha256:web:1#1")
        w.engine.load_by_hand("web:1")
        await w.until(lambda: w.chunk("web")["reason"] == "UpdatePaused")
        await lasting(HOUR, w, state="failed")
        w.engine.load_by_hand("web:1")
        await w.until_settled()
        assert web_image(w) == "sha256:web:1#2"


async def test_a_person_may_have_a_rejected_image_tried_again() -> None:
    async with World() as w:
        w.files.write("shop", shop(**check()))
        await w.until_settled()
        never_ready(w, "sha256:web:1#1")
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        w.engine.fate("sha256:web:1#1").ready_after = 0.05
        w.ask_apply()
        await w.until_settled()
        assert web_image(w) == "sha256:web:1#1"


async def test_a_tag_that_moves_during_an_update_keeps_the_proven_image_as_the_way_back() -> None:
    async with World() as w:
        w.files.write("shop", shop("local", **in_order("start-first"), **check()))
        await w.until_settled()
        old = web(w).id
        for release in (1, 2):
            never_ready(w, f"sha256:web:1#{release}")
        w.engine.load_by_hand("web:1")
        await w.until(lambda: len(named(w)) == 3)
        w.engine.load_by_hand("web:1")
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        assert web(w).id == old
        assert w.chunk("web")["auto_update"]["rejected"] == "sha256:web:1#2"


async def test_copies_are_updated_one_after_the_other() -> None:
    async with World() as w:
        w.files.write("shop", shop(replicas=3, min_ready=2))
        await w.until_settled()
        seen: set[str] = set()
        w.engine.release("web:1")
        w.ask_apply()

        def updated() -> bool:
            seen.add(w.fact("web_ready"))
            webs = [c for c in w.engine.containers.values() if "web" in c.name]
            return {c.image_id for c in webs} == {"sha256:web:1#1"} and len(webs) == 3

        await w.until(updated)
        await w.until_settled()
        assert seen == {"Y"}


async def test_an_image_that_breaks_one_copy_is_not_done_to_the_others() -> None:
    async with World() as w:
        w.files.write("shop", shop("registry", replicas=3, min_ready=2, **check()))
        await w.until_settled()
        never_ready(w, "sha256:web:1#1")
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        await asyncio.sleep(2 * HOUR)
        webs = [c for c in w.engine.containers.values() if "web" in c.name]
        assert {c.image_id for c in webs} == {"sha256:web:1"}
        assert len(webs) == 3
        assert w.fact("web_ready") == "Y"


# --- killed anywhere ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("after", [n * 0.15 for n in range(14)])
async def test_a_program_that_is_killed_anywhere_in_an_update_ends_with_the_newest_image(
    after: float, strategy: str
) -> None:
    async with World() as w:
        w.files.write("shop", shop(**in_order(strategy), **check()))
        await w.until_settled()
        w.engine.release("web:1")
        w.ask_apply()
        await w.until(lambda: w.chunk("web")["reason"] == "PullingImage")
        await asyncio.sleep(after)
        await w.kill()
        await asyncio.sleep(5)
        w.start()
        await w.until(lambda: len(named(w)) == 2 and web_image(w) == "sha256:web:1#1")
        await w.until_settled()
        await asyncio.sleep(1.2 * HOUR)
        assert named(w) == {"shop_db", web(w).name}
        assert w.settled()
