"""Networks and volumes through a domain's life: made, compared, replaced, removed, and never those of others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.protocol import EngineError, EngineInfo, Progress
from reconciler.engine.simulated import Fault, SimulatedEngine
from reconciler.planner.actions import Action, CreateNetwork
from reconciler.planner.observed import Container
from tests.simulation.virtual_time import run
from tests.simulation.world import STACK, World, chunk, domain

MTU = {"driver_opts": {"com.docker.network.driver.mtu": "1400"}}


def ids(w: World) -> dict[str, str]:
    return {c.name: c.id for c in w.engine.containers.values() if c.owner is not None}


def stack(**more: Any) -> dict[str, Any]:
    return {**STACK, **more}


async def test_a_network_that_is_declared_otherwise_is_made_anew_and_its_containers_stay() -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before, first = ids(w), w.engine.networks["pnr_shop"]
        w.files.write("shop", stack(networks={"default": MTU}))
        await w.until(lambda: w.engine.networks.get("pnr_shop", first).id != first.id)
        await w.until_settled()
        assert w.engine.networks["pnr_shop"].driver_opts == MTU["driver_opts"]
        assert ids(w) == before
        assert all("pnr_shop" in c.networks for c in w.engine.containers.values())
        assert w.container("shop_db").endpoints["pnr_shop"]["aliases"] == ["db", "shop_db"]
        assert w.order("CreateNetwork", "RemoveNetwork").count("RemoveNetwork pnr_shop") == 1
        assert w.running() == {"shop_db", "shop_api", "shop_web"}


async def test_what_was_once_asked_of_a_network_goes_with_its_declaration() -> None:
    async with World() as w:
        w.files.write("shop", stack(networks={"default": MTU}))
        await w.until_settled()
        w.files.write("shop", STACK)
        await w.until(lambda: "RemoveNetwork pnr_shop" in w.order("RemoveNetwork"))
        await w.until_settled()
        assert not w.engine.networks["pnr_shop"].driver_opts


@pytest.mark.parametrize("spec", ["", "as it was made"])
async def test_a_new_controller_replaces_no_network(spec: str) -> None:
    """An older pnr noted nothing about what a network was made from."""

    async with World() as w:
        w.files.write("shop", stack(networks={"default": {"labels": {"a": "b"}, **MTU}}))
        await w.until_settled()
        await w.kill()
        if not spec:
            w.engine.networks["pnr_shop"] = replace(w.engine.networks["pnr_shop"], spec="")
        made = w.engine.networks["pnr_shop"].id
        w.start()
        await w.until_settled()
        await asyncio.sleep(180)
        assert w.engine.networks["pnr_shop"].id == made


def test_a_network_that_somebody_made_under_our_name_and_labels_is_made_anew() -> None:
    async def story() -> None:
        async with World() as w:
            w.files.write("shop", stack(networks={"default": MTU}))
            await w.until_settled()
            w.engine.remove_network_by_hand("pnr_shop")
            w.engine.plant_network("pnr_shop", domain="shop", driver="bridge")
            await w.until(lambda: w.engine.networks.get("pnr_shop") is not None and _ours(w), limit=200)
            await w.until_settled()
            assert all("pnr_shop" in c.networks for c in w.engine.containers.values())

    def _ours(w: World) -> bool:
        return bool(w.engine.networks["pnr_shop"].driver_opts)

    run(story())


def test_a_network_that_others_use_stays_until_they_do_not() -> None:
    async def story() -> None:
        async with World() as w:
            w.engine.plant_container("proxy")
            w.files.write("shop", STACK)
            await w.until_settled()
            w.engine.connect_by_hand("proxy", "pnr_shop")
            await asyncio.sleep(1)
            before = w.engine.networks["pnr_shop"].id
            w.files.write("shop", stack(networks={"default": MTU}))
            await w.until(lambda: any("proxy" in note for note in w.domain("shop")["notes"]))
            await asyncio.sleep(120)
            assert w.engine.networks["pnr_shop"].id == before
            assert w.running() >= {"shop_db", "shop_api", "shop_web"}
            w.engine.die("shop_web")
            await w.until(lambda: "shop_web" in w.running())
            w.engine.disconnect_by_hand("proxy", "pnr_shop")
            await w.until(lambda: w.engine.networks.get("pnr_shop") is not None and _new(w, before), limit=200)
            await w.until_settled()
            assert not any("proxy" in note for note in w.domain("shop")["notes"])

    def _new(w: World, before: str) -> bool:
        return w.engine.networks["pnr_shop"].id != before

    run(story())


async def test_an_engine_that_does_not_show_what_was_asked_is_not_asked_for_ever() -> None:
    class Forgetful(SimulatedEngine):
        def create_network(self, action: CreateNetwork) -> None:
            super().create_network(action)
            self.networks[action.name] = replace(self.networks[action.name], driver_opts={})

    async with World(Forgetful()) as w:
        w.files.write("shop", stack(networks={"default": MTU}))
        await w.until_settled()
        await asyncio.sleep(600)
        assert w.order("RemoveNetwork").count("RemoveNetwork pnr_shop") <= 1
        assert w.settled()


async def test_a_container_of_another_domain_comes_back_into_a_shared_network() -> None:
    async with World() as w:
        shared = {"networks": {"shared": {"external": True, "name": "pnr_shop"}}}
        guest = chunk("guest", "system_ready", container={"networks": ["default", "shared"]})
        w.files.write("shop", STACK)
        w.files.write("other", domain(guest, name="other", **shared))
        await w.until_settled()
        before = ids(w)
        w.files.write("shop", stack(networks={"default": MTU}))
        await w.until(lambda: bool(w.order("RemoveNetwork")))
        await w.until_settled()
        await w.until(lambda: "pnr_shop" in w.container("shop_guest").networks)
        assert ids(w) == before


@pytest.mark.parametrize("kind", ["fail", "lost", "late", "stutter", "deaf"])
@pytest.mark.parametrize("seed", range(3))
def test_making_a_network_anew_survives_an_engine_that_fails(kind: str, seed: int) -> None:
    async def story() -> None:
        async with World(seed=seed) as w:
            w.files.write("shop", STACK)
            await w.until_settled()
            before = ids(w)
            w.engine.strike(Fault(0, kind, 20.0))
            w.files.write("shop", stack(networks={"default": MTU}))
            await w.until(lambda: bool(w.engine.networks["pnr_shop"].driver_opts) if _there(w) else False)
            await w.until_settled()
            await w.until(lambda: all("pnr_shop" in c.networks for c in w.engine.containers.values()), limit=200)
            assert ids(w) == before

    def _there(w: World) -> bool:
        return "pnr_shop" in w.engine.networks

    run(story())


@pytest.mark.parametrize("milliseconds", [2, 6, 8, 11, 13, 16, 20])
async def test_a_controller_killed_while_it_replaces_a_network_goes_on_where_it_was(
    milliseconds: int,
) -> None:
    async with World() as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = ids(w)
        w.files.write("shop", stack(networks={"default": MTU}))
        await asyncio.sleep(milliseconds / 1000)
        await w.kill()
        w.start()
        await w.until(lambda: w.settled() and bool(w.engine.networks["pnr_shop"].driver_opts))
        await w.until(lambda: all("pnr_shop" in c.networks for c in w.engine.containers.values()), limit=200)
        assert ids(w) == before


async def test_a_network_that_no_chunk_uses_any_more_is_removed() -> None:
    async with World() as w:
        both = chunk("db", "system_ready", container={"networks": ["default", "back"]})
        w.files.write("shop", domain(both, networks={"back": {}}))
        await w.until_settled()
        assert {"pnr_shop", "pnr_shop_back"} <= w.engine.networks.keys()
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until(lambda: "pnr_shop_back" not in w.engine.networks)
        await w.until_settled()
        assert "pnr_shop" in w.engine.networks


async def test_a_network_left_over_stays_while_somebody_else_uses_it() -> None:
    async with World() as w:
        w.engine.plant_container("proxy")
        both = chunk("db", "system_ready", container={"networks": ["default", "back"]})
        w.files.write("shop", domain(both, networks={"back": {}}))
        await w.until_settled()
        w.engine.connect_by_hand("proxy", "pnr_shop_back")
        await asyncio.sleep(1)
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until(lambda: any("proxy" in note for note in w.domain("shop")["notes"]))
        await w.until_settled()
        await asyncio.sleep(120)
        assert "pnr_shop_back" in w.engine.networks


async def test_a_connection_that_somebody_changed_is_put_right_in_place() -> None:
    async with World() as w:
        networks = {"default": {"ipv4_address": "10.9.0.7"}}
        subnet = {"default": {"ipam": {"config": [{"subnet": "10.9.0.0/24"}]}}}
        w.files.write("shop", domain(chunk("db", "system_ready", container={"networks": networks}), networks=subnet))
        await w.until_settled()
        before = ids(w)
        right = w.container("shop_db").endpoints["pnr_shop"]
        assert right == {"aliases": ["db", "shop_db"], "ipv4_address": "10.9.0.7"}
        for wrong in ({"aliases": ["db"]}, {"aliases": ["db", "other"], "ipv4_address": "10.9.0.7"}):
            w.engine.disconnect_by_hand("shop_db", "pnr_shop")
            w.engine.connect_by_hand("shop_db", "pnr_shop", **wrong)
            await w.until(lambda: w.container("shop_db").endpoints.get("pnr_shop") == right)
            await w.until_settled()
        assert ids(w) == before
        assert len(w.engine.runs) == 1


class OldEngine(SimulatedEngine):
    """One that speaks an old API."""

    async def connect(self) -> EngineInfo:
        await super().connect()
        return EngineInfo("docker", "20.10.24", "1.41", "linux")


async def test_a_network_that_the_engine_can_not_make_is_told_and_not_made() -> None:
    async with World(OldEngine()) as w:
        w.files.write("shop", stack(networks={"default": {"enable_ipv4": False, "enable_ipv6": True}}))
        await w.until(lambda: w.chunk("db")["reason"] == "Unsupported")
        assert "enable_ipv4" in w.chunk("db")["message"]
        await asyncio.sleep(120)
        assert w.order("CreateNetwork", "CreateContainer") == []
        w.files.write("shop", STACK)
        await w.until_settled()


async def test_a_running_network_stays_when_its_new_declaration_can_not_be_honoured() -> None:
    async with World(OldEngine()) as w:
        w.files.write("shop", STACK)
        await w.until_settled()
        before = ids(w)
        w.files.write("shop", stack(networks={"default": {"enable_ipv4": False, "enable_ipv6": True}}))
        await asyncio.sleep(120)
        w.engine.die("shop_db")
        await w.until(lambda: "shop_db" in w.running())
        assert w.order("RemoveNetwork") == []
        assert ids(w) == before
        assert any("enable_ipv4" in note for note in w.domain("shop")["notes"])


@pytest.mark.parametrize("ignored", [False, True])
async def test_a_connection_that_nobody_declared_is_undone_unless_it_is_to_be_left_alone(ignored: bool) -> None:
    async with World() as w:
        w.engine.plant_network("theirs")
        more: dict[str, Any] = {"ignore_drift": ["networks"]} if ignored else {}
        w.files.write("shop", domain(chunk("db", "system_ready", **more)))
        await w.until_settled()
        w.engine.connect_by_hand("shop_db", "theirs")
        await asyncio.sleep(120)
        assert ("theirs" in w.container("shop_db").networks) is ignored
        assert w.settled()


async def test_an_address_that_the_engine_does_not_give_is_tried_once() -> None:
    class Deaf(SimulatedEngine):
        def _connect(self, c: Any, network: str, endpoint: dict[str, Any]) -> Any:
            return super()._connect(c, network, {"aliases": ["db"]})

    async with World(Deaf()) as w:
        networks = {"default": {"aliases": ["database"]}}
        w.files.write("shop", domain(chunk("db", "system_ready", container={"networks": networks})))
        await w.until_settled()
        w.engine.disconnect_by_hand("shop_db", "pnr_shop")
        await asyncio.sleep(600)
        assert w.settled()
        assert len(w.order("DisconnectNetwork")) <= 1


class SlowToMakeNetworks(SimulatedEngine):
    """Takes as long for a network as a busy engine does, and makes it though nobody waits for the answer. Meanwhile it
    makes no other."""

    is_at_it = False

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        if not isinstance(action, CreateNetwork):
            return await super().perform(action, progress)
        if self.is_at_it:
            raise EngineError("the simulated engine is busy")
        self.is_at_it = True

        async def make() -> Container | None:
            await asyncio.sleep(8.0)
            return await super(SlowToMakeNetworks, self).perform(action, progress)

        return await asyncio.shield(asyncio.create_task(make()))


async def test_what_a_killed_program_had_asked_for_is_not_left_behind() -> None:
    async with World(SlowToMakeNetworks()) as w:
        w.files.write("shop", STACK)
        await w.until(lambda: w.chunk("db")["reason"] == "Creating")
        await asyncio.sleep(1.0)
        await w.kill()
        w.files.remove("shop")
        w.start()
        await w.until(lambda: "shop" in w.held())
        w.ask_confirm("shop")
        await w.until(lambda: not w.view()["domains"])
        await asyncio.sleep(60.0)
        assert not [n for n in w.engine.networks.values() if n.domain is not None]
