"""Public stacks that want much of the host run on a real engine with the lines that the page about the policy shows: it
adds to what they ask for, and what it shows of them is judged before each start."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.planner.actions import StartContainer, StopContainer
from tests.integration.policy.conftest import Guarded
from tests.unit.policy.test_public_stacks import POLICY, STACKS

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("stack", ["traefik", "node-exporter", "telegraf", "netdata", "glances"])
async def test_a_public_stack_is_made_and_started_and_started_again(
    guarded: Guarded, engine_socket: Path, stack: str
) -> None:
    file, asked = STACKS[stack]
    bench = await guarded.bench(POLICY.for_file(file))
    # Its port is the machine's; and only a root that is a shared mount, as systemd makes it, can be a slave elsewhere.
    container = {name: value for name, value in asked.items() if name != "ports"}
    container["volumes"] = [
        volume.replace("/var/run/docker.sock:", f"{engine_socket}:", 1).replace(",rslave", "")
        for volume in asked["volumes"]
    ]
    made = await bench.run(**container)
    assert made.condition == "running"
    await bench.engine.perform(StopContainer(made.name, 0))
    again = await bench.engine.perform(StartContainer(made.name))
    assert again is not None
    assert again.condition == "running"
