"""Up means up, on the real engine: what ends at once opens no gate, what its engine restarts again and again is told as
such, an update that ends soon is taken back, and a daemon that had no turn for a while takes nobody for ill."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.integration.daemon.conftest import Daemon, stack

STOPS = 2
STOPPED_SECONDS = 5.0


@pytest.fixture
def shell(busybox_image: str, unique: Callable[[str], str]) -> Callable[..., dict[str, Any]]:
    """``shell("db", "sleep 1d")``: a chunk that runs a script, and answers db_up."""

    def build(name: str, script: str, *needs: str, restart: str = "no", **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "gatekeeper": {f"{need}_up": {"prompt": "?"} for need in needs},
            "flowout": {f"{name}_up": {"prompt": "?"}},
            "stable_seconds": 2,
            "container": {
                "name": unique(name),
                "image": busybox_image,
                "command": ["sh", "-c", script],
                "init": True,
                "restart": restart,
                "stop_grace_period": "0s",
            },
            **more,
        }

    return build


def _has_failed(daemon: Daemon, domain: str, chunk: str) -> bool:
    shown = daemon.chunk(domain, chunk)
    return (shown["state"], shown["reason"]) == ("failed", "CrashLooping")


def _says_what_it_printed(daemon: Daemon, chunk: str, output: str) -> bool:
    told = daemon.pnr("why", chunk).stdout
    assert "printed nothing" not in told
    return output in told


def _was_asked_since(daemon: Daemon, domain: str, at: str) -> bool:
    return bool(daemon.chunk(domain, "web")["probe"]["last_at"] != at)


def test_what_ends_again_and_again_is_never_up(
    daemon: Daemon, shell: Callable[..., dict[str, Any]], unique: Callable[[str], str]
) -> None:
    name = unique("ends")
    brief = shell("brief", "sleep 1; exit 1")
    looping = shell("looping", "echo boom; sleep 0.5; exit 3", restart="always")
    old, new = shell("app", "sleep 86400"), shell("app", "sleep 0.3; echo too old; exit 4")
    followers = [shell("after_brief", "sleep 86400", "brief"), shell("after_looping", "sleep 86400", "looping")]
    daemon.write(name, stack(name, brief, looping, old, *followers))
    daemon.until(lambda: daemon.chunk(name, "app")["state"] == "completed", "the app to be up")
    before = daemon.run_of(old["container"]["name"])

    daemon.write(name, stack(name, brief, looping, new, *followers))
    daemon.until(lambda: daemon.chunk(name, "app")["reason"] == "RolledBack", "the update to be taken back")
    daemon.until(lambda: daemon.run_of(old["container"]["name"])[0] == before[0], "the previous one to be back")

    for chunk, code in (("looping", 3), ("brief", 1)):
        daemon.until(partial(_has_failed, daemon, name, chunk), f"{chunk} to be found in a loop")
        shown = daemon.chunk(name, chunk)
        assert shown["crashes"] >= 3
        assert shown["restarts"] >= 2
        assert f"exit code {code}" in daemon.pnr("why", f"{name}/main/{chunk}").stdout
    daemon.until(partial(_says_what_it_printed, daemon, f"{name}/main/looping", "boom"), "what it printed to be told")

    made = daemon.names(name)
    assert not [follower for follower in followers if follower["container"]["name"] in made]
    said = {(entry["fact"].rpartition("/")[2], entry["tv"]) for entry in daemon.journal() if entry["kind"] == "fact"}
    assert ("app_up", "Y") in said
    assert not {("brief_up", "Y"), ("looping_up", "Y")} & said


def test_what_a_person_kills_is_brought_back_and_in_no_loop(
    daemon: Daemon, shell: Callable[..., dict[str, Any]], unique: Callable[[str], str]
) -> None:
    name = unique("killed")
    web = shell("web", "sleep 86400", stable_seconds=0)
    container = web["container"]["name"]
    daemon.settle(name, stack(name, web))
    for _ in range(3):
        before = daemon.run_of(container)
        daemon.api.kill(container)
        daemon.until(partial(_is_up_anew, daemon, name, container, before), "it to be back")
    assert daemon.chunk(name, "web")["crashes"] == 0


def _is_up_anew(daemon: Daemon, domain: str, container: str, before: tuple[str, str]) -> bool:
    return daemon.run_of(container) != before and daemon.settled(domain)


def test_a_daemon_that_had_no_turn_takes_nobody_for_ill(
    daemon: Daemon, shell: Callable[..., dict[str, Any]], unique: Callable[[str], str]
) -> None:
    name = unique("starved")
    # The check is under way nearly all of the time, so that the daemon stands still in the midst of one.
    check = {"type": "exec", "command": ["sh", "-c", "sleep 1.5"], "timeout_seconds": 4, "interval_seconds": 1}
    web = shell("web", "sleep 86400", health_check={**check, "failure_threshold": 1})
    daemon.settle(name, stack(name, web))
    before = daemon.run_of(web["container"]["name"])
    assert daemon.process is not None
    for _ in range(STOPS):
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        daemon.process.send_signal(signal.SIGCONT)
        asked = daemon.chunk(name, "web")["probe"]["last_at"]
        daemon.until(partial(_was_asked_since, daemon, name, asked), "the next answer")
    assert daemon.settled(name)
    assert daemon.run_of(web["container"]["name"]) == before
    said = [entry["tv"] for entry in daemon.journal() if entry["kind"] == "fact" and entry["fact"].endswith("web_up")]
    assert "N" not in said
