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
