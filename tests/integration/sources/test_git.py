"""The domains directory as a clone of a real repository."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from reconciler.sources import git as layout
from tests.integration.sources.test_directory import Watcher

MANY = 500


def git(*words: str, at: Path) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *words], cwd=at, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def commit(at: Path, message: str) -> str:
    git("add", "-A", ".", at=at)
    git("commit", "--quiet", "-m", message, at=at)
    return git("rev-parse", "HEAD", at=at)


def clone(tmp_path: Path) -> tuple[Path, Path]:
    upstream, domains = tmp_path / "upstream", tmp_path / "domains"
    upstream.mkdir()
    git("init", "--quiet", at=upstream)
    for n in range(3):
        (upstream / f"d{n}.json").write_text('{"n": 1}')
    commit(upstream, "one")
    git("clone", "--quiet", str(upstream), str(domains), at=tmp_path)
    return upstream, domains


async def test_a_pull_of_five_hundred_files_is_never_seen_half(tmp_path: Path) -> None:
    upstream, domains = clone(tmp_path)
    async with Watcher(domains) as watcher:
        first = git("rev-parse", "HEAD", at=domains)
        assert watcher.newest.commit == first
        for n in range(MANY):
            (upstream / f"many{n}.json").write_text('{"n": 2}')
        (upstream / "d0.json").write_text('{"n": 2}')
        (upstream / "d1.json").unlink()
        second = commit(upstream, "two")
        await asyncio.to_thread(git, "pull", "--quiet", at=domains)
        await watcher.until(lambda: watcher.newest.commit == second and "d1.json" not in watcher.texts())
        for scan in watcher.all:
            names = set(scan.files)
            many = {name for name in names if name.startswith("many")}
            assert len(many) in (0, MANY)
            assert (scan.files["d0.json"].data == b'{"n": 2}') == bool(many)
        assert "d1.json" not in watcher.texts()


async def test_nothing_is_given_while_git_holds_its_index(tmp_path: Path) -> None:
    _, domains = clone(tmp_path)
    async with Watcher(domains) as watcher:
        lock = domains / ".git" / "index.lock"
        lock.touch()
        (domains / "new.json").write_text("{}")
        seen = len(watcher.all)
        await asyncio.sleep(0.5)
        assert len(watcher.all) == seen
        lock.unlink()
        await watcher.until(lambda: "new.json" in watcher.texts())


async def test_a_lock_that_a_crash_left_behind_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    _, domains = clone(tmp_path)
    lock = domains / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    async with Watcher(domains) as watcher:
        assert len(watcher.texts()) == 3


async def test_a_conflict_is_just_what_the_file_holds(tmp_path: Path) -> None:
    upstream, domains = clone(tmp_path)
    (upstream / "d0.json").write_text('{"n": 2}')
    commit(upstream, "theirs")
    (domains / "d0.json").write_text('{"n": 3}')
    commit(domains, "ours")
    async with Watcher(domains) as watcher:
        pull = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", "pull", "--no-rebase", "--quiet"]
        await asyncio.to_thread(subprocess.run, pull, cwd=domains, capture_output=True, check=False, timeout=60)
        await watcher.until(lambda: b"<<<<<<<" in (watcher.texts()["d0.json"] or b""))


def test_the_commit_is_found_in_packed_refs_worktrees_and_detached(tmp_path: Path) -> None:
    _, domains = clone(tmp_path)
    head = git("rev-parse", "HEAD", at=domains)
    git("pack-refs", "--all", at=domains)
    tree = layout.find(domains)
    assert tree is not None
    assert tree.commit() == head
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "other"), at=domains)
    other = layout.find(tmp_path / "other")
    assert other is not None
    assert other.commit() == head
    (domains / "sub").mkdir()
    below = layout.find(domains / "sub")
    assert below is not None
    assert below.commit() == head


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)
    assert layout.find(tmp_path / "a" / "b" / "c" / "d" / "e") is None


async def test_a_state_of_git_that_ends_without_a_change_of_files_is_over_at_once(tmp_path: Path) -> None:
    _, domains = clone(tmp_path)
    lock = domains / ".git" / "refs" / "heads" / "main.lock"
    lock.touch()
    os.utime(lock, (1e9, 1e9))
    async with Watcher(domains, rescan_seconds=1000.0) as watcher:
        await watcher.until(lambda: any("main.lock" in remark for remark in watcher.newest.remarks))
        lock.unlink()
        await watcher.until(lambda: not watcher.newest.remarks)
        left = domains / ".git" / "rebase-merge"
        left.mkdir()
        await watcher.source.look_now()
        await watcher.until(lambda: watcher.newest.unfinished)
        left.rmdir()
        await watcher.until(lambda: not watcher.newest.unfinished)


async def test_what_a_commit_has_and_that_a_rebase_has_not_ended_stand_in_the_scan(tmp_path: Path) -> None:
    upstream, domains = clone(tmp_path)
    (domains / "ours.json").write_text("{}")
    first = commit(domains, "ours")
    (domains / "d0.json").write_text('{"n": 2}')
    commit(domains, "an edit")
    (upstream / "d0.json").write_text('{"n": 3}')
    (upstream / "d1.json").unlink()
    theirs = commit(upstream, "another edit")
    async with Watcher(domains, rescan_seconds=0.1) as watcher:
        assert not watcher.newest.unfinished
        assert watcher.newest.names_in(first) == frozenset({"d0.json", "d1.json", "d2.json", "ours.json"})
        pull = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", "pull", "--rebase", "--quiet"]
        process = await asyncio.create_subprocess_exec(*pull, cwd=domains, stderr=asyncio.subprocess.DEVNULL)
        assert await process.wait() != 0  # the two edits stand in each other's way
        await watcher.until(lambda: watcher.newest.unfinished)
        assert watcher.newest.names_in(theirs) == frozenset({"d0.json", "d2.json"})
        await asyncio.to_thread(git, "rebase", "--abort", at=domains)
        await watcher.until(lambda: not watcher.newest.unfinished and "d1.json" in watcher.texts())
