"""A daemon beside files that were written to stop it: it answers, and sees to the other domains."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.cli.client import NoDaemon, request
from tests.corpus.huge_files import HUGE

ROOT = str(Path(reconciler.__file__).parents[1])
LIMIT_SECONDS = 300
LONGEST_TURN_MS = 100
MANY = 100
BUSY = 5
EXPECTED: dict[str, set[str]] = {
    "links.json": {"PolicyRefused"},
    "proc.json": {"PolicyRefused"},
    "copies.json": {"TooMany"},
    "pattern.json": set(),  # looked for where it keeps nobody waiting
    "sops.json": set(),
    "deep.json": {"TooDeep"},
    "long.json": {"MissingKey", "BadName"},
    "wrong.json": {"MissingKey", "UnknownKey", "MoreProblems"},
    "good.json": set(),
    "better.json": set(),
}
"""What is wrong with each file, by its name."""


def stack(name: str, *chunks: dict[str, Any], **top: Any) -> str:
    return json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": list(chunks)}}, **top})


def chunk(name: str, **container: Any) -> dict[str, Any]:
    return {"name": name, "stable_seconds": 0, "container": {"image": "nginx:1", **container}}


def hostile(folder: Path) -> dict[str, str]:
    """Files by their names, and what lies beside them."""
    tree = folder / "domains" / "tree"
    tree.mkdir()
    (tree / "1500").mkdir()
    for number in range(1500):
        (tree / f"{number}").symlink_to(f"{number + 1}")
    slow = folder / "bin" / "sops"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 4\necho hush\n")
    slow.chmod(0o755)
    (folder / "domains" / "secret").write_text("{}")
    secrets = {f"s{number}": {"sops": "./secret"} for number in range(5)}
    escaped = stack("sops", {**chunk("web", secrets=list(secrets))}).replace('"secrets"', r'"\u0073ecrets"')
    check = {"type": "log", "pattern": "(?x:(?:a+) +)b", "interval_seconds": 1}
    return {
        "links.json": stack("links", chunk("web", volumes=["./tree/0:/data"])),
        "proc.json": stack("proc", chunk("web", volumes=["/proc/1/root:/host:ro"])),
        "copies.json": stack("copies", *({**chunk(f"c{number}"), "replicas": 1000} for number in range(100))),
        "pattern.json": stack("pattern", {**chunk("web"), "health_check": check}),
        "sops.json": escaped[:-1] + r', "\u0073ecrets": ' + json.dumps(secrets) + "}",
        "deep.json": "[" * 500_000,
        "long.json": '{"name": "' + "x" * 1_000_000 + '"}',
        "wrong.json": stack("wrong", *({"name": f"c{number}", "x": [[[0]]] * 3} for number in range(9000))),
    }


def nasty(number: int) -> bytes:
    """A file that costs much to be judged, each in its own way."""
    name, yes = f"nasty{number}", {"prompt": "?", "response": ["yes"], "tv": "Y"}
    ways: list[Callable[[], str]] = [
        lambda: stack(name, chunk("web", volumes=[f"./tree/{link}:/data{link}" for link in range(1500)])),
        lambda: stack(name, chunk("web", environment={f"K{key}": "${A:-" * 20 for key in range(6000)})),
        lambda: stack(
            name,
            *(
                {
                    **chunk(f"c{number}"),
                    "flowout": {f"f{number}-{key}": yes for key in range(200)},
                    "gatekeeper": {f"f{number + 1}-{key}": yes for key in range(200)},
                }
                for number in range(50)
            ),
        ),
        lambda: "[" * 1_000_000,
        lambda: stack("good", chunk("web")),
        lambda: stack(name, {**chunk("web"), "container": {"image": "nginx:1", "name": "pnr_good_main_web"}}),
    ]
    huge = list(HUGE.values())
    which = number % (len(ways) + len(huge))
    return ways[which]().encode() if which < len(ways) else huge[which - len(ways)][0]


def busy(number: int) -> str:
    """A file that is valid, and much work once it is in force."""
    name, yes = f"busy{number}", {"tv": "Y"}
    ways: list[Callable[[], str]] = [
        lambda: stack(name, *(chunk(f"c{each}") for each in range(60))),
        lambda: stack(
            name,
            *(
                {
                    **chunk(f"c{each}"),
                    "flowout": {f"f{each}-{key}": yes for key in range(100)},
                    "gatekeeper": {f"f{each - 1}-{key}": yes for key in range(100)} if each else {},
                }
                for each in range(20)
            ),
        ),
        lambda: stack(name, *({**chunk(f"c{each}"), "replicas": 30} for each in range(2))),
        lambda: stack(
            name,
            *(chunk(f"c{each}", volumes=[f"v{one}:/v{one}" for one in range(50)]) for each in range(20)),
            volumes={f"v{one}": None for one in range(50)},
        ),
        lambda: stack(
            name,
            *(chunk(f"c{each}", networks=[f"n{one}" for one in range(10)]) for each in range(20)),
            networks={f"n{one}": {} for one in range(10)},
        ),
    ]
    return ways[number % len(ways)]()


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """With a daemon on the simulated engine, and hostile files from the start."""
    (tmp_path / "domains").mkdir()
    for name, text in hostile(tmp_path).items():
        (tmp_path / "domains" / name).write_text(text)
    async with daemon_in(tmp_path):
        yield tmp_path


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Path]:
    """The same with many more."""
    (tmp_path / "domains").mkdir()
    hostile(tmp_path)
    for number in range(MANY):
        (tmp_path / "domains" / f"nasty{number}.json").write_bytes(nasty(number))
    (tmp_path / "domains" / "good.json").write_text(stack("good", chunk("web")))
    async with daemon_in(tmp_path):
        yield tmp_path


@pytest.fixture
async def workload(tmp_path: Path) -> AsyncIterator[Path]:
    """The same with valid files of hundreds of containers, and nothing else."""
    (tmp_path / "domains").mkdir()
    for number in range(BUSY):
        (tmp_path / "domains" / f"busy{number}.json").write_text(busy(number))
    async with daemon_in(tmp_path):
        yield tmp_path


@asynccontextmanager
async def daemon_in(tmp_path: Path) -> AsyncIterator[None]:
    daemon = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler", "run", "--quiet", "--engine", "simulated"),
        *("--domains", str(tmp_path / "domains"), "--state", str(tmp_path / "state")),
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
        assert daemon.returncode is None
    finally:
        if daemon.returncode is None:
            daemon.kill()
        await daemon.wait()


def view(folder: Path) -> dict[str, Any]:
    try:
        return next(dict(answer["view"]) for answer in request(folder / "state", {"command": "status"}))
    except NoDaemon:
        return {"domains": [], "daemon": {}}


def settled(seen: dict[str, Any], name: str) -> bool:
    return any(domain["name"] == name and domain["settled"] for domain in seen["domains"])


def wrong(seen: dict[str, Any]) -> dict[str, set[str]]:
    """What is wrong with each file, by its name."""
    return {domain["file"]: {error["code"] for error in domain["errors"]} for domain in seen["domains"]}


async def until(folder: Path, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first view that is so."""
    seen: dict[str, Any] = {}
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                seen = await asyncio.to_thread(view, folder)
                if holds(seen):
                    return seen
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"waited in vain; at last: {json.dumps(seen)[:5000]}")


