"""What an engine says as it makes a container, and what it does not take of what was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.intent.model import Chunk
from reconciler.planner.actions import CreateContainer, UpdateContainer
from reconciler.planner.observed import Container
from reconciler.planner.retry_state import RetryState, intent_changed
from reconciler.planner.working import step_told
from reconciler.states import State
from tests.unit.planner.build import chunk, container, situation, think

WEIGHT = {"blkio_config": {"weight": 300}}


def made(of: Chunk, **more: Any) -> tuple[Container, RetryState]:
    """A container as it was just made, without anything that was asked, and what is then remembered."""
    there = container(of, settings={}, **more)
    return there, step_told(RetryState(), CreateContainer(of.container.name, of, 1, 1), there)


def test_what_an_engine_does_not_take_is_told_and_the_container_is_not_made_again() -> None:
    asked = chunk(settings=WEIGHT)
    there, memory = made(asked, warnings=("Weight discarded.",))
    _, decision = think(situation(asked, there, memory=memory))
    assert (decision.state, decision.work) == (State.COMPLETED, None)
    assert decision.message == (
        'running; the engine warns: Weight discarded.; left as it is: blkio_config: {"weight": 300} declared,'
        " nothing found"
    )


def test_another_value_is_tried_anew() -> None:
    asked = chunk(settings=WEIGHT)
    there, memory = made(asked)
    other = chunk(settings={"blkio_config": {"weight": 200}})
    _, decision = think(situation(other, there, memory=intent_changed(memory)))
    assert decision.work is not None


def test_warnings_are_those_of_the_container_that_is_there() -> None:
    there, memory = made(chunk(), warnings=("Old words.",))
    _, decision = think(situation(chunk(), replace(there, id="another"), memory=memory))
    assert decision.message == "running"


def test_what_an_update_brings_of_warnings_is_added() -> None:
    there, memory = made(chunk(), warnings=("One.",))
    update = UpdateContainer(there.name, {}, ("mem_limit",))
    assert step_told(memory, update, replace(there, warnings=("Two.",))).warnings == ("One.", "Two.")
    assert step_told(memory, update, replace(there, warnings=())) == memory


def test_what_can_be_changed_as_it_runs_is_not_given_up_when_it_is_made() -> None:
    _, memory = made(chunk(settings={"cpus": 1.0}))
    assert memory.tolerated == ()


def test_what_differs_in_a_container_that_was_there_already_is_put_right() -> None:
    asked = chunk(settings={"command": ["serve"]})
    there, memory = made(asked, was_there=True)
    _, decision = think(situation(asked, there, memory=memory))
    assert decision.message.startswith("command: ")
    assert decision.work is not None
