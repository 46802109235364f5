"""A pull is one scan: what it adds, changes and removes, and its commit, together."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from reconciler.sources import git_quiet
from tests.integration.sources.test_directory import Watcher
from tests.integration.sources.test_git import clone, commit, git

MANY = 500


async def test_a_pull_that_adds_changes_renames_and_removes_is_one_scan(tmp_path: Path) -> None:
    upstream, domains = clone(tmp_path)
    for n in range(MANY):
        (upstream / f"many{n}.json").write_text('{"n": 2}')
    (upstream / "d0.json").write_text('{"n": 2}')
    (upstream / "d1.json").unlink()
    (upstream / "d2.json").rename(upstream / "renamed.json")
    second = commit(upstream, "two")
    async with Watcher(domains) as watcher:
        before = len(watcher.all)
        await asyncio.to_thread(git, "pull", "--quiet", at=domains)
        await watcher.until(lambda: len(watcher.all) > before)
        await asyncio.sleep(0.5)
        [scan] = watcher.all[before:]
    assert scan.commit == second
    assert {"d1.json", "d2.json"}.isdisjoint(scan.files)
    assert len(scan.files) == MANY + 2
    assert scan.files["d0.json"].data == b'{"n": 2}'


async def test_going_back_and_forth_between_two_commits_never_shows_a_mixture(tmp_path: Path) -> None:
    upstream, domains = clone(tmp_path)
    for name in ("d0", "d1", "d2"):
        (upstream / f"{name}.json").write_text('{"n": 2}')
    second = commit(upstream, "two")
    first = git("rev-parse", "HEAD", at=domains)
    git("fetch", "--quiet", at=domains)
    async with Watcher(domains) as watcher:
        for _ in range(10):
            await asyncio.to_thread(git, "checkout", "--quiet", "--detach", second, at=domains)
            await asyncio.to_thread(git, "checkout", "--quiet", "--detach", first, at=domains)
        await asyncio.to_thread(git, "checkout", "--quiet", "--detach", second, at=domains)
        await watcher.until(lambda: watcher.newest.commit == second and watcher.texts()["d0.json"] == b'{"n": 2}')
        for scan in watcher.all:
            wanted = b'{"n": 2}' if scan.commit == second else b'{"n": 1}'
            assert {seen.data for seen in scan.files.values()} == {wanted}


async def test_an_edit_by_hand_in_a_work_tree_needs_no_commit(tmp_path: Path) -> None:
    _, domains = clone(tmp_path)
    async with Watcher(domains) as watcher:
        (domains / "d0.json").write_text('{"n": 5}')
        await watcher.until(lambda: watcher.texts()["d0.json"] == b'{"n": 5}')


async def test_what_git_keeps_waiting_for_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(git_quiet, "TOLD_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(git_quiet, "LONG_LOCK_SECONDS", 0.1)
    _, domains = clone(tmp_path)
    async with Watcher(domains) as watcher:
        (domains / ".git" / "index.lock").touch()
        (domains / "new.json").write_text("{}")
        await watcher.until(lambda: "index.lock" in caplog.text)
        (domains / ".git" / "index.lock").unlink()
        await watcher.until(lambda: "new.json" in watcher.texts())
    assert caplog.text.count("index.lock") == 1
