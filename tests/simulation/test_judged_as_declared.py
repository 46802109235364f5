"""What serves in the place of a newer version is judged by the check that it was declared with, and by no other."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from reconciler.planner.observed import Condition
from tests.simulation.seeds import seeds
from tests.simulation.world import World, chunk, domain

OLD, NEW = "/", "/healthz"


def check(path: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "port_key": "80", "path": path, "interval_seconds": 1, "deadline_seconds": 6, **more}


def shop(image: str, path: str, **more: Any) -> dict[str, Any]:
    container = {"image": image, **more.pop("container", {})}
    of_check = {"health_check": check(path)} if path else {"health_check": None}
    made = chunk("web", container=container, **{**of_check, **more})
    if made["health_check"] is None:
        del made["health_check"]
    if made.get("strategy") == "start-first" or made.get("replicas"):
        del made["container"]["name"]
    return domain(made)


def images(w: World) -> None:
    """Version 1 has only what it is asked for; version 2 ends at once."""
    w.engine.fate("web:1").lacks = (NEW, "81")
    w.engine.fate("web:2").exit_code = 4


def serving(w: World) -> dict[str, str]:
    """The runs of what is up of the chunk, by container."""
    own = (c for c in w.engine.containers.values() if c.owner is not None and c.owner.chunk == "web")
    return {c.id: c.run for c in own if c.condition is Condition.RUNNING}


async def stays(w: World, seconds: float = 120.0) -> None:
    """What is up now is not touched, and its fact holds all the time."""
    before, calls = serving(w), len(w.engine.calls)
    assert before
    for _ in range(int(seconds * 5)):
        assert w.fact("web_ready") == "Y"
        await asyncio.sleep(0.2)
    assert serving(w) == before
    assert [c.text for c in w.engine.calls[calls:] if not c.text.startswith("EnsureImage")] == []


async def rolled_back(w: World, before: dict[str, Any], after: dict[str, Any]) -> None:
    images(w)
    w.files.write("shop", before)
    await w.until_settled()
    w.files.write("shop", after)
    await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_after_a_rollback_the_check_of_the_new_version_restarts_nothing(strategy: str) -> None:
    async with World() as w:
        before, after = (shop(f"web:{n}", path, strategy=strategy) for n, path in ((1, OLD), (2, NEW)))
        await rolled_back(w, before, after)
        await stays(w)
        assert "not healthy itself" not in w.chunk("web")["message"]
        assert NEW not in w.chunk("web")["probe"]["last_error"]


async def test_after_a_rollback_it_is_still_restarted_where_its_own_check_finds_it_ill() -> None:
    async with World() as w:
        await rolled_back(w, shop("web:1", OLD), shop("web:2", NEW))
        run = w.container("shop_web").run
        w.engine.make_ill("shop_web")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until(lambda: w.container("shop_web").run != run and w.fact("web_ready") == "Y")
        await stays(w)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"path": OLD}, {"path": NEW}),
        ({"path": OLD}, {"path": ""}),
        ({"path": "", "stable_seconds": 1}, {"path": NEW}),
        ({"path": "", "stable_seconds": 1}, {"path": "", "stable_seconds": 600}),
        ({"path": OLD}, {"path": "x", "health_check": {"type": "docker", "deadline_seconds": 6}}),
        ({"path": "x", "health_check": {"type": "docker"}}, {"path": NEW}),
        ({"path": OLD}, {"path": "x", "health_check": {"type": "tcp", "port_key": "81", "deadline_seconds": 6}}),
    ],
)
@pytest.mark.parametrize("again", [False, True])
async def test_whatever_the_two_checks_are(old: dict[str, Any], new: dict[str, Any], again: bool) -> None:
    async with World() as w:
        w.engine.fate("web:1").unchecked = old.get("health_check") is None
        await rolled_back(w, shop("web:1", **old), shop("web:2", **new))
        await stays(w, 30.0)
        if again:
            await asyncio.sleep(1.0)
            await w.kill()
            before = serving(w)
            w.start()
            await w.until(lambda: w.fact("web_ready") == "Y" and w.chunk("web")["reason"] == "RolledBack")
            assert serving(w) == before
        await stays(w, 30.0)


async def test_a_snapshot_that_does_not_tell_the_check_has_nothing_restarted_for_it() -> None:
    async with World() as w:
        await rolled_back(w, shop("web:1", OLD), shop("web:2", NEW))
        await asyncio.sleep(1.0)
        await w.kill()
        del w.stores.documents["shop"]["cpux"][0]["chunk"][0]["judged_by"]
        before = serving(w)
        w.start()
        await w.until(lambda: w.fact("web_ready") == "Y")
        assert serving(w) == before
        await stays(w)
        assert "probe" not in w.chunk("web")
        run = w.container("shop_web").run
        w.engine.die("shop_web")
        await w.until(lambda: w.fact("web_ready") == "N")
        await w.until(lambda: w.container("shop_web").run != run)
        before = serving(w)
        await asyncio.sleep(60.0)
        assert serving(w) == before
        assert w.fact("web_ready") != "Y"


async def test_a_check_in_which_variables_are_is_written_into_no_snapshot() -> None:
    async with World() as w:
        before = shop("web:1", "/${TOKEN}")
        before["env"] = {"TOKEN": "hidden-from-snapshots"}
        await rolled_back(w, before, shop("web:2", NEW))
        await stays(w)
        await asyncio.sleep(1.0)
        assert "hidden-from-snapshots" not in str(w.stores.documents)
        await w.kill()
        w.start()
        await w.until(lambda: w.fact("web_ready") == "Y")
        await stays(w)


@pytest.mark.parametrize("while_down", [False, True])
async def test_until_a_new_version_can_be_tried_the_old_one_is_judged_by_its_own_check(while_down: bool) -> None:
    async with World() as w:
        images(w)
        w.engine.fate("web:3").missing = True
        w.files.write("shop", shop("web:1", OLD))
        await w.until_settled()
        if while_down:
            await asyncio.sleep(1.0)
            await w.kill()
        w.files.write("shop", shop("web:3", NEW))
        if while_down:
            w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "ImagePullFailed" and w.fact("web_ready") == "Y")
        before = serving(w)
        for _ in range(300):
            assert w.fact("web_ready") == "Y"
            await asyncio.sleep(0.2)
        assert serving(w) == before
        w.engine.fate("web:3").missing = False
        await w.until_settled()
        assert w.container("shop_web").image == "web:3"


async def test_while_an_update_is_held_by_a_gate_too() -> None:
    async with World() as w:
        images(w)
        w.files.write("shop", shop("web:1", OLD))
        await w.until_settled()
        w.engine.fate("slow:1").ready_after = 1e9
        after = shop("web:3", NEW)
        after["cpuxs"]["main"]["design_chunks"].append(chunk("slow"))
        needs = {"slow_ready": {"prompt": "?", "response": [], "tv": "Y"}}
        after["cpuxs"]["main"]["design_chunks"][0]["gatekeeper"] = needs
        w.files.write("shop", after)
        await w.until(lambda: "slow_ready" in w.chunk("web")["message"] and "shop_slow" in w.running())
        await stays(w, 30.0)


async def test_after_a_trouble_that_can_pass_too() -> None:
    async with World() as w:
        images(w)
        w.files.write("shop", shop("web:1", OLD, container={"ports": {"80": "8080"}}))
        await w.until_settled()
        w.engine.plant_container("theirs", port=8081)
        w.files.write("shop", shop("web:3", NEW, container={"ports": {"80": "8081"}}))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
        await stays(w, 30.0)
        w.engine.remove_by_hand("theirs")
        await w.until_settled()
        assert w.container("shop_web").image == "web:3"


async def test_a_changed_check_of_an_unchanged_container_is_taken_up_at_once() -> None:
    async with World() as w:
        await rolled_back(w, shop("web:1", OLD), shop("web:2", NEW))
        run = w.container("shop_web").run
        w.files.write("shop", shop("web:1", "/other"))
        await w.until_settled()
        assert w.container("shop_web").run == run
        w.files.write("shop", shop("web:1", NEW))
        await w.until(lambda: w.fact("web_ready") != "Y")
        await w.until(lambda: w.container("shop_web").run != run)
        assert w.chunk("web")["reason"] != "RolledBack"


async def test_a_check_changed_alone_for_what_was_given_up_does_not_touch_what_serves() -> None:
    async with World() as w:
        await rolled_back(w, shop("web:1", OLD), shop("web:2", NEW))
        w.files.write("shop", shop("web:2", "/third"))
        await asyncio.sleep(0.5)
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
        await stays(w)


async def test_a_fact_that_only_the_new_version_declares_is_not_answered_by_the_old_one() -> None:
    async with World() as w:
        new = {"web_v2": {"prompt": "?", "response": ["yes"], "tv": "Y"}}
        after = shop("web:3", NEW)
        after["cpuxs"]["main"]["design_chunks"][0]["flowout"].update(new)
        waiting = chunk("user")
        waiting["gatekeeper"] = new
        after["cpuxs"]["main"]["design_chunks"].append(waiting)
        images(w)
        w.engine.fate("web:3").missing = True
        w.files.write("shop", shop("web:1", OLD))
        await w.until_settled()
        w.files.write("shop", after)
        await w.until(lambda: w.chunk("web")["reason"] == "ImagePullFailed")
        await stays(w, 20.0)
        assert w.fact("web_v2") != "Y"
        assert "shop_user" not in w.running()
        w.engine.fate("web:3").missing = False
        await w.until_settled()
        assert w.fact("web_v2") == "Y"


async def test_the_answer_of_the_old_version_is_told_as_that_declared_it() -> None:
    async with World() as w:
        before, after = shop("web:1", OLD), shop("web:2", NEW)
        for document, version in ((before, "1"), (after, "2")):
            document["cpuxs"]["main"]["design_chunks"][0]["flowout"]["web_ready"]["response"] = [version]
        await rolled_back(w, before, after)
        assert w.domain("shop")["cpuxs"][0]["facts"]["web_ready"]["response"] == ["1"]


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
async def test_copies_that_are_still_to_be_replaced_are_judged_by_their_own_check(strategy: str) -> None:
    async with World() as w:
        images(w)
        w.engine.fate("web:2").exit_code = None
        w.engine.fate("web:2").lacks = (NEW,)
        more: dict[str, Any] = {"replicas": 3, "min_ready": 2, "strategy": strategy}
        w.files.write("shop", shop("web:1", OLD, **more))
        await w.until_settled()
        w.files.write("shop", shop("web:2", NEW, **more))
        before = serving(w)
        while w.chunk("web")["reason"] != "RolledBack":
            assert w.fact("web_ready") == "Y"
            await asyncio.sleep(0.1)
        assert len(serving(w).items() & before.items()) >= 2
        await w.until(lambda: len(serving(w)) == 3)
        await stays(w)


async def test_a_container_taken_over_is_judged_by_the_check_it_was_taken_over_with() -> None:
    async with World() as w:
        images(w)
        w.engine.plant_container("shop_web", image="web:1")
        before = shop("web:1", OLD, adopt=True)
        w.files.write("shop", before)
        await w.until_settled()
        w.files.write("shop", shop("web:2", NEW))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
        await stays(w)


async def test_an_update_that_is_left_as_it_is_is_judged_by_its_own_check() -> None:
    async with World() as w:
        images(w)
        w.engine.fate("web:2").exit_code = None
        w.engine.fate("web:2").lacks = (OLD,)
        w.files.write("shop", shop("web:1", OLD, on_failure="pause"))
        await w.until_settled()
        w.files.write("shop", shop("web:2", OLD, on_failure="pause"))
        await w.until(lambda: w.chunk("web")["reason"] == "UpdatePaused")
        w.files.write("shop", shop("web:2", NEW, on_failure="pause"))
        await w.until_settled()
        assert w.container("shop_web").image == "web:2"


@pytest.mark.parametrize("seed", seeds(20))
async def test_whatever_is_declared_the_last_version_that_was_up_serves(seed: int) -> None:
    rng = random.Random(seed)
    paths, has = ["/a", "/b", "/c", ""], {"web:1": "/a", "web:2": "/a/b", "web:3": "/b/c", "web:4": ""}
    async with World(seed=seed) as w:
        for image, its in has.items():
            w.engine.fate(image).lacks = [path for path in paths if path not in its]
        w.engine.fate("web:4").exit_code = 1
        w.files.write("shop", shop("web:1", "/a"))
        await w.until_settled()
        last = "web:1"
        for number in range(8):
            image, path = rng.choice(list(has)), rng.choice(paths)
            more: dict[str, Any] = {"strategy": rng.choice(["stop-first", "start-first"])}
            more["container"] = {"environment": {"V": str(number)}, "restart": rng.choice(["no", "always"])}
            is_good = image != "web:4" and path in has[image]
            is_known = rng.random() < 0.8
            w.engine.fate(image).missing = not is_known and image not in w.engine.images
            w.files.write("shop", shop(image, path, **more))
            await asyncio.sleep(rng.choice([0.1, 1.0]))
            if rng.random() < 0.3:
                await w.kill()
                w.start()
                await asyncio.sleep(0.5)
            if w.engine.fate(image).missing:
                await w.until(lambda: w.chunk("web")["reason"] == "ImagePullFailed" and w.fact("web_ready") == "Y")
                w.engine.fate(image).missing = False
            if is_good:
                await w.until_settled()
                last = image
            else:
                await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.fact("web_ready") == "Y")
            assert {w.engine.containers[id].image for id in serving(w)} == {last}
            await stays(w, 20.0)
