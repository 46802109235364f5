"""Settings whose containers this machine can't start, or its engine can't make."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from pydantic import TypeAdapter

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, payload, read_back
from tests.drifted import drift
from tests.integration.settings.case import PLAIN, Here
from tests.integration.settings.cases_security import NOT_MADE_HERE, NOT_STARTED_HERE, WORDS
from tests.integration.settings.stage import on_stage
from tests.integration.wire import Wire, tapped

pytestmark = [pytest.mark.docker]


@pytest.fixture
def made(docker_api: APIClient) -> Iterator[list[str]]:
    ids: list[str] = []
    yield ids
    for id in ids:
        docker_api.remove_container(id, v=True, force=True)


def _normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


@pytest.mark.parametrize("name", NOT_STARTED_HERE)
def test_made_and_inspected_it_is_as_declared_and_no_other(
    docker_api: APIClient, here: Here, made: list[str], name: str
) -> None:
    *both, _ = NOT_STARTED_HERE[name]
    for written, other in (both, both[::-1]):
        declared = {name: _normal(name, written)}
        spec = ContainerSpec(name="x", image=here.images["plain"], digest="", settings=declared, networks={})
        body: Any = payload(spec)
        id = docker_api.create_container_from_config(body, here.name(f"made-{len(made)}"))["Id"]  # type: ignore[no-untyped-call]
        made.append(id)
        found = read_back(docker_api.inspect_container(id))
        assert drift(declared, found) == ()
        assert drift({name: _normal(name, other)}, found) != ()


@dataclass
class Story:
    """What the chunk of each setting ``said`` in the end, and what was ``sent`` about it."""

    said: dict[str, str] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)
    sent_at_rest: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(docker_api: APIClient, engine_socket: Path, here: Here, tmp_path_factory: pytest.TempPathFactory) -> Story:
    root = tmp_path_factory.mktemp("stage")

    async def play(wire: Wire) -> Story:
        async with on_stage(here.name("refused"), root, docker_api, wire) as stage:
            await stage.apply(_document(stage.domain, here))
            story = Story({name: _said(chunk) for name, chunk in stage.chunks().items()})
            story.sent = stage.calls_by_chunk(wire.calls)
            del wire.calls[:]
            for _ in range(5):
                await stage.resync(anew=True)
            story.sent_at_rest = stage.calls_by_chunk(wire.calls)
            return story

    with tapped(root, engine_socket) as wire, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{wire.path}")
        return asyncio.run(play(wire))


def _document(domain: str, here: Here) -> dict[str, Any]:
    usual = {"image": here.images[PLAIN], "network_mode": "none", "stop_grace_period": "0s"}
    values = {
        **{name: first for name, (first, _, _) in NOT_STARTED_HERE.items()},
        "storage_opt": {"size": "1G"},
        "blkio_config": {"weight": 300},
        **NOT_MADE_HERE,
    }
    chunks = [
        {"name": name, "container": {**usual, "name": here.name(name), name: value}} for name, value in values.items()
    ]
    return {"name": domain, "cpuxs": {"main": {"design_chunks": chunks}}}


def _said(chunk: dict[str, Any]) -> str:
    return f"{chunk['state']}: {chunk['reason']}: {chunk['message']}"


@pytest.mark.parametrize("name", NOT_MADE_HERE)
def test_what_only_another_system_can_honour_is_refused_before_anything_is_touched(story: Story, name: str) -> None:
    assert story.said[name].startswith(f"failed: Unsupported: {name} is for engines on windows; docker ")
    assert name not in story.sent


@pytest.mark.parametrize("name", WORDS)
def test_what_a_machine_can_not_honour_is_told_in_the_words_of_its_engine(story: Story, name: str) -> None:
    """On a machine that can, it comes up."""
    assert story.said[name] == "completed: Running: running" or WORDS[name] in story.said[name]


def test_what_came_up_without_what_was_asked_of_it_is_not_made_again(story: Story) -> None:
    assert story.said["blkio_config"].startswith("completed: ")
    assert story.sent["blkio_config"].count("POST /containers/create") == 1
    assert "blkio_config" not in story.sent_at_rest
