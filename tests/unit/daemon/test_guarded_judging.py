"""Files are judged in a process of their own: who takes too much is told so, and the others are judged."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.daemon import guarded_judging
from reconciler.daemon.guarded_judging import GuardedJudge
from reconciler.daemon.judging_messages import Setup
from reconciler.host import paths
from reconciler.intent.judgement import InForce
from reconciler.policy import Judge
from tests.unit.intent.reading import File
from tests.unit.policy import judging

LIMIT_SECONDS = 120
MEMORY_BYTES = 2 << 30


def stack(name: str, *, secret: Path | None = None, **container: Any) -> File:
    more = {"secrets": ["key"]} if secret is not None else {}
    chunk = {"name": "web", "container": {"name": f"{name}_web", "image": "x", **more, **container}}
    top = {"secrets": {"key": {"file": str(secret)}}} if secret is not None else {}
    return File(json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}, **top}).encode())


def setup(tmp_path: Path, policy: Any = None) -> Setup:
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    return Setup(state, "/", {}, frozenset(), policy, MEMORY_BYTES)


@pytest.fixture
async def judge(tmp_path: Path) -> AsyncIterator[GuardedJudge]:
    made = GuardedJudge(setup(tmp_path))
    async with asyncio.timeout(LIMIT_SECONDS):
        yield made
        await made.close()


@pytest.fixture
def in_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts code into the process that judges, run as it starts: what a file would do that nobody has thought of."""

    def put(code: str) -> None:
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / "sitecustomize.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    return put


# What files by the names that begin with these words do as they are loaded, or judged beside others.
MISCHIEF = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "reconciler.daemon.judging_child":
            sys.meta_path.remove(self)
            import os, re, signal
            from reconciler.daemon import intake
            load, together = intake.load, intake.judge_domains
            def mischief(name):
                if name.startswith("spin"):
                    re.search(r"^(a+)+$", "a" * 60 + "b")
                if name.startswith("loop"):
                    while True:
                        pass
                if name.startswith("eat"):
                    eaten = []
                    while True:
                        eaten.append(bytes(1 << 26))
                if name.startswith("die"):
                    os.kill(os.getpid(), signal.SIGSEGV)
                    while True:
                        pass
                if name.startswith("raise"):
                    raise RecursionError
                if name.startswith("exit"):
                    sys.exit(3)
            def loading(data, name, **rest):
                mischief(name)
                return load(data, name, **rest)
            def judging(domains, *rest, **more):
                for domain in domains:
                    mischief(domain.file.removeprefix("beside-"))
                return together(domains, *rest, **more)
            intake.load, intake.judge_domains = loading, judging
        return None
