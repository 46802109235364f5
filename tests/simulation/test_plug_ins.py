"""A health-check type that somebody else wrote is asked, told and reached as the built-in ones are."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from reconciler.engine.simulated import SimulatedEngine
from reconciler.intent.check_types import CheckType, Options
from tests.simulation.world import World, chunk, domain


class PageOptions(Options):
    word: str = Field("welcome", min_length=1, description="A word that the page has in it.")


OUTSIDE = CheckType(PageOptions, needs_port=True, asks_from_outside=True, url_scheme="https")
INSIDE = CheckType(PageOptions)
PAGE: Mapping[str, object] = {"type": "page", "port_key": "8443", "word": "shop"}


async def test_where_a_plug_ins_check_gives_a_url_it_is_told() -> None:
    async with World(check_types={"page": OUTSIDE, "plain": INSIDE}) as w:
        published = {"ports": {"8443": "18443"}, "image": "web:1"}
        more = {"ports": {"8444": "18444"}, "image": "web:1"}
        page = chunk("page", container=published, health_check=PAGE)
        plain = chunk("plain", container=more, health_check={"type": "plain"})
        w.files.write("shop", domain(page, plain))
        await w.until_settled()
        chunks = {one["name"]: one["urls"] for one in w.view()["domains"][0]["cpuxs"][0]["chunks"]}
        assert chunks == {"page": ["https://127.0.0.1:18443"], "plain": []}


async def test_a_probe_from_outside_is_quick_at_first_and_sees_first_that_it_is_up() -> None:
    engine = SimulatedEngine(start_seconds=(0.3, 0.3))
    async with World(engine, check_types={"outside": OUTSIDE, "inside": INSIDE}) as w:
        inside = chunk("inside", health_check={"type": "inside"})
        outside = chunk("outside", health_check={**PAGE, "type": "outside"})
        w.files.write("shop", domain(inside, outside))
        await w.until_settled()
        up = [e["chunk"] for e in w.stores.entries if e["kind"] == "transition" and e["to"] == "completed"]
        assert [name.rpartition("/")[2] for name in up] == ["outside", "inside"]
