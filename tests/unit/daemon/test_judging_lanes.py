"""In a lane nobody waits for all who were there before, and who waits for something else leaves the seat."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from reconciler.daemon.judging_lanes import Seats

LIMIT_SECONDS = 60


@contextlib.asynccontextmanager
async def limited() -> AsyncIterator[None]:
    async with asyncio.timeout(LIMIT_SECONDS):
        yield


async def sit(seats: Seats, size: int = 1) -> None:
    async with seats.taken(size, LIMIT_SECONDS):
        pass


async def test_the_smallest_and_the_newest_are_next_in_turn() -> None:
    seats = Seats(1)
    order: list[str] = []

    async def load(name: str, size: int) -> None:
        await sit(seats, size)
        order.append(name)

    async with limited(), asyncio.TaskGroup() as tasks, seats.taken(1, LIMIT_SECONDS):
        for name, size in (("large", 9), ("small", 1), ("middle", 5), ("new", 8)):
            tasks.create_task(load(name, size))
        await asyncio.sleep(0)
    assert order == ["small", "new", "middle", "large"]


async def test_who_stays_leaves_the_seat_to_others_and_gives_it_up_once() -> None:
    seats, gone = Seats(1), asyncio.Event()

    async def stay() -> None:
        async with seats.taken(1, 0.0):
            await gone.wait()

    async with limited():
        waits = asyncio.create_task(stay())
        await asyncio.sleep(0)
        async with seats.taken(1, LIMIT_SECONDS):
            gone.set()
            await waits
            other = asyncio.create_task(sit(seats))
            await asyncio.sleep(0)
            assert seats.are_wanted
        await other


async def test_who_gives_up_waiting_takes_no_seat_away() -> None:
    seats = Seats(1)
    async with limited():
        async with seats.taken(1, LIMIT_SECONDS):
            waits = asyncio.create_task(sit(seats))
            await asyncio.sleep(0)
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)
        await sit(seats)
