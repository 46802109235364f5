"""Files that go all at once, on a real folder with a real daemon (on the simulated engine): held, told, confirmed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.client import request
from reconciler.errors import PnrError
from tests.integration.sources.test_git import commit, git

WAIT_SECONDS = 60.0
FIVE = ("d1", "d2", "d3", "d4", "d5")


class Folder:
    """A domains folder, a state folder, and the daemon on them."""

    def __init__(self, root: Path) -> None:
        self.domains, self.state = root / "domains", root / "state"

    def write(self, *names: str) -> None:
        self.domains.mkdir(exist_ok=True)
        for name in names:
            chunk = {"name": "a", "stable_seconds": 0, "container": {"name": f"{name}_a", "image": "x:1"}}
            document = {"name": name, "cpuxs": {"m": {"design_chunks": [chunk]}}}
            (self.domains / f"{name}.json").write_text(json.dumps(document))

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "reconciler", "--domains", str(self.domains), "--state", str(self.state), *words]

    async def pnr(self, *words: str) -> tuple[int, str, str]:
        pipe = asyncio.subprocess.PIPE
        engine = ["--engine", "simulated"] if words[0] in ("plan", "confirm-removal", "down", "apply") else []
        process = await asyncio.create_subprocess_exec(*self.words(*words, *engine), stdout=pipe, stderr=pipe)
        out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
        return process.returncode or 0, out.decode(), err.decode()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The daemon, until the block ends."""
        nowhere = asyncio.subprocess.DEVNULL
        words = self.words("run", "--plain", "--engine", "simulated")
        process = await asyncio.create_subprocess_exec(*words, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        try:
            await self.until(lambda view: view["daemon"].get("ready"))
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), WAIT_SECONDS)

    def view(self) -> dict[str, Any]:
        try:
            return next(dict(answer["view"]) for answer in request(self.state, {"command": "status"}))
        except (PnrError, OSError):
            return {"daemon": {}, "domains": []}

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                if holds(self.view()):
                    return
                await asyncio.sleep(0.02)

    async def settled(self, *names: str) -> None:
        await self.until(lambda view: {d["name"] for d in view["domains"] if d["settled"]} >= set(names))

    def held(self) -> set[str]:
        return {domain["name"] for domain in self.view()["domains"] if domain["held"]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def test_a_loop_of_rm_is_held_told_and_confirmed(folder: Folder) -> None:
    folder.write(*FIVE)
    async with folder.running():
        await folder.settled(*FIVE)
        loop = 'for file in "$0"/*.json; do rm "$file"; sleep 0.005; done'
        process = await asyncio.create_subprocess_exec("sh", "-c", loop, str(folder.domains))
        await asyncio.wait_for(process.wait(), WAIT_SECONDS)
        await folder.until(lambda view: len([d for d in view["domains"] if d["held"]]) == 5)
        gone = "the files of all 5 known domains disappeared within a minute"
        said = f"held: {gone}; nothing is removed until their files are back"
        _, out, _ = await folder.pnr("status")
        [line] = [line for line in out.splitlines() if line.startswith("the removal of d1, d2, d3, d4, d5 is ")]
        assert said in line
        assert line.endswith("a person says `pnr confirm-removal d1 d2 d3 d4 d5`")
        planned = json.loads((await folder.pnr("plan", "--json"))[1])
        assert [one["domain"] for one in planned["held"]] == list(FIVE)
        assert {one["reason"] for one in planned["held"]} == {"AllGone"}
        code, _, err = await folder.pnr("apply", "--wait")
        assert (code, gone in err) == (5, True)
        assert "d1.json is gone, and its removal is held" in (folder.state / "events.jsonl").read_text()
    folder.write("d5", "new")
    async with folder.running():
        await folder.settled("d5", "new")
        await folder.until(lambda view: folder.held() == {"d1", "d2", "d3", "d4"})
        code, _, err = await folder.pnr("confirm-removal", "d5")
        assert (code, err) == (64, "pnr: d5 is not held, and not without a file; held are: d1, d2, d3, d4\n")
        code, out, _ = await folder.pnr("confirm-removal", "d1")
        assert (code, out.splitlines()[0], out.splitlines()[-1]) == (
            0,
            "confirmed: the removal of d1",
            "removed: d1",
        )
        assert folder.held() == {"d2", "d3", "d4"}
        code, out, _ = await folder.pnr("confirm-removal", "--json")
        assert (code, json.loads(out)) == (0, {"confirmed": ["d2", "d3", "d4"]})
        assert {domain["name"] for domain in folder.view()["domains"]} == {"d5", "new"}
        assert (await folder.pnr("confirm-removal"))[:2] == (0, "no removal is held\n")


async def test_another_folder_is_noticed_after_a_restart_and_confirmed_without_a_daemon(
    folder: Folder, tmp_path: Path
) -> None:
    folder.write("d1")
    async with folder.running():
        await folder.settled("d1")
    folder.domains.rename(tmp_path / "elsewhere")
    folder.write("d2")
    async with folder.running():
        await folder.until(lambda view: folder.held() == {"d1"})
        assert not any(domain["removing"] for domain in folder.view()["domains"])
    code, out, err = await folder.pnr("confirm-removal")
    assert (code, err) == (0, "")
    assert "confirmed: the removal of d1" in out
    assert out.splitlines()[-1] == "removed: d1"
    assert [path.name for path in folder.state.glob("*.toml")] == ["d2.toml"]


async def test_a_commit_that_removes_four_of_five_is_meant_and_rm_in_the_work_tree_is_not(
    folder: Folder, tmp_path: Path
) -> None:
    folder.write(*FIVE)
    git("init", "--quiet", at=folder.domains)
    commit(folder.domains, "five")
    upstream = tmp_path / "upstream"
    git("clone", "--quiet", str(folder.domains), str(upstream), at=tmp_path)
    git("remote", "add", "origin", str(upstream), at=folder.domains)
    for name in ("d1", "d2", "d3", "d4"):
        (upstream / f"{name}.json").unlink()
    commit(upstream, "one is left")
    async with folder.running():
        await folder.settled(*FIVE)
        for name in ("d1", "d2", "d3"):
            (folder.domains / f"{name}.json").unlink()
        await folder.until(lambda view: folder.held() == {"d1", "d2", "d3"})
        branch = git("branch", "--show-current", at=upstream)
        await asyncio.to_thread(git, "pull", "--quiet", "origin", branch, at=folder.domains)
        await folder.until(lambda view: {domain["name"] for domain in view["domains"]} == {"d5"})
        assert not folder.held()
