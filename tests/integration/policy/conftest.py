"""What the tests of the policy on a real engine share: a guarded engine, and places of the host of their own."""

from __future__ import annotations

import json
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
from reconciler.policy.table import RULES, policy_of
from reconciler.policy.world import Installation
from reconciler.sources.contents import LocalContents, Places
from reconciler.state.adopted import AdoptedStore
from tests.integration.daemon.conftest import Daemon
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
    given = policy_of(profile)
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


# --- a daemon for several authors ------------------------------------------------------------------------------------


@dataclass
class Town:
    """A daemon under the usual policy, which is the same for all tests of this directory that change nothing about
    that. ``theirs`` is an image that a registry has brought, ``guarded`` a directory that the policy protects, ``data``
    that of the engine: what somebody hostile would like to have."""

    daemon: Daemon
    theirs: str
    guarded: Path
    data: str

    def errors(self, file: str) -> list[dict[str, Any]]:
        """What is wrong with a file, by its name without the ending."""
        return [e for d in self.daemon.view()["domains"] if d["file"] == f"{file}.json" for e in d["errors"]]

    def write(self, file: str, document: dict[str, Any]) -> str:
        """Put a file there as people write it, in lines; its text."""
        return self.daemon.write(file, json.dumps(document, indent=1)).read_text()

    def withdraw(self, *files: str) -> None:
        """Take files away that were never in force."""
        for file in files:
            (self.daemon.domains / f"{file}.json").unlink()


@pytest.fixture(scope="package")
def town(
    tmp_path_factory: pytest.TempPathFactory, docker_api: APIClient, busybox_image: str, run_prefix: str
) -> Iterator[Town]:
    root = tmp_path_factory.mktemp("town")
    guarded = root / "guarded"
    (guarded / "etc").mkdir(parents=True)
    theirs = f"{run_prefix}-theirs"
    docker_api.tag(busybox_image, theirs, "1")
    file = root / "policy.toml"
    file.write_text(f'profile = "standard"\n[binds]\nprotected = ["{guarded}"]\n')
    file.chmod(0o644)
    running = Daemon(root, docker_api)
    running.environment["PNR_POLICY"] = str(file)
    running.start()
    yield Town(running, f"{theirs}:1", guarded, str(docker_api.info()["DockerRootDir"]))
    running.end()
    _gone(docker_api.remove_image, f"{theirs}:1", force=True)
