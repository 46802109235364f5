"""Every single fault: one call that the engine refuses, or carries out and answers otherwise, at any step of a first
start and of an update. What is healthy is never the price of it; in the end there is what was wanted, and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.protocol import EngineError, EngineUnavailable
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import (
    Action,
    CreateContainer,
    RemoveContainer,
    RenameContainer,
    StartContainer,
    StopContainer,
)
from reconciler.planner.observed import Condition, Container
from tests.simulation.world import World, chunk, domain

CALLS = {
    "create": CreateContainer,
    "start": StartContainer,
    "rename": RenameContainer,
    "stop": StopContainer,
    "remove": RemoveContainer,
}
FORMS = ("refused", "done but refused", "done but cut")


class OneFault(SimulatedEngine):
    """Once ``strike_at`` is set, the call of that number of the one kind goes wrong."""

    def __init__(self, call: str, form: str) -> None:
        super().__init__(seed=1, start_seconds=(0.2, 0.3))
        self._kind, self._form = CALLS[call], form
        self.strike_at: int | None = None
        self.seen = 0

    def _carry_out(self, action: Action) -> Container | None:
        if not isinstance(action, self._kind) or self.strike_at is None:
            return super()._carry_out(action)
        self.seen += 1
        if self.seen - 1 != self.strike_at:
            return super()._carry_out(action)
        if self._form == "refused":
            raise EngineError("the engine had a fault of its own")
        super()._carry_out(action)
        if self._form == "done but cut":
            raise EngineUnavailable("the connection was cut")
        raise EngineError("the engine had a fault of its own")


def shop(version: str, strategy: str) -> dict[str, Any]:
    web = chunk("web", container={"name": None, "environment": {"V": version}}, strategy=strategy)
    return domain(web)


def serving(w: World) -> bool:
    """Whether something of the chunk is up and healthy."""
    return any(w.engine.is_ready(id) for id in w.engine.containers)


async def told(call: str, form: str, first: bool, strategy: str, number: int) -> bool:
    """Live through one cell, with the fault at one of its calls; whether there was such a call."""
    engine = OneFault(call, form)
    async with World(engine) as w:
        if not first:
            w.files.write("shop", shop("1", strategy))
            await w.until_settled()
        engine.strike_at = number
        w.files.write("shop", shop("2", strategy))
        rejected: set[str] = set()
        longest = gap = 0.0

        def is_done() -> bool:
            nonlocal longest, gap
            gap = 0.0 if serving(w) else gap + 0.02
            longest = max(longest, gap)
            assert w.controller is not None
            rejected.update(r.memory.rejected for r in w.controller.known.chunks.values() if r.memory.retry_at is None)
            containers = list(w.engine.containers.values())
            newest = [c for c in containers if "V=2" in str(c.settings) or "'V': '2'" in str(c.settings)]
            return w.domain("shop").get("generation") == (1 if first else 2) and len(containers) == len(newest) == 1

        await w.until(lambda: is_done() and w.settled())
        (web,) = w.engine.containers.values()
        assert web.condition is Condition.RUNNING
        assert web.name == "shop-main-web-1"
        assert rejected <= {""}
        if strategy == "start-first" and not first:
            assert longest == 0.0
        # A stop-first update interrupts once, and once more where the old one came back meanwhile: never for long.
        assert first or longest < 3.0
        return engine.seen > number


@pytest.mark.parametrize("strategy", ["stop-first", "start-first"])
@pytest.mark.parametrize("first", [True, False], ids=["first start", "update"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", CALLS)
async def test_one_fault_costs_nothing_that_is_healthy_and_leaves_nothing_behind(
    call: str, form: str, first: bool, strategy: str
) -> None:
    number = 0
    while await told(call, form, first, strategy, number):
        number += 1
    happens = {"create", "start"} if first else {"create", "start", "rename", "stop", "remove"}
    assert number > 0 or call not in happens
