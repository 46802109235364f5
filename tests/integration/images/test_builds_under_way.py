"""A build in the middle of which people look, through the whole daemon: each step waits until the test lets it go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Daemon, stack
from tests.integration.images.conftest import Bench
from tests.integration.images.test_interrupted_pulls import output_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

STEPS = ("first", "second", "third")


@pytest.fixture
def source(daemon: Daemon, bench: Bench, name: str) -> Path:
    """A directory with a Dockerfile of three steps that wait."""
    made = daemon.domains / "app"
    made.mkdir()
    waiting = "".join(f"RUN : {step}; until [ -e /go-on ]; do sleep 0.1; done; rm /go-on\n" for step in STEPS)
    (made / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={name}\n{waiting}")
    return made


def let_go_on(daemon: Daemon, name: str, step: str) -> None:
    """Let a step that is under way come to its end."""

    def running() -> list[str]:
        found = daemon.api.containers(filters={"label": f"test={name}", "status": "running"})
        return [container["Id"] for container in found if f": {step};" in container["Command"]]

    daemon.until(lambda: bool(running()), f"the {step} step to run")
    asked = daemon.api.exec_create(running()[0], ["touch", "/go-on"])
    daemon.api.exec_start(asked["Id"])


def test_how_far_a_build_is_shows_in_status_watch_and_apply_step_by_step(
    daemon: Daemon, name: str, source: Path
) -> None:
    image = f"{name}-built:1"
    container = {"image": image, "name": f"{name}_app", "build": {"context": "./app", "network": "none"}}
    app: dict[str, Any] = {"name": "app", "container": {**container, "stop_grace_period": "0s"}}
    how_far = [f"building {image}: step {number} of 7: RUN : {step};" for number, step in enumerate(STEPS, 3)]
    watched, applied = daemon.root / "watched", daemon.root / "applied"
    with output_of(daemon, watched, "status", "--watch", "--json"):
        daemon.until(lambda: bool(watched.read_text()), "the watch to begin")
        daemon.write(name, stack(name, app))
        daemon.until(lambda: daemon.chunk(name, "app")["message"].startswith(how_far[0]), "the first step to show")
        assert daemon.chunk(name, "app")["reason"] == "BuildingImage"
        let_go_on(daemon, name, "first")
        daemon.until(lambda: daemon.chunk(name, "app")["message"].startswith(how_far[1]), "the second step to show")
        with output_of(daemon, applied, "apply", "--wait") as apply:
            daemon.until(lambda: how_far[1] in applied.read_text(), "the second step in apply")
            let_go_on(daemon, name, "second")
            daemon.until(lambda: how_far[2] in watched.read_text(), "the third step in the watch")
            let_go_on(daemon, name, "third")
            assert apply.wait(60) == 0, applied.read_text()
    shown = watched.read_text()
    assert sorted(how_far, key=shown.index) == how_far
    told = [str(entry["message"]) for entry in daemon.journal() if entry["kind"] == "image"]
    assert told[0] == f"building {image} from {source}"
    assert told[-1].startswith(f"built {image}: ")
