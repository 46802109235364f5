"""What a look at the directory makes of its files. The time is passed in, so nothing here waits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reconciler.sources import safe_read
from reconciler.sources.files import SECOND_LOOK_SECONDS, Files

SETTLE = 0.08


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path), SETTLE)


def texts(files: Files, now: float, *, hold: bool = True) -> dict[str, bytes | None]:
    return {name: seen.data for name, seen in files.look(now, hold=hold)[0].items()}


def test_what_can_not_be_held_back_is_given_however_unfinished_it_looks(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": ')
    (tmp_path / "b.json").write_text("")
    assert texts(files, 0, hold=False) == {"a.json": b'{"name": ', "b.json": b""}


def test_a_file_that_vanished_is_held_for_the_time_to_settle_and_no_longer(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    texts(files, 0)
    (tmp_path / "a.json").unlink()
    assert texts(files, 1.0) == {"a.json": b"{}"}
    assert texts(files, 1.0 + SETTLE - 0.01) == {"a.json": b"{}"}
    assert texts(files, 1.0 + SETTLE) == {}


def test_the_next_look_is_due_when_what_is_held_has_settled(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    texts(files, 0)
    texts(files, 5.0)
    (tmp_path / "a.json").unlink()
    assert files.look(10.0, hold=True)[1] == pytest.approx(SETTLE)
    assert files.look(10.0 + SETTLE, hold=True)[1] == float("inf")


def test_a_held_file_does_not_hold_up_the_others(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"n": 1}')
    texts(files, 0)
    (tmp_path / "a.json").unlink()
    (tmp_path / "b.json").write_text('{"n": 2}')
    assert texts(files, 1.0) == {"a.json": b'{"n": 1}', "b.json": b'{"n": 2}'}


def test_a_renamed_file_never_stands_there_twice(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"n": 1}')
    texts(files, 0)
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    assert texts(files, 1.0) == {"b.json": b'{"n": 1}'}


@pytest.mark.parametrize("passing", ["", '{"n": ', "\n"])
def test_a_file_that_is_being_written_is_held_at_what_it_was(files: Files, tmp_path: Path, passing: str) -> None:
    (tmp_path / "a.json").write_text('{"n": 1}')
    texts(files, 0)
    (tmp_path / "a.json").write_text(passing)
    assert texts(files, 1.0) == {"a.json": b'{"n": 1}'}
    assert texts(files, 1.0 + SETTLE) == {"a.json": passing.encode()}


def test_a_new_file_that_is_being_written_is_given_when_it_is_whole(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("")
    assert texts(files, 0) == {}
    (tmp_path / "a.json").write_text("{}")
    assert texts(files, 0.01) == {"a.json": b"{}"}


def test_a_second_write_in_the_same_tick_of_the_clock_is_not_missed(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"n": 1}')
    texts(files, 0)
    frozen = safe_read.signature(str(path))
    path.write_text('{"n": 2}')
    real = safe_read.signature
    try:
        safe_read.signature = lambda *_, **__: frozen
        assert texts(files, SECOND_LOOK_SECONDS) == {"a.json": b'{"n": 2}'}
        assert files.look(10.0, hold=True)[1] == float("inf")
    finally:
        safe_read.signature = real


def test_a_file_from_the_future_is_not_read_again_and_again(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    os.utime(path, (time.time() + 10**8,) * 2)
    texts(files, 0)
    texts(files, SECOND_LOOK_SECONDS)
    assert files.look(1.0, hold=True)[1] == float("inf")


def test_what_could_not_be_read_is_tried_again_though_the_file_did_not_change(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("{}")

    def fail(*_: object, **__: object) -> bytes:
        raise safe_read.Refused("Unreadable", "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(safe_read, "read", fail)
        seen = files.look(0, hold=True)[0]["a.json"]
        assert seen.error is not None
        assert seen.error.code == "Unreadable"
        texts(files, 1.0)
    assert texts(files, 2.0) == {"a.json": b"{}"}


def test_a_file_that_can_not_be_looked_at_is_not_taken_for_a_removed_one(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("{}")
    texts(files, 0)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    seen = files.look(10.0, hold=True)[0]["a.json"]
    assert seen.error is not None
    assert seen.error.code == "Unreadable"


def test_a_name_that_is_not_utf_8_is_named_and_not_read(files: Files, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"m\xfcll.json")).write_text("{}")
    [(name, seen)] = files.look(0, hold=True)[0].items()
    assert name == "m\ufffdll.json"
    assert seen.data is None
    assert seen.error is not None
    assert seen.error.code == "BadFileName"


def test_files_that_did_not_change_stay_the_same_objects_even_when_they_are_touched(
    files: Files, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("{}")
    before = files.look(0, hold=True)[0]["a.json"]
    os.utime(tmp_path / "a.json", (1, 1))
    assert files.look(1.0, hold=True)[0]["a.json"] is before


def test_a_directory_that_is_missing_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Files(str(tmp_path / "none"), SETTLE).look(0, hold=True)


def test_a_file_that_grows_over_the_limit_while_it_is_read_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"x" * 11)
    with pytest.raises(safe_read.Refused, match="11 bytes"):
        safe_read.read(str(tmp_path / "a.json"), 10)


def test_no_part_of_the_way_to_a_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "b").mkdir(parents=True)
    (tmp_path / "real" / "b" / "x.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with safe_read.folder_below(str(tmp_path), ("real", "b")) as folder:
        assert folder.names(10) == ["x.json"]
        assert folder.read("x.json", 10) == b"{}"
    for parts in (("link", "b"), ("..", "b"), ("real/b",), ("",)):
        with pytest.raises(OSError), safe_read.folder_below(str(tmp_path), parts):
            pytest.fail("it was opened")


def test_where_folders_can_not_be_opened_the_way_is_checked_by_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real" / "b").mkdir(parents=True)
    (tmp_path / "real" / "b" / "x.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setattr(os, "supports_dir_fd", set())
    with safe_read.folder_below(str(tmp_path), ("real", "b")) as folder:
        assert folder.read("x.json", 10) == b"{}"
        assert folder.signature("x.json")
    with pytest.raises(OSError), safe_read.folder_below(str(tmp_path), ("link", "b")):
        pytest.fail("it was opened")


@pytest.mark.parametrize(
    "name", ["a\nb.json", "a\x1b[31m.json", "\r.json", "a\x7f.json", "a\x9b2J.json", "a\u202ebnosj.json", "\u2028.json"]
)
def test_a_name_that_would_pass_for_somebody_elses_words_is_refused(files: Files, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    seen = files.look(0, hold=False)[0]
    bad = next(key for key in seen if key != "b.json")
    assert seen["b.json"].data == b"{}"
    assert bad.isprintable()
    problem = seen[bad].error
    assert problem is not None
    assert problem.code == "BadFileName"


def test_names_that_sort_oddly_are_names_like_any_other(files: Files, tmp_path: Path) -> None:
    names = ["!.json", "-.json", "~.json", "0.json", "Z.json", "\u00fc.json", "a\u00a0b.json", " .json"]
    for name in names:
        (tmp_path / name).write_text("{}")
    assert set(files.look(0, hold=False)[0]) == set(names)