@pytest.mark.timeout(3 * LIMIT_SECONDS)
async def test_no_file_keeps_the_daemon_from_answering_or_other_domains_from_converging(folder: Path) -> None:
    (folder / "domains" / "good.json").write_text(stack("good", chunk("web")))
    await until(folder, lambda seen: settled(seen, "good"))
    (folder / "domains" / "better.json").write_text(stack("better", chunk("web")))
    await until(folder, lambda seen: settled(seen, "better"))
    # What refers to something slow is judged once that is there.
    seen = await until(folder, lambda seen: wrong(seen) == EXPECTED)
    assert seen["daemon"]["longest_turn_cpu_ms"] < LONGEST_TURN_MS
    told = json.dumps(seen)
    assert "40 symbolic links" in told
    assert "100000 containers" in told


@pytest.mark.timeout(3 * LIMIT_SECONDS)
async def test_nor_do_hundreds_of_them_together(crowd: Path) -> None:
    await until(crowd, lambda seen: settled(seen, "good"))
    (crowd / "domains" / "late.json").write_text(stack("late", chunk("web")))
    seen = await until(crowd, lambda seen: settled(seen, "late"))
    # It did not wait until all of them were judged.
    assert any("BeingRead" in codes for codes in wrong(seen).values())
    assert seen["daemon"]["longest_turn_cpu_ms"] < LONGEST_TURN_MS


@pytest.mark.timeout(3 * LIMIT_SECONDS)
async def test_nor_do_valid_files_with_hundreds_of_containers(workload: Path) -> None:
    await until(workload, lambda seen: sum(bool(domain["cpuxs"]) for domain in seen["domains"]) == BUSY)
    (workload / "domains" / "late.json").write_text(stack("late", chunk("web")))
    seen = await until(workload, lambda seen: settled(seen, "late"))
    assert seen["daemon"]["longest_turn_cpu_ms"] < LONGEST_TURN_MS
    assert not any(codes for codes in wrong(seen).values())
