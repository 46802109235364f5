"""Leases that the kernel holds, and a lock whose file is taken away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.state import lease
from reconciler.state.lease import Leases
from reconciler.state.lock import StateLock, StateLocked

OTHER = """
import sys
from reconciler.state import lease
if sys.argv[1] == "file":
    lease._take = lambda name, ask: lease._take_file(name)
leases = lease.Leases()
print(repr(leases.take(sys.argv[2], "shop")), flush=True)
sys.stdin.read()
"""


WAYS = ["name", "file"] if sys.platform == "linux" else ["file"]


@pytest.fixture(params=WAYS)
def other(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], tuple[str, subprocess.Popen[str]]]]:
    """Another process that takes the lease of ``shop``: what it is told."""
    if request.param == "file":
        monkeypatch.setattr(lease, "_take", lambda name, ask: lease._take_file(name))
    begun: list[subprocess.Popen[str]] = []

    def begin(engine: str) -> tuple[str, subprocess.Popen[str]]:
        command = [sys.executable, "-c", OTHER, request.param, engine]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip(), process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


Other = Callable[[str], tuple[str, subprocess.Popen[str]]]


def test_a_lease_is_one_processes_until_it_ends_however(other: Other, tmp_path: Path) -> None:
    engine = str(tmp_path)  # of this test alone
    said, process = other(engine)
    assert said == "''"
    leases = Leases()
    assert leases.take(engine, "shop") == f"pid {process.pid}"
    assert not leases.is_free(engine, "shop")
    assert leases.take(engine, "blog") == ""
    process.kill()
    process.wait(30)
    assert leases.is_free(engine, "shop")
    assert leases.take(engine, "shop") == ""
    assert leases.take(engine, "shop") == ""
    assert not leases.is_free(engine, "shop")
    leases.release(engine, "shop")
    assert leases.is_free(engine, "shop")
    leases.close()


def test_asking_again_and_again_tells_the_same(other: Other, tmp_path: Path) -> None:
    engine = str(tmp_path)
    _, process = other(engine)
    leases = Leases()
    assert {leases.take(engine, "shop") for _ in range(30)} == {f"pid {process.pid}"}
    assert not any(leases.is_free(engine, "shop") for _ in range(500))
    assert leases.take(engine, "shop") == f"pid {process.pid}"


def test_a_name_that_is_taken_by_who_may_not_use_the_engine_is_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Leases(), Leases()
    assert one.take(str(tmp_path), "shop") == ""
    assert two.take(str(tmp_path), "shop") == f"pid {os.getpid()}"
    monkeypatch.setattr(lease, "_may_use_an_engine", lambda uid: False)
    # Where a file is locked nobody knows by whom.
    assert two.take(str(tmp_path), "shop") == ("" if sys.platform == "linux" else f"pid {os.getpid()}")
    one.close()


def test_a_lock_knows_when_its_directory_was_taken_away_and_who_has_the_new_one(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.mkdir()
    held, second = StateLock(root), StateLock(root)
    held.acquire()
    assert held.is_there()
    shutil.rmtree(root)
    assert not held.is_there()
    root.mkdir()
    assert not held.is_there()
    second.acquire()
    with pytest.raises(StateLocked):
        held.acquire_again()
    assert not held.is_there()
    second.release()
    held.acquire_again()
    assert held.is_there()
    with pytest.raises(StateLocked):
        second.acquire()
    held.release()


def test_a_state_directory_that_can_not_be_used_is_told_with_its_cause(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.write_text("")
    with pytest.raises(StateLocked, match=r"state can't be used: it is not a directory; name another one with --state"):
        StateLock(root).acquire()
    with pytest.raises(StateLocked, match="can't be used: Not a directory"):
        StateLock(root / "below").acquire()


def test_only_the_locks_file_being_gone_is_no_lost_directory(tmp_path: Path) -> None:
    root = tmp_path / "state"
    lock = StateLock(root)
    lock.acquire()
    try:
        (root / "pnr.lock").unlink()
        assert (lock.is_there(), lock.is_same_directory()) == (False, True)
        root.rename(tmp_path / "aside")
        root.mkdir()
        assert (lock.is_there(), lock.is_same_directory()) == (False, False)
        lock.acquire_again()
        assert (lock.is_there(), lock.is_same_directory()) == (True, True)
    finally:
        lock.release()
