"""The life of a container through actions, each of them safe to repeat."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import (
    CreateFailed,
    EngineError,
    NameConflict,
    NotFound,
    OutOfDate,
    PortInUse,
    StartFailed,
)
from reconciler.intent.model import FactsMode
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    RemoveContainer,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from reconciler.planner.observed import Condition
from tests.integration.engine.bench import Bench, eventually

pytestmark = pytest.mark.docker


async def test_a_container_lives_and_goes_through_actions(engine: DockerEngine, bench: Bench) -> None:
    chunk = bench.chunk(command=["sleep", "500"], environment={"A": "1"})
    created = await engine.perform(bench.creation(chunk, ANSWER="yes"))
    assert created is not None
    assert (created.owner, created.spec, created.generation, created.replica) == (chunk.id, "d1", 7, 1)
    assert (created.condition, created.run, created.exit_code) == (Condition.CREATED, "", None)
    assert created.settings is not None
    assert created.settings["command"] == ["sleep", "500"]
    assert {"A": "1", "ANSWER": "yes"}.items() <= created.settings["environment"].items()

    started = await engine.perform(StartContainer(created.name))
    assert started is not None
    assert (started.condition, started.exit_code) == (Condition.RUNNING, None)
    assert started.run

    stopped = await engine.perform(StopContainer(created.name, 5))
    assert stopped is not None
    assert (stopped.condition, stopped.run) == (Condition.EXITED, started.run)
    assert stopped.exit_code is not None

    assert await engine.perform(RemoveContainer(created.name)) is None
    assert await engine.look(created.id) is None


async def test_what_is_to_end_and_go_is_found_by_its_id_whatever_it_is_called(
    engine: DockerEngine, bench: Bench
) -> None:
    meant, other = await bench.create(), await bench.create("other")
    for made in (meant, other):
        await engine.perform(StartContainer(made.name))
    bench.client.rename(meant.id, f"{meant.name}-by-hand")
    bench.client.rename(other.id, meant.name)
    for action in (StopContainer(meant.name, 0, meant.id), RemoveContainer(meant.name, meant.id)):
        for _ in range(2):
            await engine.perform(action)
    assert await engine.look(meant.id) is None
    assert await engine.perform(StopContainer(meant.name, 0, meant.id)) is None
    left = await engine.look(other.id)
    assert left is not None
    assert left.condition is Condition.RUNNING


async def test_every_action_may_be_done_twice(engine: DockerEngine, bench: Bench) -> None:
    network = await bench.network("net")
    assert await bench.network("net") == network
    first = await bench.create()
    assert (await bench.create()).id == first.id
    running = await engine.perform(StartContainer(first.name))
    assert await engine.perform(StartContainer(first.name)) == running
    assert (await bench.create()).id == first.id
    connection = ConnectNetwork(first.name, network, ("web",))
    connected = await engine.perform(connection)
    assert connected is not None
    assert network in connected.networks
    assert await engine.perform(connection) == connected
    bench.client.pause(first.id)
    unpaused = await engine.perform(UnpauseContainer(first.name))
    assert unpaused is not None
    assert unpaused.condition is Condition.RUNNING
    assert await engine.perform(UnpauseContainer(first.name)) == unpaused
    renaming = RenameContainer(first.name, bench.name("other"))
    renamed = await engine.perform(renaming)
    assert renamed is not None
    assert renamed.name == bench.name("other")
    assert await engine.perform(renaming) == renamed
    stopping = StopContainer(renamed.name, 5)
    stopped = await engine.perform(stopping)
    assert stopped is not None
    assert await engine.perform(stopping) == stopped
    assert await engine.perform(RemoveContainer(renamed.name)) is None
    assert await engine.perform(RemoveContainer(renamed.name)) is None
    assert await engine.perform(stopping) is None


@pytest.mark.parametrize("action", [StartContainer, UnpauseContainer])
async def test_acting_on_a_container_that_is_gone_says_so(
    engine: DockerEngine, bench: Bench, action: type[StartContainer | UnpauseContainer]
) -> None:
    with pytest.raises(NotFound, match="is gone"):
        await engine.perform(action(bench.name("nobody")))


async def test_a_paused_container_stops_with_its_signal(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(command=["sh", "-c", "trap 'exit 3' TERM; while true; do sleep 0.1; done"], init=False)
    bench.client.pause(made.id)
    stopped = await engine.perform(StopContainer(made.name, 20))
    assert stopped is not None
    assert stopped.exit_code == 3


async def test_a_container_joins_all_of_its_networks(engine: DockerEngine, bench: Bench) -> None:
    front, back = await bench.network("front"), await bench.network("back")
    made = await bench.run(networks={front: ("web",), back: ("web", "api")})
    assert set(made.networks) == {front, back}
    assert all(made.networks.values())
    ends = bench.client.inspect_container(made.id)["NetworkSettings"]["Networks"]
    assert {"web", "api"} <= set(ends[back]["Aliases"])
    # Created by an attempt that got no further: the next one puts it right.
    bench.client.disconnect_container_from_network(made.id, back)
    again = await bench.create(networks={front: ("web",), back: ("web", "api")})
    assert again.id == made.id
    assert set(again.networks) == {front, back}


async def test_a_taken_name_names_its_holder(engine: DockerEngine, bench: Bench) -> None:
    foreign = bench.foreign("web")
    with pytest.raises(NameConflict) as caught:
        await bench.create()
    for word in (bench.name("web"), foreign[:12], bench.image, "was not made by pnr"):
        assert word in str(caught.value)
    other = await bench.create("other")
    with pytest.raises(NameConflict, match=foreign[:12]):
        await engine.perform(RenameContainer(other.name, bench.name("web")))


async def test_the_name_of_another_spec_is_a_conflict_too(bench: Bench) -> None:
    made = await bench.create()
    with pytest.raises(NameConflict) as caught:
        await bench.create(digest="d2")
    assert made.id[:12] in str(caught.value)
    assert f"belongs to {bench.domain}/main/web" in str(caught.value)


async def test_what_may_not_run_beside_another_is_not_started_by_its_engine_any_more(
    engine: DockerEngine, bench: Bench
) -> None:
    def policy(id: str) -> str:
        return str(bench.client.inspect_container(id)["HostConfig"]["RestartPolicy"]["Name"])

    old = await bench.run("old", restart="always")
    await engine.perform(StopContainer(old.name, 0))
    new = await bench.create("new", restart="always")
    await engine.perform(StartContainer(new.name, alone=(old.id,)))
    assert (policy(old.id), policy(new.id)) == ("no", "always")
    # Back again, as after an update that failed: with a policy of its own.
    await engine.perform(StopContainer(new.name, 0))
    await engine.perform(StartContainer(old.name, alone=(new.id, "long gone"), restart="on-failure:3"))
    assert (policy(old.id), policy(new.id)) == ("on-failure", "no")
    await engine.perform(StopContainer(old.name, 0))
    await engine.perform(StartContainer(old.name, restart="always"))
    assert policy(old.id) == "on-failure"


async def test_a_port_that_a_container_holds_names_the_container(engine: DockerEngine, bench: Bench) -> None:
    holder = await bench.run("holder", ports={"80": str(_free_port())})
    port = holder.published["80/tcp"][0].port
    late = await bench.create("late", ports={"80": str(port)})
    with pytest.raises(PortInUse) as caught:
        await engine.perform(StartContainer(late.name))
    assert f"host port {port} is held by container {holder.name}" in str(caught.value)
    await engine.perform(RemoveContainer(holder.name))
    started = await engine.perform(StartContainer(late.name))
    assert started is not None
    assert started.condition is Condition.RUNNING


async def test_a_port_that_a_process_holds_names_the_process(engine: DockerEngine, bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = await bench.create(ports={"80": str(port)})
        with pytest.raises(PortInUse) as caught:
            await engine.perform(StartContainer(made.name))
        assert str(caught.value).startswith(f"host port {port} is held by ")
        assert f"(pid {os.getpid()})" in str(caught.value)


async def test_a_port_that_an_engine_left_held_is_told_as_that(
    engine: DockerEngine, bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "docker-proxy").symlink_to(os.path.realpath(sys.executable))
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    left = await asyncio.create_subprocess_exec(
        tmp_path / "docker-proxy", "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert left.stdout is not None
    port = int(await left.stdout.readline())
    made = await bench.create(ports={"80": str(port)})
    with pytest.raises(PortInUse) as caught:
        await engine.perform(StartContainer(made.name))
    await left.communicate(b"\n")
    said = f"host port {port} is held by docker-proxy (pid {left.pid}), though no container of this engine publishes it"
    assert str(caught.value).startswith(f"{said}; what to do: end that process")


async def test_a_command_that_is_not_there_is_told_in_dockers_words(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.create(command=["no-such-program"], init=False)
    with pytest.raises(StartFailed, match="no-such-program"):
        await engine.perform(StartContainer(made.name))
    left = await engine.look(made.id)
    assert left is not None
    assert left.condition is Condition.CREATED


async def test_what_the_engine_refuses_to_create_is_told_in_its_words(bench: Bench) -> None:
    with pytest.raises(CreateFailed, match="CPUs"):
        await bench.create(cpus=10000)


async def test_a_network_that_is_not_there_is_told_and_the_container_stays(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.create(networks={bench.name("nowhere"): ()})
    with pytest.raises(StartFailed, match=bench.name("nowhere")):
        await engine.perform(StartContainer(made.name))
    assert await engine.look(made.id) == made


async def test_sharing_with_a_stopped_container_is_told_apart_from_what_can_never_start(
    engine: DockerEngine, bench: Bench
) -> None:
    db = await bench.run("db", ipc="shareable")
    shared = {"network_mode": "net", "pid": "pid", "ipc": "ipc"}
    for setting, name in shared.items():
        await bench.create(name, **{setting: f"container:{db.name}"})
    await bench.create("link", network_mode="bridge", links=[f"{db.name}:db"])
    for kill in (partial(bench.client.kill, db.id), partial(bench.client.remove_container, db.id)):
        kill()
        for name in (*shared.values(), "link"):
            with pytest.raises(OutOfDate, match=bench.name(name)):
                await engine.perform(StartContainer(bench.name(name)))


async def test_an_unknown_action_is_refused(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match="knows no action"):
        await engine.perform(Action())


async def test_the_runtime_directory_is_empty_at_each_start(engine: DockerEngine, bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    script = f"cat /runtime/old.json; echo new > /runtime/new.json; ln -s {outside} /runtime/link; sleep 500"
    made = await bench.create(facts=FactsMode.OWN, command=["sh", "-c", script])
    root = tmp_path / "runtime"
    folder = root / bench.domain / "main" / "web"
    assert root.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_mode & 0o777 == 0o777
    (folder / "old.json").write_text("old")
    (folder / "nested").mkdir()
    (folder / "nested" / "old.json").write_text("old")
    await engine.perform(StartContainer(made.name))
    await eventually(partial(asyncio.to_thread, (folder / "link").is_symlink), bool)
    assert {entry.name for entry in folder.iterdir()} == {"new.json", "link"}
    # A second creation while it runs must not take its answers away.
    await bench.create(facts=FactsMode.OWN, command=["sh", "-c", script])
    assert (folder / "new.json").exists()
    await engine.perform(StopContainer(made.name, 0))
    await engine.perform(RemoveContainer(made.name))
    again = await bench.create(facts=FactsMode.OWN)
    await engine.perform(StartContainer(again.name))
    assert list(folder.iterdir()) == []
    assert (outside / "kept").read_text() == "kept"


async def test_without_a_state_directory_no_container_may_answer_facts(bench: Bench) -> None:
    lone = DockerEngine(runtime_root=None)
    await lone.connect()
    try:
        with pytest.raises(CreateFailed, match="no state directory"):
            await lone.perform(bench.creation(bench.chunk(facts=FactsMode.OWN)))
    finally:
        await lone.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
