"""What stands in the directory's place: links, replacements, empty mount points, directories that can't be read."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.sources.test_directory import Watcher


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "domains"
    root.mkdir()
    (root / "a.json").write_text("{}")
    return root


async def test_the_first_scan_has_every_file_however_broken_it_is(root: Path) -> None:
    (root / "broken.json").write_text('{"name": ')
    (root / "empty.json").write_text("")
    async with Watcher(root) as watcher:
        assert set(watcher.all[0].files) == {"a.json", "broken.json", "empty.json"}


async def test_the_directory_may_be_a_link_that_later_leads_elsewhere(root: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(root)
    other.mkdir()
    (other / "b.json").write_text("{}")
    async with Watcher(link, rescan_seconds=3600) as watcher:
        (root / "a2.json").write_text("{}")
        await watcher.until(lambda: "a2.json" in watcher.texts())
        (tmp_path / "next").symlink_to(other)
        (tmp_path / "next").rename(link)
        await watcher.until(lambda: list(watcher.texts()) == ["b.json"])
        (other / "c.json").write_text("{}")
        await watcher.until(lambda: "c.json" in watcher.texts())


async def test_another_directory_put_in_its_place_is_noticed_and_watched(root: Path, tmp_path: Path) -> None:
    async with Watcher(root, rescan_seconds=3600) as watcher:
        root.rename(tmp_path / "old")
        root.mkdir()
        (root / "b.json").write_text("{}")
        await watcher.until(lambda: list(watcher.texts()) == ["b.json"])
        (root / "c.json").write_text("{}")
        await watcher.until(lambda: "c.json" in watcher.texts())


async def test_a_directory_put_in_its_place_has_another_identity_until_the_first_is_back(
    root: Path, tmp_path: Path
) -> None:
    async with Watcher(root, rescan_seconds=0.1) as watcher:
        first = watcher.newest.place
        (root / "b.json").write_text("{}")
        await watcher.until(lambda: "b.json" in watcher.texts())
        assert watcher.newest.place == first
        root.rename(tmp_path / "mounted")
        root.mkdir()
        await watcher.until(lambda: not watcher.newest.root_missing and watcher.texts() == {})
        assert watcher.newest.place not in ("", first)
        root.rmdir()
        (tmp_path / "mounted").rename(root)
        await watcher.until(lambda: "a.json" in watcher.texts())
        assert watcher.newest.place == first
    async with Watcher(root) as again:
        assert again.newest.place == first


async def test_whatever_happens_in_the_directory_is_a_stir_though_no_scan_tells_of_it(root: Path) -> None:
    async with Watcher(root, rescan_seconds=3600) as watcher:
        before, scans = watcher.source.stirred_at(), len(watcher.all)
        (root / ".upload.part").write_text("{")
        await watcher.until(lambda: watcher.source.stirred_at() > before)
        assert len(watcher.all) == scans


async def test_a_directory_whose_files_are_removed_one_by_one_becomes_empty(root: Path) -> None:
    async with Watcher(root) as watcher:
        (root / "a.json").unlink()
        await watcher.until(lambda: watcher.texts() == {})
        assert not watcher.newest.root_missing


async def test_a_file_that_stands_in_the_directorys_place_is_a_missing_directory(tmp_path: Path) -> None:
    (tmp_path / "domains").write_text("{}")
    async with Watcher(tmp_path / "domains") as watcher:
        assert watcher.newest.root_missing


async def test_the_source_ends_when_it_is_closed(root: Path) -> None:
    async with Watcher(root, rescan_seconds=3600) as watcher:
        await watcher.source.close()
        assert watcher._task is not None
        async with asyncio.timeout(20):
            await watcher._task


AS_ANOTHER_USER = """
import asyncio, concurrent.futures.thread, os, sys
import watchdog.events, watchdog.observers
from pathlib import Path
from reconciler.sources.directory import DirectorySource

async def first(root):
    source = DirectorySource(root)
    scan = await anext(source.scans())
    await source.close()
    return scan

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for name in sys.argv[1:]:
    scan = asyncio.run(first(Path(name)))
    print(scan.root_missing, [(n, s.error and s.error.code) for n, s in scan.files.items()])
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A temporary directory that other users may enter."""
    with tempfile.TemporaryDirectory(prefix="pnr-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_this_user_may_not_read_ends_nothing_and_removes_nothing(open_to_all: Path) -> None:
    names = ("private_git", "no_search", "no_list")
    for name in names:
        (open_to_all / name).mkdir()
        (open_to_all / name / "a.json").write_text("{}")
    (open_to_all / "private_git" / ".git").mkdir()
    modes = {
        open_to_all / "private_git" / ".git": 0,
        open_to_all / "no_search": 0o444,
        open_to_all / "no_list": 0o111,
    }
    for path, mode in modes.items():
        path.chmod(mode)
    try:
        said = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, *(str(open_to_all / name) for name in names)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        for path in modes:
            path.chmod(0o755)
    assert said.stdout.splitlines() == [
        "False [('a.json', None)]",
        "False [('a.json', 'Unreadable')]",
        "True []",
    ]
