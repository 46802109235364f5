"""Somebody between the program and the engine cuts the event stream again and again, and nothing else."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.integration.daemon.conftest import Build, Daemon
from tests.integration.wire import tapped

pytestmark = pytest.mark.docker


def test_a_cut_event_stream_is_no_lost_engine_and_hides_nothing(
    daemon: Daemon, web: Build, tmp_path: Path, engine_socket: Path
) -> None:
    with tapped(tmp_path, engine_socket) as wire:
        daemon.kill(signal.SIGTERM)
        daemon.environment["DOCKER_HOST"] = f"unix://{wire.path}"
        daemon.start()
        daemon.settle(
            "cut_stream",
            {"name": "cut_stream", "cpuxs": {"main": {"design_chunks": [web("api", prefix="cut_stream")]}}},
        )
        name = daemon.names("cut_stream")[0]
        run = daemon.run_of(name)
        for _ in range(3):
            seen = wire.streams
            wire.cut_events()
            daemon.until(lambda seen=seen: wire.streams > seen, "another event stream")  # type: ignore[misc]
        assert daemon.view()["daemon"]["ready"]
        assert daemon.run_of(name) == run
        wire.cut_events()
        daemon.api.remove_container(name, force=True)
        daemon.until(lambda: daemon.run_of(name) not in (("", ""), run), "the container to be made again")
        daemon.until(lambda: daemon.settled("cut_stream"), "the domain to settle")
        said = [entry for entry in daemon.journal() if entry["kind"] in ("engine", "fact")]
        assert not [entry for entry in said if entry["message"].startswith("lost")]
        assert not [entry for entry in said if entry.get("fact") == "system_ready" and entry["tv"] != "Y"]
        daemon.kill(signal.SIGTERM)
        del daemon.environment["DOCKER_HOST"]
        daemon.start()
