"""Locks of git: what one means by its age, by how long git has been quiet, and by who holds it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.sources import lock_holder
from reconciler.sources.git import WorkTree, find
from reconciler.sources.git_quiet import GitQuiet, Judged, judge
from reconciler.sources.lock_holder import Holder
from tests.only_where import only_where

NOBODY = Holder(is_sure=True)
UNSURE = Holder()
SOMEBODY = Holder("git (process 7)", is_sure=True)


@pytest.mark.parametrize(
    ("age", "quiet", "holder", "judged"),
    [
        (0.0, 0.0, None, Judged(waits=True)),
        (59.0, 59.0, NOBODY, Judged(waits=True)),
        (60.0, 60.0, NOBODY, Judged(waits=True, is_old=True, until_quiet=240.0)),
        (300.0, 300.0, NOBODY, Judged(waits=False, is_old=True, until_quiet=0.0)),
        (900.0, 100.0, NOBODY, Judged(waits=True, is_old=True, until_quiet=200.0)),  # git has worked since
        (300.0, 300.0, UNSURE, Judged(waits=True, is_old=True, until_quiet=300.0)),
        (600.0, 600.0, UNSURE, Judged(waits=False, is_old=True, until_quiet=0.0)),
        (86_400.0, 86_400.0, SOMEBODY, Judged(waits=True, is_old=True)),
        (86_400.0, 86_400.0, None, Judged(waits=True)),  # nobody has looked for a holder yet
    ],
)
def test_what_a_lock_means(age: float, quiet: float, holder: Holder | None, judged: Judged) -> None:
    assert judge(age, quiet, holder) == judged


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    dot = tmp_path / ".git"
    dot.mkdir()
    (dot / "HEAD").write_text("ref: refs/heads/main\n")
    found = find(tmp_path)
    assert found is not None
    return found


def lock(tree: WorkTree, age: float, name: str = "index.lock") -> Path:
    path = tree.git_dir / name
    path.touch()
    os.utime(path, (time.time() - age,) * 2)
    return path


def quiet(holder: Holder) -> GitQuiet:
    return GitQuiet(lambda lock, tree: holder, lambda call: call())


def look(state: GitQuiet, tree: WorkTree, now: float) -> bool:
    return state.busy(tree, now, event_at=0.0, settle=0.08)


def test_a_lock_is_waited_for_and_that_is_said_once_it_lasts(tree: WorkTree) -> None:
    state = quiet(NOBODY)
    path = lock(tree, 0.0)
    assert look(state, tree, 1000.0)
    assert state.waits == ""
    assert look(state, tree, 1002.0)
    assert f"git holds {path}" in state.waits
    path.unlink()
    assert look(state, tree, 1002.05)  # until it has been quiet for a moment
    assert state.waits == ""
    assert not look(state, tree, 1004.0)


def test_a_lock_that_nobody_holds_is_told_of_and_passed_over_after_five_minutes(tree: WorkTree) -> None:
    state = quiet(NOBODY)
    path = lock(tree, 70.0)
    assert look(state, tree, 1000.0)
    assert look(state, tree, 1002.0)
    assert f"{path} is there" in state.waits
    assert "no process holds it" in state.waits
    lock(tree, 301.0)
    look(state, tree, 1003.0)
    assert not look(state, tree, 1004.0)
    assert state.waits == ""
    assert f"{path} was left behind" in state.remarks[0]


def test_what_is_said_of_a_lock_stays_the_same_while_nothing_changes(tree: WorkTree) -> None:
    state = quiet(NOBODY)
    lock(tree, 70.0)
    said = set()
    for n in range(50):
        look(state, tree, 1000.0 + n / 4)
        said.add(state.waits)
        time.sleep(0.001)
    assert len(said - {""}) == 1


def test_a_lock_that_somebody_holds_is_waited_for_and_who_it_is_is_said(tree: WorkTree) -> None:
    state = quiet(SOMEBODY)
    lock(tree, 7200.0)
    assert look(state, tree, 1000.0)
    assert look(state, tree, 2000.0)
    assert state.waits.startswith("git (process 7) holds ")


def test_a_lock_of_something_else_than_the_index_is_told_of_and_holds_up_nothing(tree: WorkTree) -> None:
    state = quiet(NOBODY)
    path = lock(tree, 3600.0, "packed-refs.lock")
    assert not look(state, tree, 1000.0)
    assert f"{path} was left behind" in state.remarks[0]


def test_a_rebase_that_is_not_finished_is_told_of(tree: WorkTree) -> None:
    state = quiet(NOBODY)
    (tree.git_dir / "rebase-merge").mkdir()
    assert not look(state, tree, 1000.0)
    assert "a rebase is not finished" in state.remarks[0]


@only_where(sys.platform == "linux", reason="only Linux shows what a process has open, in /proc")
def test_who_has_a_lock_open_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "index.lock"
    code = "import sys; file = open(sys.argv[1], 'w'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        assert f"(process {process.pid})" in lock_holder.find(path, tmp_path).who
        process.stdin.close()
    assert lock_holder.find(path, tmp_path).who == ""
