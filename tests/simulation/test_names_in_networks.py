"""Names in networks that several domains share: each is one's, and nobody is restarted for it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulation.world import World, chunk, domain

PROXY = {"proxy": {"external": True, "name": "proxy"}}


def shop(name: str, *aliases: str) -> dict[str, Any]:
    joined = {"default": None, "proxy": {"aliases": list(aliases)}}
    db = chunk("db", "system_ready", container={"name": f"{name}_db", "networks": joined})
    return domain(db, name=name, networks=PROXY)


def names(w: World, name: str) -> set[str]:
    return set(w.container(f"{name}_db").endpoints["proxy"]["aliases"])


async def test_a_short_name_is_had_while_it_is_unique_and_costs_no_restart() -> None:
    async with World() as w:
        w.engine.plant_network("proxy")
        w.files.write("one", shop("one"))
        await w.until_settled()
        assert names(w, "one") == {"one-main-db", "one_db", "db"}
        w.files.write("two", shop("two"))
        await w.until(lambda: w.settled("one", "two") and "db" not in names(w, "one"))
        assert names(w, "two") == {"two-main-db", "two_db"}
        assert set(w.container("one_db").endpoints["pnr_one"]["aliases"]) == {"db", "one_db"}
        for name in ("one", "two"):
            (warning,) = w.domain(name)["warnings"]
            assert "have the same name db" in warning["message"]
        w.files.remove("two")
        await w.until(lambda: {d["name"] for d in w.view()["domains"]} == {"one"})
        await w.until(lambda: "db" in names(w, "one"))
        await w.until_settled()
        assert w.domain("one")["warnings"] == []
        assert w.engine.runs == ["one_db", "two_db"]


async def test_who_asks_for_a_name_has_it() -> None:
    async with World() as w:
        w.engine.plant_network("proxy")
        w.files.write("one", shop("one", "db"))
        w.files.write("two", shop("two"))
        await w.until_settled()
        assert names(w, "one") == {"one-main-db", "one_db", "db"}
        assert names(w, "two") == {"two-main-db", "two_db"}


async def test_a_container_of_somebody_else_keeps_its_name_to_itself() -> None:
    async with World() as w:
        w.engine.plant_network("proxy")
        w.engine.plant_container("db")
        w.files.write("one", shop("one"))
        await w.until_settled()
        assert "db" in names(w, "one")
        w.engine.connect_by_hand("db", "proxy")
        await w.until(lambda: "proxy" in w.container("one_db").networks and "db" not in names(w, "one"))
        await w.until_settled()
        w.engine.remove_by_hand("db")
        await w.until(lambda: "proxy" in w.container("one_db").networks and "db" in names(w, "one"))
        assert w.engine.runs == ["one_db"]


async def test_a_connection_of_an_earlier_version_stays_while_it_is_in_no_ones_way() -> None:
    async with World() as w:
        w.engine.plant_network("proxy")
        w.files.write("one", shop("one"))
        await w.until_settled()
        await w.kill()
        w.engine.disconnect_by_hand("one_db", "proxy")
        w.engine.connect_by_hand("one_db", "proxy", aliases=["db", "one_db"])
        calls = len(w.engine.calls)
        w.start()
        await w.until_settled()
        await asyncio.sleep(300)
        assert [call.text for call in w.engine.calls[calls:]] == []
        w.files.write("two", shop("two"))
        await w.until(lambda: w.settled("one", "two") and names(w, "one") == {"one-main-db", "one_db"})
