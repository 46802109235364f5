"""What a changed, broken, missing or reformatted file does, and what a person asks for."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from tests.simulation.world import STACK, World, chunk, domain


def changed(document: dict[str, Any], index: int, **container: Any) -> dict[str, Any]:
    other = copy.deepcopy(document)
    other["cpuxs"]["main"]["design_chunks"][index]["container"].update(container)
    return other


async def test_only_what_changed_is_touched_by_a_change() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        runs = {n: w.container(n).run for n in ("shop_db", "shop_api")}
        w.files.write("shop", changed(STACK, 2, environment={"A": "1"}))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert {n: w.container(n).run for n in runs} == runs
        assert w.domain("shop")["generation"] == 2
        assert len(w.engine.containers) == 3


async def test_a_reformatted_file_changes_nothing() -> None:
    import json

    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        calls = len(w.engine.calls)
        w.files.write("shop", json.dumps(STACK, indent=8))
        await asyncio.sleep(10)
        assert len(w.engine.calls) == calls
        assert w.domain("shop")["generation"] == 1


async def test_an_update_that_does_not_come_up_is_rolled_back_until_the_domain_changes() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        old = w.container("shop_api").id
        fate = w.engine.fate("api:2")
        fate.exit_code, fate.exit_after, fate.ready_after = 1, 0.1, 5.0
        w.files.write("shop", changed(STACK, 1, image="api:2"))
        await w.until(lambda: w.chunk("api")["reason"] == "RolledBack")
        await w.until(lambda: w.fact("api_ready") == "Y")
        assert w.container("shop_api").id == old
        assert w.chunk("api")["state"] == "failed"
        calls = len(w.engine.calls)
        await asyncio.sleep(3600)
        assert len(w.engine.calls) == calls
        w.files.write("shop", changed(STACK, 1, image="api:3"))
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert len(w.engine.containers) == 3


async def test_an_image_that_is_missing_leaves_the_old_container_up_and_is_tried_again() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.engine.fate("api:2").missing = True
        w.files.write("shop", changed(STACK, 1, image="api:2"))
        await w.until(lambda: w.chunk("api")["reason"] == "ImagePullFailed")
        await asyncio.sleep(60)
        assert "shop_api" in w.running()
        w.engine.fate("api:2").missing = False
        await w.until_settled()
        assert w.container("shop_api").image == "api:2"


async def test_a_removed_file_takes_its_domain_down_from_the_top() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.files.remove("shop")
        await w.until(lambda: not w.engine.containers and "pnr_shop" not in w.engine.networks)
        assert w.order("RemoveContainer") == [
            "RemoveContainer shop_web",
            "RemoveContainer shop_api",
            "RemoveContainer shop_db",
        ]
        await w.until(lambda: not w.view()["domains"])
        await asyncio.sleep(1)
        assert not w.stores.documents
        assert not w.stores.texts


async def test_a_broken_file_changes_nothing_and_is_shown() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        calls = len(w.engine.calls)
        w.files.write("shop", '{"name": "shop", "cpuxs": {')
        await w.until(lambda: bool(w.domain("shop")["errors"]))
        await asyncio.sleep(120)
        assert len(w.engine.calls) == calls
        assert w.domain("shop")["errors"][0]["line"] == 1
        w.engine.die("shop_api")
        await asyncio.sleep(5)
        assert "shop_api" in w.running()


async def test_the_last_good_intent_survives_a_restart_with_a_broken_file() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        w.files.write("shop", "{")
        w.engine.die("shop_api")
        w.start()
        await w.until(lambda: "shop_api" in w.running())
        assert len(w.engine.containers) == 3


async def test_a_file_that_went_away_while_nobody_looked_is_acted_on() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        w.files.write("other", domain(chunk("x", container={"name": "other_x"}), name="other"))
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        w.files.remove("shop")
        w.start()
        await w.until(lambda: w.running() == {"other_x"})


async def test_a_directory_that_vanishes_removes_nothing() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.files.vanish()
        await asyncio.sleep(300)
        assert len(w.running()) == 3
        assert "missing" in w.domain("shop")["held"]
        w.files.vanish(False)
        await w.until(lambda: not w.domain("shop")["held"])


async def test_losing_all_files_at_once_removes_nothing_until_a_person_says_so() -> None:
    async with World() as w:
        for name in ("a", "b"):
            w.files.write(name, domain(chunk("x", container={"name": f"{name}_x"}), name=name))
        await w.until_settled()
        w.files.remove("a", "b")
        await asyncio.sleep(300)
        assert w.running() == {"a_x", "b_x"}
        w.ask_down("a")
        await w.until(lambda: w.running() == {"b_x"})


async def test_a_directory_that_is_empty_at_the_start_removes_nothing() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        text = w.files.texts.pop("shop.json")
        w.start()
        await asyncio.sleep(300)
        assert len(w.running()) == 3
        assert "`pnr confirm-removal shop`" in w.domain("shop")["held"]
        w.files.write("shop", text.decode())
        await w.until(lambda: not w.domain("shop")["held"])
        w.files.remove("shop")
        await w.until(lambda: not w.engine.containers)


async def test_a_held_domain_whose_last_intent_is_lost_says_so_and_goes_once_confirmed() -> None:
    async with World() as w:
        for name in ("a", "b"):
            w.files.write(name, domain(chunk("x", container={"name": f"{name}_x"}), name=name))
        await w.until_settled()
        w.files.remove("a", "b")
        await w.until(lambda: bool(w.domain("a")["held"]))
        await asyncio.sleep(1)
        await w.kill()
        del w.stores.texts["a"]
        w.start()
        await w.until(lambda: any("put a.json back" in note for note in w.domain("a").get("notes", ())))
        assert not any("put b.json back" in note for note in w.domain("b")["notes"])
        await asyncio.sleep(10)
        assert w.running() == {"a_x", "b_x"}
        w.ask_confirm("a", "b")
        await w.until(lambda: not w.engine.containers)


async def test_a_chunk_that_never_began_is_ready_once_it_is_taken_down_without_an_engine() -> None:
    async with World() as w:
        w.engine.fate("db:1").missing = True
        w.files.write("shop", domain(chunk("db", container={"image": "db:1"})))
        await w.until(lambda: w.chunk("db")["state"] in ("executing", "failed"))
        w.engine.go_down()
        await w.until(lambda: w.chunk("db")["reason"] == "EngineUnavailable")
        w.ask_down("shop")
        await w.until(lambda: w.chunk("db")["reason"] == "Suspended")
        assert w.chunk("db")["state"] == "ready"


async def test_a_domain_taken_down_by_a_person_stays_down_until_it_is_asked_for_or_changes() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        w.ask_down("shop")
        await w.until(lambda: not w.engine.containers)
        told = [str(e.get("message")) for e in w.stores.entries if e.get("reason") == "Removing"]
        assert "taken down by a person" in told
        assert not any("no longer declared" in message for message in told)
        await asyncio.sleep(300)
        assert not w.engine.containers
        assert w.chunk("db")["reason"] == "Suspended"
        w.ask_apply("shop")
        await asyncio.sleep(0.1)
        await w.until_settled()
        assert len(w.running()) == 3
