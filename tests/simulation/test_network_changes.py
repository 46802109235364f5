"""A change of a network that can't be had costs nobody anything; two networks of one name become one."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from reconciler.cli.explain import explain
from reconciler.engine.protocol import EngineError
from reconciler.engine.simulated import Fault, SimulatedEngine
from reconciler.intent.model import Ipam, Pool
from reconciler.planner.actions import ConnectNetwork, CreateNetwork
from reconciler.planner.observed import Condition, Container
from tests.simulation.world import World, chunk, domain

NET = "pnr_shop_lan"


def lan(subnet: str | None = None, address: str | None = None, **more: Any) -> dict[str, Any]:
    """Two chunks in a network, the first with a fixed address."""
    joined: dict[str, Any] = {"lan": {"aliases": ["store"], **({"ipv4_address": address} if address else {})}}
    ipam = {"ipam": {"config": [{"subnet": subnet}]}} if subnet else {}
    return domain(
        chunk("db", "system_ready", container={"networks": joined}),
        chunk("api", "system_ready", container={"networks": ["lan"]}),
        networks={"lan": {**ipam, **more}},
    )


FIRST, SECOND = lan("10.213.1.0/25", "10.213.1.9"), lan("10.213.2.0/25", "10.213.2.9")
SAME_SUBNET = lan("10.213.1.0/25", "10.213.1.9", internal=True)


def connected(w: World) -> dict[str, str]:
    return {c.name: c.networks.get(NET, "") for c in w.engine.containers.values()}


async def test_a_subnet_that_overlaps_is_named_and_no_container_is_disconnected() -> None:
    async with World() as w:
        w.engine.plant_network("theirs", driver="bridge", ipam=_pools("10.213.2.0/24"))
        w.files.write("shop", FIRST)
        await w.until_settled()
        before = dict(w.engine.containers)
        w.files.write("shop", SECOND)
        await w.until(lambda: w.chunk("db")["state"] == "failed")
        assert w.chunk("db")["reason"] == "RolledBack"
        assert "10.213.2.0/25 overlaps with 10.213.2.0/24 of network theirs" in w.chunk("db")["message"]
        assert explain(w.view(), "db").splitlines()[1].startswith("Give it another subnet (`ipam`) in the domain file")
        await asyncio.sleep(600)
        assert w.engine.containers == before
        assert w.order("RemoveNetwork", "DisconnectNetwork") == []
        assert w.fact("db_ready") == "Y"
        assert not w.settled()
        w.engine.remove_network_by_hand("theirs")
        await w.until_settled()
        assert connected(w) == {"shop_db": "10.213.2.9", "shop_api": "10.213.2.2"}
        assert len(w.engine.runs) == 2


async def test_an_overlap_that_only_the_engine_knew_is_named_and_ends_without_a_wait() -> None:
    async with World() as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        w.engine.strike(Fault(0.0, "deaf", 5.0))
        w.engine.plant_network("theirs", driver="bridge", ipam=_pools("10.213.2.0/24"))
        w.files.write("shop", SECOND)
        await w.until(lambda: "of network theirs" in w.chunk("db")["message"], limit=30)
        assert w.order("DisconnectNetwork") == []
        await asyncio.sleep(300)
        w.engine.remove_network_by_hand("theirs")
        await w.until_settled(limit=30)


async def test_a_refused_network_is_tried_under_another_name_first_and_ever_less_often() -> None:
    async with World() as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        before = dict(w.engine.containers)
        w.engine.refusing_networks = "no more bridges"
        w.files.write("shop", SECOND)
        await w.until(lambda: w.chunk("db")["state"] == "failed")
        assert "no more bridges" in w.chunk("db")["message"]
        await asyncio.sleep(5400)
        assert w.engine.containers == before
        tries = [call.at for call in w.engine.calls if call.text == f"CreateNetwork {NET}.pnr-trial"]
        pauses = [after - at for at, after in pairwise(tries)]
        assert 4 <= len(tries) <= 10
        assert pauses == sorted(pauses)
        w.engine.refusing_networks = ""
        w.ask_apply()
        await w.until_settled(limit=30)
        assert connected(w) == {"shop_db": "10.213.2.9", "shop_api": "10.213.2.2"}


class Refusing(SimulatedEngine):
    """It refuses networks that reach nobody outside, once it is asked to make one in the place of another."""

    def create_network(self, action: CreateNetwork) -> None:
        if action.spec.internal and action.name not in self.networks:
            error = EngineError("this engine makes no internal network")
            error.permanent = True
            raise error
        super().create_network(action)


async def test_what_can_not_be_tried_beside_comes_back_with_addresses_and_is_not_retried() -> None:
    async with World(Refusing()) as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        before = {c.name: (c.run, c.networks, c.endpoints) for c in w.engine.containers.values()}
        w.files.write("shop", SAME_SUBNET)
        await w.until(lambda: w.chunk("db")["state"] == "failed")
        await asyncio.sleep(1200)
        assert {c.name: (c.run, c.networks, c.endpoints) for c in w.engine.containers.values()} == before
        assert w.order("RemoveNetwork") == [f"RemoveNetwork {NET}"]
        assert w.chunk("api")["reason"] == "RolledBack"
        assert "this engine makes no internal network" in w.chunk("api")["message"]
        assert any("the previous one serves" in note for note in w.domain("shop")["notes"])
        assert "the previous network serves until then" in explain(w.view(), "api").splitlines()[1]
        w.engine.die("shop_db")
        await w.until(lambda: "shop_db" in w.running())
        w.files.write("shop", FIRST)
        await w.until_settled(limit=30)
        assert w.order("RemoveNetwork") == [f"RemoveNetwork {NET}"]


@pytest.mark.parametrize("milliseconds", range(0, 60, 3))
async def test_a_program_killed_in_a_change_that_fails_brings_the_previous_network_back(
    milliseconds: int,
) -> None:
    async with World(Refusing()) as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        before = {c.name: (c.run, c.networks, c.endpoints) for c in w.engine.containers.values()}
        w.files.write("shop", SAME_SUBNET)
        await asyncio.sleep(milliseconds / 1000)
        await w.kill()
        w.start()
        await w.until(lambda: w.chunk("db")["reason"] == "RolledBack")
        await asyncio.sleep(600)
        assert {c.name: (c.run, c.networks, c.endpoints) for c in w.engine.containers.values()} == before


async def test_what_is_to_be_updated_as_well_keeps_its_connection_while_it_waits() -> None:
    async with World(Refusing()) as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        document = lan("10.213.1.0/25", "10.213.1.9", internal=True)
        document["cpuxs"]["main"]["design_chunks"][1]["container"]["image"] = "missing:1"
        w.engine.fate("missing:1").missing = True
        w.files.write("shop", document)
        await w.until(lambda: w.chunk("db")["reason"] == "RolledBack")
        await asyncio.sleep(60)
        assert w.running() == {"shop_db", "shop_api"}
        assert all(connected(w).values())


async def test_a_network_that_has_another_name_takes_its_addresses_over() -> None:
    async with World() as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        renamed = {"net": {"ipam": {"config": [{"subnet": "10.213.1.0/25"}]}}}
        joined = {"net": {"ipv4_address": "10.213.1.9"}}
        w.files.write("shop", domain(chunk("db", "system_ready", container={"networks": joined}), networks=renamed))
        await w.until(lambda: w.chunk("api")["state"] == "")
        await w.until_settled(limit=120)
        assert w.container("shop_db").networks == {"pnr_shop_net": "10.213.1.9"}
        assert NET not in w.engine.networks


async def test_two_networks_that_swap_their_subnets_both_get_them() -> None:
    async with World() as w:

        def document(one: str, two: str) -> dict[str, Any]:
            networks = {n: {"ipam": {"config": [{"subnet": s}]}} for n, s in (("one", one), ("two", two))}
            return domain(chunk("db", container={"networks": ["one", "two"]}), networks=networks)

        w.files.write("shop", document("10.1.0.0/24", "10.2.0.0/24"))
        await w.until_settled()
        w.files.write("shop", document("10.2.0.0/24", "10.1.0.0/24"))
        await w.until(lambda: w.container("shop_db").networks.get("pnr_shop_one", "").startswith("10.2."))
        await w.until_settled()
        assert w.container("shop_db").networks["pnr_shop_two"].startswith("10.1.")
        assert len(w.engine.runs) == 1


async def test_a_second_network_of_ours_with_the_same_name_goes_and_nobody_is_restarted() -> None:
    async with World() as w:
        w.files.write("shop", FIRST)
        await w.until_settled()
        before = dict(w.engine.containers)
        w.engine.plant_twin(NET, domain="shop", driver="bridge")
        await w.until(lambda: not w.engine.networks[NET].twins)
        await w.until_settled()
        assert w.engine.containers == before


async def test_a_foreign_network_of_the_same_name_is_told_and_ours_goes_with_the_domain() -> None:
    async with World() as w:
        w.files.write("shop", FIRST)
        w.files.write("other", domain(chunk("x", container={"name": "shop_x"}), name="other"))
        await w.until_settled()
        theirs = w.engine.plant_twin(NET, driver="bridge")
        await w.until(lambda: any(theirs.id[:12] in note for note in w.domain("shop")["notes"]))
        await asyncio.sleep(300)
        assert w.running() >= {"shop_db", "shop_api"}
        assert w.engine.networks[NET].twins == (theirs,)
        w.files.remove("shop")
        await w.until(lambda: w.engine.networks[NET] == theirs)


def _pools(subnet: str) -> Ipam:
    return Ipam("default", (Pool(subnet),))


def cut_off(w: World) -> set[str]:
    return {c.name for c in w.engine.containers.values() if c.condition is Condition.RUNNING and not c.networks}


def lans(image: str = "app:1", subnet: str = "10.213.1.0/25", **more: Any) -> dict[str, Any]:
    """A chunk in two networks, of which one has a subnet of its own."""
    web = chunk("web", "system_ready", **more)
    web["container"] |= {"image": image, "networks": ["lan", "side"]}
    return domain(web, networks={"lan": {"ipam": {"config": [{"subnet": subnet}]}}, "side": {}})


@pytest.mark.parametrize("names", [("lan",), ("lan", "side")], ids=["one", "of two"])
async def test_what_an_update_falls_back_to_is_in_the_network_that_was_made_anew_for_it(names: tuple[str, ...]) -> None:
    async with World() as w:
        first, second = lans(), lans("broken:1", "10.213.2.0/25")
        for document in (first, second):
            document["cpuxs"]["main"]["design_chunks"][0]["container"]["networks"] = list(names)
        w.files.write("shop", first)
        await w.until_settled()
        w.engine.fate("broken:1").exit_code = 3
        w.engine.fate("broken:1").exit_after = 1.0
        w.files.write("shop", second)
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack")
        assert set(w.container("shop_web").networks) == {f"pnr_shop_{name}" for name in names}
        w.files.write("shop", first)
        await w.until_settled(limit=60)
        assert set(w.container("shop_web").networks) == {f"pnr_shop_{name}" for name in names}


async def test_what_waits_for_its_update_is_in_the_network_that_was_made_anew_meanwhile() -> None:
    async with World() as w:
        w.files.write("shop", lans(replicas=3))
        await w.until_settled()
        w.engine.fate("missing:1").missing = True
        w.files.write("shop", lans("missing:1", "10.213.2.0/25", replicas=3))
        await w.until(lambda: w.chunk("web")["reason"] == "ImagePullFailed")
        await asyncio.sleep(60)
        assert len(w.running()) == 3
        assert cut_off(w) == set()
        assert all(len(c.networks) == 2 for c in w.engine.containers.values())


class Deaf(SimulatedEngine):
    """It connects nobody who is there already."""

    def connect_network(self, action: ConnectNetwork) -> Container:
        raise EngineError("this engine connects nobody")


async def test_an_update_and_its_rollback_go_on_where_the_old_one_can_not_be_connected() -> None:
    async with World(Deaf()) as w:
        w.files.write("shop", lans())
        await w.until_settled()
        w.engine.fate("broken:1").exit_code = 3
        w.files.write("shop", lans("broken:1", "10.213.2.0/25"))
        await w.until(lambda: w.chunk("web")["reason"] == "RolledBack" and w.running() == {"shop_web"}, limit=60)
        w.files.write("shop", lans("app:2", "10.213.3.0/25"))
        await w.until_settled(limit=60)
