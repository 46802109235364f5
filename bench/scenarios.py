"""The scenarios. Each gives rows: what was measured, in which unit, and the ratios that have a target.

A figure counts only as a ratio taken in one run, the two sides in turn (A B A B …), as a median.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.raw import Raw, events
from bench.subjects import IMAGE, PREFIX, Compose, Daemon, chunk, compose_file, domain, wait_until

CHAIN = 10
NETWORK = f"{PREFIX}_raw_{os.getpid()}"
MANY = 30


@dataclass(frozen=True)
class Row:
    """One line of the table. ``ratio`` is subject divided by reference, ``target`` the most it may be."""

    scenario: str
    subject: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float | None = None
    ratio: float | None = None
    target: float | None = None


def compared(
    scenario: str, reference: str, subject: list[float], other: list[float], unit: str, target: float | None
) -> Row:
    """Medians of both, and the median of the ratios pair by pair."""
    ratio = statistics.median(a / b for a, b in zip(subject, other, strict=True))
    return Row(scenario, "pnr", statistics.median(subject), unit, reference, statistics.median(other), ratio, target)


def raw_body(network: str, port: int | None = None) -> dict[str, Any]:
    """The body of a create call that asks for what pnr asks for."""
    host: dict[str, Any] = {"NetworkMode": network}
    body: dict[str, Any] = {"Image": IMAGE, "HostConfig": host, "Labels": {"pnrbench": "raw"}}
    if port is not None:
        body["ExposedPorts"] = {"80/tcp": {}}
        host["PortBindings"] = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    return body


def single_start(daemon: Daemon, pairs: int) -> Iterator[Row]:
    """1: a file is dropped, and its one container runs."""
    raw = Raw()
    for port in (None, 18391):
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(pairs):
            connection, stream = events({"type": ["container"], "event": ["start"]})
            began = daemon.drop("one", domain("one", chunk("one", port=port)))
            ours.append((int(next(stream)["timeNano"]) - began) / 1e9)
            wait_until(lambda: daemon.settled("one"), "one to settle")
            daemon.remove("one")
            began = time.time_ns()
            raw.network(NETWORK)
            raw.create(f"{PREFIX}_raw", raw_body(NETWORK, port))
            raw.start(f"{PREFIX}_raw")
            theirs.append((int(next(stream)["timeNano"]) - began) / 1e9)
            connection.close()
            raw.remove(f"{PREFIX}_raw")
            raw.remove_network(NETWORK)
        what = "with a port" if port else "without a port"
        yield compared(f"1 file dropped -> started, {what}", "RAW", ours, theirs, "s", 1.05)


def raw_many(raw: Raw, names: list[str], workers: int) -> float:
    began = time.perf_counter()
    raw.network(NETWORK)

    def one(name: str) -> None:
        raw.create(name, raw_body(NETWORK))
        raw.start(name)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, names))
    return time.perf_counter() - began


def raw_clean(raw: Raw, names: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raw.remove, names))
    raw.remove_network(NETWORK)


def drop_and_settle(daemon: Daemon, name: str, document: dict[str, Any]) -> float:
    began = time.perf_counter()
    daemon.drop(name, document)
    wait_until(lambda: daemon.settled(name), f"{name} to settle", pause=0.01)
    return time.perf_counter() - began


def many(daemon: Daemon, compose: Compose | None, pairs: int) -> Iterator[Row]:
    """2: thirty chunks in one file, until all are completed."""
    raw = Raw()
    names = [f"n{n}" for n in range(MANY)]
    document = domain("many", *(chunk(name) for name in names))
    ours: list[float] = []
    theirs: list[float] = []
    composed: list[float] = []
    for _ in range(pairs):
        ours.append(drop_and_settle(daemon, "many", document))
        daemon.remove("many")
        raw_names = [f"{PREFIX}_raw_{name}" for name in names]
        theirs.append(raw_many(raw, raw_names, 4))
        raw_clean(raw, raw_names)
        if compose is not None:
            composed.append(composed_up(compose, names, chain=False))
    yield compared(f"2 {MANY} chunks -> all completed", "RAW, 4 workers", ours, theirs, "s", 1.12)
    if composed:
        yield compared(f"2 {MANY} chunks -> all completed", "compose up --wait", ours, composed, "s", 0.70)


def composed_up(compose: Compose, names: list[str], *, chain: bool) -> float:
    folder = Path(tempfile.mkdtemp(prefix="pnrbc"))
    try:
        (folder / "compose.yaml").write_text(json.dumps(compose_file(names, chain=chain)))
        took = compose.run(folder, "up", "-d", "--wait")
        compose.run(folder, "down", "-t", "0")
    finally:
        shutil.rmtree(folder)
    return took


def raw_chain(raw: Raw, names: list[str]) -> float:
    """Each is created and started once the one before accepts connections: the physical limit in sequence."""
    import socket

    began = time.perf_counter()
    raw.network(NETWORK)
    for name in names:
        raw.create(name, raw_body(NETWORK))
        raw.start(name)
        address = raw.inspect(name)["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
        while True:
            try:
                socket.create_connection((address, 80), 1).close()
                break
            except OSError:
                time.sleep(0.001)
    return time.perf_counter() - began


def chain(daemon: Daemon, compose: Compose | None, pairs: int) -> Iterator[Row]:
    """3: a chain of ten, each waiting for the one before to be ready."""
    raw = Raw()
    names = [f"c{n}" for n in range(CHAIN)]
    links = [chunk(name, needs=f"{names[n - 1]}_ready" if n else None) for n, name in enumerate(names)]
    document = domain("chain", *links)
    ours: list[float] = []
    theirs: list[float] = []
    composed: list[float] = []
    for _ in range(pairs):
        ours.append(drop_and_settle(daemon, "chain", document))
        daemon.remove("chain")
        raw_names = [f"{PREFIX}_raw_{name}" for name in names]
        theirs.append(raw_chain(raw, raw_names))
        raw_clean(raw, raw_names)
        if compose is not None:
            composed.append(composed_up(compose, names, chain=True))
    yield compared(f"3 chain of {CHAIN} -> last completed", "RAW in sequence", ours, theirs, "s", 1.06)
    if composed:
        yield compared(f"3 chain of {CHAIN} -> last completed", "compose up --wait", ours, composed, "s", 0.20)


def heal(daemon: Daemon, pairs: int) -> Iterator[Row]:
    """5: SIGKILL of a container, until it runs again."""
    raw = Raw()
    ours: list[float] = []
    theirs: list[float] = []
    dockers: list[float] = []
    raw.network(NETWORK)
    always = raw_body(NETWORK)
    always["HostConfig"]["RestartPolicy"] = {"Name": "always"}
    raw.create(f"{PREFIX}_always", always)
    raw.start(f"{PREFIX}_always")
    raw.create(f"{PREFIX}_loop", raw_body(NETWORK))
    raw.start(f"{PREFIX}_loop")
    connection, stream = events({"type": ["container"], "event": ["start"]})
    try:
        for n in range(pairs):
            # A chunk of its own for each pair: a second death soon after the first is held back on purpose.
            name = f"heal{n}"
            daemon.drop(name, domain(name, chunk(name)))
            next(stream)
            wait_until(partial(daemon.settled, name), "the chunk to settle")
            ours.append(killed_until_started(raw, f"{PREFIX}_{name}", stream))
            daemon.remove(name)
            theirs.append(raw_event_loop(raw, f"{PREFIX}_loop", stream))
            # Docker forgets its own back-off after ten seconds of running.
            time.sleep(10.5)
            dockers.append(killed_until_started(raw, f"{PREFIX}_always", stream))
    finally:
        connection.close()
        for name in (f"{PREFIX}_always", f"{PREFIX}_loop"):
            raw.remove(name)
        raw.remove_network(NETWORK)
    yield compared("5 SIGKILL -> running again", "RAW event loop", ours, theirs, "s", 1.05)
    yield compared("5 SIGKILL -> running again", "Docker's restart: always", ours, dockers, "s", 0.95)


def sigkill(raw: Raw, name: str) -> int:
    """Kill a container's process from outside, as the kernel would; when, in ns. (What is killed through the API counts
    as stopped by a person, and Docker does not restart it.)"""
    pid = int(raw.inspect(name)["State"]["Pid"])
    began = time.time_ns()
    os.kill(pid, signal.SIGKILL)
    return began


def killed_until_started(raw: Raw, name: str, stream: Iterator[dict[str, Any]]) -> float:
    began = sigkill(raw, name)
    return (int(next(stream)["timeNano"]) - began) / 1e9


def raw_event_loop(raw: Raw, name: str, stream: Iterator[dict[str, Any]]) -> float:
    deaths_connection, deaths = events({"type": ["container"], "event": ["die"], "container": [name]})
    began = sigkill(raw, name)
    next(deaths)
    raw.start(name)
    deaths_connection.close()
    return (int(next(stream)["timeNano"]) - began) / 1e9


def no_change(counts: list[int], rounds: int) -> Iterator[Row]:
    """7: nothing to do, inside the daemon: one look and all decisions, against one raw list call."""
    for count in counts:
        command = [sys.executable, "-m", "bench.inside", str(count), str(rounds)]
        out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        figures = json.loads(out.strip().splitlines()[-1])
        ours, theirs = figures["pass_ms"], figures["list_ms"]
        limit = 1.25 * theirs + 5
        yield Row(
            f"7 nothing to do, {count} chunks (ms; target 1.25 x RAW + 5 = {limit:.1f})",
            "pnr",
            ours,
            "ms",
            "RAW list",
            theirs,
            ours / limit,
            1.0,
        )


def at_rest(daemon: Daemon, seconds: float) -> Iterator[Row]:
    """9: CPU and memory of a daemon that has nothing to do."""
    ten = domain("rest", *(chunk(f"r{n}", check=None) for n in range(10)))
    drop_and_settle(daemon, "rest", ten)
    time.sleep(3)
    before = daemon.cpu_seconds()
    time.sleep(seconds)
    used = (daemon.cpu_seconds() - before) / seconds * 100
    yield Row("9 at rest, 10 chunks without probes", "pnr", used, "% of a core", ratio=used / 0.05, target=1.0)
    rss = daemon.rss_mib()
    yield Row("9 memory, 10 chunks", "pnr", rss, "MiB", ratio=rss / 60, target=1.0)
    daemon.remove("rest")


def probes(seconds: float) -> Iterator[Row]:
    """9: CPU of a thousand TCP probes every 10 s, and of a hundred HTTP probes every 5 s (simulated containers)."""
    for kind, count, interval in (("tcp", 1000, 10), ("http", 100, 5)):
        command = [sys.executable, "-m", "bench.probing", kind, str(count), str(interval), str(seconds)]
        out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        used = json.loads(out.strip().splitlines()[-1])["cpu_percent"]
        name = f"9 {count} {kind} probes every {interval} s"
        yield Row(name, "pnr", used, "% of a core", ratio=used / 3.0, target=1.0)


def status(daemon: Daemon, compose: Compose | None, pairs: int) -> Iterator[Row]:
    """10: `pnr status` against `docker compose ps`."""
    names = ["s1", "s2", "s3"]
    drop_and_settle(daemon, "status", domain("status", *(chunk(name) for name in names)))
    ours: list[float] = []
    theirs: list[float] = []
    folder = Path(tempfile.mkdtemp(prefix="pnrbs"))
    try:
        if compose is not None:
            (folder / "compose.yaml").write_text(json.dumps(compose_file(names, chain=False)))
            compose.run(folder, "up", "-d")
        for _ in range(pairs):
            began = time.perf_counter()
            subprocess.run(daemon.command("status"), capture_output=True, check=True)
            ours.append(time.perf_counter() - began)
            if compose is not None:
                theirs.append(compose.run(folder, "ps"))
        if compose is not None:
            compose.run(folder, "down", "-t", "0")
            yield compared("10 pnr status", "compose ps", ours, theirs, "s", 1.5)
        else:
            yield Row("10 pnr status", "pnr", statistics.median(ours), "s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        daemon.remove("status")
