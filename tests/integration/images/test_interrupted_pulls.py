"""A pull in the middle of which something happens, through the whole daemon: it shows how far it is, the daemon is
killed, the registry has had enough."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Daemon, stack
from tests.integration.images.conftest import Bench, log_in
from tests.integration.images.servers import Front

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

WEIGHT = 2_000_000
HUB = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"


@pytest.fixture(autouse=True)
def logged_in(bench: Bench, front: Front, docker_config: Path) -> None:
    log_in(docker_config, bench.registry.address, front.address)


def app(image: str, **more: Any) -> dict[str, Any]:
    return {"name": "app", "container": {"image": image, "stop_grace_period": "0s"}, **more}


def stall_over_the_layer(bench: Bench, front: Front, tag: str = "1") -> None:
    """Half of the image's own layer comes, and then nothing."""
    layer = bench.registry.layers(f"{bench.prefix}/app", tag)[-1]
    front.matches = lambda path: path.endswith(layer)
    front.answers = ["stall"] * 1000


def come_to_itself(front: Front) -> None:
    front.answers = []
    front.over.set()


@contextmanager
def output_of(daemon: Daemon, file: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on meanwhile; what it prints goes to a file."""
    with file.open("wb") as out:
        process = subprocess.Popen(daemon.command(*words), stdout=out, stderr=out, env=daemon.environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def text_of(daemon: Daemon, name: str) -> str:
    found = daemon.api.containers(filters={"label": f"io.pnr.domain={name}"})
    return " ".join(sorted(str(container["Labels"].get("text", "")) for container in found))


def test_how_far_a_pull_is_shows_in_status_watch_and_apply(
    daemon: Daemon, bench: Bench, front: Front, name: str
) -> None:
    bench.push("one", weight=WEIGHT)
    image = bench.name(at=front)
    stall_over_the_layer(bench, front)
    watched, applied = daemon.root / "watched", daemon.root / "applied"
    with output_of(daemon, watched, "status", "--watch", "--json"):
        daemon.until(lambda: bool(watched.read_text()), "the watch to begin")
        daemon.write(name, stack(name, app(image)))
        how_far = re.compile(rf"pulling {re.escape(image)}: [1-9]\d? %")
        daemon.until(lambda: bool(how_far.search(daemon.chunk(name, "app")["message"])), "the progress to show")
        assert daemon.chunk(name, "app")["reason"] == "PullingImage"
        daemon.until(lambda: len(set(how_far.findall(watched.read_text()))) > 1, "the progress to grow in the watch")
        with output_of(daemon, applied, "apply", "--wait") as apply:
            daemon.until(lambda: bool(how_far.search(applied.read_text())), "the progress in apply")
            come_to_itself(front)
            assert apply.wait(60) == 0, applied.read_text()
    told = [str(entry["message"]) for entry in daemon.journal() if entry["kind"] == "image"]
    assert told[0] == f"pulling {image}"
    assert told[-1].startswith(f"pulled {image}: ")


def test_a_daemon_that_is_killed_in_the_middle_of_a_pull_starts_it_anew(
    daemon: Daemon, bench: Bench, front: Front, name: str
) -> None:
    bench.push("one", weight=WEIGHT)
    stall_over_the_layer(bench, front)
    daemon.write(name, stack(name, app(bench.name(at=front))))
    daemon.until(lambda: "%" in daemon.chunk(name, "app")["message"], "the pull to be under way")
    daemon.kill()
    come_to_itself(front)
    daemon.start()
    daemon.until(lambda: text_of(daemon, name) == "one" and daemon.settled(name), "the pull, and the container")
    # Whoever pulled it in the end, it is ours to remove.
    daemon.write(name, stack(name, app(bench.base)))
    assert daemon.pnr("apply", "--wait").returncode == 0
    (listed,) = json.loads(daemon.pnr("prune", "--dry-run", "--json").stdout)
    assert listed["names"] == [bench.name(at=front)]


@pytest.mark.parametrize("policy", [False, "registry"])
def test_a_daemon_killed_during_an_updates_pull_leaves_the_old_one_and_updates_it(
    daemon: Daemon, bench: Bench, front: Front, name: str, policy: str | bool
) -> None:
    bench.push("one")
    daemon.settle(name, stack(name, app(bench.name(at=front), auto_update=policy)))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    tag = "1" if policy else "2"
    bench.push("two", tag, weight=WEIGHT)
    stall_over_the_layer(bench, front, tag)
    daemon.write(name, stack(name, app(bench.name(tag, at=front), auto_update=policy)))
    daemon.pnr("apply")
    daemon.until(lambda: "%" in json.dumps(daemon.chunk(name, "app")), "the pull to be under way")
    assert daemon.run_of(container) == before
    daemon.kill()
    assert daemon.run_of(container) == before
    daemon.start()
    daemon.until(lambda: "%" in json.dumps(daemon.chunk(name, "app")), "the pull to be under way again")
    assert daemon.run_of(container) == before
    come_to_itself(front)
    daemon.until(lambda: text_of(daemon, name) == "two" and daemon.settled(name), "the update", limit=90)


def test_the_words_of_a_rate_limit_reach_people(daemon: Daemon, bench: Bench, front: Front, name: str) -> None:
    bench.push("one")
    front.said = HUB
    front.answers = [429] * 1000
    daemon.write(name, stack(name, app(bench.name(at=front))))
    daemon.until(lambda: HUB in daemon.chunk(name, "app")["message"], "the registry's words")
    assert HUB in daemon.pnr("why", "app").stdout
    come_to_itself(front)
    daemon.until(lambda: text_of(daemon, name) == "one" and daemon.settled(name), "another try", limit=90)
