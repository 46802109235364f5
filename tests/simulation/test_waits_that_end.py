"""Who waits for a domain is told when it is as declared, and no sooner; and when it can't be, instead of never."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.daemon.verdict import FAILED, SETTLED, exit_code, finished_applying
from tests.simulation.virtual_time import run
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
def test_what_is_external_and_is_not_there_is_a_failure_until_it_appears(document: dict[str, Any], what: str) -> None:
    async def story() -> None:
        async with World() as w:
            w.files.write("shop", document)
            await w.until(lambda: w.chunk("web")["reason"] == "ExternalMissing")
            said = w.chunk("web")
            assert (said["state"], finished_applying(w.view()), exit_code(w.view())) == ("failed", True, FAILED)
            assert said["message"] == f"waiting for {what}, which is declared external and does not exist"
            assert w.engine.containers == {}
            if what == "network lan":
                w.engine.plant_network("lan")
            else:
                w.engine.plant_volume("data")
            await w.until_settled()
            assert exit_code(w.view()) == SETTLED

    run(story())


def test_what_another_domain_makes_is_waited_for() -> None:
    async def story() -> None:
        async with World() as w:
            base = domain(
                chunk("db", "system_ready", container={**LAN, "name": "base_db"}), networks={"lan": {"name": "lan"}}
            )
            w.files.write("base", {**base, "name": "base"})
            w.files.write("shop", joined(external=True))
            await w.until(lambda: w.chunk("web")["state"] == "completed")
            assert "ExternalMissing" not in str(w.stores.entries)

    run(story())


def test_a_domain_is_not_settled_before_its_network_is_made_anew() -> None:
    async def story() -> None:
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

    run(story())
