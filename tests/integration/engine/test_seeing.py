"""What the engine shows, when it says to look, and what containers print."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker import engine as engine_module
from reconciler.engine.docker.output import unix
from reconciler.engine.protocol import EngineError, EngineUnavailable, Glimpse, NotFound, RunOutput
from reconciler.planner.actions import RemoveContainer
from reconciler.planner.observed import Condition, Container
from tests.integration.engine.bench import LIMIT_SECONDS, Bench, eventually

pytestmark = pytest.mark.docker

HEALTHY = {"test": ["CMD", "true"], "interval": "500ms", "timeout": "20s"}


async def test_the_list_and_the_inspection_agree(engine: DockerEngine, bench: Bench) -> None:
    network = await bench.network("net")
    made = await bench.run(networks={network: ("web",)}, ports={"80": "0", "53/udp": "0"})
    seen = (await engine.observe()).containers[made.id]
    assert seen == await engine.look(made.id)
    assert seen.published.keys() == {"80/tcp", "53/udp"}


async def test_what_has_not_changed_is_not_inspected_again(engine: DockerEngine, bench: Bench) -> None:
    made = [await bench.run(f"c{n}") for n in range(3)]
    first = (await engine.observe()).containers
    second = (await engine.observe()).containers
    assert all(first[one.id] is second[one.id] for one in made)


@pytest.mark.parametrize("network_mode", ["bridge", "none", "host"])
async def test_a_restart_behind_our_back_is_another_run(engine: DockerEngine, bench: Bench, network_mode: str) -> None:
    made = await bench.run(networks={network_mode: ()})
    before = (await engine.observe()).containers[made.id]
    bench.client.restart(made.id, timeout=0)
    after = (await engine.observe()).containers[made.id]
    assert (before.condition, after.condition) == (Condition.RUNNING, Condition.RUNNING)
    assert before.run != after.run


async def test_a_look_at_an_updated_container_is_believed_by_the_next_list(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(mem_limit="64m")
    assert _memory((await engine.observe()).containers[made.id]) == 64 << 20
    bench.client.update_container(made.id, mem_limit="32m", memswap_limit="64m")
    looked = await engine.look(made.id)
    assert looked is not None
    assert _memory(looked) == 32 << 20
    assert _memory((await engine.observe()).containers[made.id]) == 32 << 20


async def test_an_update_that_no_hint_told_is_seen_after_subscribing_anew(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(mem_limit="64m")
    await engine.observe()
    bench.client.update_container(made.id, mem_limit="32m", memswap_limit="64m")
    async with Hints(engine):
        assert _memory((await engine.observe()).containers[made.id]) == 32 << 20


async def test_health_and_ends_are_seen(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run("healthy", healthcheck=HEALTHY)
    await eventually(lambda: _seen(engine, made.id), lambda seen: seen.health == "healthy")
    ended = await bench.run("ended", command=["sh", "-c", "exit 42"])
    await eventually(lambda: _seen(engine, ended.id), lambda seen: seen.exit_code == 42)


async def test_what_is_gone_is_looked_at_in_vain(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.create()
    assert await engine.look(made.name) == made
    bench.client.remove_container(made.id)
    assert await engine.look(made.id) is None
    assert made.id not in (await engine.observe()).containers


async def test_hints_come_for_what_somebody_else_does(engine: DockerEngine, bench: Bench) -> None:
    network = await bench.network("net")
    made = await bench.run(networks={network: ()})
    deeds: list[Callable[[], object]] = [
        lambda: bench.client.kill(made.id),
        lambda: bench.client.start(made.id),
        lambda: bench.client.pause(made.id),
        lambda: bench.client.unpause(made.id),
        lambda: bench.client.rename(made.id, bench.name("renamed")),
        lambda: bench.client.update_container(made.id, mem_limit="32m", memswap_limit="64m"),
        lambda: bench.client.disconnect_container_from_network(made.id, network),
        lambda: bench.client.connect_container_to_network(made.id, network),
        lambda: bench.client.remove_container(made.id, force=True),
    ]
    async with Hints(engine) as hints:
        for deed in deeds:
            await hints.quiet()
            await asyncio.to_thread(deed)
            await hints.until(Glimpse(made.id))
        await hints.quiet()
        await asyncio.to_thread(bench.client.remove_network, network)
        await hints.until(Glimpse(None))


async def test_commands_of_health_checks_wake_nobody(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(healthcheck=HEALTHY)
    await eventually(lambda: _seen(engine, made.id), lambda seen: seen.health == "healthy")
    async with Hints(engine) as hints:
        for _ in range(3):
            assert await engine.run_inside(made.id, ["true"], 20) == (0, "")
        assert Glimpse(made.id) not in hints.seen
        bench.client.kill(made.id)
        await hints.until(Glimpse(made.id))


async def test_an_engine_that_ends_its_stream_is_unavailable(bench: Bench, engine_socket: Path, tmp_path: Path) -> None:
    with Relay(tmp_path / "relay.sock", engine_socket) as relay:
        engine = DockerEngine(runtime_root=None, docker_host=f"unix://{relay.path}")
        await engine.connect()
        async with Hints(engine) as hints:
            relay.cut()
            with pytest.raises(EngineUnavailable, match="ended its event stream"):
                await hints.end()
        await engine.connect()
        async with Hints(engine) as hints:
            made = await bench.create()
            await hints.until(Glimpse(made.id))
        await engine.close()


async def test_an_engine_that_falls_silent_is_unavailable(
    engine_socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "PING_SECONDS", 0.3)
    with Relay(tmp_path / "relay.sock", engine_socket) as relay:
        engine = DockerEngine(runtime_root=None, docker_host=f"unix://{relay.path}")
        await engine.connect()
        async with Hints(engine) as hints:
            relay.silent = True
            with pytest.raises(EngineUnavailable, match="does not answer"):
                await hints.end()
        await engine.close()


async def test_a_silent_stream_is_asked_for_anew(
    bench: Bench, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SILENCE_SECONDS", 0.2)
    async with Hints(engine) as hints:
        await hints.until(Glimpse(None))
        made = await bench.create()
        await hints.until(Glimpse(made.id))


async def test_an_engine_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    engine = DockerEngine(runtime_root=None, docker_host=f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(
        EngineUnavailable, match=r"no Docker engine answers at unix://.*nobody\.sock; what to do: start it"
    ):
        await engine.connect()
    with pytest.raises(EngineUnavailable, match="not connected"):
        await engine.observe()
    await engine.close()


async def test_a_host_that_is_no_address_is_told(engine: DockerEngine) -> None:
    with pytest.raises(EngineUnavailable, match="nonsense"):
        await DockerEngine(runtime_root=None, docker_host="nonsense://nowhere").connect()


async def test_the_engine_tells_what_it_is(engine: DockerEngine, bench: Bench) -> None:
    info = await engine.connect()
    assert (info.name, info.version) == ("docker", bench.client.version()["Version"])
    await engine.ping()


async def test_a_command_inside_gives_its_code_and_the_end_of_its_output(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run()
    code, text = await engine.run_inside(made.id, ["sh", "-c", "echo out; echo err >&2; exit 3"], 20)
    assert code == 3
    assert sorted(text.split()) == ["err", "out"]
    code, text = await engine.run_inside(made.id, ["seq", "1", "20000"], 20)
    assert code == 0
    assert text.endswith("19999\n20000\n")
    assert len(text) == 4096


async def test_commands_that_never_end_are_given_up_and_block_no_others(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run()
    given_up = await asyncio.gather(*(engine.run_inside(made.id, ["sleep", "500"], 1) for _ in range(12)))
    assert {code for code, _ in given_up} == {124}
    assert "timed out" in given_up[0][1]
    assert await engine.run_inside(made.id, ["echo", "well"], 20) == (0, "well\n")


async def test_a_command_in_a_container_that_does_not_run_is_refused(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.create()
    with pytest.raises(EngineError, match="not running"):
        await engine.run_inside(made.id, ["true"], 20)
    with pytest.raises(NotFound):
        await engine.run_inside(bench.name("nobody"), ["true"], 20)


async def test_output_is_the_newest_of_the_current_run(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(command=["sh", "-c", "echo first; seq 1 3000; echo last; sleep 500"])

    async def everything() -> str:
        return await engine.output_since(made.id, None, 1 << 20)

    printed = await eventually(everything, lambda text: text.endswith("last\n"))
    assert printed.splitlines() == ["first", *(str(n) for n in range(1, 3001)), "last"]
    assert await engine.output_since(made.id, None, 100) == printed[-100:]
    assert await engine.output_since(made.id, None, 5000) == printed[-5000:]
    assert await engine.output_since(made.id, 4e9, 100) == ""
    assert await engine.last_output(made.id, 3) == "2999\n3000\nlast\n"
    bench.client.kill(made.id)
    await eventually(lambda: _seen(engine, made.id), lambda seen: seen.condition is Condition.EXITED)
    bench.client.start(made.id)
    assert await eventually(everything, lambda text: text.endswith("last\n")) == printed
    bench.client.kill(made.id)
    await eventually(lambda: _seen(engine, made.id), lambda seen: seen.condition is Condition.EXITED)
    assert (await everything()).endswith(printed)


async def test_what_a_run_that_ended_printed_is_told_from_what_others_printed(
    engine: DockerEngine, bench: Bench
) -> None:
    script = "n=$(cat /n 2>/dev/null); echo $((n + 1)) >/n; [ $((n % 2)) = 1 ] || echo run $n; exit 3"
    made = await bench.run(command=["sh", "-c", script])

    async def ended() -> Container:
        """As it ended, with a clock that agrees with the stamps: those of a busy engine are later than the end."""
        seen = await eventually(lambda: _seen(engine, made.id), lambda seen: seen.condition is Condition.EXITED)
        line = bench.client.logs(made.id, tail=1, timestamps=True).decode()
        stamp = unix(line.partition(" ")[0])
        assert stamp is not None
        assert seen.finished is not None
        return replace(seen, finished=max(seen.finished, stamp + 1e-5))  # stamps are finer than what is read of them

    first = await ended()
    assert await engine.output_of_run(first, 0.0, 1000) == RunOutput("run\n")
    bench.client.start(made.id)
    second = await ended()
    assert await engine.output_of_run(second, first.finished, 1000) == RunOutput("")
    bench.client.start(made.id)
    third = await ended()
    assert await engine.output_of_run(third, second.finished, 1000) == RunOutput("run 2\n")
    # What was seen before is asked for late: the container has run again since.
    assert await engine.output_of_run(first, 0.0, 1000) == RunOutput("run\n")
    late = await engine.output_of_run(second, first.finished, 1000)
    assert (late.text, late.is_its_own) == ("run 2\n", False)
    # Stamps of a busy engine: the line is of this run all the same, for no other can have printed it.
    assert third.finished is not None
    early = replace(third, finished=third.finished - 5)
    assert await engine.output_of_run(early, second.finished, 1000) == RunOutput("run 2\n")
    assert (await engine.output_of_run(replace(early, began=third.finished + 5), None, 1000)).is_its_own is False


async def test_a_line_that_a_busy_engine_stamps_late_is_not_taken_for_one_of_the_next_run(
    engine: DockerEngine, bench: Bench
) -> None:
    made = await bench.run(command=["sh", "-c", "[ -e /n ] || echo boom; touch /n; exit 3"])

    async def ended() -> Container:
        seen = await eventually(lambda: _seen(engine, made.id), lambda seen: seen.condition is Condition.EXITED)
        assert seen.finished is not None
        return replace(seen, finished=seen.finished - 5)  # as if all were stamped five seconds late

    first = await engine.output_of_run(await ended(), 0.0, 1000)
    assert first == RunOutput("boom\n")
    assert first.printed_at is not None
    bench.client.start(made.id)
    assert await engine.output_of_run(await ended(), first.printed_at, 1000) == RunOutput("")


async def test_a_log_that_is_written_later_never_means_that_nothing_was_printed(
    engine: DockerEngine, bench: Bench
) -> None:
    logging = {"driver": "json-file", "options": {"mode": "non-blocking"}}
    made = await bench.run(command=["true"], logging=logging)
    seen = await eventually(lambda: _seen(engine, made.id), lambda seen: seen.condition is Condition.EXITED)
    assert await engine.output_of_run(seen, None, 1000) == RunOutput("", is_its_own=False)
    unread = await bench.run("unread", command=["echo", "boom"], logging={"driver": "none"})
    seen = await eventually(lambda: _seen(engine, unread.id), lambda seen: seen.condition is Condition.EXITED)
    with pytest.raises(EngineError):
        await engine.output_of_run(seen, None, 1000)


async def test_both_streams_are_output(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.run(command=["sh", "-c", "echo out; echo err >&2"])
    both = await eventually(lambda: engine.last_output(made.id), lambda text: len(text.splitlines()) == 2)
    assert sorted(both.split()) == ["err", "out"]


async def test_a_container_that_never_ran_has_printed_nothing(engine: DockerEngine, bench: Bench) -> None:
    made = await bench.create()
    assert await engine.output_since(made.id, None, 1000) == ""
    assert await engine.last_output(made.id) == ""
    await engine.perform(RemoveContainer(made.name))
    with pytest.raises(NotFound):
        await engine.last_output(made.id)


class Relay:
    """A socket that leads to the real engine until it is cut, or swallows all that is said."""

    def __init__(self, path: Path, engine: Path) -> None:
        self.path = path
        self.silent = False
        self._engine = engine
        self._server = socket.socket(socket.AF_UNIX)
        self._open: list[socket.socket] = []

    def __enter__(self) -> Relay:
        self._server.bind(str(self.path))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections."""
        for end in self._open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._engine))
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.silent:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


class Hints:
    """Collects the hints of an engine while the test does something else."""

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine
        self.seen: list[Glimpse] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Hints:
        self._task = asyncio.create_task(self._collect())
        await self.until(Glimpse(None))
        assert self.seen == [Glimpse(None)]
        self.seen.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _collect(self) -> None:
        async for hint in self._engine.glimpses():
            self.seen.append(hint)

    async def until(self, wanted: Glimpse) -> None:
        """Wait for a hint."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while wanted not in self.seen:
                assert self._task is not None
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.01)

    async def quiet(self) -> None:
        """Wait until nothing has come for a while, and forget what came."""
        before = -1
        while before != len(self.seen):
            before = len(self.seen)
            await asyncio.sleep(0.3)
        self.seen.clear()

    async def end(self) -> None:
        """Wait for the end of the stream; raises what it ends with."""
        assert self._task is not None
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._task


async def _seen(engine: DockerEngine, container_id: str) -> Container:
    seen = (await engine.observe()).containers.get(container_id)
    assert seen is not None
    return seen


def _memory(container: Container) -> object:
    assert container.settings is not None
    return container.settings["mem_limit"]
