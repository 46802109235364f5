"""What a file refers to is read beside the loop, noticed when it changes, and tried again when it failed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.daemon import references
from reconciler.daemon.judging import FileJudge
from reconciler.daemon.owners import Owners
from reconciler.daemon.references import WithReferences
from reconciler.intent.contents import Source
from reconciler.intent.judgement import InForce
from reconciler.sources.contents import LocalContents, Places
from reconciler.sources.protocol import FileSeen, Scan
from tests.unit.intent.reading import File

LIMIT_SECONDS = 20


class Watched(LocalContents):
    """Contents that remember in which thread they were read."""

    def __init__(self) -> None:
        super().__init__(lambda: bytes(32), Places({}))
        self.threads: list[threading.Thread] = []

    def read(self, source: Source) -> bytes:
        self.threads.append(threading.current_thread())
        return super().read(source)


def text(folder: Path, *, secrets: bool = True) -> bytes:
    container: dict[str, Any] = {"image": "x", **({"secrets": ["key"]} if secrets else {})}
    document = {"name": "a", "cpuxs": {"main": {"design_chunks": [{"name": "web", "container": container}]}}}
    return json.dumps({**document, "secrets": {"key": {"file": str(folder / "key")}}}).encode()


@pytest.fixture
def contents() -> Watched:
    return Watched()


@pytest.fixture
def judge(contents: Watched) -> FileJudge:
    return FileJudge(base_dir="/", env={}, allowed_env=(), check_types={}, contents=contents)


async def test_what_is_referred_to_is_read_in_another_thread_before_it_is_judged(
    tmp_path: Path, judge: FileJudge, contents: Watched
) -> None:
    (tmp_path / "key").write_text("hush")
    files = {"a.json": File(text(tmp_path))}
    assert list((await judge(files, ())).domains) == ["a"]
    assert contents.threads
    assert threading.current_thread() not in contents.threads
    assert judge.refers.is_set()


async def test_without_a_change_nothing_is_read_again(tmp_path: Path, judge: FileJudge, contents: Watched) -> None:
    (tmp_path / "key").write_text("hush")
    files = {"a.json": File(text(tmp_path))}
    await judge(files, ())
    await judge.look_again()
    count = len(contents.threads)
    assert not await judge.look_again()
    assert len(contents.threads) == count


async def test_a_change_is_noticed_once(tmp_path: Path, judge: FileJudge) -> None:
    (tmp_path / "key").write_text("hush")
    files = {"a.json": File(text(tmp_path))}
    before = (await judge(files, ())).domains["a"]
    (tmp_path / "key").write_text("hush hush")
    assert await judge.look_again()
    after = (await judge(files, ())).domains["a"]
    assert after.intent != before.intent
    assert not await judge.look_again()


async def test_a_file_that_was_written_anew_with_the_same_content_is_no_change(
    tmp_path: Path, judge: FileJudge
) -> None:
    (tmp_path / "key").write_text("hush")
    await judge({"a.json": File(text(tmp_path))}, ())
    (tmp_path / "new").write_text("hush")
    (tmp_path / "new").rename(tmp_path / "key")
    assert not await judge.look_again()


async def test_what_goes_and_comes_back_is_noticed(tmp_path: Path, judge: FileJudge) -> None:
    files = {"a.json": File(text(tmp_path))}
    assert list((await judge(files, ())).errors) == ["a.json"]
    (tmp_path / "key").write_text("hush")
    assert await judge.look_again()
    assert list((await judge(files, ())).domains) == ["a"]
    (tmp_path / "key").unlink()
    assert await judge.look_again()
    assert (await judge(files, ())).errors["a.json"][0].code == "SourceMissing"


async def test_nothing_is_watched_for_files_that_refer_to_nothing(tmp_path: Path, judge: FileJudge) -> None:
    await judge({"a.json": File(text(tmp_path, secrets=False))}, ())
    assert not judge.refers.is_set()
    assert not await judge.look_again()


@dataclass
class Directory:
    """A source that gives one scan, and another each time it is asked to look."""

    scan: Scan
    looks: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def scans(self) -> AsyncIterator[Scan]:
        yield self.scan
        while True:
            await self.looks.get()
            yield self.scan

    def stirred_at(self) -> float:
        """When something happened last."""
        return 0.0

    async def look_now(self) -> None:
        self.looks.put_nowait(None)

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_a_change_of_what_is_referred_to_gives_a_scan(
    tmp_path: Path, judge: FileJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "LOOK_SECONDS", 0.02)
    (tmp_path / "key").write_text("hush")
    source = WithReferences(Directory(Scan({"a.json": FileSeen("a.json", text(tmp_path))})), judge)
    scans = source.scans()
    async with asyncio.timeout(LIMIT_SECONDS):
        first = (await judge((await anext(scans)).files, ())).domains["a"]
        (tmp_path / "key").write_text("hush hush")
        second = (await judge((await anext(scans)).files, ())).domains["a"]
        assert first.intent != second.intent
        following = asyncio.ensure_future(anext(scans, None))
        await asyncio.sleep(0)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await source.close()


async def test_what_fails_while_watching_is_not_passed_over(
    tmp_path: Path, judge: FileJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> bool:
        raise RuntimeError("a fault in the program")

    monkeypatch.setattr(references, "LOOK_SECONDS", 0.01)
    (tmp_path / "key").write_text("hush")
    source = WithReferences(Directory(Scan({"a.json": FileSeen("a.json", text(tmp_path))})), judge)
    scans = source.scans()
    async with asyncio.timeout(LIMIT_SECONDS):
        await judge((await anext(scans)).files, ())
        monkeypatch.setattr(judge, "look_again", fail)
        with pytest.raises(RuntimeError, match="a fault in the program"):
            await anext(scans)


async def test_whose_a_domains_name_is_follows_what_is_judged() -> None:
    owners = Owners()
    judge = FileJudge(
        base_dir="/", env={}, allowed_env=(), check_types={}, contents=Watched(), policy=None, owners=owners
    )
    assert owners("a") is None
    await judge({"one.json": File(text(Path("/"), secrets=False))}, ())
    assert owners("a") == "one.json"
    assert owners("b") is None
    # A file that is not valid leaves the name with whom it was, and so does one that is gone.
    await judge({"one.json": File(b"{")}, (InForce("a", "one.json", None),))
    assert owners("a") == "one.json"
    await judge({}, (InForce("a", "one.json", None, absent=True),))
    assert owners("a") == "one.json"
    await judge({}, ())
    assert owners("a") is None
