"""Real ``pnr`` processes against a real control socket with a handler that only pretends."""

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

import reconciler
from reconciler.daemon.control import ControlServer
from reconciler.errors import PnrError
from tests.unit.daemon.views import chunk, domain, fact, view, waits_for

ROOT = str(Path(reconciler.__file__).parents[1])

VIEW = view(
    domain(
        "demo",
        chunk("db", "executing", "Probing", "connection \x1b[2Jrefused"),
        chunk("web", "ready", "WaitingForGatekeeper", waiting_for=[waits_for("demo/stack/db_ready", "demo/stack/db")]),
        facts={"db_ready": fact("U")},
    )
)
SETTLED = view(domain("demo", chunk("db"), chunk("web", urls=["http://127.0.0.1:8088"])))


class UnknownDomain(PnrError):
    """As the daemon's handler raises it."""

    code = "UnknownDomain"


async def pretend(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    match message["command"]:
        case "status":
            unknown = [name for name in message.get("only", ()) if name != "demo"]
            if unknown:
                raise UnknownDomain(f"there is no domain {', '.join(unknown)}; known are: demo")
            yield {"view": VIEW, "done": True}
        case "watch":
            yield {"view": VIEW}
            yield {"view": SETTLED}
            await asyncio.Event().wait()
        case "apply" if "nobody" in message["only"]:
            raise UnknownDomain("there is no domain nobody")
        case "apply":
            if message["wait"]:
                yield {"view": VIEW}
            yield {"view": SETTLED, "exit": 3, "done": True}
        case "down":
            yield {"view": view(), "done": True}
        case "logs":
            yield {"text": f"{message['chunk']} {message['tail']}\n"}
            yield {"text": "\x1b]0;owned\x07two\n"}
            for _ in range(100_000 if message["follow"] else 0):
                yield {"text": "more\n"}
            yield {"done": True}


@asynccontextmanager
async def daemon(state: Path) -> AsyncIterator[None]:
    server = ControlServer(state, pretend)
    await server.start()
    try:
        yield
    finally:
        await server.close()


_started: list[asyncio.subprocess.Process] = []


@pytest.fixture(autouse=True)
async def leave_nothing_running() -> AsyncIterator[None]:
    """Ends what still runs when a test ends."""
    yield
    while _started:
        process = _started.pop()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def start(state: Path, *argv: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "reconciler",
        "--state",
        str(state),
        *argv,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _started.append(process)
    return process


async def pnr(state: Path, *argv: str) -> tuple[int, str, str]:
    """Run the command against a daemon; exit code, output, errors."""
    async with daemon(state):
        process = await start(state, *argv)
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_status_prints_the_table(tmp_path: Path) -> None:
    code, out, err = await pnr(tmp_path, "status")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("DOMAIN")
    assert "connection refused" in out
    assert "\x1b" not in out


async def test_status_as_json_is_the_view(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "status", "--json")
    assert code == 0
    assert json.loads(out) == VIEW
    assert "\x1b" not in out


async def test_status_of_a_domain_that_there_is_not_ends_with_64(tmp_path: Path) -> None:
    code, _, err = await pnr(tmp_path, "status", "demon")
    assert code == 64
    assert err == "pnr: there is no domain demon; known are: demo\n"


async def test_why_follows_the_chain(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "why", "web")
    assert code == 0
    first = out.splitlines()[0]
    assert first.startswith("demo/stack/web waits for ")
    assert "for demo/stack/db, which is executing (Probing)" in first
    assert first.endswith(": connection refused.")
    code, out, _ = await pnr(tmp_path, "why", "web", "--json")
    assert json.loads(out)["full_name"] == "demo/stack/web"


async def test_facts_prints_all_facts(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "facts", "--json")
    assert code == 0
    assert json.loads(out)[0]["fact"] == "demo/stack/db_ready"


async def test_watch_prints_a_line_a_change_and_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    async with daemon(tmp_path):
        process = await start(tmp_path, "status", "--watch")
        assert process.stdout is not None
        while b"settled: demo: http://127.0.0.1:8088" not in (await asyncio.wait_for(process.stdout.readline(), 60)):
            pass
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 130
    assert err == b""


async def test_logs_are_cleaned(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "logs", "db", "--tail", "7")
    assert (code, out) == (0, "db 7\ntwo\n")


async def test_a_reader_that_has_seen_enough_ends_the_command_quietly(tmp_path: Path) -> None:
    async with daemon(tmp_path):
        process = await start(tmp_path, "logs", "db", "--follow")
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 60)
        process.stdout._transport.close()  # type: ignore[attr-defined]
        code = await asyncio.wait_for(process.wait(), 60)
        assert process.stderr is not None
        assert (code, await process.stderr.read()) == (0, b"")


async def test_apply_with_wait_ends_as_the_daemon_says(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "apply", "--wait")
    assert code == 3
    assert "executing -> completed" in out


async def test_apply_without_wait_only_hands_over(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "apply")
    assert code == 0
    assert "the daemon is converging" in out


async def test_apply_of_an_unknown_domain_gives_the_daemon_s_words(tmp_path: Path) -> None:
    code, _, err = await pnr(tmp_path, "apply", "nobody")
    assert (code, err) == (64, "pnr: there is no domain nobody\n")


async def test_down_ends_when_all_is_gone(tmp_path: Path) -> None:
    code, out, _ = await pnr(tmp_path, "down", "demo")
    assert (code, out.splitlines()[-1]) == (0, "down: demo")


@pytest.mark.parametrize("command", [["status"], ["apply", "--wait"]])
async def test_a_daemon_that_goes_away_in_the_middle_is_an_error(tmp_path: Path, command: list[str]) -> None:
    async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_unix_server(cut_off, tmp_path / "pnr.sock")
    async with server:
        process = await start(tmp_path, *command)
        _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 4
    assert b"closed the connection" in err
