"""Networks, volumes and how containers are connected, on a real engine: made, read back, compared, recreated."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.utils import version_lt

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import EngineError
from reconciler.intent import networks as written
from reconciler.intent.fingerprint import network_digest
from reconciler.intent.model import Chunk, Ipam, NetworkSpec, VolumeSpec
from reconciler.planner.actions import (
    ConnectNetwork,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    StopContainer,
)
from reconciler.planner.belongings_compare import network_differences, volume_differences
from reconciler.planner.endpoints import endpoint_differences
from reconciler.planner.networks_and_volumes import networks
from reconciler.planner.observed import LABEL_DOMAIN, Condition, Container, Network, Volume
from tests.integration.engine.bench import Bench
from tests.integration.wire import tapped
from tests.unit.planner.build import domain

pytestmark = pytest.mark.docker


class Subnets:
    """Subnets that nobody else is likely to have at the same time."""

    def __init__(self) -> None:
        self._begin = f"10.{random.randint(130, 250)}.{random.randint(0, 250)}"

    def ipv4(self, host: str = "0/24") -> str:
        return f"{self._begin}.{host}"

    def ipv6(self, host: str = "/64") -> str:
        _, second, third = self._begin.split(".")
        return f"fd00:{int(second):x}:{int(third):x}::{host}"


async def make(bench: Bench, what: str, **spec: Any) -> NetworkSpec:
    made = NetworkSpec(bench.name(what), **spec)
    made = replace(made, digest=network_digest(made))
    await bench.engine.perform(CreateNetwork(made.name, bench.domain, made))
    return made


async def seen_network(bench: Bench, name: str) -> Network:
    return (await bench.engine.observe()).networks[name]


async def seen_volume(bench: Bench, name: str) -> Volume:
    return (await bench.engine.observe()).volumes[name]


def joined(bench: Bench, what: str, endpoints: Mapping[str, Mapping[str, Any]], **options: Any) -> Chunk:
    """A chunk that joins networks under its own name, as declared in the long form."""
    chunk = bench.chunk(what, networks=dict.fromkeys(endpoints, (what,)), **options)
    return replace(chunk, container=replace(chunk.container, endpoints=endpoints))


async def running(bench: Bench, chunk: Chunk) -> Container:
    made = await bench.engine.perform(bench.creation(chunk))
    assert made is not None
    started = await bench.engine.perform(StartContainer(made.name))
    assert started is not None
    return started


@pytest.mark.parametrize("what", ["plain", "options", "closed", "addresses", "ipv6", "odd"])
async def test_a_network_is_as_it_was_declared(bench: Bench, what: str) -> None:
    at = Subnets()
    specs: dict[str, dict[str, Any]] = {
        "plain": {},
        "options": {
            "driver": "bridge",
            "driver_opts": {"com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.enable_icc": "false"},
            "labels": {"a": "b"},
        },
        "closed": {"internal": True, "attachable": True},
        "addresses": {
            "ipam": {
                "driver": "default",
                "config": [
                    {
                        "subnet": at.ipv4(),
                        "ip_range": at.ipv4("128/25"),
                        "gateway": at.ipv4("1"),
                        "aux_addresses": {"router": at.ipv4("9")},
                    }
                ],
            }
        },
        "ipv6": {"enable_ipv6": True, "ipam": {"config": [{"subnet": at.ipv6()}]}},
        "odd": {"ipam": {"config": [{"subnet": at.ipv4("7/24"), "ip_range": at.ipv4("77/26")}]}},
    }
    declared = specs[what]
    if "ipam" in declared:
        declared["ipam"] = written.ipam(declared["ipam"])
    spec = await make(bench, what, **declared)
    seen = await seen_network(bench, spec.name)
    assert (seen.domain, seen.spec) == (bench.domain, spec.digest)
    assert network_differences(spec, seen) == ()
    await bench.engine.perform(CreateNetwork(spec.name, bench.domain, spec))
    assert (await seen_network(bench, spec.name)).id == seen.id


async def test_each_difference_of_a_network_is_named(bench: Bench) -> None:
    at = Subnets()
    spec = await make(bench, "net", driver_opts={"com.docker.network.driver.mtu": "1400"}, labels={"a": "b"})
    wanted = NetworkSpec(
        spec.name,
        internal=True,
        enable_ipv6=True,
        driver_opts={"com.docker.network.driver.mtu": "1300"},
        labels={"a": "c"},
        ipam=written.ipam({"config": [{"subnet": at.ipv4()}]}),
    )
    found = network_differences(wanted, await seen_network(bench, spec.name))
    assert found[:3] == (
        "internal: true declared, false found",
        "enable_ipv6: true declared, false found",
        "driver_opts com.docker.network.driver.mtu: 1300 declared, 1400 found",
    )
    assert found[3].startswith(f"ipam subnet: {at.ipv4()} declared, ")
    assert found[4:] == ("labels a: c declared, b found",)


async def test_a_driver_that_there_is_not_is_told_in_the_engines_words(bench: Bench) -> None:
    with pytest.raises(EngineError, match="nosuchdriver"):
        await make(bench, "net", driver="nosuchdriver")


async def test_a_network_is_made_anew_under_containers_that_run_and_that_do_not(
    engine: DockerEngine, bench: Bench
) -> None:
    spec = await make(bench, "net")
    one = joined(bench, "one", {spec.name: {}})
    two = joined(bench, "two", {spec.name: {}})
    await running(bench, one)
    await running(bench, two)
    await engine.perform(StopContainer(two.container.name, 0))
    before = await seen_network(bench, spec.name)
    wanted = replace(spec, internal=True, digest="")
    await engine.perform(RemoveNetwork(spec.name, bench.domain, disconnect=True))
    await engine.perform(CreateNetwork(spec.name, bench.domain, wanted))
    for chunk in (one, two):
        left = await engine.look(chunk.container.name)
        assert left is not None
        assert left.networks == {}
        again = await engine.perform(ConnectNetwork(left.name, spec.name, (chunk.id.chunk,)))
        assert again is not None
        assert endpoint_differences(chunk.container, again) == {}
    after = await seen_network(bench, spec.name)
    assert after.id != before.id
    assert network_differences(wanted, after) == ()
    started = await engine.perform(StartContainer(two.container.name))
    assert started is not None
    assert started.networks[spec.name]
    still = await engine.look(one.container.name)
    assert still is not None
    assert still.condition is Condition.RUNNING
    assert still.networks[spec.name]


async def test_a_network_with_somebody_elses_container_is_left_as_it_is(engine: DockerEngine, bench: Bench) -> None:
    spec = await make(bench, "net")
    ours = await running(bench, joined(bench, "web", {spec.name: {}}))
    bench.foreign("proxy", network_mode=spec.name)
    with pytest.raises(EngineError, match=bench.name("proxy")):
        await engine.perform(RemoveNetwork(spec.name, bench.domain, disconnect=True))
    left = await engine.look(ours.id)
    assert left is not None
    assert left.networks[spec.name]
    wanted = replace(spec, internal=True)
    of = replace(domain(name=bench.domain), networks=(wanted,))
    found = networks(of, await engine.observe())
    assert found.work == []
    assert bench.name("proxy") in found.stuck[spec.name]


async def test_a_network_whose_users_docker_counts_wrongly_is_told_and_goes_later(
    docker_api: APIClient, busybox_image: str, engine_socket: Path, unique: Callable[[str], str], tmp_path: Path
) -> None:
    refusals = [(403, "error while removing network: network back id 04df has active endpoints")] * 2
    with tapped(tmp_path, engine_socket) as wire:
        engine = DockerEngine(runtime_root=str(tmp_path / "runtime"), docker_host=f"unix://{wire.path}")
        await engine.connect()
        bench = Bench(engine, docker_api, busybox_image, unique("engine"))
        spec = await make(bench, "back")
        gone = RemoveNetwork(spec.name, bench.domain)
        wire.refuse = lambda call: refusals.pop() if call.method == "DELETE" and refusals else None
        with pytest.raises(EngineError, match="shows none, which is a fault of Docker"):
            await engine.perform(gone)
        refusals = [(403, "error while removing network: network back id 04df has active endpoints")]
        await engine.perform(gone)
        assert spec.name not in (await engine.observe()).networks
        await engine.close()


async def test_a_volume_is_as_it_was_declared(engine: DockerEngine, bench: Bench) -> None:
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    name = bench.name("data")
    spec = VolumeSpec(name, driver="local", driver_opts=options, labels={"a": "b"}, keep=False)
    await engine.perform(CreateVolume(name, bench.domain, spec))
    seen = await seen_volume(bench, name)
    assert seen == Volume(name, bench.domain, False, "local", options, {"a": "b"})
    assert volume_differences(spec, seen) == ()
    bigger = replace(spec, driver_opts={**options, "o": "size=2m"})
    assert volume_differences(bigger, seen) == ("driver_opts o: size=2m declared, size=1m found",)
    assert volume_differences(VolumeSpec(name), seen)[0] == "driver_opts device: not declared, tmpfs found"
    await engine.perform(CreateVolume(name, bench.domain, bigger))
    assert await seen_volume(bench, name) == seen
    await engine.perform(RemoveVolume(name, bench.domain))
    plain = bench.name("plain")
    await engine.perform(CreateVolume(plain, bench.domain, VolumeSpec(plain)))
    assert volume_differences(VolumeSpec(plain), await seen_volume(bench, plain)) == ()


async def test_a_container_is_connected_as_declared_and_again_after_somebody_changed_it(
    engine: DockerEngine, bench: Bench
) -> None:
    at, beside = Subnets(), Subnets()
    first = await make(bench, "first", ipam=written.ipam({"config": [{"subnet": at.ipv4()}]}))
    second = await make(
        bench,
        "second",
        enable_ipv6=True,
        ipam=written.ipam({"config": [{"subnet": beside.ipv4()}, {"subnet": beside.ipv6()}]}),
    )
    fixed: dict[str, dict[str, Any]] = {
        first.name: {"ipv4_address": at.ipv4("50"), "mac_address": "02:42:0a:dd:00:77", "driver_opts": {"foo": "bar"}},
        second.name: {
            "ipv4_address": beside.ipv4("50"),
            "ipv6_address": beside.ipv6("50"),
            "link_local_ips": ["169.254.9.9"],
        },
    }
    chunk = joined(bench, "web", fixed, ports={"80": None})
    spec = chunk.container
    seen = await running(bench, chunk)
    assert list(seen.networks) == [first.name, second.name]
    assert seen.networks[first.name] == at.ipv4("50")
    assert endpoint_differences(spec, seen) == {}
    assert seen.endpoints[first.name]["mac_address"] == "02:42:0a:dd:00:77"
    assert seen.endpoints[first.name]["aliases"] == ["web"]
    for network in (first.name, second.name):
        bench.client.disconnect_container_from_network(seen.id, network)
        bench.client.connect_container_to_network(seen.id, network, aliases=["other"])
        changed = await engine.look(seen.id)
        assert changed is not None
        said = endpoint_differences(spec, changed)
        assert list(said) == [network]
        assert "alias web missing; alias other not declared; ipv4_address" in said[network]
        await engine.perform(DisconnectNetwork(spec.name, network))
        await engine.perform(DisconnectNetwork(spec.name, network))
        mended = await engine.perform(ConnectNetwork(spec.name, network, spec.networks[network], fixed[network]))
        assert mended is not None
        assert endpoint_differences(spec, mended) == {}
        assert mended.published["80/tcp"]
    await engine.perform(StopContainer(spec.name, 0))
    stopped = await engine.look(seen.id)
    assert stopped is not None
    assert endpoint_differences(spec, stopped) == {}


async def test_a_container_in_the_engines_own_network_has_no_names_there(engine: DockerEngine, bench: Bench) -> None:
    chunk = bench.chunk("web", networks={"bridge": ()})
    seen = await running(bench, chunk)
    assert seen.networks["bridge"]
    assert endpoint_differences(chunk.container, seen) == {}


async def test_an_older_network_without_a_note_of_what_it_was_made_from_is_fine(bench: Bench) -> None:
    name = bench.name("old")
    bench.client.create_network(name, driver="bridge", labels={LABEL_DOMAIN: bench.domain})
    spec = NetworkSpec(name)
    seen = await seen_network(bench, name)
    assert network_differences(replace(spec, digest=network_digest(spec)), seen) == ()
    assert seen.ipam != Ipam()


@pytest.mark.parametrize("comes_back", ["", "link_local_ips"])
async def test_a_connection_that_is_refused_is_none_and_leaves_nothing_behind(
    comes_back: str, engine: DockerEngine, bench: Bench
) -> None:
    at, beside = Subnets(), Subnets()
    own = await make(bench, "own", ipam=written.ipam({"config": [{"subnet": at.ipv4()}]}))
    other = await make(bench, "other", ipam=written.ipam({"config": [{"subnet": beside.ipv4()}]}))
    chunk = joined(bench, "web", {own.name: {}})
    seen = await running(bench, chunk)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"link_local_ips": ["10.0.0.9"]}, "invalid link local IP address: 10.0.0.9"),
        ({"ipv4_address": beside.ipv4("1")}, "is that of the network's own gateway"),
    ]
    for endpoint, said in refused:
        with pytest.raises(EngineError, match=said) as caught:
            await engine.perform(ConnectNetwork(seen.name, other.name, (), endpoint, comes_back))
        assert caught.value.code in ("AddressInUse", "EngineError")
        looked = await engine.look(seen.id)
        assert looked is not None
        assert list(looked.networks) == [own.name]
        assert [*(await engine.observe()).containers[seen.id].networks] == [own.name]
        shown = bench.client.inspect_container(seen.id)["NetworkSettings"]["Networks"]
        assert (other.name in shown) == bool(comes_back)
    # One way or the other it can be connected in a way that the engine takes, and started again.
    done = await engine.perform(ConnectNetwork(seen.name, other.name, ("back",)))
    assert done is not None
    assert done.networks[other.name]
    assert done.endpoints[other.name]["aliases"] == ["back"]
    await engine.perform(StopContainer(seen.name, 0))
    again = await engine.perform(StartContainer(seen.name))
    assert again is not None
    assert set(again.networks) == {own.name, other.name}


async def test_an_interface_that_can_not_be_had_is_no_connection(engine: DockerEngine, bench: Bench) -> None:
    own = await make(bench, "own")
    seen = await running(bench, joined(bench, "web", {own.name: {}}))
    await engine.perform(DisconnectNetwork(seen.name, own.name))
    if version_lt(bench.client.api_version, "1.49"):
        return  # it gives no names to interfaces
    with pytest.raises(EngineError, match="renaming interface") as caught:
        await engine.perform(ConnectNetwork(seen.name, own.name, (), {"interface_name": "lo"}, "interface_name"))
    assert caught.value.permanent
    done = await engine.perform(ConnectNetwork(seen.name, own.name, ()))
    assert done is not None
    assert done.networks[own.name]
