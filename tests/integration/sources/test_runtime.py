"""What containers write to /runtime, hostile ones included."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from reconciler.facts import TV
from reconciler.intent.model import ChunkId
from reconciler.sources.runtime import RuntimeFacts

ID = ChunkId("shop", "main", "api")
FACT = {"prompt": "?", "response": ["yes"], "tv": "y"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "shop" / "main" / "api"
    target.mkdir(parents=True)
    return target


def test_facts_are_read_and_the_later_name_counts(tmp_path: Path, folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"api_ready": FACT, "other": FACT}))
    (folder / "b.json").write_text(json.dumps({"api_ready": {**FACT, "tv": "N"}}))
    said = RuntimeFacts(tmp_path).read(ID)
    assert said.answers["api_ready"].tv is TV.N
    assert said.answers["other"].tv is TV.Y
    assert said.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"x": 1}',
        '{"x": {"tv": "MAYBE"}}',
        '{"x": {"tv": "Y", "response": [1]}}',
        '{"x": {"tv": "Y", "more": 1}}',
        '{"x": {"tv": "Y"}, "x": {"tv": "N"}}',
        "[" * 100_000,
        '{"' + "k" * 500 + '": {"tv": "Y"}}',
        '{"x": {"tv": "Y", "prompt": "' + "p" * 10_000 + '"}}',
        "\ufeff{}",
    ],
)
def test_anything_else_is_reported_and_ignored(tmp_path: Path, folder: Path, text: str) -> None:
    (folder / "a.json").write_text(text)
    (folder / "good.json").write_text(json.dumps({"api_ready": FACT}))
    said = RuntimeFacts(tmp_path).read(ID)
    assert list(said.answers) == ["api_ready"]
    assert said.problems


def test_nothing_is_followed_and_nothing_blocks(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps({"stolen": FACT}))
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    (folder / "huge.json").write_bytes(b" " * (1 << 20))
    said = RuntimeFacts(tmp_path).read(ID)
    assert said.answers == {}
    assert len(said.problems) == 4


def test_a_flood_of_files_is_bounded(tmp_path: Path, folder: Path) -> None:
    for n in range(300):
        (folder / f"f{n:04}.json").write_text(json.dumps({f"k{n}": FACT}))
    said = RuntimeFacts(tmp_path).read(ID)
    assert len(said.answers) <= 16
    assert any("300" in problem for problem in said.problems)


def test_a_chunk_that_never_wrote_said_nothing(tmp_path: Path) -> None:
    assert RuntimeFacts(tmp_path).read(ID).answers == {}


async def test_a_write_is_told(tmp_path: Path, folder: Path) -> None:
    changes = RuntimeFacts(tmp_path).changes()
    try:
        async with asyncio.timeout(20):
            assert await anext(changes) == ID
            waiting = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0.2)
            (folder / "a.json").write_text(json.dumps({"api_ready": FACT}))
            assert await waiting == ID
    finally:
        await changes.aclose()  # type: ignore[attr-defined]


def test_a_chunk_that_is_gone_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    (folder / "a.json").write_text("{}")
    RuntimeFacts(tmp_path).forget(ID)
    assert list(tmp_path.iterdir()) == []
