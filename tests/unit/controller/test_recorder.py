"""What is written down, and in which order, when writing takes its time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reconciler.controller.recorder import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, Recorder
from reconciler.controller.work import MOST_AT_ONCE


class SlowDisk:
    """Keeps what is saved; the first write waits until it is let go."""

    def __init__(self) -> None:
        self.saved: list[int] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        if not self.begun.is_set():
            self.begun.set()
            self.go_on.wait(30)
        self.saved.append(document["number"])

    def load_all(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        return {}, []

    def remove(self, domain: str) -> None:
        raise AssertionError("nothing is removed here")

    def set_aside(self, domain: str, unknown: Sequence[str]) -> str:
        raise AssertionError("nothing is set aside here")


def made_at_once(document: Mapping[str, Any]) -> Generator[int, None, Mapping[str, Any]]:
    yield 1
    return document


class Nothing:
    problems: Sequence[str] = ()

    def save(self, domain: str, file: str, data: bytes) -> None: ...

    def load_all(self) -> Sequence[Any]:
        return ()

    def remove(self, domain: str) -> None: ...

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None: ...


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


async def test_a_write_that_was_begun_before_the_end_is_not_overtaken_by_the_last_one() -> None:
    disk, nothing, number = SlowDisk(), Nothing(), 1

    async def offload(call: Any) -> None:
        await asyncio.to_thread(call)

    recorder = Recorder(snapshots=disk, intents=nothing, journal=nothing, clock=StandingClock(), offload=offload)
    recorder.attach(lambda domain: made_at_once({"number": number}))
    recorder.touch("shop")
    running = asyncio.create_task(recorder.run())
    await asyncio.to_thread(disk.begun.wait, 30)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    number = 2
    recorder.touch("shop")
    last = asyncio.create_task(recorder.flush())
    await asyncio.wait({last}, timeout=0.1)
    disk.go_on.set()
    assert await last
    assert disk.saved == [1, 2]


class Kept(SlowDisk):
    """Keeps what is saved, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: list[Mapping[str, Any]] = []

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        self.documents.append(document)


async def direct(call: Any) -> None:
    call()


async def test_nothing_is_written_while_what_is_known_is_in_the_middle_of_a_change() -> None:
    kept, nothing, made = Kept(), Nothing(), 0

    def build(domain: str) -> Generator[int, None, Mapping[str, Any]]:
        nonlocal made
        for _ in range(3):
            made += 1
            yield MOST_AT_ONCE
        return {"domain": domain}

    recorder = Recorder(snapshots=kept, intents=nothing, journal=nothing, clock=StandingClock(), offload=direct)
    recorder.attach(build)
    for domain in ("shop", "blog"):
        recorder.touch(domain)
    writing = asyncio.create_task(recorder.flush())
    for _ in range(20):
        await asyncio.sleep(0)
        if made == 2:
            break
    recorder.hold()
    for _ in range(20):
        await asyncio.sleep(0)
    assert made == 2
    assert not kept.documents
    assert not recorder.is_up_to_date
    recorder.go_on()
    assert await writing
    assert kept.documents == [{"domain": "shop"}, {"domain": "blog"}]
    assert made == 6


async def test_a_document_that_is_much_work_is_made_in_several_turns() -> None:
    kept, nothing, turns, steps = Kept(), Nothing(), 0, 0

    def build(domain: str) -> Generator[int, None, Mapping[str, Any]]:
        nonlocal steps
        for _ in range(10 * MOST_AT_ONCE):
            steps += 1
            yield 1
        return {"domain": domain}

    recorder = Recorder(snapshots=kept, intents=nothing, journal=nothing, clock=StandingClock(), offload=direct)
    recorder.attach(build)
    recorder.touch("shop")
    writing, most, before = asyncio.create_task(recorder.flush()), 0, 0
    while not writing.done():
        await asyncio.sleep(0)
        turns, most, before = turns + 1, max(most, steps - before), steps
    assert kept.documents
    assert turns >= 10
    assert most <= 2 * MOST_AT_ONCE


class TickingClock(StandingClock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Counted(Kept):
    """Knows how often each domain was saved, and what was written to the journal."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Mapping[str, Any]] = []

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.entries.extend(entries)

    def remove(self, domain: str) -> None: ...

    def of(self, domain: str) -> int:
        return sum(document["domain"] == domain for document in self.documents)


def of_steps(domain: str) -> Generator[int, None, Mapping[str, Any]]:
    """The document of a domain: one called large takes many steps."""
    for _ in range(1000 if domain == "large" else 1):
        yield 1
    return {"domain": domain}


async def test_a_large_snapshot_is_written_again_less_often_and_nothing_else_waits_for_it() -> None:
    kept, nothing, clock = Counted(), Nothing(), TickingClock()
    recorder = Recorder(snapshots=kept, intents=nothing, journal=kept, clock=clock, offload=direct)
    recorder.attach(of_steps)
    rounds = 0
    while kept.of("large") < 2:
        for domain in ("large", "small"):
            recorder.touch(domain)
        recorder.journal(kind="test", message=str(rounds))
        assert await recorder._write(at_once=False)
        rounds += 1
        clock.seconds += 0.1
    assert clock.seconds > LONGEST_PAUSE_SECONDS
    assert kept.of("small") == len(kept.entries) == rounds
    assert recorder.is_up_to_date


async def test_what_is_still_to_be_written_is_written_in_its_time_and_at_the_end_at_once() -> None:
    kept, nothing, clock = Counted(), Nothing(), TickingClock()
    recorder = Recorder(snapshots=kept, intents=nothing, journal=nothing, clock=clock, offload=direct)
    recorder.attach(of_steps)
    running = asyncio.create_task(recorder.run())
    recorder.touch("large")
    while not kept.of("large"):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    recorder.touch("large")
    await asyncio.sleep(2 * SHORTEST_PAUSE_SECONDS)
    assert kept.of("large") == 1
    assert not recorder.is_up_to_date
    clock.seconds += LONGEST_PAUSE_SECONDS
    async with asyncio.timeout(60):
        while kept.of("large") == 1:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
    recorder.touch("large")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await recorder.flush()
    assert kept.of("large") == 3
    assert recorder.is_up_to_date


async def test_a_domain_that_is_back_does_not_wait_for_what_was_written_of_it_before() -> None:
    kept, nothing = Counted(), Nothing()
    recorder = Recorder(snapshots=kept, intents=nothing, journal=nothing, clock=TickingClock(), offload=direct)
    recorder.attach(of_steps)
    for _ in range(2):
        recorder.touch("large")
        assert await recorder._write(at_once=False)
        recorder.forget("large")
        assert await recorder._write(at_once=False)
    assert kept.of("large") == 2
