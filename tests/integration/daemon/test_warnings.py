"""What an engine warns of, and what it drops, reaches people; and the container is made once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def test_a_weight_that_the_kernel_drops_is_told_and_the_container_is_made_once(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api = f"{name}_api"
    daemon.settle(name, stack(name, web("api", prefix=name, container={"blkio_config": {"weight": 300}})))
    run = daemon.run_of(api)
    dropped = daemon.container(api)["HostConfig"]["BlkioWeight"] == 0
    warned = [entry["message"] for entry in daemon.journal() if entry["kind"] == "warning"]
    message = daemon.chunk(name, "api")["message"]
    assert bool(warned) == dropped
    assert all(text in message for text in warned)
    assert ("left as it is: blkio_config" in message) == dropped
    daemon.kill()
    daemon.start()
    daemon.until(lambda: daemon.settled(name), "the domain to settle again")
    assert all(text in daemon.chunk(name, "api")["message"] for text in warned)
    made = [
        entry for entry in daemon.journal() if entry["kind"] == "action" and "created container" in entry["message"]
    ]
    assert len(made) == 1
    assert daemon.run_of(api) == run
