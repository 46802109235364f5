"""Work on images: shared by all who want the same, given up when nobody does."""

from __future__ import annotations

import asyncio
import threading

import pytest

from reconciler.engine.docker.images.sharing import SharedWork
from reconciler.engine.docker.images.streams import GivenUp, Stop
from reconciler.engine.docker.threads import Threads
from reconciler.engine.protocol import ImagePullFailed, Milestone, Progress


@pytest.fixture
def shared() -> SharedWork:
    return SharedWork(Threads(4, "test"), unwanted_seconds=0.05)


async def test_all_are_told_and_only_one_is_told_what_is_to_be_kept(shared: SharedWork) -> None:
    go = threading.Event()
    count = 0

    def work(tell: Progress, stop: Stop) -> None:
        nonlocal count
        count += 1
        assert go.wait(20)
        tell(Milestone("begin"))
        tell("half")

    told: list[list[str]] = [[] for _ in range(3)]
    tasks = [asyncio.create_task(shared.run("a", work, lines.append)) for lines in told]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*tasks)
    assert count == 1
    assert told == [["begin", "half"], ["half"], ["half"]]


async def test_all_get_its_failure_and_the_next_one_begins_anew(shared: SharedWork) -> None:
    def fail(tell: Progress, stop: Stop) -> None:
        raise ImagePullFailed("no")

    errors = await asyncio.gather(*(shared.run("a", fail, print) for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in errors] == ["no"] * 3
    assert errors[0] is errors[1] is errors[2]
    await shared.run("a", lambda tell, stop: None, print)


async def test_what_nobody_wants_is_given_up_after_a_while(shared: SharedWork) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(tell: Progress, stop: Stop) -> None:
        try:
            stop.pause(60)
        except GivenUp:
            loop.call_soon_threadsafe(ended.set)

    task = asyncio.create_task(shared.run("a", work, print))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(ended.wait(), 20)


async def test_whoever_comes_back_in_time_finds_it_under_way(shared: SharedWork) -> None:
    go = threading.Event()
    count = 0

    def work(tell: Progress, stop: Stop) -> None:
        nonlocal count
        count += 1
        assert go.wait(20)
        stop.check()

    first = asyncio.create_task(shared.run("a", work, print))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    again = asyncio.create_task(shared.run("a", work, print))
    await asyncio.sleep(0.2)
    go.set()
    await again
    assert count == 1


async def test_closing_gives_up_everything(shared: SharedWork) -> None:
    task = asyncio.create_task(shared.run("a", lambda tell, stop: stop.pause(60), print))
    await asyncio.sleep(0.01)
    await shared.close()
    with pytest.raises(asyncio.CancelledError):
        await task
