"""The domains directory as people and programs really change it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.sources.directory import DirectorySource
from reconciler.sources.protocol import Scan

LIMIT_SECONDS = 20.0


class Watcher:
    """Takes the scans of a source; ``newest`` is the last one, ``all`` every one."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.source = DirectorySource(root, **options)
        self.all: list[Scan] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watcher:
        async def take() -> None:
            async for scan in self.source.scans():
                self.all.append(scan)

        self._task = asyncio.create_task(take())
        await self.until(lambda: bool(self.all))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.source.close()

    @property
    def newest(self) -> Scan:
        return self.all[-1]

    def texts(self) -> dict[str, bytes | None]:
        return {name: seen.data for name, seen in self.newest.files.items()}

    def problem(self, name: str) -> str:
        seen = self.newest.files.get(name)
        return seen.error.code if seen is not None and seen.error is not None else ""

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                assert self._task is not None
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.005)


@pytest.fixture
async def watcher(tmp_path: Path) -> AsyncIterator[Watcher]:
    root = tmp_path / "domains"
    root.mkdir()
    async with Watcher(root) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "domains"


async def test_a_file_that_is_written_is_noticed(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text("{}")
    await watcher.until(lambda: watcher.texts() == {"a.json": b"{}"})


async def test_a_file_renamed_in_from_another_folder_is_noticed(watcher: Watcher, root: Path, tmp_path: Path) -> None:
    (tmp_path / "draft").write_text("{}")
    (tmp_path / "draft").rename(root / "a.json")
    await watcher.until(lambda: "a.json" in watcher.texts())


async def test_an_editor_that_renames_away_and_writes_anew_takes_nothing_down(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text('{"n": 1}')
    await watcher.until(lambda: "a.json" in watcher.texts())
    seen = len(watcher.all)
    (root / "a.json").rename(root / "a.json~")
    await asyncio.sleep(0.02)
    (root / ".a.json.swp").write_text("{}")
    (root / "a.json").write_text('{"n": 2}')
    (root / "a.json~").unlink()
    await watcher.until(lambda: watcher.texts() == {"a.json": b'{"n": 2}'})
    assert all("a.json" in scan.files for scan in watcher.all[seen:])


async def test_a_temporary_file_renamed_over_the_old_one_is_one_change(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text('{"n": 1}')
    await watcher.until(lambda: "a.json" in watcher.texts())
    (root / ".a.json.tmp").write_text('{"n": 2}')
    (root / ".a.json.tmp").rename(root / "a.json")
    await watcher.until(lambda: watcher.texts() == {"a.json": b'{"n": 2}'})


async def test_a_file_that_is_truncated_and_written_shows_no_empty_moment(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text('{"n": 1}')
    await watcher.until(lambda: "a.json" in watcher.texts())
    with (root / "a.json").open("w") as file:
        await asyncio.sleep(0.02)
        file.write('{"n": ')
        file.flush()
        await asyncio.sleep(0.02)
        file.write("2}")
    await watcher.until(lambda: watcher.texts() == {"a.json": b'{"n": 2}'})
    assert {scan.files["a.json"].data for scan in watcher.all if "a.json" in scan.files} == {b'{"n": 1}', b'{"n": 2}'}


async def test_a_file_that_stays_broken_is_given_as_it_is(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text('{"n": 1}')
    await watcher.until(lambda: "a.json" in watcher.texts())
    (root / "a.json").write_text('{"n": ')
    await watcher.until(lambda: watcher.texts() == {"a.json": b'{"n": '})


async def test_a_removed_file_is_gone_after_a_moment(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text("{}")
    (root / "b.json").write_text("{}")
    await watcher.until(lambda: len(watcher.texts()) == 2)
    (root / "a.json").unlink()
    await watcher.until(lambda: list(watcher.texts()) == ["b.json"])


async def test_what_is_no_readable_file_is_named_and_never_read(watcher: Watcher, root: Path) -> None:
    (root / "good.json").write_text("{}")
    (root / "link.json").symlink_to(root / "good.json")
    (root / "dangling.json").symlink_to("/nowhere")
    os.mkfifo(root / "pipe.json")
    (root / "folder.json").mkdir()
    (root / "secret.json").write_text("{}")
    (root / "secret.json").chmod(0)
    (root / "huge.json").write_bytes(b" " * (10 << 20))
    expected = {
        "link.json": "Symlink",
        "dangling.json": "Symlink",
        "pipe.json": "NotAFile",
        "folder.json": "NotAFile",
        "secret.json": "Unreadable",
        "huge.json": "TooLarge",
    }
    await watcher.until(lambda: all(watcher.problem(name) == code for name, code in expected.items()))
    await watcher.until(lambda: watcher.texts().get("good.json") == b"{}")
    assert all(watcher.texts()[name] is None for name in expected)


async def test_hidden_files_other_names_and_folders_below_do_not_count(watcher: Watcher, root: Path) -> None:
    (root / "nodes").mkdir()
    (root / "nodes" / "package.json").write_text("{}")
    for name in (".x.json", "x.json.bak", "x.txt", "#x.json#"):
        (root / name).write_text("{}")
    (root / "a.json").write_text("{}")
    await watcher.until(lambda: bool(watcher.texts()))
    assert list(watcher.texts()) == ["a.json"]


async def test_files_that_did_not_change_are_the_same_objects(watcher: Watcher, root: Path) -> None:
    (root / "a.json").write_text("{}")
    await watcher.until(lambda: "a.json" in watcher.texts())
    before = watcher.newest.files["a.json"]
    (root / "b.json").write_text("{}")
    await watcher.until(lambda: "b.json" in watcher.texts())
    assert watcher.newest.files["a.json"] is before


async def test_a_directory_that_vanishes_is_told_and_watched_again_when_it_is_back(
    watcher: Watcher, root: Path, tmp_path: Path
) -> None:
    (root / "a.json").write_text("{}")
    await watcher.until(lambda: "a.json" in watcher.texts())
    root.rename(tmp_path / "away")
    await watcher.source.look_now()
    await watcher.until(lambda: watcher.newest.root_missing)
    (tmp_path / "away").rename(root)
    await watcher.until(lambda: "a.json" in watcher.texts() and not watcher.newest.root_missing)
    (root / "b.json").write_text("{}")
    await watcher.until(lambda: "b.json" in watcher.texts())


async def test_a_directory_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    async with Watcher(tmp_path / "later") as watcher:
        assert watcher.newest.root_missing
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "a.json").write_text("{}")
        await watcher.until(lambda: "a.json" in watcher.texts())


async def test_where_the_system_gives_no_more_watches_the_directory_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from watchdog.observers import Observer

    def refuse(self: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "start", refuse)
    async with Watcher(tmp_path) as watcher:
        (tmp_path / "a.json").write_text("{}")
        await watcher.until(lambda: "a.json" in watcher.texts())
    assert "inotify watch limit reached" in caplog.text


async def test_polling_needs_no_events(tmp_path: Path) -> None:
    async with Watcher(tmp_path, polling=True) as watcher:
        (tmp_path / "a.json").write_text("{}")
        await watcher.until(lambda: "a.json" in watcher.texts())
