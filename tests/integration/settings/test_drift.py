"""What somebody changes behind our back, on a real engine: it is named, and put right as gently as the engine can.

One domain holds a chunk for each meddling. All are done at once; then the program looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from reconciler.engine.docker import sdk
from tests.integration.settings.case import NOTHING, PLAIN, REPLACED, RICH, UPDATED, Here
from tests.integration.settings.stage import Stage, on_stage
from tests.integration.wire import tapped

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

STARTED = "started again"
MADE = "recreated"
MIB = 1024**2

Meddle = Callable[[APIClient, Here, str], object]


@dataclass(frozen=True)
class Meddling:
    """``do`` is done to a container (by its name) that has ``settings``; the journal then says ``says``, and the
    program does ``does``. ``chunk`` stands in the chunk beside the container. ``is_quick``: it is done before the
    program, which runs in the same thread, can look."""

    name: str
    settings: Mapping[str, Any]
    do: Meddle
    says: str
    does: str
    chunk: Mapping[str, Any] = field(default_factory=dict)
    is_quick: bool = False


def update(**body: Any) -> Meddle:
    """``docker update``."""

    def do(api: APIClient, here: Here, container: str) -> None:
        sdk.post_json(api, "/containers/{0}/update", container, body=body)

    return do


def disconnect(api: APIClient, here: Here, container: str) -> None:
    api.disconnect_container_from_network(container, f"pnr_{here.name('drift')}")


def disconnect_second(api: APIClient, here: Here, container: str) -> None:
    api.disconnect_container_from_network(container, f"pnr_{here.name('drift')}_back")


def connect(api: APIClient, here: Here, container: str) -> None:
    api.connect_container_to_network(container, f"pnr_{here.name('drift')}_back")


def connect_under_another_name(api: APIClient, here: Here, container: str) -> None:
    disconnect(api, here, container)
    api.connect_container_to_network(container, f"pnr_{here.name('drift')}", aliases=["stranger"])


def rename(api: APIClient, here: Here, container: str) -> None:
    api.rename(container, here.name("called-otherwise"))


def stop(api: APIClient, here: Here, container: str) -> None:
    api.stop(container, timeout=0)


def kill(api: APIClient, here: Here, container: str) -> None:
    api.kill(container)


def pause(api: APIClient, here: Here, container: str) -> None:
    api.pause(container)


def remove(api: APIClient, here: Here, container: str) -> None:
    api.remove_container(container, force=True)


def make_again(**changed: Any) -> Meddle:
    """What tools do that make a container again with something else in it, its labels and all."""

    def do(api: APIClient, here: Here, container: str) -> None:
        client: Any = api
        made = api.inspect_container(container)
        api.remove_container(container, force=True)
        body = {**made["Config"], "HostConfig": made["HostConfig"]}
        labels = {**body["Labels"], **changed.get("Labels", {})}
        api.start(client.create_container_from_config({**body, **changed, "Labels": labels}, container)["Id"])

    return do


def swap(name: str) -> Meddle:
    """``docker tag``: another image under a name."""

    def do(api: APIClient, here: Here, container: str) -> None:
        api.tag(here.images[RICH], here.images[name])

    return do


TOO_LATE = "POST /containers/create"
"""A creation that finds the container of somebody who was faster makes none."""
ALWAYS = {"Name": "always", "MaximumRetryCount": 0}
NETWORK: dict[str, Any] = {"networks": ["default"]}
FOLLOWED = {"auto_update": "local"}

MEDDLINGS = (
    Meddling(
        "memory",
        {"mem_limit": "64m"},
        update(Memory=128 * MIB, MemorySwap=256 * MIB),
        "mem_limit: 64m declared, 128m found",
        UPDATED,
    ),
    Meddling(
        "memory that was not limited",
        {},
        update(Memory=128 * MIB, MemorySwap=256 * MIB),
        "mem_limit: nothing declared, 128m found",
        REPLACED,
    ),
    Meddling(
        "swap",
        {"mem_limit": "64m", "memswap_limit": "100m"},
        update(Memory=64 * MIB, MemorySwap=200 * MIB),
        "memswap_limit: 100m declared, 200m found",
        UPDATED,
    ),
    Meddling(
        "reservation",
        {"mem_reservation": "32m"},
        update(MemoryReservation=48 * MIB),
        "mem_reservation: 32m declared, 48m found",
        UPDATED,
    ),
    Meddling("processors", {"cpus": 0.5}, update(NanoCpus=10**9), "cpus: 0.5 declared, 1 found", UPDATED),
    Meddling("shares", {"cpu_shares": 512}, update(CpuShares=256), "cpu_shares: 512 declared, 256 found", UPDATED),
    Meddling(
        "period", {"cpu_period": 50000}, update(CpuPeriod=60000), "cpu_period: 50000 declared, 60000 found", UPDATED
    ),
    Meddling("quota", {"cpu_quota": 20000}, update(CpuQuota=30000), "cpu_quota: 20000 declared, 30000 found", UPDATED),
    Meddling("processor", {"cpuset": "0"}, update(CpusetCpus="1"), "cpuset: 0 declared, 1 found", UPDATED),
    Meddling("node", {"cpuset_mems": "0"}, update(CpusetMems="0-0"), "cpuset_mems: 0 declared, 0-0 found", UPDATED),
    Meddling("processes", {"pids_limit": 100}, update(PidsLimit=200), "pids_limit: 100 declared, 200 found", UPDATED),
    Meddling(
        "restart policy",
        {"restart": "on-failure:3"},
        update(RestartPolicy=ALWAYS),
        "restart: on-failure:3 declared, always found",
        UPDATED,
    ),
    Meddling(
        "restart policy that was not declared",
        {},
        update(RestartPolicy=ALWAYS),
        "restart: no declared, always found",
        UPDATED,
    ),
    Meddling("network", NETWORK, disconnect, "is not connected to pnr_", UPDATED),
    Meddling(
        "one of two networks", {"networks": ["default", "back"]}, disconnect_second, "is not connected to pnr_", UPDATED
    ),
    Meddling("another network", NETWORK, connect, "_back, which is not declared", UPDATED),
    Meddling("another alias", NETWORK, connect_under_another_name, "alias stranger not declared", UPDATED),
    Meddling("name", NETWORK, rename, "is called", UPDATED),
    Meddling("paused", {}, pause, "was paused", UPDATED),
    Meddling("stopped", {}, stop, "exit", STARTED),
    Meddling("killed", {}, kill, "exit", STARTED),
    Meddling("removed", {}, remove, "", MADE),
    Meddling(
        "label",
        {"labels": {"team": "shop"}},
        make_again(Labels={"team": "bank"}),
        "labels: team not as declared",
        REPLACED,
        is_quick=True,
    ),
    Meddling(
        "variable",
        {"environment": {"PASSWORD": "secret-1"}},
        make_again(Env=["PASSWORD=secret-2"]),
        "environment: PASSWORD",
        REPLACED,
        is_quick=True,
    ),
    Meddling(
        "command",
        {"command": ["sleep", "86399"]},
        make_again(Cmd=["sleep", "86398"]),
        "command: ",
        REPLACED,
        is_quick=True,
    ),
    Meddling("tag", {"image": "left"}, swap("left"), "image: ", REPLACED),
    Meddling("tag that is followed", {"image": "followed"}, swap("followed"), "image: ", REPLACED, FOLLOWED),
    Meddling(
        "label that is to be left alone",
        {"labels": {"team": "shop"}},
        make_again(Labels={"team": "bank"}),
        "",
        NOTHING,
        {"ignore_drift": ["labels"]},
        is_quick=True,
    ),
    Meddling(
        "memory that is to be left alone",
        {"mem_limit": "64m"},
        update(Memory=128 * MIB, MemorySwap=256 * MIB),
        "",
        NOTHING,
        {"ignore_drift": ["mem_limit", "memswap_limit"]},
    ),
    Meddling(
        "restart policy that is to be left alone",
        {},
        update(RestartPolicy=ALWAYS),
        "",
        NOTHING,
        {"ignore_drift": ["restart"]},
    ),
    Meddling(
        "tag that is to be left alone", {"image": "alone"}, swap("alone"), "", NOTHING, {"ignore_drift": ["image"]}
    ),
    Meddling("networks that are to be left alone", NETWORK, connect, "", NOTHING, {"ignore_drift": ["networks"]}),
    Meddling("nothing", NETWORK, lambda api, here, container: None, "", NOTHING),
)
each_meddling = pytest.mark.parametrize("meddling", MEDDLINGS, ids=[meddling.name for meddling in MEDDLINGS])


@dataclass
class Story:
    """Of each meddling: what the program ``did`` and ``sent``, what the journal ``said``, how the chunk stood then and
    what its container was called; and what was sent ``after`` that."""

    did: dict[str, str] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def slug(meddling: Meddling) -> str:
    return meddling.name.replace(" ", "-")


@pytest.fixture(scope="module")
def story(
    docker_api: APIClient, engine_socket: Path, here: Here, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("stage")
    with tapped(root, engine_socket) as wire, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{wire.path}")

        async def play() -> Story:
            async with on_stage(here.name("drift"), root, docker_api, wire) as stage:
                return await _play(stage, here)

        yield asyncio.run(play())


async def _play(stage: Stage, here: Here) -> Story:
    story = Story()
    await stage.apply(_document(stage.domain, here))
    del stage.wire.calls[:], stage.journal[:]
    for m in [m for m in MEDDLINGS if m.is_quick]:
        m.do(stage.api, here, here.name(slug(m)))
    before = stage.runs()
    for m in [m for m in MEDDLINGS if not m.is_quick]:
        await asyncio.to_thread(m.do, stage.api, here, here.name(slug(m)))
    await stage.until(lambda: "tag" in stage.calls_by_chunk(stage.wire.calls), "the swapped tag to be noticed")
    for _ in range(3):
        await stage.resync(anew=True)
        await stage.settle()
    after = stage.runs()
    story.sent = stage.calls_by_chunk(stage.wire.calls)
    story.states = {name: chunk["state"] for name, chunk in stage.chunks().items()}
    for entry in stage.journal:
        story.said.setdefault(str(entry.get("chunk")), []).append(str(entry["message"]))
    for name, (id, started) in after.items():
        sent = story.sent.get(name, [])
        if before[name][0] != id:
            removed = any(call.startswith("DELETE") for call in sent)
            story.did[name] = REPLACED if removed else MADE
        elif before[name][1] != started:
            story.did[name] = STARTED
        else:
            story.did[name] = UPDATED if set(sent) - {TOO_LATE} else NOTHING
    story.names = {name: stage.api.inspect_container(id)["Name"].lstrip("/") for name, (id, _) in after.items()}
    del stage.wire.calls[:]
    for _ in range(5):
        await stage.resync(anew=True)
    story.after = stage.calls_by_chunk(stage.wire.calls)
    return story


def _document(domain: str, here: Here) -> dict[str, Any]:
    def container(meddling: Meddling) -> dict[str, Any]:
        mode = {} if "networks" in meddling.settings else {"network_mode": "none"}
        usual = {"name": here.name(slug(meddling)), "image": here.images[PLAIN], "stop_grace_period": "0s"}
        declared = {**usual, **mode, **meddling.settings}
        return {**declared, "image": here.images.get(declared["image"], declared["image"])}

    chunks = [{"name": slug(m), "container": container(m), **m.chunk} for m in MEDDLINGS]
    usual = {"name": here.name("in-both"), "image": here.images[PLAIN], "stop_grace_period": "0s"}
    both = {"name": "in-both", "container": {**usual, "networks": ["default", "back"]}}
    return {"name": domain, "networks": {"back": {}}, "cpuxs": {"main": {"design_chunks": [*chunks, both]}}}


@each_meddling
def test_it_is_put_right_as_gently_as_the_engine_can(story: Story, meddling: Meddling) -> None:
    name = slug(meddling)
    assert story.did[name] == meddling.does, (story.sent.get(name), story.said.get(name))
    assert story.states[name] == "completed"


@each_meddling
def test_the_difference_is_named_in_the_journal(story: Story, meddling: Meddling) -> None:
    said = story.said.get(slug(meddling), [])
    if meddling.does == NOTHING:
        assert not any("declared" in message for message in said), said
    else:
        assert any(meddling.says in message for message in said), said


@each_meddling
def test_after_that_nothing_is_sent(story: Story, meddling: Meddling) -> None:
    assert story.after.get(slug(meddling), []) == []


def test_a_container_that_was_renamed_has_its_name_back(story: Story, here: Here) -> None:
    assert story.names["name"] == here.name("name")
