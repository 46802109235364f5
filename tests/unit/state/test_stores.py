"""Snapshots, intents and the lock when something about them is odd."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.state import lock
from reconciler.state.adopted import AdoptedStore
from reconciler.state.intents import IntentStore
from reconciler.state.lock import StateLock, StateLocked
from reconciler.state.snapshot import SnapshotStore


def document(**more: Any) -> dict[str, Any]:
    return {"version": 1, "domain": "shop", **more}


def test_half_a_surrogate_pair_spoils_no_snapshot(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save("shop", document(file="m\udcfcll.json", last_error="\ud800"))
    assert store.load_all() == ({"shop": document(file="m?ll.json", last_error="?")}, [])


def test_what_a_container_said_comes_back_as_it_was(tmp_path: Path) -> None:
    message = '\x00\x1b[31m\r\n"\'\'\'""" \\ \u2028\u202e\U0001f600\x7f\t'
    store = SnapshotStore(tmp_path)
    store.save("shop", document(message=message))
    assert store.load_all()[0]["shop"]["message"] == message


def test_a_snapshot_of_a_newer_program_outlives_the_one_that_is_written_for_it(tmp_path: Path) -> None:
    newer = 'version = 99\ndomain = "shop"\n'
    (tmp_path / "shop.toml").write_text(newer)
    store = SnapshotStore(tmp_path)
    store.load_all()
    store.save("shop", document(n=1))
    store.save("shop", document(n=2))
    assert (tmp_path / "shop.toml.newer").read_text() == newer
    assert store.load_all() == ({"shop": document(n=2)}, [])


def test_a_snapshot_that_can_not_be_read_now_is_not_taken_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SnapshotStore(tmp_path).save("shop", document())

    def refuse(*_: object, **__: object) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        found, problems = SnapshotStore(tmp_path).load_all()
    assert found == {}
    assert "Too many open files" in problems[0]
    assert SnapshotStore(tmp_path).load_all()[0] == {"shop": document()}


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "\udcff", 'version = 1\ndomain = "other"', ""])
def test_any_damage_is_told_and_set_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.toml").write_bytes(os.fsencode(text))
    found, problems = SnapshotStore(tmp_path).load_all()
    assert found == {}
    assert "set aside" in problems[0]


def test_a_file_system_without_fsync_of_folders_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/dev/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    SnapshotStore(tmp_path).save("shop", document())
    assert SnapshotStore(tmp_path).load_all()[0] == {"shop": document()}


@pytest.mark.parametrize("file", ["a.json", "two\nlines.json", 'q"uote\\.json', "m\udcfcll.json"])
def test_an_intent_keeps_any_name_of_a_file(tmp_path: Path, file: str) -> None:
    store = IntentStore(tmp_path)
    store.save("shop", file, b"{}\n")
    [stored] = store.load_all()
    assert (stored.file, stored.data) == (file, b"{}\n")


def test_a_damaged_intent_is_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = IntentStore(tmp_path)
    store.save("good", "good.json", b"{}")
    (tmp_path / "intents" / "bad.intent").write_bytes(b"")
    assert [stored.domain for stored in store.load_all()] == ["good"]
    assert "bad.intent" in caplog.text


def test_the_lock_holds_on_a_full_disk_though_no_pid_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    held = StateLock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        held.acquire()
    with pytest.raises(StateLocked, match="unknown"):
        StateLock(tmp_path).acquire()
    held.release()
    StateLock(tmp_path).acquire()


def test_a_file_system_that_knows_no_locks_is_not_taken_for_another_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", refuse)
    with pytest.raises(StateLocked, match="No locks available"):
        StateLock(tmp_path).acquire()


def test_containers_that_are_taken_over_at_the_same_time_are_all_in_the_record(tmp_path: Path) -> None:
    store = AdoptedStore(tmp_path)
    ids = [f"{number:064x}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id: store.adopt(id, {"io.pnr.chunk": id}), ids))
    again = AdoptedStore(tmp_path)
    assert [again.labels(id) for id in ids] == [{"io.pnr.chunk": id} for id in ids]
