"""``python -m bench.contexts [FILES] [PATTERNS] [SERVICES]``: seconds to judge what is built from one large directory.

By default it has 5000 files and 69 patterns in its ``.dockerignore``, for 4 services with Dockerfiles of their own.

``first`` reads every file; ``again`` is what a change of the domain file costs; ``look`` is what the daemon does every
few seconds to notice a change.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.intent import dockerignore
from reconciler.sources.context_prints import BuildContexts


def made(folder: Path, files: int, patterns: int, services: int) -> list[str]:
    """Fill a directory; the names of the Dockerfiles."""
    for number in range(files):
        path = folder / f"package{number % 50}" / f"part{number % 7}" / "src" / f"file{number}.ts"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * 200)
    kinds = ("**/name{}", "dist{}", "*.log{}", "**/*.tmp{}", "package1/part{}/left_out")
    lines = [kinds[number % len(kinds)].format(number) for number in range(patterns - 1)]
    (folder / dockerignore.FILE).write_text("\n".join([*lines, "!package1/keep"]) + "\n")
    names = [f"{number}.Dockerfile" for number in range(services)]
    for name in names:
        (folder / name).write_text(f"FROM scratch\nLABEL name={name}\nCOPY . /\n")
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))  # what has just changed would be read again
    return names


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    """Measure, and print a line each."""
    given = [int(word) for word in sys.argv[1:4]]
    files, patterns, services = (*given, *(5000, 69, 4)[len(given) :])
    with tempfile.TemporaryDirectory() as name:
        dockerfiles = made(Path(name), files, patterns, services)
        contexts = BuildContexts()

        def judge() -> None:
            glance = contexts.glance()
            for dockerfile in dockerfiles:
                glance.stamp(name, dockerfile)
                glance.fingerprint(name, dockerfile)

        def look() -> None:
            glance = contexts.glance()
            for dockerfile in dockerfiles:
                glance.stamp(name, dockerfile)

        print(f"{files} files, {patterns} patterns, {services} services")
        time.sleep(2.1)  # changed a moment ago counts as changing
        for about, work in (("first", judge), ("again", judge), ("look", look)):
            print(f"{about:6} {seconds(work):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
