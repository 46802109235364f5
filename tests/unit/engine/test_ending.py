"""Who stops the engine stops it, whatever ends in the same moment: a lost cancellation is waited for without end."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.engine.docker import DockerEngine, engine
from reconciler.engine.protocol import EngineError


async def test_asking_whether_the_engine_lives_ends_though_the_answer_comes_just_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    async def ping() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            asyncio.get_running_loop().call_soon(asking.cancel)

    monkeypatch.setattr(engine, "PING_SECONDS", 0.01)
    docker = DockerEngine(runtime_root=None)
    monkeypatch.setattr(docker, "ping", ping)
    said: asyncio.Queue[EngineError] = asyncio.Queue()
    asking = asyncio.create_task(docker._keep_asking(said))  # type: ignore[arg-type]
    await asyncio.wait({asking}, timeout=5)
    ended = asking.done()
    asking.cancel()
    assert ended
    assert (asking.cancelled(), asked, said.empty()) == (True, 1, True)
