"""The journal's parts, read back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.state import journal
from reconciler.state.files import StateWriteFailed


def lines(*numbers: int) -> str:
    return "".join(json.dumps({"n": n}) + "\n" for n in numbers)


def test_a_gap_in_the_older_parts_hides_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(lines(5, 6))
    (tmp_path / "events.1.jsonl").write_text(lines(3, 4))
    (tmp_path / "events.3.jsonl").write_text(lines(1, 2))
    (tmp_path / "events.x.jsonl").write_text(lines(99))
    found = [entry["n"] for entry in journal.read(tmp_path / "events.jsonl")]
    assert found == [1, 2, 3, 4, 5, 6]
    assert [entry["n"] for entry in journal.read(tmp_path / "events.jsonl", limit=3)] == [4, 5, 6]


def test_lines_that_are_no_entries_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n":1}\n\n[]\nnonsense\n\xff\xfe\n' + b"[" * 100_000 + b'\n{"n":2}\n{"n":3')
    assert [entry["n"] for entry in journal.read(path)] == [1, 2]


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none" / "events.jsonl") == []


def test_a_line_that_a_failed_write_has_torn_is_ended_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    writer = journal.Journal(path)
    writer.append([{"n": 1}])
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        real(descriptor, data[: len(data) // 2])
        raise OSError(5, "Input/output error")

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        patch.setattr(os, "ftruncate", refuse)
        with pytest.raises(StateWriteFailed, match="Input/output error"):
            writer.append([{"n": 2}])
    writer.append([{"n": 3}])
    assert [entry["n"] for entry in journal.read(path)] == [1, 3]
