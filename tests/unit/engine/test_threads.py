"""Calls that block run in threads: so many at once, and none that holds others up for good."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import weakref

import pytest

from reconciler.engine.docker import threads as threads_module
from reconciler.engine.docker.threads import Threads


async def test_results_and_errors_come_back() -> None:
    threads = Threads(1, "test")
    assert await threads.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(lambda: "still") == "still"


async def test_no_more_run_at_once_than_may() -> None:
    threads = Threads(2, "test")
    running, most = 0, 0
    lock = threading.Lock()
    go = threading.Event()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1

    calls = [asyncio.create_task(threads.run(call)) for _ in range(6)]
    await asyncio.sleep(0.05)
    go.set()
    await asyncio.gather(*calls)
    assert most == 2


async def test_a_place_is_taken_until_the_call_ends_though_nobody_waits_for_it() -> None:
    threads = Threads(1, "test")
    go = threading.Event()
    left = asyncio.create_task(threads.run(lambda: go.wait(10)))
    await asyncio.sleep(0.01)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    late = asyncio.create_task(threads.run(lambda: "late"))
    await asyncio.sleep(0.05)
    assert not late.done()
    go.set()
    assert await late == "late"


async def test_calls_after_one_another_have_one_thread() -> None:
    threads = Threads(4, "test")
    assert len({await threads.run(threading.get_ident) for _ in range(50)}) == 1


async def test_there_are_never_more_threads_than_calls_at_once() -> None:
    threads = Threads(3, "test-of-most")

    def call() -> int:
        return sum(thread.name == "test-of-most" for thread in threading.enumerate())

    found = await asyncio.gather(*(threads.run(call) for _ in range(200)))
    assert max(found) <= 3


async def test_a_thread_that_has_nothing_to_do_ends_and_the_next_call_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads_module, "IDLE_SECONDS", 0.01)
    threads = Threads(1, "test-of-idle")
    for _ in range(3):
        assert await threads.run(lambda: 42) == 42
        async with asyncio.timeout(60):
            while any(one.name == "test-of-idle" for one in threading.enumerate()):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)


async def test_no_call_is_lost_to_a_thread_that_is_about_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads_module, "IDLE_SECONDS", 0.0001)
    threads = Threads(2, "test")
    async with asyncio.timeout(60):
        for number in range(2000):
            assert await threads.run(lambda number=number: number) == number  # type: ignore[misc]


async def test_what_a_call_holds_is_let_go_when_it_has_ended() -> None:
    class Large:
        pass

    large = Large()
    gone = weakref.ref(large)
    threads = Threads(1, "test")
    await threads.run(lambda large=large: None)  # type: ignore[misc]
    del large
    async with asyncio.timeout(60):
        while gone() is not None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def test_a_call_that_hangs_does_not_keep_the_process_from_ending() -> None:
    program = (
        "import asyncio, threading\n"
        "from reconciler.engine.docker.threads import Threads\n"
        "async def main():\n"
        "    task = asyncio.create_task(Threads(1, 'test').run(threading.Event().wait))\n"
        "    await asyncio.sleep(0.05)\n"
        "asyncio.run(main())\n"
        "print('ended')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "ended\n"
