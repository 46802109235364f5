"""What is told of chunks is made again only where something has changed: and it is always what it would be if it were
recreated."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from reconciler.controller import telling_chunks
from reconciler.controller.telling_chunks import ChunksTold
from reconciler.daemon.encoding import encoded
from reconciler.engine.simulated import schedule
from tests.simulation.test_random_stories import CONF, STORY_SECONDS, Author, Strange, live_through
from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain

LOOK_SECONDS = 2.5


def anew(w: World) -> dict[str, Any]:
    """The view as it would be if nothing had been told before."""
    assert w.controller is not None
    kept, w.controller._chunks_told = w.controller._chunks_told, ChunksTold()
    try:
        return w.controller.view()
    finally:
        w.controller._chunks_told = kept


@pytest.mark.parametrize("seed", [8])
def test_what_was_told_before_is_told_again_only_while_it_is_so(seed: int) -> None:
    rng = random.Random(seed)
    faults = schedule(seed, until=STORY_SECONDS, count=6)
    engine = Strange(seed, 0.0, faults=faults, start_seconds=(0.2, 0.6), stop_seconds=(0.2, 0.6))
    engine.replace_file(CONF, "content 1")
    engine.fate("slow:1").ready_after = 10.0
    engine.fate("missing:1").missing = True
    engine.fate("crashing:1").exit_code, engine.fate("crashing:1").exit_after = 1, 2.0
    engine.fate("work:1").exit_code, engine.fate("work:1").exit_after = 0, 1.0
    engine.fate("sick:1").ready_after = 10_000.0
    seen: set[str] = set()

    async def look(w: World) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if w._task is None or w.controller is None:
                continue
            view, fresh = w.controller.view(), anew(w)
            assert view == fresh
            assert json.loads(await encoded({"view": view})) == {"view": fresh}
            seen.update(one["reason"] for d in view["domains"] for x in d["cpuxs"] for one in x["chunks"])

    async def story() -> None:
        async with World(engine, seed=seed) as w:
            looking = asyncio.create_task(look(w))
            await live_through(w, rng, Author(rng))
            assert not looking.done() or looking.result() is None
            looking.cancel()

    run(story())
    assert len(seen) > 8


async def test_of_chunks_that_stay_as_they_are_nothing_is_made_or_encoded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    real = telling_chunks._document

    def counted(c: Any, images: Any, record: Any, *more: Any) -> dict[str, Any]:
        made.append(record.id.unit)
        return real(c, images, record, *more)

    monkeypatch.setattr(telling_chunks, "_document", counted)

    async with World() as w:
        w.files.write("shop", domain(*(chunk(f"c{n}") for n in range(20)), chunk("gone", replicas=3)))
        await w.until_settled()
        assert w.controller is not None
        first = w.controller.view()
        made.clear()
        again = w.controller.view()
        assert made == []
        for one, other in zip(_chunks(first), _chunks(again), strict=True):
            assert one is other
        w.engine.crash("shop_c7")
        await w.until(lambda: w.chunk("c7")["restarts"] == 1)
        assert "c7" in made
        w.files.write("shop", domain(chunk("c1")))
        await w.until_settled()
        told = w.controller._chunks_told._told["shop"]
        assert {id.chunk for id in told.copies} == {"c1"}
        w.files.remove("shop")
        await w.until(lambda: w.controller is not None and "shop" not in w.controller.known.domains)
        w.controller.view()
        assert "shop" not in w.controller._chunks_told._told


def _chunks(view: dict[str, Any]) -> list[Any]:
    return [one for d in view["domains"] for cpux in d["cpuxs"] for one in cpux["chunks"]]
