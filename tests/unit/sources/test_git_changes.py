"""A work tree that can't be pulled since something in it was changed is told of, without running git in it."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.sources import git, git_changes
from reconciler.sources.git import WorkTree
from reconciler.sources.git_quiet import GitQuiet

ENV = {
    **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": os.environ["PATH"],
}


def run(folder: Path, *words: str, fails: bool = False) -> None:
    done = subprocess.run(["git", *words], cwd=folder, env=ENV, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stderr


class Clone:
    """A repository and a clone of it, in which two files lie."""

    def __init__(self, root: Path) -> None:
        self.source, self.folder = root / "source", root / "clone"
        self.source.mkdir(parents=True)
        run(self.source, "init", "-q", "-b", "main")
        (self.source / "shop").mkdir()
        (self.source / "shop.json").write_text("{}\n")
        (self.source / "shop" / "app.conf").write_text("one\n")
        (self.source / "shop" / "link").symlink_to("app.conf")
        self.commit("one")
        run(root, "clone", "-q", str(self.source), str(self.folder))

    def commit(self, text: str, name: str = "shop/app.conf") -> None:
        (self.source / name).write_text(f"{text}\n")
        run(self.source, "add", "-A")
        run(self.source, "commit", "-q", "-m", text)

    @property
    def tree(self) -> WorkTree:
        found = git.find(self.folder)
        assert found is not None
        return found


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.parametrize("version", ["2", "4"])
def test_what_a_container_has_changed_is_named_once_a_pull_has_failed_for_it(clone: Clone, version: str) -> None:
    run(clone.folder, "update-index", "--index-version", version)
    assert git_changes.told(clone.tree) == ""
    changed = clone.folder / "shop" / "app.conf"
    changed.write_text("by a container\n")
    assert git_changes.told(clone.tree) == ""  # nothing was fetched: whoever edits by hand knows that
    clone.commit("two")
    run(clone.folder, "pull", "-q", "--ff-only", fails=True)
    said = git_changes.told(clone.tree)
    assert "shop/app.conf" in said
    assert "shop.json" not in said
    assert "git checkout" in said
    run(clone.folder, "checkout", "--", "shop/app.conf")
    run(clone.folder, "pull", "-q", "--ff-only")
    assert git_changes.told(clone.tree) == ""


def test_what_was_only_touched_or_has_other_ends_of_lines_is_as_git_has_it(clone: Clone) -> None:
    clone.commit("two")
    run(clone.folder, "fetch", "-q")
    conf = clone.folder / "shop" / "app.conf"
    os.utime(conf, (1, 1))
    assert git_changes.not_taken_up(clone.tree) is None
    conf.write_bytes(b"one\r\n")
    assert git_changes.not_taken_up(clone.tree) is None


@pytest.mark.parametrize("how", ["gone", "a folder", "a link", "another link", "a pipe"])
def test_what_is_gone_or_of_another_kind_is_changed(clone: Clone, how: str) -> None:
    clone.commit("two")
    run(clone.folder, "fetch", "-q")
    name = "shop/link" if how == "another link" else "shop/app.conf"
    path = clone.folder / name
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how == "a pipe":
        os.mkfifo(path)
    elif how != "gone":
        path.symlink_to("/etc/shadow")
    found = git_changes.not_taken_up(clone.tree)
    assert found is not None
    assert found[1] == (name,)


def test_who_is_ahead_of_what_was_fetched_lacks_nothing(clone: Clone) -> None:
    (clone.folder / "shop.json").write_text("[]\n")
    run(clone.folder, "commit", "-q", "-a", "-m", "here")
    run(clone.folder, "pull", "-q", "--ff-only")
    (clone.folder / "shop.json").write_text("{ }\n")
    assert git_changes.not_taken_up(clone.tree) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DIRC",
        b"DIRC" + struct.pack(">II", 2, 0xFFFFFFFF),
        b"DIRC" + struct.pack(">II", 2, 1) + b"\xff" * 62,
        b"DIRC" + struct.pack(">II", 4, 1) + b"\xff" * 90,
        b"DIRC" + struct.pack(">II", 2, 1) + bytes(200),
        b"DIRC" + struct.pack(">II", 3, 40_000) + bytes(range(256)) * 64,
    ],
)
def test_an_index_that_can_not_be_read_tells_nothing(clone: Clone, data: bytes) -> None:
    clone.commit("two")
    run(clone.folder, "fetch", "-q")
    (clone.folder / ".git" / "index").write_bytes(data)
    assert git_changes.told(clone.tree) == ""


def test_it_is_looked_for_until_it_is_known_and_then_no_more(clone: Clone) -> None:
    looks: list[Callable[[], None]] = []
    state = GitQuiet(run=looks.append)

    def at(now: float) -> tuple[bool, bool]:
        state.interfered(clone.tree, now)
        return state.is_open, any("app.conf was changed" in remark for remark in state.remarks)

    assert at(100.0) == (True, False)
    looks.pop()()
    assert at(101.0) == (False, False)
    (clone.folder / "shop" / "app.conf").write_text("by a container\n")
    clone.commit("two")
    run(clone.folder, "pull", "-q", "--ff-only", fails=True)
    assert at(102.0) == (True, False)
    assert looks == []  # not at each change
    assert at(105.0) == (True, False)
    looks.pop()()
    assert at(106.0) == (False, True)
    run(clone.folder, "checkout", "--", "shop/app.conf")
    run(clone.folder, "pull", "-q", "--ff-only")
    assert at(107.0) == (True, True)
    at(111.0)
    looks.pop()()
    assert at(112.0) == (False, False)
