"""The guard in front of a real engine: what it refuses is not made, whoever asks for it in whatever way."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.types import ContainerSpec as SwarmContainer
from docker.types import IPAMConfig, IPAMPool, TaskTemplate

from reconciler.engine.docker.engine import DockerEngine
from reconciler.engine.protocol import NotFound, PolicyRefused
from reconciler.intent.contents import Source, SourceKind
from reconciler.intent.model import FactsMode, Ipam, MountedFile, NetworkSpec, Pool, VolumeSpec
from reconciler.planner.actions import (
    Action,
    AdoptContainer,
    ConnectNetwork,
    CreateNetwork,
    CreateVolume,
    EnsureImage,
    StartContainer,
    StopContainer,
    UpdateContainer,
)
from reconciler.planner.bodies import network_body
from reconciler.planner.observed import LABEL_DOMAIN
from reconciler.policy import Profile
from reconciler.policy.request import Request, Route
from tests.integration.engine.bench import Bench
from tests.integration.policy.conftest import Ground, Guarded, policy, refused

pytestmark = pytest.mark.docker

Api = Callable[[APIClient, str], Any]


def container(api: APIClient, name: str) -> dict[str, Any] | None:
    """A container by name, as the engine shows it."""
    found = [c for c in api.containers(all=True) if f"/{name}" in c["Names"]]
    return dict(api.inspect_container(found[0]["Id"])) if found else None


async def created(bench: Bench, **written: Any) -> str:
    """Why the creation of a container is refused; nothing of it is there."""
    return await created_of(bench, "web", **written)


async def created_of(bench: Bench, name: str, **written: Any) -> str:
    """The same of a chunk of another name."""
    said = await refused(bench, bench.creation(bench.chunk(name, **written)))
    assert container(bench.client, bench.name(name)) is None
    return said


def pools(subnet: str) -> dict[str, Any]:
    """Where a network's addresses come from."""
    return IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])


def logged(image: str, driver: str, option: str, value: str) -> dict[str, Any]:
    """The body of a container whose output goes to a driver."""
    return {"Image": image, "HostConfig": {"LogConfig": {"Type": driver, "Config": {option: value}}}}


# --- every way to the engine ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda c, i: c.create_container_from_config({"Image": i, "HostConfig": {"Privileged": True}}), id="create"
        ),
        pytest.param(
            lambda c, i: c.create_container(i, host_config=c.create_host_config(pid_mode="host")), id="the SDK's create"
        ),
        pytest.param(lambda c, i: c.create_container(i, host_config={"privileged": True}), id="a field in lower case"),
        pytest.param(
            lambda c, i: c.create_volume("pnrtx", driver_opts={"type": "none", "o": "bind", "device": "/"}), id="volume"
        ),
        pytest.param(lambda c, i: c.create_network("pnrtx", driver="weird"), id="network"),
        *(
            pytest.param(lambda c, i, of=subnet: c.create_network("pnrtx", ipam=pools(of)), id=f"the subnet {subnet}")
            for subnet in ("0.0.0.0/1", "127.0.0.0/8", "169.254.169.0/24", "198.51.100.0/24", "2001:db8::/64")
        ),
        *(
            pytest.param(lambda c, i, log=log: c.create_container_from_config(logged(i, *log)), id=" ".join(log))
            for log in (
                ("syslog", "syslog-address", "unix://x/run/docker.sock"),
                ("syslog", "syslog-address", "UNIXGRAM:///run/systemd/notify"),
                ("syslog", "syslog-address", "tcp://127.0.0.1:2375"),
                ("syslog", "syslog-tls-key", "etc/shadow"),
                ("fluentd", "fluentd-address", "unix:////run//docker.sock"),
                ("gelf", "gelf-address", "udp://169.254.169.254:80"),
                ("json-file", "tag", "two\nlines"),
            )
        ),
        pytest.param(lambda c, i: c.commit("pnrtx"), id="commit"),
        pytest.param(lambda c, i: c.tag(i, "pnrtx"), id="tag"),
        pytest.param(lambda c, i: c.import_image(src="http://192.0.2.1/x.tar", repository="pnrtx"), id="import by URL"),
        pytest.param(lambda c, i: c.import_image_from_data(b"", repository="pnrtx"), id="import of data"),
        pytest.param(lambda c, i: c.load_image(io.BytesIO(b"x")), id="load"),
        pytest.param(lambda c, i: c.put_archive("pnrtx", "/", b"x"), id="a file into a container"),
        pytest.param(lambda c, i: list(c.pull_plugin("pnrtx", [])), id="plugin"),
        pytest.param(lambda c, i: c.prune_containers(), id="prune"),
        pytest.param(lambda c, i: c.create_service(TaskTemplate(SwarmContainer(i))), id="service"),
        pytest.param(lambda c, i: list(c.build(path="https://192.0.2.1/x.git")), id="build from elsewhere"),
        pytest.param(lambda c, i: list(c.build(fileobj=io.BytesIO(b"FROM x"), network_mode="host")), id="build"),
    ],
)  # fmt: skip
def test_nothing_is_sent_that_the_policy_refuses(guarded: Guarded, busybox_image: str, call: Api) -> None:
    client = guarded.client()
    sent: list[str] = []
    adapter: Any = client.get_adapter("http+docker://localhost")
    plain = adapter.send

    def counted(request: Any, **options: Any) -> Any:
        sent.append(request.method)
        return plain(request, **options)

    adapter.send = counted
    with pytest.raises(PolicyRefused, match="the policy refuses"):
        call(client, busybox_image)
    assert set(sent) <= {"GET"}
    client.close()


