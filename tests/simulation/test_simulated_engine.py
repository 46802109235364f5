"""The simulated engine itself: Docker's rules, misfortune on demand, and the same story for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from reconciler.daemon.simulation import SimulatedRuntime, simulated_probe_factory
from reconciler.engine.protocol import (
    Engine,
    EngineError,
    EngineUnavailable,
    Glimpse,
    ImagePullFailed,
    NameConflict,
    NotFound,
    PortInUse,
    StartFailed,
)
from reconciler.engine.simulated import Fault, NotOurs, SimulatedEngine, schedule
from reconciler.intent.model import Chunk, Kind, NetworkSpec
from reconciler.planner.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    EnsureImage,
    RemoveContainer,
    RemoveNetwork,
    RenameContainer,
    StartContainer,
    StopContainer,
)
from reconciler.planner.observed import Condition, Container
from reconciler.probes.protocol import Target
from tests.simulation.virtual_time import run
from tests.unit.planner.build import TCP, chunk

PORT_8080 = {"ports": [{"target": "80/tcp", "host_ip": "127.0.0.1", "published": 8080}]}
WEB = chunk("web")


async def up(engine: SimulatedEngine, of: Chunk = WEB) -> Container:
    """Have the chunk's container created and started."""
    await created(engine, of)
    started = await engine.perform(StartContainer(of.container.name))
    assert started is not None
    return started


async def created(engine: SimulatedEngine, of: Chunk = WEB) -> Container:
    for network in of.container.networks:
        await engine.perform(CreateNetwork(network, of.id.domain, NetworkSpec(network)))
    await engine.perform(EnsureImage(of.container.image, None, "missing"))
    made = await engine.perform(CreateContainer(of.container.name, of, 1, 1))
    assert made is not None
    return made


def in_virtual_time(story: Callable[[SimulatedEngine], Awaitable[None]], **options: object) -> SimulatedEngine:
    engine = SimulatedEngine(**options)  # type: ignore[arg-type]

    async def tell() -> None:
        await story(engine)
        await engine.close()

    run(tell())
    return engine


async def test_it_is_an_engine() -> None:
    engine: Engine = SimulatedEngine()

    assert str(await engine.connect()) == "simulated 1"


def test_repeating_what_is_done_changes_nothing() -> None:
    async def story(engine: SimulatedEngine) -> None:
        first = await up(engine)
        again = await up(engine)
        assert (again.id, again.run) == (first.id, first.run)
        assert engine.runs == ["shop_web"]
        stopped = await engine.perform(StopContainer("shop_web", 10.0))
        assert await engine.perform(StopContainer("shop_web", 10.0)) == stopped
        await engine.perform(RemoveContainer("shop_web"))
        await engine.perform(RemoveContainer("shop_web"))
        assert await engine.perform(StopContainer("shop_web", 10.0)) is None
        await engine.perform(RemoveNetwork("pnr_shop", "shop"))
        await engine.perform(RemoveNetwork("pnr_shop", "shop"))

    in_virtual_time(story)


def test_every_start_is_a_new_run_and_only_what_runs_has_addresses_and_ports() -> None:
    async def story(engine: SimulatedEngine) -> None:
        of = chunk("web", settings=PORT_8080)
        made = await created(engine, of)
        assert (made.run, made.published, made.networks) == ("", {}, {"pnr_shop": ""})
        first = await up(engine, of)
        assert first.published["80/tcp"][0].port == 8080
        assert first.networks["pnr_shop"]
        engine.die("shop_web", 3, oom=True)
        ended = engine.named("shop_web")
        assert (ended.exit_code, ended.oom_killed, ended.published) == (3, True, {})
        assert (await up(engine, of)).run not in ("", first.run)

    in_virtual_time(story)


