"""The hard promise: nothing without our labels is changed or removed, whatever is asked for."""

from __future__ import annotations

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import EngineError, NameConflict
from reconciler.intent.model import NetworkSpec, VolumeSpec
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateNetwork,
    CreateVolume,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from tests.integration.engine.bench import Bench

pytestmark = pytest.mark.docker


async def test_no_action_touches_a_foreign_container(engine: DockerEngine, bench: Bench) -> None:
    network = await bench.network("net")
    foreign = bench.foreign("theirs")
    name = bench.name("theirs")
    actions: list[Action] = [
        StartContainer(name),
        StopContainer(name, 0),
        RemoveContainer(name),
        RemoveContainer(foreign),
        RenameContainer(name, bench.name("ours")),
        UnpauseContainer(name),
        ConnectNetwork(name, network, ()),
    ]
    bench.client.pause(foreign)
    before = bench.client.inspect_container(foreign)
    for action in actions:
        with pytest.raises(EngineError, match="not made by pnr"):
            await engine.perform(action)
    assert bench.client.inspect_container(foreign) == before
    seen = (await engine.observe()).containers[foreign]
    assert seen.owner is None
    assert seen.name == name


async def test_some_of_our_labels_make_nobody_ours(engine: DockerEngine, bench: Bench) -> None:
    name = bench.name("half")
    bench.client.create_container(bench.image, name=name, labels={"io.pnr.domain": bench.domain})
    with pytest.raises(EngineError, match="not made by pnr"):
        await engine.perform(RemoveContainer(name))


async def test_a_rename_is_not_taken_for_done_when_a_foreigner_has_the_name(engine: DockerEngine, bench: Bench) -> None:
    bench.foreign("theirs")
    with pytest.raises(EngineError, match="not made by pnr"):
        await engine.perform(RenameContainer(bench.name("gone"), bench.name("theirs")))


async def test_a_foreign_network_and_that_of_another_domain_stay(engine: DockerEngine, bench: Bench) -> None:
    theirs, other = bench.name("theirs"), bench.name("other")
    bench.client.create_network(theirs)
    bench.client.create_network(other, labels={"io.pnr.domain": "another-domain"})
    for name in (theirs, other):
        with pytest.raises(NameConflict, match="does not belong to domain"):
            await engine.perform(CreateNetwork(name, bench.domain, NetworkSpec(name)))
        with pytest.raises(EngineError, match="left alone"):
            await engine.perform(RemoveNetwork(name, bench.domain))
    networks = (await engine.observe()).networks
    assert networks[theirs].domain is None
    assert networks[other].domain == "another-domain"


async def test_a_foreign_volume_is_not_taken_for_ours_and_never_removed(engine: DockerEngine, bench: Bench) -> None:
    name = bench.name("data")
    bench.client.create_volume(name)
    with pytest.raises(NameConflict, match="declare it as external"):
        await engine.perform(CreateVolume(name, bench.domain, VolumeSpec(name)))
    with pytest.raises(EngineError, match="left alone"):
        await engine.perform(RemoveVolume(name, bench.domain))
    assert (await engine.observe()).volumes[name].domain is None


async def test_a_network_that_a_foreign_container_uses_names_it(engine: DockerEngine, bench: Bench) -> None:
    network = await bench.network("net")
    foreign = bench.foreign("theirs")
    bench.client.connect_container_to_network(foreign, network)
    with pytest.raises(EngineError, match=f"{bench.name('theirs')} still use"):
        await engine.perform(RemoveNetwork(network, bench.domain))
    assert network in bench.client.inspect_container(foreign)["NetworkSettings"]["Networks"]
    bench.client.disconnect_container_from_network(foreign, network)
    await engine.perform(RemoveNetwork(network, bench.domain))
    await engine.perform(RemoveNetwork(network, bench.domain))
    assert network not in (await engine.observe()).networks


async def test_a_volume_of_ours_is_made_and_removed(engine: DockerEngine, bench: Bench) -> None:
    name = await bench.volume("data")
    assert (await engine.observe()).volumes[name].domain == bench.domain
    await engine.perform(RemoveVolume(name, bench.domain))
    await engine.perform(RemoveVolume(name, bench.domain))
    assert name not in (await engine.observe()).volumes
