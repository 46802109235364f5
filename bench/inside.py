"""``python -m bench.inside COUNT ROUNDS``: what the daemon does when there is nothing to do, timed from within.

Makes COUNT containers (created, not started: the list costs the same), lets a controller with the real engine settle on
them as far as that goes, then times one look at everything with all decisions, against one raw list call in turn.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench.raw import Raw
from bench.subjects import IMAGE, PREFIX, ensure_image
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord, DomainRecord
from reconciler.engine.docker import DockerEngine
from reconciler.intent.loader import load
from reconciler.planner.observed import (
    LABEL_CHUNK,
    LABEL_CPUX,
    LABEL_DOMAIN,
    LABEL_GENERATION,
    LABEL_REPLICA,
    LABEL_SPEC,
)
from reconciler.probes import registry

DOMAIN = "pnrbench"


def document(count: int) -> bytes:
    """A domain of COUNT chunks."""
    chunks = [
        {
            "name": f"c{n}",
            "flowout": {f"c{n}_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}},
            "container": {"name": f"{PREFIX}_in_{n}", "image": IMAGE, "command": ["sleep", "86400"]},
        }
        for n in range(count)
    ]
    return json.dumps({"name": DOMAIN, "cpuxs": {"main": {"design_chunks": chunks}}}).encode()


class _Nothing:
    """A recorder, and all else that the pass must not need."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def make(raw: Raw, count: int, digests: dict[str, str]) -> None:
    """Make the containers, with the labels that say they are as intended."""

    def one(n: int) -> None:
        labels = {
            LABEL_DOMAIN: DOMAIN,
            LABEL_CPUX: "main",
            LABEL_CHUNK: f"c{n}",
            LABEL_REPLICA: "1",
            LABEL_SPEC: digests[f"c{n}"],
            LABEL_GENERATION: "1",
        }
        body = {"Image": IMAGE, "Cmd": ["sleep", "86400"], "Labels": labels, "HostConfig": {"NetworkMode": "none"}}
        raw.create(f"{PREFIX}_in_{n}", body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(count)))


async def measure(count: int, rounds: int) -> dict[str, float]:
    """Medians of both sides, in milliseconds."""
    raw = Raw()
    loaded = load(
        document(count),
        "pnrbench.json",
        base_dir="/",
        env={},
        allowed_env=(),
        check_types=registry.known_types(),
    )
    assert loaded.domain is not None, loaded.errors
    make(raw, count, {chunk.id.chunk: chunk.container.digest for chunk in loaded.domain.chunks()})
    engine = DockerEngine(runtime_root=None)
    await engine.connect()
    known = LoopState(_Nothing(), _Nothing())  # type: ignore[arg-type]
    known.domains[DOMAIN] = DomainRecord(DOMAIN, "pnrbench.json", loaded.domain)
    for chunk in loaded.domain.chunks():
        known.chunks[chunk.id] = ChunkRecord(chunk.id, datetime.now(UTC))
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        raw.call("GET", "/containers/json?all=true")
        theirs.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        observed = await engine.observe()
        changed = sum(1 for _ in known.world.replace(observed, lambda _: False))
        ours.append((time.perf_counter() - began) * 1000)
        del changed
    await engine.close()
    return {"pass_ms": statistics.median(ours[1:]), "list_ms": statistics.median(theirs[1:])}


def main() -> None:
    """Measure, clean up, print one JSON line."""
    count, rounds = int(sys.argv[1]), int(sys.argv[2])
    ensure_image()
    raw = Raw()
    try:
        figures = asyncio.run(measure(count, rounds))
    finally:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: raw.remove(f"{PREFIX}_in_{n}"), range(count)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