def test_names_ports_images_and_networks_are_guarded_as_docker_guards_them() -> None:
    async def story(engine: SimulatedEngine) -> None:
        engine.plant_container("taken")
        engine.plant_container("squatter", port=8080)
        of = chunk("web", settings=PORT_8080)
        with pytest.raises(NotFound, match="no image"):
            await engine.perform(CreateContainer("shop_web", of, 1, 1))
        made = await created(engine, of)
        with pytest.raises(NameConflict, match="taken"):
            await engine.perform(CreateContainer("taken", of, 1, 1))
        with pytest.raises(NameConflict, match="taken"):
            await engine.perform(RenameContainer("shop_web", "taken"))
        with pytest.raises(PortInUse, match=r"8080 .* squatter"):
            await engine.perform(StartContainer("shop_web"))
        other = {"ports": [{"target": "80/tcp", "host_ip": "127.0.0.2", "published": 8080}]}
        by_udp = {"ports": [{"target": "80/udp", "host_ip": "127.0.0.1", "published": 8080}]}
        for name, settings in (("beside", other), ("by_udp", by_udp)):
            beside = chunk(name, settings=settings)
            await created(engine, beside)
            await engine.perform(StartContainer(beside.container.name))
            engine.die(beside.container.name)
        engine.die("squatter")
        await engine.perform(StartContainer("shop_web"))
        with pytest.raises(EngineError, match="active endpoints: shop_web"):
            await engine.perform(RemoveNetwork("pnr_shop", "shop"))
        with pytest.raises(NotFound):
            await engine.perform(ConnectNetwork("shop_web", "nowhere", ()))
        engine.fate("gone:1").missing = True
        with pytest.raises(ImagePullFailed, match="gone:1"):
            await engine.perform(EnsureImage("gone:1", None, "missing"))
        engine.die("shop_web")
        await engine.perform(RemoveNetwork("pnr_shop", "shop"))
        with pytest.raises(StartFailed, match="pnr_shop not found"):
            await engine.perform(StartContainer(made.name))

    in_virtual_time(story)


def test_an_attempt_on_what_is_not_ours_is_refused_and_remembered() -> None:
    async def story(engine: SimulatedEngine) -> None:
        theirs = engine.plant_container("theirs")
        engine.plant_network("their_net")
        for action in (
            StopContainer("theirs", 1.0),
            StartContainer("theirs"),
            RemoveContainer("theirs"),
            RenameContainer("theirs", "ours"),
            ConnectNetwork("theirs", "their_net", ()),
            RemoveNetwork("their_net", "shop"),
        ):
            with pytest.raises(NotOurs):
                await engine.perform(action)
        assert engine.containers == {theirs.id: theirs}
        assert "their_net" in engine.networks

    assert len(in_virtual_time(story).trespasses) == 6


def test_changes_are_hinted_at_and_a_hint_names_the_owner() -> None:
    async def story(engine: SimulatedEngine) -> None:
        hints: list[Glimpse] = []

        async def listen() -> None:
            async for hint in engine.glimpses():
                hints.append(hint)

        listening = asyncio.get_running_loop().create_task(listen())
        await asyncio.sleep(0)
        started = await up(engine)
        engine.die("shop_web")
        await asyncio.sleep(1)
        assert hints[0] == Glimpse(None)
        assert {h.owner for h in hints if h.container_id == started.id} == {WEB.id}
        before = len(hints)
        engine.strike(Fault(0.0, "deaf", 5.0))
        await engine.perform(StartContainer("shop_web"))
        engine.die("shop_web")
        await asyncio.sleep(5)
        assert len(hints) == before
        engine.strike(Fault(0.0, "stutter", 5.0))
        await engine.perform(RemoveContainer("shop_web"))
        await asyncio.sleep(5)
        assert len(hints) == before + 2
        engine.go_down()
        with pytest.raises(EngineUnavailable):
            await listening

    in_virtual_time(story)


def test_an_engine_that_is_down_answers_nobody_and_breaks_off_what_is_under_way() -> None:
    async def story(engine: SimulatedEngine) -> None:
        await created(engine)
        starting = asyncio.get_running_loop().create_task(engine.perform(StartContainer("shop_web")))
        await asyncio.sleep(0.05)
        engine.go_down()
        engine.come_back()
        with pytest.raises(EngineUnavailable):
            await starting
        engine.go_down()
        for call in (engine.ping, engine.observe, engine.connect):
            with pytest.raises(EngineUnavailable):
                await call()
        engine.come_back()
        await engine.ping()
        assert engine.named("shop_web").condition is Condition.CREATED

    in_virtual_time(story)


@pytest.mark.parametrize("comes_back", [SimulatedEngine.come_back, SimulatedEngine.clear_weather])
def test_after_a_reboot_it_has_started_once_what_it_is_to_start_before_it_answers(
    comes_back: Callable[[SimulatedEngine], None],
) -> None:
    async def story(engine: SimulatedEngine) -> None:
        web = chunk("web", settings={"restart": "unless-stopped"})
        await created(engine, web)
        await engine.perform(StartContainer("shop_web"))
        engine.strike(Fault(0.0, "reboot", 60.0))
        assert engine.named("shop_web").condition is Condition.EXITED
        comes_back(engine)
        assert engine.named("shop_web").condition is Condition.RUNNING
        await engine.perform(StopContainer("shop_web", 10))
        await asyncio.sleep(120)
        assert engine.named("shop_web").condition is Condition.EXITED

    in_virtual_time(story)


