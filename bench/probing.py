"""``python -m bench.probing KIND COUNT INTERVAL SECONDS``: CPU that probing costs, with the real prober and probes.

One server on loopback (in a process of its own, so that its CPU is not counted) stands for COUNT containers.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from typing import Any

from reconciler.controller.clock import SystemClock
from reconciler.controller.prober import Prober
from reconciler.controller.records import Message, Probed
from reconciler.intent.model import ChunkId, HealthCheck
from reconciler.planner.observed import Condition, Container
from reconciler.probes import registry


def serve(queue: Any) -> None:
    """Answer every connection with a small page."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1024)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
        queue.put(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())


async def measure(kind: str, count: int, interval: float, seconds: float, port: int) -> float:
    """Percent of a core."""
    answers = 0

    def post(message: Message) -> None:
        nonlocal answers
        if isinstance(message, Probed):
            assert message.result.ok, message.result.message
            answers += 1
            prober.is_up(message.id, True)

    class Inside:
        async def ping(self) -> None:
            raise AssertionError("what is asked directly needs no engine")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    inside = Inside()
    prober = Prober(inside=inside, ping=inside.ping, make=registry.make, clock=SystemClock(), post=post)
    options = {"path": "/", "expected_code": 200} if kind == "http" else {}
    check = HealthCheck(type=kind, port_key=str(port), interval_seconds=interval, options=options)
    for n in range(count):
        c = Container(f"c{n}", f"c{n}", "x", "x", Condition.RUNNING, run="r", networks={"net": "127.0.0.1"})
        prober.watch(ChunkId("bench", "main", f"c{n}"), c, check)
    await asyncio.sleep(interval + 1)
    before, began = time.process_time(), time.perf_counter()
    answered = answers
    await asyncio.sleep(seconds)
    used = (time.process_time() - before) / (time.perf_counter() - began) * 100
    assert answers - answered >= count * (seconds // interval) * 0.9, f"only {answers - answered} answers"
    await prober.close()
    return used


def main() -> None:
    """Measure, print one JSON line."""
    kind, count, interval, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    queue: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(queue,), daemon=True)
    server.start()
    port = queue.get(timeout=20)
    try:
        print(json.dumps({"cpu_percent": asyncio.run(measure(kind, count, interval, seconds, port))}))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
