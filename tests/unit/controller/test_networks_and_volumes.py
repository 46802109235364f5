"""What the loop knows of networks, and of who is connected to them, after a step of its own."""

from __future__ import annotations

from reconciler.controller import networks_and_volumes
from reconciler.controller.clock import SystemClock
from reconciler.controller.loop_state import LoopState
from reconciler.controller.recorder import Recorder
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import RemoveNetwork
from reconciler.planner.observed import Condition, Container, Network
from tests.simulation.world import Documents, Stores, Texts

WEB, DB = ChunkId("shop", "main", "web"), ChunkId("shop", "main", "db")


async def _at_once(call: object) -> None: ...


def test_a_look_from_before_a_networks_removal_does_not_show_it_as_connected() -> None:
    stores, clock = Stores(), SystemClock()
    known = LoopState(
        clock,
        Recorder(snapshots=Documents(stores), intents=Texts(stores), journal=stores, clock=clock, offload=_at_once),
    )
    known.world.networks["pnr_shop"] = Network("n1", "pnr_shop", "shop")
    for id, networks in ((WEB, {"pnr_shop": "10.0.0.2"}), (DB, {"other": "10.0.1.2"})):
        known.chunk_record(id)
        known.put(Container(f"c-{id}", f"shop_{id.chunk}", "x", "x", Condition.RUNNING, owner=id, networks=networks))
    asked = known.steps_done  # a look begins
    networks_and_volumes.step_done(known, "network:pnr_shop", RemoveNetwork("pnr_shop", "shop", True))
    assert known.world.containers[f"c-{WEB}"].networks == {}
    assert known.chunks[WEB].touched > asked  # its news is too old to tell
    assert known.chunks[DB].touched <= asked
