"""What lasts, on a real file system: whole or not at all, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.state.files import StateWriteFailed
from reconciler.state.intents import IntentStore
from reconciler.state.journal import Journal, follow, read
from reconciler.state.lock import StateLock, StateLocked
from reconciler.state.snapshot import SnapshotStore


def document(domain: str = "shop", **more: Any) -> dict[str, Any]:
    return {"version": 1, "domain": domain, "generation": 1, **more}


def test_a_snapshot_is_read_back_as_it_was_written_without_what_is_none(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save("shop", document(commit=None, cpux=[{"name": "main", "facts": {}, "held": None}]))
    found, problems = store.load_all()
    assert found == {"shop": document(cpux=[{"name": "main", "facts": {}}])}
    assert problems == []
    assert (tmp_path / "shop.toml").stat().st_mode & 0o777 == 0o600


def test_a_damaged_snapshot_is_set_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text("version = 1\ndomain = ")
    found, problems = SnapshotStore(tmp_path).load_all()
    assert found == {}
    assert "can't be used" in problems[0]
    assert (tmp_path / "shop.toml.unknown-1").exists()


def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".pnr-shop.toml.tmp").write_text("half")
    SnapshotStore(tmp_path).load_all()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x\n"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateWriteFailed):
        SnapshotStore(tmp_path).save(name, document(name))


WRITER = """
import sys
from pathlib import Path
from reconciler.state.snapshot import SnapshotStore
store, n = SnapshotStore(Path(sys.argv[1])), 0
while True:
    n += 1
    store.save("shop", {"version": 1, "domain": "shop", "n": n, "filling": ["x" * 100] * 200})
"""


def test_a_writer_that_is_killed_never_leaves_a_broken_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    for round_number in range(8):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
        end = time.monotonic() + 30
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.01 * round_number)
        writer.send_signal(signal.SIGKILL)
        writer.wait(30)
        assert tomllib.loads(path.read_text())["domain"] == "shop"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, filled up."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return filler


def test_a_full_disk_leaves_the_old_snapshot_whole_and_goes_on_when_there_is_room(full_disk: Path) -> None:
    store = SnapshotStore(full_disk)
    journal = Journal(full_disk / "events.jsonl")
    store.save("shop", document(n=1))
    journal.append([{"n": 1}])
    filler = fill(full_disk)
    big = document(n=2, filling=["x" * 1000] * 100)
    with pytest.raises(StateWriteFailed, match="No space left"):
        store.save("shop", big)
    with pytest.raises(StateWriteFailed, match="No space left"):
        journal.append([{"n": 2, "filling": "x" * 100_000}])
    assert store.load_all()[0]["shop"]["n"] == 1
    assert [entry["n"] for entry in read(full_disk / "events.jsonl")] == [1]
    assert not list(full_disk.glob(".pnr-*"))
    filler.unlink()
    store.save("shop", big)
    journal.append([{"n": 3}])
    assert store.load_all()[0]["shop"]["n"] == 2
    assert [entry["n"] for entry in read(full_disk / "events.jsonl")] == [1, 3]


def test_a_torn_last_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"n":1}\n{"n":2')
    Journal(path).append([{"n": 3}])
    assert [entry["n"] for entry in read(path)] == [1, 3]


def test_the_journal_is_rotated_and_read_across_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, max_bytes=200, keep=3)
    for n in range(60):
        journal.append([{"n": n, "text": "x" * 20}])
    parts = sorted(file.name for file in tmp_path.iterdir())
    assert parts == ["events.1.jsonl", "events.2.jsonl", "events.3.jsonl", "events.jsonl"]
    newest = [entry["n"] for entry in read(path, limit=12)]
    assert newest == list(range(48, 60))
    assert read(path, limit=0) == []


def test_following_the_journal_misses_nothing_when_it_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, max_bytes=400, keep=5)
    journal.append([{"n": -1}])
    seen: list[int] = []
    begun = threading.Event()

    def watch() -> None:
        following = follow(path, pause_seconds=0.01)
        begun.set()
        for entry in following:
            seen.append(entry["n"])
            if entry["n"] == 39:
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun.wait(10)
    time.sleep(0.3)
    for n in range(40):
        journal.append([{"n": n, "text": "x" * 20}])
        time.sleep(0.03)
    watcher.join(20)
    assert seen == list(range(40))


def test_intents_are_kept_byte_for_byte(tmp_path: Path) -> None:
    store = IntentStore(tmp_path)
    text = b'{"name": "shop",\r\n "x": "\xc3\xbc"}\n\n'
    store.save("shop", "shop file.json", text)
    [stored] = store.load_all()
    assert (stored.domain, stored.file, stored.data) == ("shop", "shop file.json", text)
    store.remove("shop")
    assert store.load_all() == []


HOLDER = """
import sys, time
from pathlib import Path
from reconciler.state.lock import StateLock
lock = StateLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_one_holder_at_a_time_and_the_kernel_frees_the_lock_of_a_dead_one(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lock = StateLock(tmp_path)
        with pytest.raises(StateLocked, match=str(holder.pid)):
            lock.acquire()
    finally:
        holder.kill()
        holder.wait(30)
        if holder.stdout is not None:
            holder.stdout.close()
    lock.acquire()
    assert (tmp_path / "pnr.lock").read_text().strip() == str(os.getpid())
    lock.release()
    lock.acquire()
    lock.release()


def test_journal_entries_never_hold_a_raw_control_character(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Journal(path).append([{"message": "a\x1b[31m\n\u202eb"}])
    raw = path.read_bytes()
    assert raw.count(b"\n") == 1
    assert b"\x1b" not in raw
    assert json.loads(raw)["message"] == "a\x1b[31m\n\u202eb"
