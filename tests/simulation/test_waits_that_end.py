"""Who waits for a domain is told when it is as declared, and no sooner; and when it can't be, instead of never."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.controller.records import LookNow
from reconciler.daemon.verdict import FAILED, SETTLED, exit_code, finished_applying
from reconciler.planner.observed import Observed
from reconciler.sentences import taken_apart
from tests.simulation.world import World, chunk, domain

LAN: dict[str, Any] = {"networks": ["lan"]}


def joined(**lan: Any) -> dict[str, Any]:
    return domain(chunk("web", "system_ready", container=LAN), networks={"lan": {"name": "lan", **lan}})


def mounting(**data: Any) -> dict[str, Any]:
    mount = {"volumes": ["data:/data"]}
    return domain(chunk("web", "system_ready", container=mount), volumes={"data": {"name": "data", **data}})


@pytest.mark.parametrize(
    ("document", "what"), [(joined(external=True), "network lan"), (mounting(external=True), "volume data")]
)
async def test_what_is_external_and_is_not_there_is_a_failure_until_it_appears(
    document: dict[str, Any], what: str
) -> None:
    async with World() as w:
        w.files.write("shop", document)
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        said = w.chunk("web")
        assert (said["state"], finished_applying(w.view()), exit_code(w.view())) == ("failed", True, FAILED)
        cause, step = taken_apart(said["message"])
        assert cause == f"waiting for {what}, which is declared external and does not exist"
        assert step.startswith(f"make it (`docker {what.replace(' ', ' create ')}`)")
        assert w.engine.containers == {}
        if what == "network lan":
            w.engine.plant_network("lan")
        else:
            w.engine.plant_volume("data")
        await w.until_settled()
        assert exit_code(w.view()) == SETTLED


@pytest.mark.parametrize(
    "settings",
    [{"network_mode": "container:vpn"}, {"pid": "container:vpn"}, {"volumes_from": ["container:vpn"]}],
)
async def test_a_container_that_nobody_makes_is_a_failure_until_it_appears(settings: dict[str, Any]) -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("web", "system_ready", container=settings, health_check=None)))
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        cause, step = taken_apart(w.chunk("web")["message"])
        assert cause == "waiting for container vpn, which does not exist and no domain makes"
        assert f"`{next(iter(settings))}`" in step
        assert (finished_applying(w.view()), exit_code(w.view())) == (True, FAILED)
        w.engine.plant_container("vpn")
        await w.until_settled()
        assert exit_code(w.view()) == SETTLED


async def test_a_container_that_a_domain_is_about_to_make_is_waited_for() -> None:
    async with World() as w:
        sharing = chunk("web", "system_ready", container={"network_mode": "container:shop_db"}, health_check=None)
        w.files.write("shop", domain(chunk("db", "system_ready"), name="shop"))
        w.files.write("side", domain(sharing, name="side"))
        await w.until_settled()


@pytest.mark.parametrize("only", [True, False])
async def test_an_external_resource_that_vanishes_is_a_failure_until_its_quiet_return(only: bool) -> None:
    async with World() as w:
        w.engine.plant_network("lan")
        networks = ["lan"] if only else ["lan", "default"]
        web = chunk("web", "system_ready", container={"networks": networks})
        w.files.write("shop", domain(web, chunk("cart", "web"), networks={"lan": {"external": True}}))
        await w.until_settled()
        before = {c.name: c.run for c in w.engine.containers.values()}
        w.engine.remove_network_by_hand("lan")
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        # Longer than any health check or deadline: what is unreachable for want of the network is not ill.
        await asyncio.sleep(900)
        said = w.chunk("web")
        assert (said["state"], said["reason"]) == ("failed", "ExternalMissing")
        cause, _ = taken_apart(said["message"])
        assert cause == "waiting for network lan, which is declared external and does not exist"
        assert (w.fact("web_ready"), w.chunk("cart")["state"]) == ("N" if only else "Y", "completed")
        assert (finished_applying(w.view()), exit_code(w.view())) == (True, FAILED)
        w.engine.plant_network("lan")
        await w.until_settled()
        await w.until(lambda: w.fact("web_ready") == "Y")
        await asyncio.sleep(900)
        assert w.settled()
        assert {c.name: c.run for c in w.engine.containers.values()} == before
        assert w.container("shop_web").networks.keys() == {"lan" if name == "lan" else "pnr_shop" for name in networks}


async def test_a_container_that_lacks_a_network_is_stopped_when_its_gate_closes() -> None:
    async with World() as w:
        w.engine.plant_network("lan")
        web = chunk("web", "db", on_gate_close="stop", container={"networks": ["lan", "default"]})
        w.files.write("shop", domain(chunk("db", "system_ready"), web, networks={"lan": {"external": True}}))
        await w.until_settled()
        w.engine.remove_network_by_hand("lan")
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        w.engine.make_ill("shop_db")
        await w.until(lambda: "shop_web" not in w.running())


async def test_an_external_volume_gone_with_its_container_is_a_failure_until_it_is_back() -> None:
    async with World() as w:
        w.engine.plant_volume("data")
        w.files.write("shop", mounting(external=True))
        await w.until_settled()
        w.engine.volumes.pop("data")
        w.engine.remove_by_hand("shop_web")
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        await asyncio.sleep(120)
        assert (w.chunk("web")["state"], len(w.engine.containers)) == ("failed", 0)
        w.engine.plant_volume("data")
        await w.until_settled()


async def test_who_asks_for_a_look_waits_for_one_that_began_since_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with World() as w:
        controller = w.controller
        assert controller is not None
        observe = w.engine.observe

        async def slowly() -> Observed:
            seen = await observe()
            await asyncio.sleep(7)
            return seen

        w.files.write("shop", joined(external=True))
        await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
        monkeypatch.setattr(w.engine, "observe", slowly)
        controller.post(LookNow())
        await asyncio.sleep(1)  # a look is under way that does not see what comes now
        w.engine.plant_network("lan")
        await controller.look_now(())
        assert not finished_applying(w.view())
        await w.until(lambda: finished_applying(w.view()))
        assert exit_code(w.view()) == SETTLED


async def test_a_wait_for_a_look_ends_where_nothing_is_declared_or_the_engine_is_down() -> None:
    async with World() as w:
        controller = w.controller
        assert controller is not None
        await w.until(lambda: controller.first_pass_done)
        async with asyncio.timeout(60):
            await controller.look_now(())
            await controller.look_at_source()
            w.engine.go_down()
            await w.until(lambda: not controller.known.engine_up)
            await controller.look_now(())


async def test_what_another_domain_makes_is_waited_for() -> None:
    async with World() as w:
        base = domain(
            chunk("db", "system_ready", container={**LAN, "name": "base_db"}), networks={"lan": {"name": "lan"}}
        )
        w.files.write("base", {**base, "name": "base"})
        w.files.write("shop", joined(external=True))
        await w.until(lambda: w.chunk("web")["state"] == "completed")
        assert "ExternalMissing" not in str(w.stores.entries)


async def test_a_domain_is_not_settled_before_its_network_is_made_anew() -> None:
    async with World() as w:
        w.files.write("shop", joined(labels={"a": "b"}))
        await w.until_settled()
        first = w.engine.networks["lan"].id
        await w.kill()
        w.files.write("shop", joined(labels={"a": "c"}))
        w.start()
        early: list[str] = []

        def is_done() -> bool:
            if w.domain("shop").get("generation") != 2:
                return False
            made = w.engine.networks.get("lan")
            if (made is None or made.id == first) and (w.settled("shop") or finished_applying(w.view())):
                early.append(w.domain("shop")["cpuxs"][0]["chunks"][0]["reason"])
            return finished_applying(w.view())

        await w.until(is_done)
        assert early == []
        working = {**w.view(), "domains": [{**w.domain("shop"), "arranging": True}]}
        assert not finished_applying(working)
        assert w.engine.networks["lan"].id != first
        assert w.engine.networks["lan"].labels["a"] == "c"
        assert w.settled("shop")


async def test_what_is_added_to_a_stack_that_runs_waits_until_that_has_answered_again() -> None:
    async with World() as w:
        w.files.write("shop", domain(chunk("db", "system_ready")))
        await w.until_settled()
        await asyncio.sleep(1)
        await w.kill()
        w.engine.make_ill("shop_db")  # as slow to answer as a real one may be
        w.files.write("shop", domain(chunk("db", "system_ready"), chunk("web", "db")))
        w.start()
        await w.until(lambda: w.chunk("web")["reason"] == "WaitingForGatekeeper")
        assert (w.chunk("db")["state"], w.fact("db_ready")) == ("completed", "U")
        assert not w.domain("shop")["stalled"]
        assert not finished_applying(w.view())
        w.engine.make_ill("shop_db", False)
        await w.until(lambda: finished_applying(w.view()))
        assert exit_code(w.view()) == SETTLED
