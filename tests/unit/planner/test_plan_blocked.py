"""What a plan says of the chunks for which nothing can be done now, and of copies that are updated in turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.daemon.rehearsal.rehearse import Rehearsed
from reconciler.intent.model import Chunk, Domain, NetworkSpec, VolumeSpec
from reconciler.planner.capabilities import Connected
from reconciler.planner.observed import Network, Observed
from reconciler.planner.retry_state import Failure, RetryState
from reconciler.states import Reason
from tests.planned import Wish, plan_all
from tests.unit.planner.build import chunk, container, domain

OLD = Connected("docker 20.10.24", "1.41", "linux")
NEW = Connected("docker 28.5.2", "1.51", "linux")
HERE = {"pnr_shop": Network("n1", "pnr_shop", "shop")}


def blocked(whole: Rehearsed) -> dict[str, str]:
    return {one.id.unit: f"{one.reason}: {one.message}" for one in whole.blocked}


def planned(of: Domain, seen: Observed | None = None, **more: Any) -> Rehearsed:
    return plan_all([Wish("shop", of)], seen or Observed({}, HERE), **more)


def copies(number: int, digest: str) -> list[Chunk]:
    one = chunk("web", replicas=number, digest=digest)
    made = []
    for id in one.id.copies(number):
        made.append(replace(one, id=id, container=replace(one.container, name=f"shop_web-{id.replica}")))
    return made


def seen(*chunks: Chunk) -> Observed:
    return Observed({f"{c.id}": replace(container(c), id=f"{c.id}", replica=c.id.replica) for c in chunks}, HERE)


def test_what_the_engine_can_not_honour_is_in_the_plan_with_its_version() -> None:
    of = domain(chunk("web", settings={"annotations": {"a": "1"}}), chunk("db"))
    whole = planned(of, connected=OLD)
    assert blocked(whole) == {
        "web": "Unsupported: annotations takes an engine of API 1.43; docker 20.10.24 speaks 1.41: leave it out, or"
        " upgrade"
    }
    assert {step.resource for step in whole.plan} == {"shop/main/db"}
    assert blocked(planned(of, connected=NEW)) == {}


def test_a_network_that_the_engine_can_not_make_is_not_in_the_plan() -> None:
    of = replace(domain(chunk("web")), networks=(NetworkSpec("pnr_shop", enable_ipv4=False),))
    whole = plan_all([Wish("shop", of)], Observed(), connected=OLD)
    assert len(whole.plan) == 0
    assert "enable_ipv4 false" in blocked(whole)["web"]
    made = plan_all([Wish("shop", of)], Observed(), connected=NEW).plan
    assert next(step.action.describe() for step in made) == "CreateNetwork pnr_shop"


def test_what_is_external_and_is_not_there_is_named() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data", "read_only": False}
    web = chunk("web", settings={"volumes": [mount]})
    of = replace(domain(web), volumes=(VolumeSpec("data", external=True),))
    whole = planned(of)
    assert blocked(whole) == {
        "web": "ExternalMissing: waiting for volume data, which is declared external and does not exist; what to do:"
        " make it (`docker volume create data`), or correct its name in the domain file"
    }
    assert len(whole.plan) == 0


def test_a_container_of_nobody_who_is_declared_is_named() -> None:
    whole = planned(domain(chunk("web", settings={"network_mode": "container:vpn"}, networks={})))
    assert blocked(whole) == {
        "web": "ExternalMissing: waiting for container vpn, which does not exist and no domain makes; what to do:"
        " start it, or correct its name in `network_mode` of the domain file"
    }


def test_copies_are_updated_one_after_the_other() -> None:
    before, after = copies(3, "d1"), copies(3, "d2")
    whole = planned(domain(*after), seen(*before))
    last: dict[str, int] = {}
    for step in whole.plan:
        if step.resource not in last and last:
            assert max(last.values()) in step.after
        last[step.resource] = step.number
    assert list(last) == ["shop/main/web", "shop/main/web#2", "shop/main/web#3"]
    assert whole.blocked == ()


def test_copies_that_are_new_wait_for_nobody() -> None:
    whole = planned(domain(*copies(2, "d1")))
    firsts = {step.resource: step for step in reversed(list(whole.plan))}
    assert [step.after for step in firsts.values()] == [(), ()]


def test_what_failed_on_one_replica_is_tried_again_there_before_the_others() -> None:
    before, after = copies(2, "d1"), copies(2, "d2")
    failed = RetryState(rejected="d2", failure=Failure(Reason.DEADLINE_EXCEEDED, "no answer"))
    whole = planned(domain(*after), seen(*before), memories={after[0].id: failed})
    assert list(dict.fromkeys(step.resource for step in whole.plan)) == ["shop/main/web", "shop/main/web#2"]
    assert blocked(whole) == {}
