"""Chunks whose containers share the network or the volumes of another chunk's."""

from __future__ import annotations

import asyncio

from tests.simulation.virtual_time import run
from tests.simulation.world import World, chunk, domain


def test_who_shares_a_network_starts_when_its_owner_runs_and_follows_it_to_a_new_container() -> None:
    async def story() -> None:
        async with World() as w:

            def shop(image: str) -> None:
                owner = chunk("db", container={"image": image})
                sharer = chunk("side", container={"network_mode": "service:db", "volumes_from": ["db:ro"]})
                w.files.write("shop", domain(sharer, owner))

            shop("db:1")
            await w.until_settled()
            assert w.order("StartContainer") == ["StartContainer shop_db", "StartContainer shop_side"]
            settings = w.container("shop_side").settings or {}
            assert settings["network_mode"] == "container:shop_db"
            assert settings["volumes_from"] == ["container:shop_db:ro"]
            first = w.container("shop_side").id
            w.engine.show_ids("shop_side")
            shop("db:2")
            await w.until(lambda: w.container("shop_db").image == "db:2")
            await w.until(lambda: w.container("shop_side").id != first)
            await w.until_settled()
            calls = len(w.engine.calls)
            await asyncio.sleep(600)
            assert len(w.engine.calls) == calls

    run(story())
