"""What is kept of the domains directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.state.folder import FILE, FolderStore

DOCUMENT = {"place": "1:2", "let_go": [{"domain": "shop", "stir_at": "t", "at": "t", "by_commit": False}]}


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    assert FolderStore(tmp_path).load() == {}
    FolderStore(tmp_path).save(DOCUMENT)
    assert FolderStore(tmp_path).load() == DOCUMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2}',
        '{"version": 1}',
        '{"version": 1, "place": "", "let_go": [3]}',
        "[" * 9999,
    ],
)
def test_what_can_not_be_used_is_told_and_set_aside_before_it_is_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    store = FolderStore(tmp_path)
    assert store.load() == {}
    assert f"{FILE} can't be used" in store.problem
    store.save(DOCUMENT)
    assert (tmp_path / f"{FILE}.unknown-1").read_text() == text
    assert FolderStore(tmp_path).load() == DOCUMENT
