"""Nothing ever busy-loops, whoever it is that undoes our work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.engine.protocol import Progress
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import Action, CreateContainer, CreateNetwork, EnsureImage, StartContainer
from reconciler.planner.observed import Container
from tests.simulation.world import World, chunk, domain

HOUR = 3600.0


class Haunted(SimulatedEngine):
    """Somebody removes the web server whenever it was started, before it can prove itself."""

    haunted = True

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        done = await super().perform(action, progress)
        if self.haunted and isinstance(action, StartContainer) and action.name == "shop_web":
            self.remove_by_hand(action.name)
        return done


def made(w: World) -> int:
    return w.made("shop_web")


@pytest.mark.parametrize("more", [{}, {"health_check": None}], ids=["probed", "not-probed"])
async def test_what_somebody_takes_away_again_and_again_is_made_ever_less_often(more: dict[str, Any]) -> None:
    engine = Haunted()
    async with World(engine) as w:
        w.files.write("shop", domain(chunk("db"), chunk("web", **more)))
        await w.until(lambda: made(w) >= 5)
        await asyncio.sleep(HOUR)
        before = made(w)
        await asyncio.sleep(HOUR)
        assert 9 <= made(w) - before <= 16  # every five minutes
        assert w.chunk("web")["state"] != "completed"
        assert w.chunk("db")["state"] == "completed"

        # A person who asks does not have to wait, and what has proved itself starts over.
        engine.haunted = False
        w.ask_apply()
        await w.until_settled(limit=15)
        before = made(w)
        engine.remove_by_hand("shop_web")
        await w.until(lambda: made(w) == before + 1, limit=5)


class Strange(SimulatedEngine):
    """Answers to one kind of action in a way that nobody has thought of."""

    def __init__(self, kind: type[Action]) -> None:
        super().__init__()
        self.kind: type[Action] | None = kind
        self.asked = 0

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        if self.kind is not None and isinstance(action, self.kind):
            self.asked += 1
            raise KeyError("State")
        return await super().perform(action, progress)


@pytest.mark.parametrize("kind", [CreateNetwork, EnsureImage, CreateContainer, StartContainer])
async def test_an_unforeseen_failure_is_told_and_tried_again_ever_less_often(
    kind: type[Action],
) -> None:
    engine = Strange(kind)
    async with World(engine) as w:
        w.files.write("shop", domain(chunk("web")))
        await asyncio.sleep(60.0)
        assert 2 <= engine.asked <= 12
        assert "failed with an error that pnr does not know (KeyError: 'State')" in str(w.domain("shop"))
        engine.kind = None
        await w.until_settled(limit=300)


class Retagging(SimulatedEngine):
    """Somebody moves a tag between the moment in which it is looked at and that in which a container is made from it,
    to an image that ends at once."""

    moves = 0

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        if self.moves and isinstance(action, CreateContainer):
            self.moves -= 1
            self.load_by_hand("web:1")
            fate = self.fate(self.image_id("web:1"))
            fate.exit_code, fate.exit_after = 1, 0.0
        return await super().perform(action, progress)


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("auto_update", [None, "local"])
async def test_an_image_that_crashes_in_place_of_the_one_asked_for_is_given_up(
    strategy: str, auto_update: str | None
) -> None:
    engine = Retagging(start_seconds=(0.001, 0.01))
    more: dict[str, Any] = {"auto_update": auto_update} if auto_update else {}
    async with World(engine) as w:
        w.files.write("shop", domain(chunk("web", strategy=strategy, container={"name": None}, **more)))
        await w.until_settled()
        before = w.running()
        engine.moves, begun = 1, len(w.order("StartContainer"))
        engine.load_by_hand("web:1")
        await w.until(lambda: engine.moves == 0)
        await asyncio.sleep(60.0)
        assert w.running() == before
        assert w.chunk("web")["reason"] == "RolledBack"
        assert len(w.order("StartContainer")) - begun < 8


@pytest.mark.parametrize("health", [None, {"type": "tcp", "port_key": "80", "deadline_seconds": 5}])
async def test_while_a_container_is_slow_to_stop_nothing_is_looked_at_without_end(
    health: dict[str, Any] | None,
) -> None:
    async with World() as w:
        w.engine.fate("web:1").stops_after = 500.0
        w.engine.fate("web:1").ready_after = 1000.0
        w.files.write("shop", domain(chunk("web", health_check=health, container={"stop_grace_period": "300s"})))
        await w.until(lambda: "shop_web" in w.running())
        if health is None:
            changed = {"stop_grace_period": "300s", "environment": {"A": "1"}}
            w.files.write("shop", domain(chunk("web", health_check=health, container=changed)))
        await w.until(lambda: w.chunk("web")["reason"] == "Stopping")
        assert w.controller is not None
        before = w.controller.passes
        await asyncio.sleep(100.0)
        assert w.chunk("web")["reason"] == "Stopping"
        assert w.controller.passes - before < 50


async def test_a_port_that_is_given_up_by_a_domain_that_is_taken_down_makes_no_haste() -> None:
    slow = {"stop_grace_period": "300s"}
    async with World() as w:
        w.engine.fate("a:1").stops_after = 500.0
        w.files.write("other", domain(chunk("x", container={"name": "other_x"}), name="other"))
        w.files.write("shop", domain(chunk("a", container={"ports": {"80": "1100"}, **slow}), chunk("b")))
        await w.until_settled()
        w.files.write("shop", domain(chunk("a", container=slow), chunk("b", container={"ports": {"80": "1100"}})))
        await w.until(lambda: w.chunk("a")["reason"] == "Stopping")
        w.ask_down("shop")
        w.files.remove("shop", "other")  # all at once: that is held, until somebody says that it is meant
        await w.until(lambda: "shop_b" not in w.engine.containers and "shop_b" not in w.running())
        before = w.passes
        await asyncio.sleep(60.0)
        assert "shop_a" in w.running()
        assert w.passes - before < 60
