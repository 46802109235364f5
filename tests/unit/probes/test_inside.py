"""exec, docker and log: the types that ask the engine."""

from __future__ import annotations

import pytest

from reconciler.errors import PnrError
from reconciler.probes.docker import DockerProbe
from reconciler.probes.exec import ExecProbe
from reconciler.probes.log import FIRST_LOOK_BYTES, LONGEST_LINE, LOOK_BYTES, LogProbe
from reconciler.probes.protocol import Target
from reconciler.sentences import taken_apart
from tests.unit.probes.build import FakeInside, check, container


async def test_a_command_that_exits_0_is_success() -> None:
    inside = FakeInside(result=(0, "PONG\n"))
    result = await ExecProbe(check("exec", command=["redis-cli", "ping"]), inside).probe(Target(container()))
    assert result.ok
    assert inside.asked == [("c0ffee", ["redis-cli", "ping"], 5.0)]


async def test_a_command_given_as_a_string_is_run_by_the_shell() -> None:
    inside = FakeInside()
    await ExecProbe(check("exec", command="test -f /ready && true"), inside).probe(Target(container()))
    assert inside.asked == [("c0ffee", ["/bin/sh", "-c", "test -f /ready && true"], 5.0)]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("connecting\ncould not connect\n\n", "the command exited 7: could not connect"),
        ("", "the command exited 7"),
        ("\n \n", "the command exited 7"),
    ],
)
async def test_another_exit_code_is_told_with_the_last_line(output: str, message: str) -> None:
    result = await ExecProbe(check("exec", command="x"), FakeInside(result=(7, output))).probe(Target(container()))
    assert not result.ok
    cause, step = taken_apart(result.message)
    assert cause == message
    assert "correct what the check found, or its `command`" in step


async def test_an_error_of_the_engine_is_left_to_who_asks() -> None:
    inside = FakeInside(error=PnrError("the engine does not answer"))
    with pytest.raises(PnrError):
        await ExecProbe(check("exec", command="x"), inside).probe(Target(container()))


@pytest.mark.parametrize(("health", "ok"), [("healthy", True), ("starting", False), ("unhealthy", False)])
async def test_the_engines_own_word_on_health_counts(health: str, ok: bool) -> None:
    inside = FakeInside(seen=container(health=health))
    result = await DockerProbe(check("docker"), inside).probe(Target(container(health="starting")))
    assert (result.ok, result.message) == (ok, health)


async def test_an_image_without_a_healthcheck_is_told() -> None:
    result = await DockerProbe(check("docker"), FakeInside(seen=container())).probe(Target(container()))
    assert not result.ok
    cause, step = taken_apart(result.message)
    assert cause == "the image has no HEALTHCHECK"
    assert "give the container a `healthcheck`" in step


async def test_a_container_that_is_gone_is_told() -> None:
    result = await DockerProbe(check("docker"), FakeInside(seen=None)).probe(Target(container()))
    assert (result.ok, result.message) == (False, "the container is gone")


async def test_a_pattern_is_looked_for_until_it_is_seen_and_then_never_again() -> None:
    inside = FakeInside(output="starting\n")
    probe = LogProbe(check("log", pattern="^ready on [0-9]+$"), inside)
    target = Target(container())
    assert not (await probe.probe(target)).ok
    inside.output = "starting\nready on 80\n"
    assert (await probe.probe(target)).ok
    inside.output = ""
    assert (await probe.probe(target)).ok
    assert inside.asked == [("c0ffee", None, FIRST_LOOK_BYTES), ("c0ffee", None, LOOK_BYTES)]


async def test_another_run_of_the_container_begins_anew() -> None:
    inside = FakeInside(output="ready\n")
    probe = LogProbe(check("log", pattern="ready"), inside)
    assert (await probe.probe(Target(container(run="1")))).ok
    inside.output = "starting\n"
    result = await probe.probe(Target(container(run="2")))
    assert not result.ok
    assert result.message.startswith("not seen in the output yet: ready; the last line is: starting; what to do: ")


async def test_only_the_beginning_of_a_very_long_line_counts() -> None:
    probe = LogProbe(check("log", pattern="ready"), FakeInside(output="x" * LONGEST_LINE + "ready\n"))
    assert not (await probe.probe(Target(container()))).ok
