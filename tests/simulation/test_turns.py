"""How much is done in one turn of the loop, counted: while it lasts nobody else is answered or seen to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.controller import snapshots, stalls, status_view
from reconciler.controller.facts_table import FactsTable
from reconciler.controller.look_ups import LookUps
from reconciler.controller.loop import Controller
from reconciler.controller.reconciling import Reconciler
from reconciler.controller.work import ENTRIES_A_CHUNK, FEWEST_AT_ONCE, MOST_AT_ONCE, work_of
from reconciler.intent.model import Chunk, ChunkId
from tests.simulation.virtual_time import VirtualLoop
from tests.simulation.world import World, chunk, domain

MANY = 150
FACTS = 60


class PerTurn:
    """Counts what is done, and remembers the most that was done in one turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._patch = monkeypatch

    def watch(self) -> None:
        """Turns are those of the loop that runs."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        select = loop._jumping.select

        def next_turn(timeout: float | None = None) -> list[Any]:
            self._now.clear()
            return select(timeout)

        self._patch.setattr(loop._jumping, "select", next_turn)

    def count(self, where: Any, name: str, much: Callable[..., int] = lambda *_: 1) -> None:
        """Count calls, or how much each is."""
        real = getattr(where, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._now[name] += much(*args)
            self.total[name] += much(*args)
            self.most[name] = max(self.most[name], self._now[name])
            return real(*args, **kwargs)

        self._patch.setattr(where, name, counted)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> PerTurn:
    """Counts decisions by how much work they are, and all else that there is much of where there are many chunks."""
    counts = PerTurn(monkeypatch)

    def work(decider: Reconciler, id: ChunkId) -> int:
        return work_of(decider._state.desired(id))

    counts.count(Reconciler, "_decide", work)
    counts.count(Reconciler, "_decide_domain")
    counts.count(FactsTable, "register", lambda _, chunk: work_of(chunk))
    counts.count(snapshots, "_chunk_document")
    counts.count(Controller, "_take")
    return counts


def plain(name: str, count: int) -> dict[str, Any]:
    """A domain of chunks that need nobody."""
    return domain(*(chunk(f"c{n}", container={"name": f"{name}_c{n}"}) for n in range(count)), name=name)


def row(name: str, count: int, facts: int = FACTS) -> dict[str, Any]:
    """A domain of chunks that each need many facts of the one before."""

    def one(number: int) -> dict[str, Any]:
        yes = {"prompt": "?", "response": ["yes"], "tv": "Y"}
        answers = {f"f{number}-{key}": yes for key in range(facts)}
        needs = {f"f{number - 1}-{key}": yes for key in range(facts)} if number else {}
        named = {"name": f"{name}_c{number}"}
        return chunk(f"c{number}", flowout=answers, gatekeeper=needs, container=named)

    return domain(*(one(number) for number in range(count)), name=name)


HEAVIEST = 1 + (2 * FACTS + 2) // 20


async def test_in_one_turn_so_much_is_adopted_decided_and_written_down_and_no_more(turns: PerTurn) -> None:
    turns.watch()
    async with World() as w:
        w.files.write("plain", plain("plain", MANY))
        w.files.write("row", row("row", 12))
        await w.until_settled(limit=300)
        # An intent that replaces another is adopted in portions as well, and so is a domain that goes.
        w.files.write("row", row("row", 12, FACTS - 1))
        await w.until_settled(limit=300)
        w.files.remove("plain")
        await w.until(lambda: not any("plain_" in one.name for one in w.engine.containers.values()), limit=300)
    assert turns.total["_decide"] > 3 * MANY
    assert turns.most["_decide"] < MOST_AT_ONCE + HEAVIEST
    assert turns.most["_decide_domain"] <= 3
    assert turns.most["register"] < MOST_AT_ONCE + HEAVIEST
    assert turns.most["_chunk_document"] <= (MOST_AT_ONCE + 1) * snapshots.CHUNKS_A_STEP
    assert turns.most["_take"] <= 2 * MOST_AT_ONCE


async def test_facts_that_hold_from_the_start_are_declared_in_portions(turns: PerTurn) -> None:
    turns.count(FactsTable, "answer")
    turns.count(FactsTable, "forget")
    many = {f"f{number}": {"response": ["yes"]} for number in range(1000)}
    shop = domain(chunk("web"))
    shop["cpuxs"] |= {f"more{number}": {"rt_state": many} for number in range(5)}

    turns.watch()
    async with World() as w:
        w.files.write("shop", shop)
        await w.until_settled(limit=60)
        w.files.write("shop", domain(chunk("web")))
        assert w.controller is not None
        facts = w.controller.known.facts
        await w.until(lambda: len(facts.of("shop")) == 1, limit=60)
    for what in ("answer", "forget"):
        assert turns.total[what] >= 5000
        assert turns.most[what] <= (MOST_AT_ONCE + 1) * ENTRIES_A_CHUNK


async def test_while_somebody_waits_for_an_answer_less_is_done_in_a_turn_and_all_converges(turns: PerTurn) -> None:
    turns.watch()
    async with World() as w:
        assert w.controller is not None
        with w.controller.answering():
            w.files.write("plain", plain("plain", MANY))
            await w.until_settled(limit=300)
    assert turns.most["_decide"] <= FEWEST_AT_ONCE


async def test_an_intent_that_changes_has_only_its_own_domain_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    real = LookUps._part

    def part(self: LookUps, chunks: tuple[Chunk, ...]) -> Any:
        looked.append(len(chunks))
        return real(self, chunks)

    monkeypatch.setattr(LookUps, "_part", part)

    async with World() as w:
        for number in range(10):
            w.files.write(f"d{number}", plain(f"d{number}", 5))
        await w.until_settled(limit=60)
        assert sum(looked) == 50
        looked.clear()
        w.files.write("d3", plain("d3", 6))
        await w.until(lambda: len(w.running()) == 51, limit=60)
        assert looked == [6]


async def test_what_is_stalled_is_found_out_again_only_where_something_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[str] = []
    real = stalls._found

    def counted(c: Any, record: Any) -> Any:
        found.append(record.name)
        return real(c, record)

    monkeypatch.setattr(stalls, "_found", counted)

    async with World() as w:
        w.files.write("row", row("row", 3, 1))
        w.files.write("shop", domain(chunk("web", "row/main/f2-0", "row/main/f0-0=N")))
        await w.until(lambda: w.domain("shop")["stalled"], limit=60)
        assert w.controller is not None
        w.controller.view()
        found.clear()
        for _ in range(5):
            w.controller.view()
        assert not found
        # What somebody else answers is news for who waits for it.
        w.controller.known.has_news("row")
        w.controller.view()
        assert found == ["row", "shop"]


async def test_a_view_of_many_chunks_and_facts_is_made_in_small_steps() -> None:
    async with World() as w:
        w.files.write("plain", plain("plain", MANY))
        w.files.write("row", row("row", 12))
        await w.until_settled(limit=300)
        assert w.controller is not None
        steps = sum(1 for _ in w.controller._view())
        assert steps >= MANY + 12 + 12 * FACTS // status_view.FACTS_A_STEP


async def test_who_is_marked_has_a_turn_before_others_have_another_and_so_have_domains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: set[str] = set()
    decided: list[str] = []
    decide, decide_domain = Reconciler._decide, Reconciler._decide_domain

    def and_again(decider: Reconciler, id: ChunkId) -> None:
        decide(decider, id)
        if id.domain == "quiet":
            waiting.discard("chunk")
        elif waiting:
            decided.append(id.chunk)
            decider._state.mark(id)  # there is news of it all the time

    def of_domain(decider: Reconciler, name: str) -> None:
        decide_domain(decider, name)
        if name == "quiet":
            waiting.discard("domain")

    monkeypatch.setattr(Reconciler, "_decide", and_again)
    monkeypatch.setattr(Reconciler, "_decide_domain", of_domain)

    async with World() as w:
        w.files.write("noisy", plain("noisy", MANY))
        await w.until_settled(limit=300)
        assert w.controller is not None
        waiting.update(("chunk", "domain"))
        for id in w.controller.known.chunks:
            w.controller.known.mark(id)
        w.files.write("quiet", plain("quiet", 1))
        await w.until_settled("quiet", limit=300)
    assert not waiting
    assert MANY <= len(decided) <= 10 * MANY
