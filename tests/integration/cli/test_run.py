"""``pnr run`` as a process, with the simulated engine: lines as things happen, and an end as asked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.cli.present import Presenter, line_printer
from tests.unit.daemon.views import chunk, domain, view

ROOT = str(Path(reconciler.__file__).parents[1])
WAIT_SECONDS = 60

STACK = {
    "name": "demo",
    "cpuxs": {"main": {"design_chunks": [{"name": "web", "container": {"name": "demo_web", "image": "nginx:1"}}]}},
}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder with a domains directory of one domain."""
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "demo.json").write_text(json.dumps(STACK))
    return tmp_path


Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start(folders: Path) -> AsyncIterator[Start]:
    """Starts ``pnr`` on the folders; whatever still runs when the test ends is ended."""
    started: list[asyncio.subprocess.Process] = []

    async def launch(*argv: str, **more: Any) -> asyncio.subprocess.Process:
        process = await _launch(folders, *argv, **more)
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _launch(folders: Path, *argv: str, **more: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reconciler", *argv,
        "--domains", str(folders / "domains"), "--state", str(folders / "state"), "--engine", "simulated",
        cwd=ROOT, env={**os.environ, "TERM": "xterm"}, **more,
    )  # fmt: skip


async def read_until(stream: asyncio.StreamReader | None, text: bytes) -> bytes:
    assert stream is not None
    seen = b""
    async with asyncio.timeout(WAIT_SECONDS):
        while text not in seen:
            part = await stream.read(4096)
            assert part, f"ended before {text!r}: {seen!r}"
            seen += part
    return seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_each_change_in_a_line_and_ends_as_asked(
    folders: Path, start: Start, number: signal.Signals
) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start("run", stdout=pipe, stderr=pipe)
    seen = await read_until(process.stdout, b"settled: demo")
    assert b"demo/main/web executing -> completed" in seen
    assert b"\x1b" not in seen
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert (process.returncode, err) == (0, b"")
    assert not (folders / "state" / "pnr.sock").exists()


async def test_a_reader_that_goes_away_does_not_end_the_daemon(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start("run", stdout=pipe, stderr=pipe)
    await read_until(process.stdout, b"engine simulated")
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]
    async with asyncio.timeout(WAIT_SECONDS):
        while not (folders / "state" / "pnr.sock").exists():  # noqa: ASYNC110 - no event tells of a file
            await asyncio.sleep(0.05)
        asked = await start("apply", "--wait", "--json", stdout=pipe, stderr=pipe)
        out, _ = await asked.communicate()
    assert asked.returncode == 0
    assert json.loads(out)["daemon"]["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), WAIT_SECONDS) == 0


async def test_on_a_terminal_it_draws_a_live_picture(folders: Path, start: Start) -> None:
    ours, theirs = os.openpty()
    process = await start("run", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while "✔ settled".encode() not in seen:
                seen += await asyncio.to_thread(os.read, ours, 65536)
            process.send_signal(signal.SIGINT)
            drain = asyncio.create_task(asyncio.to_thread(_drain, ours))
            assert await process.wait() == 0
            await drain
    finally:
        os.close(ours)
    assert b"\x1b[" in seen
    assert b"Ctrl-C ends the daemon" in seen


def _drain(terminal: int) -> None:
    while True:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:  # the other end is closed: Linux' way to say so
            return


async def test_apply_without_a_daemon_converges_by_itself(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start("apply", stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert (process.returncode, err) == (0, b"")
    assert b"settled: demo" in out


@pytest.mark.parametrize("command", ["apply", "down"])
async def test_a_domain_that_there_is_not_is_wrong_usage_without_a_daemon_too(start: Start, command: str) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start(command, "demon", stdout=pipe, stderr=pipe)
    _, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert (process.returncode, err) == (64, b"pnr: there is no domain demon; known are: demo\n")


async def test_down_without_a_daemon_takes_down_by_itself(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start("down", "demo", stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert (process.returncode, err) == (0, b"")
    assert out.endswith(b"down: demo\n")


async def test_plan_shows_what_would_be_done_and_does_nothing(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await start("plan", "--json", stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert (process.returncode, err) == (0, b"")
    actions = [step["action"] for step in json.loads(out)["steps"]]
    assert "CreateContainer" in actions
    assert not (folders / "state").exists()


async def test_a_second_daemon_on_the_same_state_is_refused(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    first = await start("run", stdout=pipe, stderr=pipe)
    await read_until(first.stdout, b"settled: demo")
    second = await start("run", stdout=pipe, stderr=pipe)
    _, err = await asyncio.wait_for(second.communicate(), WAIT_SECONDS)
    assert second.returncode == 4
    assert err.startswith(b"pnr: ")
    first.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(first.wait(), WAIT_SECONDS) == 0


def test_a_terminal_that_takes_nothing_holds_up_nobody_and_the_newest_view_wins() -> None:
    held = threading.Event()
    shown: list[dict[str, Any]] = []

    def slow(document: dict[str, Any]) -> None:
        held.wait(WAIT_SECONDS)
        shown.append(document)

    with Presenter(slow) as presenter:
        for n in range(100):
            presenter.show({"n": n})
        held.set()
    assert shown[-1] == {"n": 99}
    assert len(shown) <= 3


def test_lines_are_printed_for_changes_only(capsys: pytest.CaptureFixture[str]) -> None:
    show = line_printer()
    show(view(domain("demo", chunk("db"))))
    first = capsys.readouterr().out
    show(view(domain("demo", chunk("db"))))
    assert "settled: demo" in first
    assert capsys.readouterr().out == ""


async def test_a_policy_that_is_changed_while_it_runs_is_told_and_not_taken_up(folders: Path, start: Start) -> None:
    pipe = asyncio.subprocess.PIPE
    policy = folders / "policy.toml"
    policy.write_text('profile = "standard"\n')
    process = await start("run", "--policy", str(policy), stdout=pipe, stderr=pipe)
    await read_until(process.stdout, b"settled: demo")
    policy.write_text('profile = "standard"\n[images]\nallowed = []\n')
    told = f"the policy {policy} was changed since this daemon read it".encode()
    await read_until(process.stdout, b"note: " + told)
    assert b"note: " + told in await _asked(folders, "status")
    assert (await _asked(folders, "events")).count(told) == 1
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), WAIT_SECONDS)


async def _asked(folders: Path, command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler", command, "--state", str(folders / "state")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    return out
