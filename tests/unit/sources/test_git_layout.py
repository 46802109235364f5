"""What is read from ``.git`` without running git."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reconciler.sources import git

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def dot_git(tmp_path: Path) -> Path:
    dot = tmp_path / ".git"
    dot.mkdir()
    (dot / "HEAD").write_text("ref: refs/heads/main\n")
    return dot


def tree(root: Path) -> git.WorkTree:
    found = git.find(root)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (COMMIT, COMMIT),
        (COMMIT + "0" * 24, COMMIT + "0" * 24),
        ("ref: refs/heads/main", None),
        ("ref: ../../../../etc/passwd", None),
        ("ref: a\0b", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_the_commit_is_a_commit_or_nothing(tmp_path: Path, dot_git: Path, head: str, expected: str | None) -> None:
    (dot_git / "HEAD").write_text(head + "\n")
    assert tree(tmp_path).commit() == expected


def test_a_loose_ref_wins_over_a_packed_one(tmp_path: Path, dot_git: Path) -> None:
    (dot_git / "packed-refs").write_text(f"# pack-refs with: peeled\n{'f' * 40} refs/heads/main\n^{'e' * 40}\n")
    assert tree(tmp_path).commit() == "f" * 40
    (dot_git / "refs" / "heads").mkdir(parents=True)
    (dot_git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert tree(tmp_path).commit() == COMMIT


def test_a_link_into_a_work_tree_is_in_it(tmp_path: Path, dot_git: Path) -> None:
    (dot_git / "HEAD").write_text(COMMIT)
    (tmp_path / "domains").mkdir()
    elsewhere = tmp_path / "a" / "b" / "c" / "d" / "e"
    elsewhere.mkdir(parents=True)
    (elsewhere / "link").symlink_to(tmp_path / "domains")
    assert tree(elsewhere / "link").commit() == COMMIT


def test_a_gitdir_that_leads_nowhere_gives_no_commit_and_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: ../nowhere\n")
    assert tree(tmp_path).commit() is None
    assert tree(tmp_path).lock() is None


@pytest.mark.parametrize("age", [601.0, -86_400.0])
def test_a_lock_that_is_old_or_from_the_future_is_stale(tmp_path: Path, dot_git: Path, age: float) -> None:
    lock = dot_git / "index.lock"
    lock.touch()
    assert tree(tmp_path).lock() == lock
    os.utime(lock, (time.time() - age,) * 2)
    assert tree(tmp_path).lock() is None
    assert tree(tmp_path).stale_lock() == lock


def test_the_stamp_differs_after_git_has_written_its_index_or_moved_its_head(tmp_path: Path, dot_git: Path) -> None:
    stamps = [tree(tmp_path).stamp()]
    (dot_git / "index").write_text("one")
    stamps.append(tree(tmp_path).stamp())
    (dot_git / "index.new").write_text("two")
    (dot_git / "index.new").rename(dot_git / "index")
    stamps.append(tree(tmp_path).stamp())
    (dot_git / "HEAD").write_text(COMMIT)
    stamps.append(tree(tmp_path).stamp())
    assert len(set(stamps)) == 4
