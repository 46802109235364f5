"""``python -m bench.crowded [FILES] [SECONDS]``: how long ``pnr status`` takes beside many files.

By default a thousand files of three chunks each are dropped at once beside one of 1 MiB that is no JSON, and it is
asked again and again for 60 seconds from that moment on, and for as long once all of them are judged. The images of
the chunks can't be had: that is the dearest state to stay in, since all of them are tried again and again.

``answer`` is the daemon's answer to one request for everything, ``one domain`` that for one domain, and ``command`` is
``pnr status DOMAIN`` as a whole process. It needs a Docker engine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.subjects import Daemon, chunk, domain, wait_until
from reconciler.cli.client import request

CHUNKS = 3
ONE = "crowd1"
MISSING = "pnr-bench/not-there:1"
COMMAND_EVERY = 10
"""A whole process takes most of a second of processor time itself: it is started so seldom that it measures others."""


def documents(files: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of the files."""
    for number in range(files):
        name = f"crowd{number}"
        made = [chunk(f"c{n}") for n in range(CHUNKS)]
        for one in made:
            one["container"] = {"image": MISSING}
        yield name, domain(name, *made)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ask(daemon: Daemon, during: float) -> dict[str, list[float]]:
    """What was measured in so many seconds."""

    def request_of(**more: Any) -> Callable[[], object]:
        return lambda: list(request(daemon.state, {"command": "status", **more}))

    def command() -> object:
        return subprocess.run(daemon.command("status", ONE), stdout=subprocess.DEVNULL, check=False)

    ways = {"answer": request_of(), "one domain": request_of(only=[ONE]), "command": command}
    found: dict[str, list[float]] = {name: [] for name in ways}
    end, asked = time.monotonic() + during, 0
    while time.monotonic() < end:
        for name, way in ways.items():
            if name != "command" or asked % COMMAND_EVERY == 0:
                found[name].append(seconds(way))
        asked += 1
        time.sleep(0.1)
    return found


def main() -> int:
    """Measure, and print a line each."""
    given = [int(word) for word in sys.argv[1:3]]
    files, during = (*given, *(1000, 60)[len(given) :])
    daemon = Daemon()
    daemon.start()
    try:
        (daemon.domains / "noise.json").write_text("[" * 2**20)
        for name, document in documents(files):
            daemon.drop(name, document)

        def all_are_judged() -> bool:
            domains = (daemon.view() or {"domains": []})["domains"]
            return sum(bool(one["cpuxs"]) for one in domains) == files

        def first_is_known() -> bool:
            return any(one["name"] == ONE for one in (daemon.view() or {"domains": []})["domains"])

        wait_until(first_is_known, "the first files to be judged", 600, 0.05)
        rounds = {"while they are taken up": ask(daemon, during)}
        wait_until(all_are_judged, "all files to be judged", 600, 0.5)
        rounds["once they are judged"] = ask(daemon, during)
        for when, found in rounds.items():
            for what, took in found.items():
                print(
                    f"{when}, {what}: {len(took)} times, median {statistics.median(took):.3f} s, most {max(took):.3f} s"
                )
    finally:
        daemon.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
