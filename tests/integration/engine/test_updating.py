"""Settings of a container that runs, changed as it runs."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import NotFound, UpdateFailed
from reconciler.planner.actions import UpdateContainer
from tests.drifted import drift
from tests.integration.engine.bench import Bench

pytestmark = pytest.mark.docker

MIB = 1024**2
SLEEPING: dict[str, Any] = {"command": ["sleep", "500"]}


async def test_limits_are_raised_and_lowered_in_the_container_that_runs(engine: DockerEngine, bench: Bench) -> None:
    first = await bench.run(mem_limit="32m", cpus="0.5", restart="no", **SLEEPING)
    for memory, cpus, restart in (("256m", "1", "always"), ("16m", "0.25", "on-failure:3"), ("32m", "0.5", "no")):
        wanted = dict(bench.chunk(mem_limit=memory, cpus=cpus, restart=restart, **SLEEPING).container.settings)
        update = UpdateContainer(first.name, wanted, ("mem_limit", "cpus", "restart"))
        for _ in range(2):  # repeated it changes nothing
            after = await engine.perform(update)
        assert after is not None
        assert (after.id, after.run) == (first.id, first.run)
        assert after.settings is not None
        assert drift(wanted, after.settings) == ()


async def test_what_somebody_changed_by_hand_is_named(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(mem_limit="64m", **SLEEPING)
    wanted = bench.chunk(mem_limit="64m", **SLEEPING).container.settings
    bench.client.update_container(made.id, mem_limit=128 * MIB, memswap_limit=256 * MIB)
    seen = await engine.look(made.id)
    assert seen is not None
    assert seen.settings is not None
    assert drift(wanted, seen.settings) == ("mem_limit: 64m declared, 128m found",)
    mended = await engine.perform(UpdateContainer(made.name, wanted, ("mem_limit",)))
    assert mended is not None
    assert mended.settings is not None
    assert drift(wanted, mended.settings) == ()


async def test_a_change_that_the_engine_refuses_says_why(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(**SLEEPING)
    impossible = {"mem_limit": 1 * MIB}
    with pytest.raises(UpdateFailed, match=r"(?i)memory limit"):
        await engine.perform(UpdateContainer(made.name, impossible, ("mem_limit",)))
    with pytest.raises(NotFound):
        await engine.perform(UpdateContainer(f"{made.name}-not-there", impossible, ("mem_limit",)))
