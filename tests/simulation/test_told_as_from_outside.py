"""Only what somebody else did to a container is told as done from outside: not what its file asked for."""

from __future__ import annotations

from typing import Any

from tests.simulation.world import World, chunk, domain


def shop(subnet: str, address: str, memory: str = "64m") -> dict[str, Any]:
    web = chunk("web", container={"networks": {"lan": {"ipv4_address": address}}, "mem_limit": memory})
    near = chunk("near", container={"networks": ["lan"]})
    return domain(web, near, networks={"lan": {"ipam": {"config": [{"subnet": subnet}]}}})


async def has(w: World, address: str, memory: str = "64m") -> None:
    """Wait until the container has these."""
    limit = int(memory.removesuffix("m")) << 20

    def is_so() -> bool:
        web = w.container("shop_web")
        return (
            w.settled() and web.networks.get("pnr_shop_lan") == address and (web.settings or {})["mem_limit"] == limit
        )

    await w.until(is_so)


async def test_an_edit_of_an_address_a_limit_or_a_subnet_is_not() -> None:
    async with World() as w:
        w.files.write("shop", shop("10.213.1.0/24", "10.213.1.9"))
        await w.until_settled()
        runs = len(w.engine.runs)
        for subnet, address, memory in (
            ("10.213.1.0/24", "10.213.1.10", "64m"),
            ("10.213.1.0/24", "10.213.1.10", "128m"),
            ("10.213.2.0/24", "10.213.2.9", "128m"),
        ):
            w.files.write("shop", shop(subnet, address, memory))
            await has(w, address, memory)
            assert w.chunk("web")["mended"] is None
            assert w.chunk("near")["mended"] is None
        assert len(w.engine.runs) == runs


async def test_what_a_person_did_after_an_edit_is() -> None:
    async with World() as w:
        w.files.write("shop", shop("10.213.1.0/24", "10.213.1.9"))
        await w.until_settled()
        w.files.write("shop", shop("10.213.2.0/24", "10.213.2.9"))
        await has(w, "10.213.2.9")
        w.engine.disconnect_by_hand("shop_near", "pnr_shop_lan")
        await w.until(lambda: w.chunk("near")["mended"] is not None)
        assert w.chunk("near")["mended"]["text"] == "was disconnected from network pnr_shop_lan"
        w.engine.pause_by_hand("shop_web")
        await w.until(lambda: w.chunk("web")["mended"] is not None)
        assert w.chunk("web")["mended"]["text"] == "was paused"
        await w.until_settled()