sys.meta_path.insert(0, Finder())
"""


async def noticed(judge: GuardedJudge) -> None:
    while not await judge.look_again():  # noqa: ASYNC110 - there is nothing that could tell
        await asyncio.sleep(0.02)


@pytest.fixture
def short_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CPU_SECONDS", "CPU_SECONDS_ALONE", "CPU_SECONDS_TOGETHER"):
        monkeypatch.setattr(guarded_judging, name, 1)
    monkeypatch.setattr(guarded_judging, "PATIENCE_SECONDS", LIMIT_SECONDS)


async def test_files_are_judged_and_what_is_in_force_is_known_again(judge: GuardedJudge) -> None:
    files = {"a.json": stack("a"), "b.json": stack("b", privileged=7)}
    first = await judge(files, ())
    assert list(first.domains) == ["a"]
    assert list(first.errors) == ["b.json"]
    in_force = [InForce("a", "a.json", first.domains["a"])]
    again = await judge(files, in_force)
    assert again.domains["a"] is first.domains["a"]
    # A file that goes bad leaves in force what it said before: known by what it was.
    broken = await judge({"a.json": File(b"{")}, in_force)
    assert (broken.speaks, list(broken.domains)) == ({"a": "a.json"}, [])
    back = await judge(files, in_force)
    assert back.domains["a"] == first.domains["a"]


async def test_what_the_policy_refuses_is_refused_there(tmp_path: Path) -> None:
    policy = Judge(judging.STANDARD, judging.INSTALLATION, paths.look)
    made = GuardedJudge(setup(tmp_path, policy))
    try:
        found = await made({"a.json": stack("a", privileged=True)}, ())
        assert [problem.code for problem in found.errors["a.json"]] == ["PolicyRefused"]
    finally:
        await made.close()


@pytest.mark.parametrize("kind", ["spin", "loop", "eat", "die", "raise", "exit"])
@pytest.mark.usefixtures("short_budgets")
async def test_a_file_that_takes_too_much_is_told_so_and_the_others_are_judged(
    judge: GuardedJudge, in_child: Any, kind: str
) -> None:
    in_child(MISCHIEF)
    files = {f"{kind}.json": stack("bad"), "a.json": stack("a"), "b.json": stack("b")}
    judged = await judge(files, ())
    assert sorted(judged.domains) == ["a", "b"]
    assert list(judged.errors) == [f"{kind}.json"]
    expected = "CantBeJudged" if kind in ("raise", "exit") else "TooCostly"
    assert judged.errors[f"{kind}.json"][0].code == expected
    assert sorted((await judge(files, ())).domains) == ["a", "b"]


@pytest.mark.parametrize("kind", ["spin", "die", "raise"])
@pytest.mark.usefixtures("short_budgets")
async def test_a_file_beside_which_the_others_take_too_much_is_found(
    judge: GuardedJudge, in_child: Any, kind: str
) -> None:
    in_child(MISCHIEF)
    good = {f"{name}.json": stack(name) for name in "abc"}
    before = await judge(good, ())
    in_force = [InForce(name, f"{name}.json", domain) for name, domain in before.domains.items()]
    judged = await judge({**good, f"beside-{kind}.json": stack("bad")}, in_force)
    assert sorted(judged.domains) == ["a", "b", "c"]
    assert list(judged.errors) == [f"beside-{kind}.json"]
    assert judged.errors[f"beside-{kind}.json"][0].code == ("CantBeJudged" if kind == "raise" else "TooCostly")


async def test_what_is_slow_to_be_read_holds_up_nobody_and_is_taken_when_it_is_there(
    judge: GuardedJudge, tmp_path: Path, in_child: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_judging, "PATIENCE_SECONDS", 0.2)
    gate = tmp_path / "gate"
    in_child(
        MISCHIEF.replace(
            'if name.startswith("raise"):',
            f"""while name.startswith("slow") and not os.path.exists({str(gate)!r}):
                    import time
                    time.sleep(0.02)
                if name.startswith("raise"):""",
        )
    )
    await judge.start()
    files = {"slow.json": stack("slow"), "a.json": stack("a")}
    judged = await judge(files, ())
    assert list(judged.domains) == ["a"]
    assert judged.errors["slow.json"][0].code == "BeingRead"
    assert judge.refers.is_set()
    gate.touch()
    await noticed(judge)
    assert sorted((await judge(files, ())).domains) == ["a", "slow"]


async def test_what_comes_late_is_loaded_once(
    judge: GuardedJudge, tmp_path: Path, in_child: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_judging, "PATIENCE_SECONDS", 0.0)
    noted = tmp_path / "noted"
    in_child(MISCHIEF.replace("return load(data", f"open({str(noted)!r}, 'a').write(name); return load(data"))
    files = {"a.json": stack("a"), "large.json": stack("large", labels={"x": "y" * 100_000})}
    while (judged := await judge(files, ())).errors:  # noqa: ASYNC110 - there is nothing that could tell
        await asyncio.sleep(0.02)
    assert sorted(judged.domains) == ["a", "large"]
    assert sorted(noted.read_text().split(".json")) == ["", "a", "large"]


async def test_a_change_of_what_is_referred_to_is_noticed(judge: GuardedJudge, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hush")
    files = {"a.json": stack("a", secret=key)}
    before = (await judge(files, ())).domains["a"]
    assert judge.refers.is_set()
    key.write_text("hush hush")
    await noticed(judge)
    after = (await judge(files, ())).domains["a"]
    assert after.intent != before.intent
    assert (tmp_path / "state" / "key").stat().st_size == 32


async def test_what_was_prepared_is_recalled(judge: GuardedJudge) -> None:
    @dataclass(frozen=True)
    class Kept:
        domain: str
        file: str
        data: bytes
        problem: None = None

    data = stack("a").data
    assert data is not None
    kept = Kept("a", "a.json", data)
    renamed = stack("c").data
    assert renamed is not None
    of_both_names = [kept, Kept("c", "a.json", renamed)]
    await judge.prepare(of_both_names)
    assert list(judge.recall(of_both_names)) == ["a", "c"]
    assert list(judge.recall([Kept("b", "b.json", data)])) == []


@pytest.mark.usefixtures("short_budgets")
async def test_a_process_that_is_killed_is_replaced(judge: GuardedJudge) -> None:
    files = {"a.json": stack("a")}
    first = await judge(files, ())
    child = judge._small.process._child
    assert child is not None
    os.kill(child.pid, 9)
    await child.wait()
    judged = await judge({**files, "b.json": stack("b")}, [InForce("a", "a.json", first.domains["a"])])
    assert sorted(judged.domains) == ["a", "b"]
    assert judged.domains["a"] is first.domains["a"]


async def test_nothing_of_the_current_directory_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: GuardedJudge
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    (tmp_path / "reconciler").mkdir()
    (tmp_path / "reconciler" / "__init__.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert list((await judge({"a.json": stack("a")}, ())).domains) == ["a"]