def test_what_looks_passes(guarded: Guarded, busybox_image: str) -> None:
    client = guarded.client(policy(Profile.STRICT))
    assert client.ping()
    assert client.inspect_image(busybox_image)["Id"]  # type: ignore[no-untyped-call]
    client.close()


# --- paths -----------------------------------------------------------------------------------------------------------


async def test_a_link_in_the_middle_of_a_path_is_refused(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    (ground.root / "link").symlink_to(ground.app)
    said = await created(bench, volumes=[f"{ground.root}/link/html:/x"])
    assert f"leads through the link {ground.root}/link; write {ground.app}/html" in said


@pytest.mark.parametrize(
    "way", ["{root}/app/../pnr/state", "{root}//pnr///state/", "{root}/./pnr/state/.", "{root}/pnr"]
)
async def test_other_spellings_lead_to_the_same_place(guarded: Guarded, ground: Ground, way: str) -> None:
    bench = await guarded.bench()
    assert "binds.protected" in await created(bench, volumes=[f"{way.format(root=ground.root)}:/x"])


async def test_a_directory_that_becomes_a_link_after_it_was_judged_is_not_mounted(
    guarded: Guarded, ground: Ground
) -> None:
    bench = await guarded.bench()
    creation = bench.creation(bench.chunk(volumes=[f"{ground.app}/html:/x"]))
    await bench.engine.perform(creation)
    (ground.app / "html").rmdir()
    (ground.app / "html").symlink_to("/etc")
    said = await refused(bench, StartContainer(bench.name("web")))
    assert "binds.links" in said
    assert "/etc" in said
    shown = container(bench.client, bench.name("web"))
    assert shown is not None
    assert shown["State"]["Status"] == "created"
    assert "binds.links" in await refused(
        bench, bench.creation(bench.chunk("other", volumes=[f"{ground.app}/html:/x"]))
    )


async def test_a_container_that_stopped_is_not_started_on_another_directory(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    made = await bench.run(volumes=[f"{ground.app}/html:/x"])
    await bench.engine.perform(StopContainer(made.name, 0))
    (ground.app / "html").rename(ground.app / "old")
    (ground.app / "html").symlink_to("/root")
    assert "binds.links" in await refused(bench, StartContainer(made.name))
    (ground.app / "html").unlink()
    (ground.app / "old").rename(ground.app / "html")
    started = await bench.engine.perform(StartContainer(made.name))
    assert started is not None
    assert started.condition == "running"


async def test_a_file_is_as_good_as_a_directory(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    (ground.state / "key").write_text("x")
    (ground.app / "conf").write_text("x")
    assert "binds.protected" in await created(bench, volumes=[f"{ground.state}/key:/x:ro"])
    assert "binds.protected" in await created(bench, volumes=["/etc/shadow:/x:ro"])
    await bench.create(volumes=[f"{ground.app}/conf:/x"])


async def test_the_engines_socket_is_refused_by_every_name(
    guarded: Guarded, engine_socket: Path, socket_link: Path
) -> None:
    lax = policy(binds__protected=[], binds__links=True, binds__read_only=["/run", "/var/run"])
    bench = await guarded.bench(lax)
    names = [engine_socket, engine_socket.resolve(), socket_link]
    for name in [*map(str, names), f"/proc/self/root{engine_socket.resolve()}"]:
        for mode in ("rw", "ro"):
            assert "rule binds.engine_socket," in await created(bench, volumes=[f"{name}:/x:{mode}"]), name
    assert "binds.protected" in await created(bench, volumes=[f"{engine_socket.resolve().parent}:/x"])


async def test_the_chunk_that_the_policy_names_has_the_engines_socket(guarded: Guarded, engine_socket: Path) -> None:
    named = policy(binds__engine_socket=["*/*/web"])
    bench = await guarded.bench(named)
    volumes = [f"{engine_socket}:/x:ro"]
    made = await bench.run("web", volumes=volumes)
    (mount,) = guarded.raw.inspect_container(made.name)["Mounts"]
    assert mount["Destination"] == "/x"
    assert made.condition == "running"
    other = bench.creation(bench.chunk("db", volumes=volumes))
    assert "rule binds.engine_socket," in await refused(bench, other)


async def test_the_engines_own_data_are_refused_wherever_they_lie(guarded: Guarded) -> None:
    root = str(guarded.raw.info()["DockerRootDir"])
    bench = await guarded.bench(policy(binds__protected=[]))
    assert "binds.protected" in await created(bench, volumes=[f"{root}/volumes:/x"])


# --- volumes ----------------------------------------------------------------------------------------------------------


async def test_a_volume_of_somebody_else_that_is_a_place_of_the_host_is_refused(guarded: Guarded) -> None:
    bench = await guarded.bench()
    name = bench.name("alien")
    guarded.raw.create_volume(name, driver_opts={"type": "none", "o": "bind", "device": "/etc"})
    for written in ([f"{name}:/x"], [{"type": "volume", "source": name, "target": "/x"}]):
        assert "binds.protected" in await created(bench, volumes=written)


async def test_a_volume_of_somebody_else_is_had_only_where_the_policy_names_it(guarded: Guarded) -> None:
    bench = await guarded.bench()
    name = bench.name("alien")
    guarded.raw.create_volume(name, labels={LABEL_DOMAIN: "other"})
    assert "volumes.external" in await created(bench, volumes=[f"{name}:/x"])
    named = await guarded.bench(policy(volumes__external=[name]))
    await named.create(volumes=[f"{name}:/x"])


@pytest.mark.parametrize(
    "options",
    [
        {"type": "none", "o": "bind", "device": "/etc"},
        {"type": "tmpfs", "o": "size=1m,rbind", "device": "/"},
        {"type": "ext4", "device": "/dev/sda1"},
    ],
)
async def test_such_a_volume_is_not_made(guarded: Guarded, options: dict[str, str]) -> None:
    bench = await guarded.bench()
    name = bench.name("v")
    await refused(bench, CreateVolume(name, bench.domain, VolumeSpec(name, driver_opts=options)))
    assert name not in [volume["Name"] for volume in guarded.raw.volumes()["Volumes"] or ()]


async def test_a_volume_on_an_ordinary_directory_is_made_and_used(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    name = bench.name("v")
    options = {"type": "none", "o": "bind", "device": str(ground.app / "html")}
    await bench.engine.perform(CreateVolume(name, bench.domain, VolumeSpec(name, driver_opts=options)))
    await bench.run(volumes=[f"{name}:/x"])
    (ground.app / "html").rename(ground.app / "old")
    (ground.app / "html").symlink_to("/etc")
    await bench.engine.perform(StopContainer(bench.name("web"), 0))
    assert "binds.links" in await refused(bench, StartContainer(bench.name("web")))


# --- other containers ------------------------------------------------------------------------------------------------


async def test_nothing_is_shared_with_a_container_of_somebody_else(guarded: Guarded, engine_socket: Path) -> None:
    bench = await guarded.bench()
    alien = bench.foreign("alien", binds=[f"{engine_socket.resolve()}:/s"])
    for written in (
        {"volumes_from": [f"container:{alien}"]},
        {"pid": f"container:{alien}"},
        {"ipc": f"container:{bench.name('alien')}"},
        {"network_mode": f"container:{alien[:12]}"},
    ):
        assert "namespaces.containers" in await created(bench, **written)


async def test_siblings_share_what_they_may_have(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    db = await bench.run("db", volumes=[f"{ground.app}/html:/x"])
    shared = await bench.run(
        network_mode=f"container:{db.name}", volumes_from=[f"container:{db.name}"], pid=f"container:{db.name}"
    )
    assert shared.condition == "running"


async def test_while_a_sibling_is_replaced_nothing_is_sent_and_nothing_is_a_verdict(guarded: Guarded) -> None:
    bench = await guarded.bench()
    db = await bench.run("db", volumes=["/x"])
    made = await bench.create(volumes_from=[f"container:{db.name}"])
    guarded.raw.rename(db.id, f"{db.name}.pnr-previous")
    asked: list[Action] = [StartContainer(made.name)]
    settings: tuple[dict[str, Any], ...] = (
        {"volumes_from": [f"container:{db.name}"]},
        {"network_mode": f"container:{db.name}"},
        {"pid": f"container:{db.name}"},
    )
    asked += [bench.creation(bench.chunk("api", **written)) for written in settings]
    for action in asked:
        with pytest.raises(NotFound, match="is not there"):
            await bench.engine.perform(action)
    assert container(guarded.raw, bench.name("api")) is None
    assert guarded.raw.inspect_container(made.id)["State"]["Status"] == "created"
    # What is wrong whoever has the name stays a verdict.
    said = await created_of(bench, "api", privileged=True, **settings[0])
    assert "security.privileged" in said
    guarded.raw.rename(db.id, db.name)
    await bench.engine.perform(StartContainer(made.name))
    assert guarded.raw.inspect_container(made.id)["State"]["Running"]


async def test_what_is_done_to_a_container_that_is_gone_is_no_verdict(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(limits__memory="64m"))
    made = await bench.run(mem_limit="32m")
    guarded.raw.remove_container(made.id, force=True)
    with pytest.raises(NotFound):
        await bench.engine.run_inside(made.id, ["true"], 10)
    client = guarded.client(policy(limits__memory="64m"))
    with pytest.raises(NotFound):
        client.update_container(made.id, mem_limit=1 << 30)
    with pytest.raises(NotFound):
        client.connect_container_to_network(made.id, "bridge")


async def test_a_directory_that_is_not_there_at_this_moment_is_no_verdict(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench(policy(binds__missing=False))
    made = await bench.create(volumes=[f"{ground.app}/html:/x"])
    (ground.app / "html").rename(ground.app / "away")
    with pytest.raises(PolicyRefused, match="not there") as caught:
        await bench.engine.perform(StartContainer(made.name))
    assert not caught.value.permanent
    (ground.app / "html").symlink_to("/etc")
    with pytest.raises(PolicyRefused, match=r"binds\.links") as caught:
        await bench.engine.perform(StartContainer(made.name))
    assert caught.value.permanent


async def test_the_hosts_network_is_refused_under_its_id_too(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(namespaces__host=[]))
    host = next(network["Id"] for network in guarded.raw.networks(names=["host"]) if network["Name"] == "host")
    assert "namespaces.host" in await created(bench, network_mode="host")
    assert "namespaces.host" in await created(bench, networks={host: ()})


async def test_a_network_of_somebody_else_is_joined_only_where_the_policy_says_so(guarded: Guarded) -> None:
    bench = await guarded.bench()
    alien = bench.name("alien")
    guarded.raw.create_network(alien, labels={LABEL_DOMAIN: "other"})
    assert "networks.external" in await created(bench, networks={alien: ()})
    made = await bench.create()
    assert "networks.external" in await refused(bench, ConnectNetwork(made.name, alien, ()))
    nobodys = bench.name("nobodys")
    guarded.raw.create_network(nobodys)
    closed = await guarded.bench(policy(networks__external=[]))
    assert "networks.external" in await refused(closed, ConnectNetwork(made.name, nobodys, ()))
    await bench.engine.perform(ConnectNetwork(made.name, nobodys, ()))
    own = await bench.network("own")
    await bench.engine.perform(ConnectNetwork(made.name, own, ()))


async def test_a_driver_of_networks_is_refused(guarded: Guarded) -> None:
    bench = await guarded.bench()
    name = bench.name("n")
    said = await refused(bench, CreateNetwork(name, bench.domain, NetworkSpec(name, driver="weird")))
    assert "networks.drivers" in said


async def test_a_network_is_not_held_against_itself_but_against_what_the_host_has(
    guarded: Guarded, ground: Ground
) -> None:
    bench = await guarded.bench()
    name = bench.name("n")
    bridge = f"pnr{random.randrange(10**6)}"
    subnet = f"10.{random.randint(130, 200)}.{random.randint(0, 250)}.0/24"
    options = {"com.docker.network.bridge.name": bridge}
    spec = NetworkSpec(name, driver_opts=options, ipam=Ipam(pools=(Pool(subnet),)))
    await bench.engine.perform(CreateNetwork(name, bench.domain, spec))
    judge = ground.judge(policy())
    body = network_body(spec, bench.domain)
    half = network_body(
        replace(spec, driver_opts={}, ipam=Ipam(pools=(Pool(subnet.replace("/24", "/25")),))), bench.domain
    )
    asked = Request(Route.CREATE_NETWORK, "POST", "/networks/create", body=body)
    assert judge.request(asked) == []  # as a file that is judged again
    # What is there under its route, and is none of the engine's, is the host's.
    taken = judge.request(replace(asked, body=half))
    assert {refusal.rule for refusal in taken} == {"networks.host_overlap"}
    assert bridge in taken[0].message


# --- pnr's own ------------------------------------------------------------------------------------------------------


async def test_what_pnr_adds_passes_where_domains_may_have_nothing(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench(policy(binds__allowed=[], binds__links=False))
    path = ground.root / "secret"
    path.write_text("s3cret")
    source = Source(SourceKind.FILE, str(path))
    files: Any = bench.engine._files
    fingerprint = files._contents.fingerprint(source)
    secret = MountedFile("/run/secrets/s", source, fingerprint, secret=True)
    chunk = bench.chunk(facts=FactsMode.OWN, command=["sleep", "600"])
    chunk = replace(chunk, container=replace(chunk.container, files=(secret,)))
    made = await bench.engine.perform(bench.creation(chunk))
    assert made is not None
    started = await bench.engine.perform(StartContainer(made.name, (secret,)))
    assert started is not None
    code, said = await bench.engine.run_inside(started.id, ["sh", "-c", "cat /run/secrets/s; touch /runtime/x"], 10)
    assert (code, said) == (0, "s3cret")
    assert "binds.allowed" in await refused(bench, bench.creation(bench.chunk("b", volumes=[f"{ground.app}:/x"])))


async def test_the_places_behind_what_pnr_adds_are_not_to_be_had(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    await bench.create("db", facts=FactsMode.OWN)
    for name in ("runtime", f"runtime/{bench.domain}/main/db", "files", "runtime/../runtime"):
        assert "binds.protected" in await created(bench, volumes=[f"{ground.state}/{name}:/runtime"])


# --- adoption, updates, images -------------------------------------------------------------------------------------


async def test_a_privileged_container_of_somebody_else_is_not_taken_over(guarded: Guarded) -> None:
    bench = await guarded.bench()
    host = guarded.raw.create_host_config(privileged=True)
    alien = guarded.raw.create_container(guarded.image, name=bench.name("web"), host_config=host)["Id"]
    said = await refused(bench, AdoptContainer(bench.name("web"), alien, bench.chunk(), 1, True))
    assert "security.privileged" in said
    seen = await bench.engine.look(alien)
    assert seen is not None
    assert seen.owner is None
    # To replace it is to remove it, which somebody has to allow.
    replacing = AdoptContainer(bench.name("web"), alien, bench.chunk(), 1, False)
    assert "domains.adopt" in await refused(bench, replacing)
    allowed = await guarded.bench(policy(domains__adopt="replace"))
    await allowed.engine.perform(replacing)


async def test_nothing_is_taken_over_where_the_policy_says_so(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(domains__adopt="no"))
    alien = bench.foreign("web")
    for matching in (True, False):
        said = await refused(bench, AdoptContainer(bench.name("web"), alien, bench.chunk(), 1, matching))
        assert "domains.adopt" in said


async def test_a_command_in_a_container_that_may_run_is_not_refused(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(domains__adopt="no"))
    made = await bench.run()
    assert await bench.engine.run_inside(made.id, ["echo", "yes"], 10) == (0, "yes\n")


async def test_a_limit_is_not_raised_in_a_container_that_runs(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(limits__memory="64m"))
    made = await bench.run(mem_limit="32m")
    settings = {**(made.settings or {}), "mem_limit": 1 << 30}
    said = await refused(bench, UpdateContainer(made.name, settings, ("mem_limit",)))
    assert "limits.memory" in said
    assert guarded.raw.inspect_container(made.id)["HostConfig"]["Memory"] == 32 << 20


async def test_images_are_neither_pulled_nor_used_from_elsewhere(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(images__allowed=["ghcr.io/team/*"]))
    said = await refused(bench, EnsureImage("127.0.0.1:1/evil:1", None, "always"))
    assert "images.allowed" in said
    id = guarded.raw.inspect_image(guarded.image)["Id"]  # type: ignore[no-untyped-call]
    for name in (guarded.image, id, id.removeprefix("sha256:")[:12]):
        said = await refused(bench, bench.creation(bench.chunk(image=name)))
        assert "images.allowed" in said


async def test_the_engine_of_a_policy_that_is_open_refuses_nothing(guarded: Guarded) -> None:
    bench = await guarded.bench(policy(Profile.OPEN))
    assert isinstance(bench.engine, DockerEngine)
    made = await bench.create(privileged=True, pid="host", volumes=["/etc:/x:ro"])
    assert made.condition == "created"
