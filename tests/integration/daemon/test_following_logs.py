"""`pnr logs --follow` goes on with whatever container comes next, on the real engine."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NAME = "following_logs"
COUNTS = 'i=0; while :; do i=$$((i+1)); echo "$$V $$HOSTNAME $$$$ $$i"; sleep 0.05; done'
"""Prints its version, its container, its process (another one in each run, most often) and a number."""


def chunk(image: str, value: str, **more: Any) -> dict[str, Any]:
    container = {
        "image": image,
        "command": ["sh", "-c", COUNTS],
        "environment": {"V": value},
        "stop_grace_period": "0s",
        **({} if "replicas" in more else {"name": f"{NAME}_app"}),
    }
    return {"name": "app", "stable_seconds": 0, "container": container, **more}


class Follower:
    """A `pnr logs --follow` that runs, and what it said."""

    def __init__(self, daemon: Daemon, *words: str) -> None:
        self.out, self.err = daemon.root / "out", daemon.root / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                daemon.command("logs", *words), stdout=out, stderr=err, env=daemon.environment, start_new_session=True
            )

    def lines(self) -> list[str]:
        return self.out.read_text().splitlines()

    def has(self, pattern: str, more_than: int = 0) -> bool:
        assert self.process.poll() is None, self.err.read_text()
        return sum(re.search(pattern, line) is not None for line in self.lines()) > more_than

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def numbers(lines: list[str]) -> dict[str, list[list[int]]]:
    """By container, the numbers of each of its runs, in the order in which they were told."""
    found: dict[str, list[list[int]]] = defaultdict(list)
    for line in lines:
        *_, container, _, number = line.split()
        if int(number) == 1 or not found[container]:
            found[container].append([])
        found[container][-1].append(int(number))
    return found


def test_it_goes_on_through_restarts_and_replacements_and_ends_with_the_chunk(
    daemon: Daemon, busybox_image: str
) -> None:
    daemon.settle(
        NAME,
        stack(
            NAME,
            chunk(busybox_image, "v1"),
            {**chunk(busybox_image, "other"), "name": "other"}
            | {"container": {"image": busybox_image, "stop_grace_period": "0s"}},
        ),
    )
    follower = Follower(daemon, "app", "--follow")
    daemon.until(lambda: follower.has("v1", 5), "the first lines")
    first = daemon.run_of(f"{NAME}_app")[0][:12]

    daemon.api.restart(f"{NAME}_app", timeout=0)
    daemon.until(lambda: len(numbers(follower.lines())[first]) == 2, "the lines after a restart")
    daemon.settle(
        NAME,
        stack(
            NAME,
            chunk(busybox_image, "v2"),
            {**chunk(busybox_image, "other"), "name": "other"}
            | {"container": {"image": busybox_image, "stop_grace_period": "0s"}},
        ),
    )
    daemon.until(lambda: follower.has("v2", 5), "the lines of the container in its place")
    second = daemon.run_of(f"{NAME}_app")[0][:12]
    daemon.api.remove_container(f"{NAME}_app", force=True)
    daemon.until(lambda: daemon.run_of(f"{NAME}_app")[0][:12] not in ("", second), "it to be made again")
    third = daemon.run_of(f"{NAME}_app")[0][:12]
    daemon.until(lambda: bool(numbers(follower.lines())[third]), "the lines of the one that was made again")

    daemon.settle(
        NAME,
        stack(
            NAME,
            {**chunk(busybox_image, "other"), "name": "other"}
            | {"container": {"image": busybox_image, "stop_grace_period": "0s"}},
        ),
    )
    assert follower.process.wait(60) == 0
    assert f"{NAME}/main/app is gone" in follower.err.read_text()
    found = numbers(follower.lines())
    assert found.keys() == {first, second, third}
    for runs in found.values():
        for told in runs:
            assert told == list(range(told[0], told[0] + len(told)))  # none twice, none left out


def test_replicas_are_followed_together_and_ctrl_c_ends_it(daemon: Daemon, busybox_image: str, tmp_path: Path) -> None:
    daemon.settle(NAME, stack(NAME, chunk(busybox_image, "v1", replicas=2)))
    follower = Follower(daemon, "app", "--follow", "--tail", "1")
    for name in ("app", "app#2"):
        daemon.until(lambda name=name: follower.has(rf"^{name} \| v1 "), f"the lines of {name}")  # type: ignore[misc]
    daemon.settle(NAME, stack(NAME, chunk(busybox_image, "v2", replicas=2)))
    for name in ("app", "app#2"):
        daemon.until(lambda name=name: follower.has(rf"^{name} \| v2 "), f"the new lines of {name}")  # type: ignore[misc]
    assert follower.end() == 130
    one = daemon.pnr("logs", "app#2", "--tail", "2").stdout.splitlines()
    both = daemon.pnr("logs", "app", "--tail", "2").stdout.splitlines()
    assert (len(one), len(both)) == (2, 4)
    assert [line.split(" | ")[0] for line in both] == ["app", "app", "app#2", "app#2"]
