"""What is read from ``.git`` without running git."""

from __future__ import annotations

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
    assert tree(tmp_path).locks() == []


def test_the_locks_of_git_are_found_where_it_puts_them(tmp_path: Path, dot_git: Path) -> None:
    (dot_git / "refs" / "heads").mkdir(parents=True, exist_ok=True)
    (dot_git / "HEAD").write_text("ref: refs/heads/main\n")
    names = ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "refs/heads/main.lock"]
    for name in names:
        (dot_git / name).touch()
    found = tree(tmp_path).locks()
    assert {lock.path for lock in found} == {dot_git / name for name in names}
    assert [lock.path.name for lock in found if lock.blocks] == ["index.lock", "HEAD.lock"]


@pytest.mark.parametrize(
    ("name", "what"), [("MERGE_HEAD", "merge"), ("rebase-merge", "rebase"), ("rebase-apply", "rebase")]
)
def test_what_git_waits_to_be_told_to_go_on_with_is_known(tmp_path: Path, dot_git: Path, name: str, what: str) -> None:
    assert tree(tmp_path).under_way() == ""
    (dot_git / name).mkdir()
    assert tree(tmp_path).under_way() == what


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