def test_what_has_begun_goes_on_when_the_asker_is_gone_but_a_pull_does_not() -> None:
    async def story(engine: SimulatedEngine) -> None:
        await created(engine)
        starting = asyncio.get_running_loop().create_task(engine.perform(StartContainer("shop_web")))
        pulling = asyncio.get_running_loop().create_task(engine.perform(EnsureImage("big:1", None, "missing")))
        await asyncio.sleep(0.05)
        starting.cancel()
        pulling.cancel()
        await asyncio.sleep(10)
        assert engine.named("shop_web").condition is Condition.RUNNING
        assert "big:1" not in engine.images

    in_virtual_time(story)


def test_a_lost_answer_means_done_and_a_failed_call_means_not_done() -> None:
    async def story(engine: SimulatedEngine) -> None:
        for kind in ("fail", "lost"):
            engine.strike(Fault(0.0, kind, 1000.0))
            outcomes = set()
            for n in range(30):
                network = f"{kind}{n}"
                try:
                    await engine.perform(CreateNetwork(network, "shop", NetworkSpec(network)))
                    outcomes.add((True, network in engine.networks))
                except EngineError:
                    outcomes.add((False, network in engine.networks))
            assert outcomes == {(True, True), (False, kind == "lost")}
            engine.clear_weather()

    in_virtual_time(story)


def test_a_container_is_ready_after_its_time_and_ill_when_it_is_made_so() -> None:
    async def story(engine: SimulatedEngine) -> None:
        engine.fate("nginx:1").ready_after = 10.0
        started = await up(engine)
        probe = simulated_probe_factory(engine)(TCP, engine)

        async def answers() -> tuple[bool, str | None, bool]:
            seen = await engine.look(started.id)
            assert seen is not None
            result = await probe.probe(Target(seen))
            exit_code, _ = await engine.run_inside(seen.id, ["true"], 1.0)
            return result.ok, seen.health, exit_code == 0

        assert await answers() == (False, "starting", False)
        await asyncio.sleep(10)
        assert await answers() == (True, "healthy", True)
        engine.make_ill("shop_web")
        assert await answers() == (False, "unhealthy", False)
        engine.make_ill("shop_web", False)
        engine.pause_by_hand("shop_web")
        assert (await answers())[0] is False

    in_virtual_time(story)


def test_a_ready_container_answers_its_own_facts_as_declared() -> None:
    async def story(engine: SimulatedEngine) -> None:
        runtime = SimulatedRuntime(engine)
        changes = runtime.changes()
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        await up(engine)
        assert await first == WEB.id
        await asyncio.sleep(1)
        assert runtime.read(WEB.id).answers == WEB.flowout
        engine.die("shop_web")
        assert runtime.read(WEB.id).answers == {}
        await changes.aclose()  # type: ignore[attr-defined]

    in_virtual_time(story)


def test_a_job_ends_by_itself_and_a_fate_can_say_how() -> None:
    async def story(engine: SimulatedEngine) -> None:
        job = replace(chunk("job", image="job:1"), kind=Kind.JOB)
        await up(engine, job)
        await asyncio.sleep(2)
        assert engine.named("shop_job").exit_code == 0
        engine.fate("nginx:1").exit_code = 7
        engine.fate("nginx:1").exit_after = 3.0
        await up(engine)
        await asyncio.sleep(2)
        assert engine.named("shop_web").condition is Condition.RUNNING
        await asyncio.sleep(2)
        assert engine.named("shop_web").exit_code == 7
        assert "shop_web" in await engine.last_output(engine.named("shop_web").id)

    in_virtual_time(story)


def test_a_look_shows_what_was_there_when_it_was_asked_for() -> None:
    async def story(engine: SimulatedEngine) -> None:
        started = await up(engine)
        looking = asyncio.get_running_loop().create_task(engine.look(started.id))
        everything = asyncio.get_running_loop().create_task(engine.observe())
        await asyncio.sleep(0)
        engine.remove_by_hand("shop_web")
        assert await looking == started
        assert started.id in (await everything).containers
        assert await engine.look(started.id) is None

    in_virtual_time(story)


def test_a_schedule_is_the_same_for_the_same_seed_and_hits_only_what_is_ours() -> None:
    assert schedule(5) == schedule(5) != schedule(6)
    assert list(schedule(5)) == sorted(schedule(5), key=lambda fault: fault.at)

    async def story(engine: SimulatedEngine) -> None:
        engine.plant_container("theirs")
        await engine.connect()
        await up(engine)
        await asyncio.sleep(400)
        assert engine.named("theirs").condition is Condition.RUNNING

    faults = tuple(Fault(float(n), "stop", pick=n / 10) for n in range(10))
    engine = in_virtual_time(story, faults=faults)
    assert engine.named("shop_web").condition is Condition.EXITED
