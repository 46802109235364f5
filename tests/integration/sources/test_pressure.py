"""Much at once: files moved out and in, files written without pause, watches that can't be had."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.intent.model import ChunkId
from reconciler.sources.runtime import HINTS_AT_ONCE, RuntimeFacts
from tests.integration.sources.test_directory import Watcher
from tests.integration.sources.test_git import git

WRITE_WITHOUT_PAUSE = """
import sys, time
while True:
    with open(sys.argv[1], "w") as file:
        file.write("{}")
    time.sleep(0.001)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "domains"
    root.mkdir()
    return root


@pytest.fixture
def busy(request: pytest.FixtureRequest) -> Iterator[list[subprocess.Popen[bytes]]]:
    writers: list[subprocess.Popen[bytes]] = []
    yield writers
    for writer in writers:
        writer.kill()
        writer.wait(30)


def write_without_pause(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITE_WITHOUT_PAUSE, str(path)])


async def test_a_file_that_is_moved_out_does_not_hold_up_what_comes_after_it(root: Path, tmp_path: Path) -> None:
    from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

    (root / "a.json").write_text("{}")
    async with Watcher(root) as watcher:
        (root / "a.json").rename(tmp_path / "a.json")
        (root / "b.json").write_text('{"n": 1}')
        await watcher.until(lambda: list(watcher.texts()) == ["b.json"])
    assert InotifyMoveEventGrouper.delay < 0.05


async def test_a_file_beside_them_that_is_written_without_pause_holds_up_nothing(
    root: Path, busy: list[subprocess.Popen[bytes]]
) -> None:
    git("init", "--quiet", at=root)
    async with Watcher(root) as watcher:
        busy.append(write_without_pause(root / "app.log"))
        await asyncio.sleep(0.3)
        for n in range(5):
            (root / f"d{n}.json").write_text("{}")
            await watcher.until(lambda n=n: f"d{n}.json" in watcher.texts())  # type: ignore[misc]
        (root / ".git" / "index.lock").touch()
        (root / "late.json").write_text("{}")
        await asyncio.sleep(0.2)
        (root / ".git" / "index.lock").unlink()
        await watcher.until(lambda: "late.json" in watcher.texts())


async def test_rights_that_are_given_back_are_noticed(root: Path) -> None:
    (root / "a.json").write_text("{}")
    (root / "a.json").chmod(0)
    async with Watcher(root, rescan_seconds=3600) as watcher:
        assert watcher.problem("a.json") == "Unreadable"
        (root / "a.json").chmod(0o644)
        await watcher.until(lambda: watcher.texts() == {"a.json": b"{}"})


async def test_watches_that_can_not_be_had_cost_no_threads_and_no_descriptors(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers import inotify_c

    from reconciler.sources import watching

    def refuse(*_: object) -> int:
        ctypes.set_errno(errno.ENOSPC)
        return -1

    monkeypatch.setattr(inotify_c, "inotify_add_watch", refuse)
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.0)
    async with Watcher(root) as watcher:
        before = len(os.listdir("/proc/self/fd")), threading.active_count()
        for n in range(5):
            (root / f"d{n}.json").write_text("{}")
            await watcher.until(lambda n=n: f"d{n}.json" in watcher.texts())  # type: ignore[misc]
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) <= (before[0] + 3, before[1] + 1)


async def test_a_container_that_writes_without_pause_is_told_at_times_and_hides_no_other(
    tmp_path: Path, busy: list[subprocess.Popen[bytes]]
) -> None:
    loud, quiet = ChunkId("shop", "main", "loud"), ChunkId("shop", "main", "quiet")
    facts = RuntimeFacts(tmp_path)
    for chunk in (loud, quiet):
        facts.path_of(chunk).mkdir(parents=True)
    told: list[ChunkId] = []
    news = asyncio.Event()

    async def take() -> None:
        async for chunk in facts.changes():
            told.append(chunk)
            news.set()

    async def until_told(*chunks: ChunkId) -> None:
        while not set(chunks) <= set(told):
            news.clear()
            await news.wait()

    taking = asyncio.create_task(take())
    try:
        async with asyncio.timeout(60):
            await until_told(loud, quiet)
            told.clear()
            busy.append(write_without_pause(facts.path_of(loud) / "a.json"))
            await asyncio.sleep(4.0)
            assert 0 < len(told) <= HINTS_AT_ONCE + 4 * 6
            (facts.path_of(quiet) / "a.json").write_text('{"k": {"tv": "Y"}}')
            await until_told(quiet)
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


def test_a_directory_with_very_many_files_is_not_read_to_its_end(tmp_path: Path) -> None:
    chunk = ChunkId("shop", "main", "api")
    facts = RuntimeFacts(tmp_path)
    facts.path_of(chunk).mkdir(parents=True)
    for n in range(1500):
        (facts.path_of(chunk) / f"{n}.json").touch()
    assert any("more than 1000" in problem for problem in facts.read(chunk).problems)


def test_a_link_in_the_place_of_a_chunks_directory_is_not_followed(tmp_path: Path) -> None:
    chunk = ChunkId("shop", "main", "api")
    facts = RuntimeFacts(tmp_path / "runtime")
    (tmp_path / "elsewhere" / "api").mkdir(parents=True)
    (tmp_path / "elsewhere" / "api" / "a.json").write_text('{"k": {"tv": "Y"}}')
    (tmp_path / "runtime" / "shop").mkdir(parents=True)
    (tmp_path / "runtime" / "shop" / "main").symlink_to(tmp_path / "elsewhere")
    said = facts.read(chunk)
    assert said.answers == {}
    assert said.problems
