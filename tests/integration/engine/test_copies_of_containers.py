"""``docker commit`` copies our labels into an image: what is run from it is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.protocol import EngineError
from reconciler.planner.actions import RemoveContainer, RemoveNetwork, StopContainer
from tests.integration.engine.bench import Bench

pytestmark = pytest.mark.docker


@pytest.fixture
def committed(bench: Bench) -> Iterator[str]:
    """The name for an image that is made from a container; it goes at the end."""
    name = bench.name("committed")
    yield name
    for summary in bench.client.containers(all=True, filters={"ancestor": name}):
        bench.client.remove_container(summary["Id"], force=True, v=True)
    bench.client.remove_image(name, force=True)


def run_copy(bench: Bench, image: str, what: str = "copy") -> str:
    """What a person does with a committed image; the id of the container."""
    host = bench.client.create_host_config(init=True)
    made: str = bench.client.create_container(image, name=bench.name(what), host_config=host)["Id"]
    bench.client.start(made)
    return made


async def test_a_container_of_a_committed_image_is_somebody_elses(
    engine: DockerEngine, bench: Bench, committed: str
) -> None:
    ours = await bench.run()
    bench.client.commit(ours.id, committed)
    copy = run_copy(bench, committed)
    before = bench.client.inspect_container(copy)
    assert before["Config"]["Labels"]["io.pnr.domain"] == bench.domain
    for _ in range(2):
        seen = (await engine.observe()).containers
        assert seen[copy].owner is None
        assert seen[ours.id].owner == ours.owner
    looked_at = await engine.look(copy)
    assert looked_at is not None
    assert looked_at.owner is None
    for action in (StopContainer(bench.name("copy"), 0), RemoveContainer(bench.name("copy"))):
        with pytest.raises(EngineError, match="not made by pnr"):
            await engine.perform(action)
    assert bench.client.inspect_container(copy) == before


async def test_a_chunk_may_have_the_committed_image_itself(engine: DockerEngine, bench: Bench, committed: str) -> None:
    first = await bench.run("first")
    bench.client.commit(first.id, committed)
    await engine.perform(RemoveContainer(first.name))
    again = await bench.run("first", image=committed)
    assert again.owner == first.owner
    assert (await engine.observe()).containers[again.id].owner == first.owner


async def test_a_container_of_an_older_pnr_stays_ours_and_a_copy_of_it_is_not(
    engine: DockerEngine, bench: Bench, committed: str
) -> None:
    labels = {
        "io.pnr.domain": bench.domain,
        "io.pnr.cpux": "main",
        "io.pnr.chunk": "old",
        "io.pnr.replica": "1",
        "io.pnr.spec": "d1",
        "io.pnr.generation": "3",
    }
    host = bench.client.create_host_config(init=True)
    old = bench.client.create_container(bench.image, name=bench.name("old"), labels=labels, host_config=host)["Id"]
    bench.client.start(old)
    bench.client.commit(old, committed)
    copy = run_copy(bench, committed)
    seen = (await engine.observe()).containers
    assert seen[old].owner is not None
    assert seen[copy].owner is None
    await engine.perform(RemoveContainer(bench.name("old")))
    assert copy in (await engine.observe()).containers


async def test_a_network_is_not_made_anew_under_a_copy(engine: DockerEngine, bench: Bench, committed: str) -> None:
    network = await bench.network("net")
    ours = await bench.run()
    bench.client.commit(ours.id, committed)
    copy = run_copy(bench, committed)
    bench.client.connect_container_to_network(copy, network)
    with pytest.raises(EngineError, match="pnr did not make"):
        await engine.perform(RemoveNetwork(network, bench.domain, disconnect=True))
    assert network in bench.client.inspect_container(copy)["NetworkSettings"]["Networks"]


async def test_a_step_of_a_build_that_gives_itself_our_labels_is_nobodys(engine: DockerEngine, bench: Bench) -> None:
    """A Dockerfile has ``LABEL io.pnr.domain=another``: while it is built there is a container that says so."""
    ours = await bench.run()
    labels = {**bench.client.inspect_container(ours.id)["Config"]["Labels"], "io.pnr.replica": "\u00b2"}
    command = ["/bin/sh", "-c", "#(nop) ", "LABEL x"]
    step = bench.client.create_container(bench.image, command, name=bench.name("step"), labels=labels)["Id"]
    seen = (await engine.observe()).containers
    assert seen[step].owner is None
    assert seen[ours.id].owner == ours.owner
    with pytest.raises(EngineError, match="not made by pnr"):
        await engine.perform(RemoveContainer(bench.name("step")))


async def test_where_the_image_is_gone_the_labels_count(bench: Bench) -> None:
    ours = await bench.run()
    shown = {**bench.client.inspect_container(ours.id), "Image": "sha256:" + "0" * 64}

    class Without:
        """An engine that shows the container, and has lost its image."""

        def inspect_container(self, name: str) -> dict[str, object]:
            return shown

        def inspect_image(self, name: str) -> object:
            return bench.client.inspect_image(name)  # type: ignore[no-untyped-call]

    body = Ownership().inspect(Without(), ours.name)  # type: ignore[arg-type]
    assert body["Config"]["Labels"]["io.pnr.domain"] == bench.domain
