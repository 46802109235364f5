"""What others have put into a folder is removed, however deep and however much, and nothing that it points to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler import trees

DEPTH = 3000


def deep(folder: Path, depth: int = DEPTH) -> None:
    """So many folders in one another, each with a file; too long a path for any call that takes one."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        os.mkdir("in", dir_fd=at)
        below = os.open("in", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_tree_that_is_deeper_than_the_interpreter_goes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    deep(folder)
    assert trees.remove(str(folder))
    assert not folder.exists()


def test_many_entries_and_several_trees(tmp_path: Path) -> None:
    for number in range(trees.AT_ONCE + 10):
        (tmp_path / f"{number}").touch()
    for name in "abc":
        (tmp_path / name).mkdir()
        deep(tmp_path / name, 40)
    assert trees.empty(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    for place in (folder / "link", folder / "in" / "link"):
        place.symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe")
    assert trees.empty(str(folder))
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "outside")
    assert trees.remove(str(link))
    assert (tmp_path / "outside" / "kept").exists()


@pytest.mark.parametrize("most", [0, 1, 5, 50])
def test_no_more_is_removed_at_once_than_was_asked_for(tmp_path: Path, most: int) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    deep(folder, 100)
    assert not trees.remove(str(folder), most)
    assert folder.exists()
    assert trees.remove(str(folder))


def test_what_is_not_there_is_gone(tmp_path: Path) -> None:
    assert trees.remove(str(tmp_path / "nothing"))
