"""Ports of the host that pass from one container of ours to another, whose stops take more or less time: who is to have
one waits until it is free, and nobody is interrupted more than once."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from reconciler.engine.protocol import EngineError, Progress
from reconciler.engine.simulated import SimulatedEngine
from reconciler.planner.actions import Action, StopContainer
from reconciler.planner.observed import Condition, Container
from reconciler.states import State
from tests.simulation.test_plan_is_what_is_done import planned
from tests.simulation.world import World, chunk, domain

STOPS = {"a": 0.0, "b": 3.0, "c": 1000.0}  # at once, in a while, only when it is killed
ORDERS = list(itertools.permutations("abc"))


def slow_to_stop() -> SimulatedEngine:
    engine = SimulatedEngine(start_seconds=(0.2, 0.6))
    for name, seconds in STOPS.items():
        engine.fate(f"{name}:1").stops_after = seconds
    return engine


def publishing(name: str, port: int | str, *needs: str, ip: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    container = {"ports": [f"{ip}:{port}:80"], "stop_grace_period": "6s", **more.pop("container", {})}
    return chunk(name, *needs, container=container, **more)


def port_of(w: World, name: str) -> int:
    (ports,) = w.container(name).published.values()
    return ports[0].port


def rolled_back(w: World) -> list[Any]:
    return [e for e in w.stores.entries if e.get("reason") in ("RolledBack", "RollingBack")]


def interruptions(w: World, name: str) -> int:
    return sum(text.startswith(f"StopContainer {name}") for text in w.order("StopContainer"))


def is_passed_on_well(w: World, **ports: int) -> None:
    """Everybody has its port, was made and interrupted once for that, and nothing was rolled back."""
    assert {name: port_of(w, f"shop_{name}") for name in ports} == ports
    assert not rolled_back(w)
    for name in ports:
        assert w.made(f"shop_{name}") == 2
        assert interruptions(w, f"shop_{name}") == 1


@pytest.mark.parametrize("names", ORDERS)
async def test_who_is_to_have_a_port_waits_until_its_holder_has_given_it_up(names: tuple[str, ...]) -> None:
    taker, holder, _ = names
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing(taker, 8080), publishing(holder, 8081)))
        await w.until_settled()
        w.files.write("shop", domain(publishing(taker, 8081), publishing(holder, 8082)))
        await w.until(lambda: w.chunk(taker)["message"] != "running" and not w.settled())
        if STOPS[holder]:
            await w.until(lambda: "waiting for" in w.chunk(taker)["message"])
            said = f"waiting for container shop_{holder} of shop/main/{holder} to give up host port 8081"
            assert w.chunk(taker)["message"] == said
            assert w.chunk(taker)["state"] == State.EXECUTING
            assert w.container(f"shop_{taker}").condition is Condition.RUNNING
        await w.until_settled(limit=30)
        is_passed_on_well(w, **{taker: 8081, holder: 8082})


@pytest.mark.parametrize("holder", STOPS)
async def test_who_is_new_waits_for_the_port_of_one_that_is_to_go(holder: str) -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing(holder, 8080), chunk("keep")))
        await w.until_settled()
        w.files.write("shop", domain(publishing("new", 8080), chunk("keep")))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=30)
        assert port_of(w, "shop_new") == 8080
        assert w.made("shop_new") == 1
        assert not rolled_back(w)


@pytest.mark.parametrize("holder", STOPS)
async def test_a_domain_that_gets_another_name_in_its_file_keeps_its_port(holder: str) -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing(holder, 8080)))
        await w.until_settled()
        w.files.write("shop", domain(publishing(holder, 8080, container={"name": "other"}), name="market"))
        await asyncio.sleep(0.1)
        await w.until_settled("market", limit=30)
        assert port_of(w, "other") == 8080
        assert w.made("other") == 1
        assert not rolled_back(w)


@pytest.mark.parametrize(("had", "wanted"), [("*", "127.0.0.1"), ("127.0.0.1", "*"), ("0.0.0.0", "127.0.0.2")])
async def test_all_addresses_stand_in_the_way_of_one_and_one_of_all(had: str, wanted: str) -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081, ip=had)))
        await w.until_settled()
        w.files.write("shop", domain(publishing("a", 8081, ip=wanted), publishing("b", 8082, ip=had)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=30)
        is_passed_on_well(w, a=8081, b=8082)


async def test_a_port_of_another_protocol_is_another_port() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write(
            "shop",
            domain(publishing("a", 8080), publishing("c", 8083, container={"ports": ["8083:80", "8081:80/udp"]})),
        )
        await w.until_settled()
        w.files.write("shop", domain(publishing("a", 8081), publishing("c", 8084)))
        await w.until(lambda: w.chunk("a")["state"] == State.COMPLETED and port_of(w, "shop_a") == 8081)
        assert w.container("shop_c").published["80/udp"][0].port == 8081
        await w.until_settled(limit=30)


@pytest.mark.parametrize("by", [1, -1, 2])
@pytest.mark.parametrize("stops", [0.0, 3.0])
async def test_replicas_whose_ports_move_along_go_from_the_free_end(by: int, stops: float) -> None:
    def web(first: int) -> dict[str, Any]:
        made = publishing("web", f"{first}-{first + 2}", replicas=3)
        return domain(made)

    async with World(slow_to_stop()) as w:
        w.engine.fate("web:1").stops_after = stops
        w.files.write("shop", web(9000))
        await w.until_settled()
        w.files.write("shop", web(9000 + by))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        assert [port_of(w, f"shop_web-{n}") for n in (1, 2, 3)] == [9000 + by + n for n in range(3)]
        order = [text.split()[1] for text in w.order("StopContainer")]
        first = {1: [3, 2, 1], -1: [1, 2, 3], 2: [2, 3, 1]}[by]
        assert order == [f"shop_web-{n}" for n in first]
        assert not rolled_back(w)


def swapped(ports: tuple[int, ...], names: tuple[str, ...], apart: bool = False) -> dict[str, dict[str, Any]]:
    chunks = [publishing(name, port) for name, port in zip(names, ports, strict=True)]
    if not apart:
        return {"shop": domain(*chunks)}
    return {f"d{n}": domain(made, name=f"d{n}") for n, made in enumerate(chunks)}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("names", [*ORDERS, *itertools.permutations("abc", 2)])
async def test_those_who_exchange_their_ports_all_get_them(names: tuple[str, ...], apart: bool) -> None:
    before = tuple(8080 + n for n in range(len(names)))
    after = (*before[1:], before[0])
    async with World(slow_to_stop()) as w:
        for name, document in swapped(before, names, apart).items():
            w.files.write(name, document)
        await w.until_settled()
        for name, document in swapped(after, names, apart).items():
            w.files.write(name, document)
        await asyncio.sleep(0.1)
        await w.until_settled(limit=30)
        is_passed_on_well(w, **dict(zip(names, after, strict=True)))


@pytest.mark.parametrize("names", itertools.permutations("abc", 2))
async def test_two_that_exchange_ports_and_of_which_one_needs_the_other_both_get_them(names: tuple[str, ...]) -> None:
    one, other = names
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing(one, 8080), publishing(other, 8081, one)))
        await w.until_settled()
        w.files.write("shop", domain(publishing(one, 8081), publishing(other, 8080, one)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=30)
        is_passed_on_well(w, **{one: 8081, other: 8080})


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("holder", STOPS)
async def test_whose_gate_needs_one_that_waits_for_its_port_gives_that_up_first(holder: str, is_new: bool) -> None:
    taker = "a" if holder != "a" else "b"
    async with World(slow_to_stop()) as w:
        before = [] if is_new else [publishing(taker, 8080, container={"image": "ill:1"})]
        w.engine.fate("ill:1").ready_after = 1e9
        w.files.write("shop", domain(*before, publishing(holder, 8081)))
        await w.until(lambda: w.chunk(holder)["state"] == State.COMPLETED)
        await asyncio.sleep(5)
        w.files.write("shop", domain(publishing(taker, 8081), publishing(holder, 8082, taker)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        assert (port_of(w, f"shop_{taker}"), port_of(w, f"shop_{holder}")) == (8081, 8082)
        assert interruptions(w, f"shop_{holder}") == 1
        assert w.made(f"shop_{taker}") == 2 - is_new
        assert not rolled_back(w)


async def test_in_an_exchange_nothing_is_stopped_before_all_that_is_new_is_made() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081)))
        await w.until_settled()
        w.engine.fate("b:2").missing = True
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8080, container={"image": "b:2"})))
        await w.until(lambda: w.chunk("b")["reason"] == "ImagePullFailed")
        await asyncio.sleep(600)
        assert w.running() == {"shop_a", "shop_b"}
        assert w.order("StopContainer") == []
        assert "host port 8081 is held by container shop_b of shop/main/b" in w.chunk("a")["message"]
        w.engine.fate("b:2").missing = False
        await w.until_settled(limit=400)
        is_passed_on_well(w, a=8081, b=8080)


class Refusing(SimulatedEngine):
    """Refuses to stop a container, for once."""

    refuses = ""

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        if isinstance(action, StopContainer) and action.name == self.refuses:
            self.refuses = ""
            raise EngineError("cannot stop container: context deadline exceeded")
        return await super().perform(action, progress)


async def test_who_has_stopped_for_a_port_that_it_does_not_get_comes_back_until_it_does() -> None:
    async with World(Refusing(start_seconds=(0.2, 0.6))) as w:
        assert isinstance(w.engine, Refusing)
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081)))
        await w.until_settled()
        w.engine.refuses = "shop_b"
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8080)))
        await w.until(lambda: w.chunk("b")["reason"] == "RolledBack")
        await w.until(lambda: port_of(w, "shop_a") == 8080 and port_of(w, "shop_b") == 8081, limit=20)
        await w.until(lambda: w.chunk("a")["reason"] == "PortInUse", limit=20)
        await w.until_settled(limit=400)
        assert (port_of(w, "shop_a"), port_of(w, "shop_b")) == (8081, 8080)


async def test_an_exchange_that_is_taken_back_half_way_leaves_all_as_they_were() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("c", 8081)))
        await w.until_settled()
        w.files.write("shop", domain(publishing("a", 8081), publishing("c", 8080)))
        await w.until(lambda: w.container("shop_a").condition is Condition.EXITED)
        w.files.write("shop", domain(publishing("a", 8080), publishing("c", 8081)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        assert (port_of(w, "shop_a"), port_of(w, "shop_c")) == (8080, 8081)


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.0, 2.0, 4.0, 7.0])
async def test_a_program_that_comes_back_completes_an_exchange(seconds: float) -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081), publishing("c", 8082)))
        await w.until_settled()
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8082), publishing("c", 8080)))
        await asyncio.sleep(seconds)
        await w.kill()
        await asyncio.sleep(1)
        w.start()
        await asyncio.sleep(1)
        await w.until_settled(limit=60)
        assert [port_of(w, f"shop_{name}") for name in "abc"] == [8081, 8082, 8080]
        assert [w.made(f"shop_{name}") for name in "abc"] == [2, 2, 2]


async def test_a_bad_version_in_an_exchange_is_rolled_back_as_ever() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081)))
        await w.until_settled()
        w.engine.fate("b:2").exit_code = 1
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8080, container={"image": "b:2"})))
        await w.until(lambda: w.chunk("b")["reason"] == "RolledBack")
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8080)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        assert (port_of(w, "shop_a"), port_of(w, "shop_b")) == (8081, 8080)


async def test_a_port_of_who_was_rolled_back_is_waited_for_without_an_interruption() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080), publishing("b", 8081)))
        await w.until_settled()
        w.engine.fate("b:2").exit_code = 1
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8082, container={"image": "b:2"})))
        await w.until(lambda: w.chunk("b")["reason"] == "RolledBack")
        await asyncio.sleep(600)
        a = w.chunk("a")
        if a["reason"] == "PortInUse":
            assert "host port 8081 is held by container shop_b of shop/main/b, which keeps it" in a["message"]
            assert interruptions(w, "shop_a") == 0
        w.files.write("shop", domain(publishing("a", 8081), publishing("b", 8082)))
        await asyncio.sleep(0.1)
        await w.until_settled(limit=60)
        assert (port_of(w, "shop_a"), port_of(w, "shop_b")) == (8081, 8082)


async def test_the_port_of_a_removal_that_is_held_is_told_and_taken_once_it_is_confirmed() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("b", 8081)))
        w.files.write("second", domain(chunk("x", container={"name": "second"}), name="second"))
        await w.until_settled()
        w.files.texts.clear()
        w.files.write("shop", domain(publishing("a", 8081), name="market"))
        await asyncio.sleep(60)
        assert w.held() == {"shop", "second"}
        assert "whose file is gone and whose removal is held" in w.chunk("a", "market")["message"]
        assert w.made("shop_a") == 0
        w.ask_confirm()
        await w.until_settled("market", limit=30)
        assert port_of(w, "shop_a") == 8081


async def test_a_port_that_a_process_holds_is_tried_and_told() -> None:
    async with World(slow_to_stop()) as w:
        w.files.write("shop", domain(publishing("a", 8080)))
        await w.until_settled()
        w.engine.plant_container("squatter", port=8081)
        w.files.write("shop", domain(publishing("a", 8081)))
        await w.until(lambda: w.chunk("a")["reason"] == "RolledBack")
        assert "host port 8081 is held by container squatter" in w.chunk("a")["message"]


def test_a_plan_of_an_exchange_stops_all_before_it_starts_any() -> None:
    before = domain(publishing("a", 8080), publishing("b", 8081), publishing("c", 8082))
    text = planned(before, domain(publishing("a", 8081), publishing("b", 8082), publishing("c", 8080)))
    words = ("CreateContainer", "StopContainer", "StartContainer")
    order = [word for line in text.splitlines() for word in words if word in line]
    assert order == [word for word in words for _ in range(3)]


def test_a_plan_of_replicas_goes_from_the_free_end() -> None:
    def web(first: int) -> dict[str, Any]:
        return domain(publishing("web", f"{first}-{first + 2}", replicas=3))

    text = planned(web(9000), web(9001))
    places = [text.index(f"StopContainer shop_web-{n},") for n in (3, 2, 1)]
    assert places == sorted(places)


def test_a_plan_stops_who_has_a_port_before_who_is_to_have_it() -> None:
    text = planned(
        domain(publishing("a", 8080), publishing("b", 8081)), domain(publishing("a", 8081), publishing("b", 8082))
    )
    assert text.index("StopContainer shop_b,") < text.index("StopContainer shop_a,")
