"""What containers write to /runtime, hostile ones included."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facts import TV
from reconciler.intent.model import ChunkId
from reconciler.sources import runtime
from reconciler.sources.runtime import RuntimeFacts

ID = ChunkId("shop", "main", "api")
FACT = {"prompt": "?", "response": ["yes"], "tv": "y"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "shop" / "main" / "api"
    target.mkdir(parents=True)
    return target


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


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


def many(folder: Path) -> None:
    for number in range(runtime.MOST_ENTRIES + 1):
        (folder / f"{number}").touch()


def many_below(folder: Path) -> None:
    for number in range(runtime.MOST_ENTRIES):
        (folder / f"{number % 7}" / f"{number}").mkdir(parents=True)


def deep(folder: Path) -> None:
    at = os.open(folder, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("in", dir_fd=at)
        below = os.open("in", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def large(folder: Path) -> None:
    (folder / "data").write_bytes(b"x" * (runtime.MOST_KEPT + 4096))


def in_parts(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}").write_bytes(b"x" * (runtime.MOST_KEPT // 16))


@pytest.mark.parametrize("write", [many, many_below, deep, large, in_parts])
async def test_a_directory_that_holds_too_much_is_emptied_and_told(
    tmp_path: Path, folder: Path, write: Callable[[Path], None]
) -> None:
    write(folder)
    facts = RuntimeFacts(tmp_path)
    changes = facts.changes()
    try:
        async with asyncio.timeout(60):
            assert await anext(changes) == ID
            assert list(folder.iterdir()) == []
            assert "it was emptied" in facts.read(ID).problems[0]
            (folder / "a.json").write_text(json.dumps({"api_ready": FACT}))
            assert await anext(changes) == ID
            assert list(facts.read(ID).answers) == ["api_ready"]
    finally:
        await changes.aclose()  # type: ignore[attr-defined]


def test_a_file_of_holes_is_large_and_not_read_and_takes_nothing(tmp_path: Path, folder: Path) -> None:
    with (folder / "a.json").open("wb") as file:
        file.truncate(1 << 40)
    assert runtime.too_much(str(folder)) == ""
    assert RuntimeFacts(tmp_path).read(ID).problems


def test_all_files_together_have_a_size(tmp_path: Path, folder: Path) -> None:
    for number in range(16):
        text = "x" * 4000
        (folder / f"{number:02}.json").write_text(
            json.dumps({f"k{number}x{n}": {**FACT, "prompt": text} for n in range(7)})
        )
    said = RuntimeFacts(tmp_path).read(ID)
    assert 0 < len(said.answers) * 4000 <= runtime.MOST_READ
    assert said.problems


def test_a_file_of_things_that_are_no_facts_is_told_in_a_few_lines(tmp_path: Path, folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({f"k{n}": n for n in range(4000)}))
    assert len(RuntimeFacts(tmp_path).read(ID).problems) == runtime.MOST_PROBLEMS


@given(
    files=st.dictionaries(
        st.text("ab.json", min_size=1, max_size=8).filter(lambda name: name.strip(".")),
        st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.just(json.dumps({"k": FACT}).encode()),
        max_size=5,
    )
)
def test_whatever_is_written_there_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("runtime")
    (root / "shop" / "main" / "api").mkdir(parents=True)
    for name, data in files.items():
        (root / "shop" / "main" / "api" / name).write_bytes(data)
    said = RuntimeFacts(root).read(ID)
    assert said.answers or said.problems or not any(name.endswith(".json") for name in files) or b"{}" in files.values()


def test_a_chunk_with_a_great_deal_is_gone_at_once(tmp_path: Path, folder: Path) -> None:
    deep(folder)
    for number in range(3000):
        (folder / f"{number}").touch()
    RuntimeFacts(tmp_path).forget(ID)
    assert not folder.exists()
    wait_until(lambda: not list(tmp_path.iterdir()))


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
