"""What only looks wrong in a file, beside the files of others, is told by the daemon for as long as it does."""

from __future__ import annotations

from tests.simulation.world import World, chunk, domain


def warned(w: World) -> list[str]:
    return [warning["code"] for warning in w.domain("shop")["warnings"]]


def journaled(w: World) -> int:
    return sum(
        entry["kind"] == "warning" and "there is no domain base" in entry["message"] for entry in w.stores.entries
    )


async def test_a_gate_on_a_domain_that_is_not_there_is_told_until_it_is() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("web", "base/main/db_ready")))
        await w.until(lambda: bool(warned(w)))
        warning = w.domain("shop")["warnings"][0]
        assert (warning["file"], warning["line"], warning["code"]) == ("shop.json", 1, "UnknownDomainFact")
        assert warning["message"] == "there is no domain base (yet), so nothing answers base/main/db_ready"
        assert w.domain("shop")["errors"] == []
        await w.until(lambda: journaled(w) == 1)
        w.files.write("base", domain(chunk("db", container={"name": "base_db"}), name="base"))
        await w.until_settled()
        assert warned(w) == []
        assert journaled(w) == 1
        w.files.remove("base")
        await w.until(lambda: bool(warned(w)))
        await w.until(lambda: journaled(w) == 2)
