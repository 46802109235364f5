"""The acceptance of every container setting, on a real engine, counted on the wire.

A domain holds a chunk for each case of a group. It is applied; a hundred looks at everything send nothing; then half of
the values are changed, and then the other half, and all are set back in the same way: each container is replaced,
updated in place or left alone as its case says, while those whose turn it is not stand beside it and see nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from reconciler.engine.docker.client import agree_on_version, find
from tests.integration.settings.all_cases import GROUPS
from tests.integration.settings.case import NOTHING, PLAIN, REPLACED, UPDATED, Case, Here
from tests.integration.settings.stage import Runs, Stage, on_stage
from tests.integration.wire import Wire, tapped

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

LOOKS = 100
NOT_THERE = "is not there"
MADE = "made"
BESIDE: dict[str, dict[str, Any]] = {
    "first": {},
    "second": {"networks": ["default", "back", "side"]},
    "on-bridge": {"network_mode": "bridge"},
}
"""Chunks that are never changed: cases share their namespaces, networks and volumes, or are linked to them."""
each_case = pytest.mark.parametrize(
    ("story", "case"),
    [pytest.param(group, case, id=case.id) for group, cases in GROUPS.items() for case in cases],
    indirect=["story"],
)


@dataclass
class Step:
    """What happened to a chunk in a step: ``did`` to its container, and ``sent`` about it; the engine then ``shows``
    that (None: there is none)."""

    did: str
    sent: list[str]
    state: str
    shows: Any = field(repr=False)


@dataclass
class Story:
    """All that happened. Of each chunk: how it stood once applied and what the engine showed of it, what was sent while
    nothing was to be done, what the change did and what setting it back did, and what happened to it while it was the
    turn of others."""

    api: tuple[int, ...] = ()
    shown: dict[str, Any] = field(default_factory=dict)
    up: dict[str, str] = field(default_factory=dict)
    at_rest: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, Step] = field(default_factory=dict)
    set_back: dict[str, Step] = field(default_factory=dict)
    beside: dict[str, list[Step]] = field(default_factory=dict)
    about_none: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def play(
    docker_api: APIClient, engine_socket: Path, here: Here, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Story]:
    """Plays the story of a group, once, whether it comes to its end or not."""

    @cache
    def played(group: str) -> Story | Exception:
        try:
            return play_now(group)
        except Exception as error:  # noqa: BLE001 - of whatever kind: each test of the group raises it
            return error

    def play_now(group: str) -> Story:
        root = tmp_path_factory.mktemp("stage")

        async def on_it(wire: Wire) -> Story:
            async with on_stage(here.name(group), root, docker_api, wire) as stage:
                own = 1 + (here.pool + list(GROUPS).index(group)) % 254
                return await _play(stage, replace(here, pool=own), GROUPS[group])

        with tapped(root, engine_socket) as wire, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", f"unix://{wire.path}")
            return asyncio.run(on_it(wire))

    def story_of(group: str) -> Story:
        story = played(group)
        if isinstance(story, Exception):
            raise story
        return story

    return story_of


@pytest.fixture
def story(request: pytest.FixtureRequest, play: Callable[[str], Story]) -> Story:
    """What happened to the cases of a group."""
    return play(request.param)


async def _play(stage: Stage, here: Here, cases: tuple[Case, ...]) -> Story:
    story = Story(api=_number(agree_on_version(find(), timeout=30)[0]))
    _write_files(stage.folder)
    second: set[str] = set()
    await stage.apply(_document(stage.domain, here, cases, second))
    story.up = {name: _state(chunk) for name, chunk in stage.chunks().items()}
    story.shown = stage.shown
    await _rest(stage, story, LOOKS)
    for outcome, goes in ((story.changed, second.add), (story.set_back, second.discard)):
        for half in (0, 1):
            movers = {case.id for case in cases[half::2]}
            for id in movers:
                goes(id)
            await _step(stage, story, _document(stage.domain, here, cases, second), movers, outcome)
            await _rest(stage, story, 5)
    return story


async def _rest(stage: Stage, story: Story, looks: int) -> None:
    del stage.wire.calls[:]
    for n in range(looks):
        await stage.resync(anew=n % 25 == 0)
    for chunk, calls in stage.calls_by_chunk(stage.wire.calls).items():
        story.at_rest.setdefault(chunk, []).extend(calls)


async def _step(stage: Stage, story: Story, document: Any, movers: set[str], outcome: dict[str, Step]) -> None:
    before = stage.there
    del stage.wire.calls[:]
    await stage.apply(document)
    after, states = stage.there, stage.chunks()
    sent = stage.calls_by_chunk(stage.wire.calls)
    story.about_none += sent.get("", [])
    for name, chunk in states.items():
        calls = sent.get(name, [])
        step = Step(_did(before, after, name, calls), calls, _state(chunk), stage.shown.get(name))
        if name in movers:
            outcome[name] = step
        else:
            story.beside.setdefault(name, []).append(step)


def _did(before: Runs, after: Runs, name: str, sent: list[str]) -> str:
    if name not in after:
        return NOT_THERE
    if name not in before:
        return MADE
    if before[name][0] != after[name][0]:
        return REPLACED
    if before[name][1] != after[name][1]:
        return "restarted"
    return UPDATED if sent else NOTHING


def _state(chunk: dict[str, Any]) -> str:
    return str(chunk["state"]) if chunk["state"] == "completed" else f"{chunk['reason']}: {chunk['message']}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _document(domain: str, here: Here, cases: tuple[Case, ...], second: set[str]) -> dict[str, Any]:
    plain = {"image": here.images[PLAIN], "stop_grace_period": "0s", "ipc": "shareable"}
    chunks: list[dict[str, Any]] = [
        {"name": name, "container": {"name": here.name(name), "volumes": [f"/of/{name}"], **plain, **more}}
        for name, more in BESIDE.items()
    ]
    for case in cases:
        value = case.second if case.id in second else case.first
        chunks.append({"name": case.id, "container": case.container(here, value)})
    return {
        "name": domain,
        "networks": {
            "back": {
                "enable_ipv6": True,
                "ipam": {
                    "config": [
                        {"subnet": f"10.213.{here.pool}.0/24", "ip_range": f"10.213.{here.pool}.128/25"},
                        {"subnet": f"fd00:213:{here.pool}::/64"},
                    ]
                },
            },
            "side": {},
        },
        "volumes": {"data": {}, "more": {}, here.volume: {"external": True}},
        "secrets": {"one": {"file": "./one.env"}, "two": {"file": "./two.env"}},
        "configs": {"one": {"content": "1"}, "two": {"content": "2"}},
        "cpuxs": {"main": {"design_chunks": chunks}},
    }


def _write_files(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.env").write_text(f"FROM={name}\n")
        (folder / f"{name}.labels").write_text(f"from={name}\n")


def refused(story: Story, case: Case) -> bool:
    """Whether the engine is too old for the setting."""
    return bool(case.since) and story.api < _number(case.since)


@each_case
def test_it_comes_up_or_is_refused_before_anything_is_touched(story: Story, case: Case) -> None:
    if refused(story, case):
        assert story.up[case.id].startswith("Unsupported: ")
        assert case.setting.removesuffix("s") in story.up[case.id]
        assert story.set_back[case.id].sent == []
    else:
        assert story.up[case.id] == "completed"


@each_case
def test_a_hundred_looks_change_nothing(story: Story, case: Case) -> None:
    assert story.at_rest.get(case.id, []) == []


@each_case
def test_a_change_does_to_the_container_what_it_must(story: Story, case: Case) -> None:
    wanted = (case.change, "completed")
    if refused(story, case):
        wanted = (MADE, "completed") if case.second is None else (NOT_THERE, story.up[case.id])
    step = story.changed[case.id]
    assert (step.did, step.state) == wanted, step


@each_case
def test_setting_it_back_does_what_it_must(story: Story, case: Case) -> None:
    wanted = (case.way_back(), "completed")
    if refused(story, case):
        wanted = (NOTHING if case.second is None else NOT_THERE, story.up[case.id])
    step = story.set_back[case.id]
    assert (step.did, step.state) == wanted, step


@each_case
def test_the_engine_itself_shows_the_change_and_that_it_was_set_back(story: Story, case: Case) -> None:
    was, changed, set_back = story.shown.get(case.id), story.changed[case.id].shows, story.set_back[case.id].shows
    if not (refused(story, case) or case.change == NOTHING or case.is_unseen):
        assert changed != was
    assert set_back == was or refused(story, case)


@each_case
def test_what_is_updated_in_place_is_told_so_once(story: Story, case: Case) -> None:
    for step in (story.changed[case.id], story.set_back[case.id]):
        if step.did == UPDATED and case.setting in ("networks", "links", "external_links"):
            assert {call.rpartition("/")[2] for call in step.sent} <= {"connect", "disconnect"}
        elif step.did == UPDATED:
            assert step.sent == ["POST /containers/update"]


@each_case
def test_the_changes_of_others_touch_it_not(story: Story, case: Case) -> None:
    assert [(step.did, step.sent) for step in story.beside[case.id] if step.sent] == []
    assert {step.did for step in story.beside[case.id]} <= {NOTHING, NOT_THERE if refused(story, case) else NOTHING}


@pytest.mark.parametrize("story", GROUPS, indirect=True)
def test_nothing_but_containers_is_touched(story: Story) -> None:
    assert story.about_none == []
    assert story.at_rest.get("", []) == []
    assert all(step.did == NOTHING for name in BESIDE for step in story.beside[name])
