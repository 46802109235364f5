"""What the tests of the policy on a real engine share: a guarded engine, and places of the host of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound as Gone

from reconciler.engine.docker import DockerEngine
from reconciler.engine.docker import client as clients
from reconciler.engine.docker.guarding import Guard
from reconciler.engine.docker.mounted_files import MountedFiles
from reconciler.engine.protocol import PolicyRefused
from reconciler.host import networks, paths
from reconciler.planner.actions import Action
from reconciler.policy import Judge, Policy, Profile
from reconciler.policy.table import RULES
from reconciler.policy.world import Installation
from reconciler.sources.contents import LocalContents, Places
from reconciler.state.adopted import AdoptedStore
from tests.integration.engine.bench import Bench


@dataclass
class Ground:
    """Places of the host: ``app`` is an ordinary directory, ``domains`` and ``state`` are pnr's."""

    root: Path
    socket: Path

    def __post_init__(self) -> None:
        for folder in (self.app, self.domains, self.state):
            folder.mkdir(parents=True)
        (self.app / "html").mkdir()

    @property
    def app(self) -> Path:
        return self.root / "app"

    @property
    def domains(self) -> Path:
        return self.root / "pnr" / "domains"

    @property
    def state(self) -> Path:
        return self.root / "pnr" / "state"

    def judge(self, policy: Policy) -> Judge:
        """The judge of a policy for these places."""
        installation = Installation(
            domains=str(self.domains),
            own=(str(self.state),),
            runtime=str(self.state / "runtime"),
            files=(str(self.state / "files"),),
            sockets=(str(self.socket), str(self.socket.resolve())),
            net=networks.look,
        )
        return Judge(policy, installation, paths.look)


def policy(profile: Profile = Profile.STANDARD, **values: Any) -> Policy:
    """A profile with other values; ``__`` stands for the dot."""
    given = Policy.of(profile)
    changed = {key.replace("__", "."): value for key, value in values.items()}
    parsed = {name: RULES[name].kind.parse(value) for name, value in changed.items()}
    return replace(given, values={**given.values, **parsed}, file="policy.toml", lines=dict.fromkeys(parsed, 1))


@pytest.fixture
def ground(tmp_path: Path, engine_socket: Path) -> Ground:
    return Ground(tmp_path / "ground", engine_socket)


@dataclass
class Guarded:
    """Makes benches with an engine that a policy guards; ``raw`` is a client that nobody guards."""

    ground: Ground
    raw: APIClient
    image: str
    name: str
    engines: list[DockerEngine]

    async def bench(self, given: Policy | None = None) -> Bench:
        """A bench under a policy."""
        judge = self.ground.judge(given or policy())
        adopted = AdoptedStore(self.ground.state)
        contents = LocalContents(lambda: bytes(32), Places({}))
        made = DockerEngine(
            runtime_root=str(self.ground.state / "runtime"),
            docker_host=f"unix://{self.ground.socket}",
            adopted=adopted,
            files=MountedFiles(str(self.ground.state / "files"), contents),
            guard=Guard(judge, adopted),
        )
        await made.connect()
        self.engines.append(made)
        return Bench(made, self.raw, self.image, self.name)

    def client(self, given: Policy | None = None) -> APIClient:
        """The SDK's client with the guard before it."""
        address = clients.Address(f"unix://{self.ground.socket}")
        guard = Guard(self.ground.judge(given or policy()))
        return clients.make(address, "1.41", timeout=60, pool=1, guard=guard)


@pytest.fixture
async def guarded(ground: Ground, docker_api: APIClient, busybox_image: str, unique: Callable[[str], str]) -> Any:
    made = Guarded(ground, docker_api, busybox_image, unique("policy"), [])
    yield made
    for engine in made.engines:
        await engine.close()
    _remove(docker_api, made.name)


def _remove(api: APIClient, prefix: str) -> None:
    for summary in api.containers(all=True):
        if any(name.startswith(f"/{prefix}") for name in summary["Names"]):
            _gone(api.remove_container, summary["Id"], v=True, force=True)
    for network in api.networks():
        if network["Name"].startswith(prefix):
            _gone(api.remove_network, network["Id"])
    for volume in api.volumes()["Volumes"] or ():
        if volume["Name"].startswith(prefix):
            _gone(api.remove_volume, volume["Name"], force=True)


def _gone(remove: Callable[..., Any], *args: Any, **options: Any) -> None:
    try:
        remove(*args, **options)
    except Gone:
        return


async def refused(bench: Bench, action: Action) -> str:
    """What an action is refused with."""
    with pytest.raises(PolicyRefused) as caught:
        await bench.engine.perform(action)
    return str(caught.value)


@pytest.fixture
def socket_link(engine_socket: Path, unique: Callable[[str], str]) -> Iterator[Path]:
    """A hard link to the engine's socket, under a name of its own."""
    link = engine_socket.resolve().parent / unique("hard.sock")
    link.hardlink_to(engine_socket.resolve())
    yield link
    link.unlink()
