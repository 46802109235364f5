"""Snapshots, intents and the lock when something about them is odd."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state import lock
from reconciler.state.adopted import AdoptedStore
from reconciler.state.image_records import ImageStore
from reconciler.state.intents import IntentStore
from reconciler.state.lock import StateLock, StateLocked
from reconciler.state.snapshot import SnapshotStore, without_none


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


VALUES = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6))
def test_whatever_is_saved_can_be_read_and_says_the_same(more: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        store = SnapshotStore(Path(folder))
        saved = {**more, "domain": "shop"}
        store.save("shop", saved)
        assert store.load_all() == ({"shop": without_none(saved)}, [])


def test_a_snapshot_of_another_version_is_given_and_kept_beside_the_one_written_next(tmp_path: Path) -> None:
    newer = 'version = 99\ndomain = "shop"\n'
    (tmp_path / "shop.toml").write_text(newer)
    store = SnapshotStore(tmp_path)
    assert store.load_all() == ({"shop": {"version": 99, "domain": "shop"}}, [])
    told = store.set_aside("shop", ["version = 99"])
    assert "shop.toml" in told
    assert "version = 99" in told
    store.save("shop", document(n=1))
    store.save("shop", document(n=2))
    assert (tmp_path / "shop.toml.unknown-1").read_text() == newer
    assert store.load_all() == ({"shop": document(n=2)}, [])


def test_only_the_newest_three_of_what_is_set_aside_are_kept(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for n in range(5):
        (tmp_path / "shop.toml").write_text(f"n = {n}")
        store.set_aside("shop", ["n"])
        os.utime(tmp_path / "shop.toml.unknown-1" if n == 0 else tmp_path / f"shop.toml.unknown-{n % 3 + 1}", (n, n))
    assert sorted(path.read_text() for path in tmp_path.glob("*.unknown-*")) == ["n = 2", "n = 3", "n = 4"]


@pytest.mark.parametrize("thing", ["directory", "pipe", "forbidden", "loop"])
def test_what_is_no_file_in_the_place_of_one_is_set_aside(tmp_path: Path, thing: str) -> None:
    (tmp_path / "intents").mkdir()
    for path in (tmp_path / "shop.toml", tmp_path / "intents" / "shop.intent"):
        match thing:
            case "directory":
                path.mkdir()
                (path / "more").write_text("x")
            case "pipe":
                os.mkfifo(path)
            case "loop":
                path.symlink_to(path)
            case "forbidden":
                path.write_text("x")
                path.chmod(0)
                if os.access(path, os.R_OK):
                    path.unlink()  # root may read everything
                    path.mkdir()
    snapshots, intents = SnapshotStore(tmp_path), IntentStore(tmp_path)
    found, problems = snapshots.load_all()
    assert (found, list(intents.load_all())) == ({}, [])
    assert "set aside as shop.toml.unknown-1" in problems[0]
    assert "set aside as shop.intent.unknown-1" in intents.problems[0]
    snapshots.save("shop", document())
    intents.save("shop", "shop.json", b"{}")
    assert SnapshotStore(tmp_path).load_all() == ({"shop": document()}, [])
    assert [stored.domain for stored in IntentStore(tmp_path).load_all()] == ["shop"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "\0\udcff", '{"version": 2}', '{"version": 1, "adopted": 5, "own": 5}', "[" * 100_000]
)
def test_a_record_of_another_shape_is_told_and_kept_beside_the_new_one(tmp_path: Path, text: str) -> None:
    data = os.fsencode(text)
    (tmp_path / "adopted.json").write_bytes(data)
    (tmp_path / "images.json").write_bytes(data)
    adopted, images = AdoptedStore(tmp_path), ImageStore(tmp_path)
    assert "adopted.json" in adopted.problem
    assert "images.json" in images.problem
    adopted.adopt("c", {"a": "b"})
    images.add("i", ["web:1"])
    assert AdoptedStore(tmp_path).labels("c") == {"a": "b"}
    assert ImageStore(tmp_path).own() == {"i": ("web:1",)}
    assert {path.read_bytes() for path in tmp_path.glob("*.unknown-1")} == {data}


def test_a_file_in_the_place_of_the_folder_of_intents_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "intents").write_text("x")
    store = IntentStore(tmp_path)
    assert not store.load_all()
    assert "intents.unknown-1" in store.problems[0]
    store.save("shop", "shop.json", b"{}")


def test_without_mending_nothing_is_touched(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text("a = ")
    (tmp_path / "intents").write_text("x")
    SnapshotStore(tmp_path).load_all(mending=False)
    IntentStore(tmp_path).load_all(mending=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intents", "shop.toml"]


def test_a_snapshot_that_can_not_be_read_now_is_not_taken_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SnapshotStore(tmp_path).save("shop", document())

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        found, problems = SnapshotStore(tmp_path).load_all()
    assert found == {}
    assert "Too many open files" in problems[0]
    assert SnapshotStore(tmp_path).load_all()[0] == {"shop": document()}


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000 + "]" * 5000, "\udcff", 'version = 1\ndomain = "other"', "", "\0" * 100]
)
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
