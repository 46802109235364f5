"""An engine that only pretends: containers, networks and images are entries in dictionaries, work is sleeping.

It keeps Docker's rules (names are unique, a host port has one holder, a network in use stays, starting what runs is
no error) and nothing else of Docker, so that the whole loop can be tried on it: in virtual time by the tests, where an
hour passes in milliseconds and every schedule of faults replays exactly from its seed, and in real time by a person
without Docker (``pnr run --engine simulated``).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.engine.protocol import (
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Glimpse,
    ImagePullFailed,
    NameConflict,
    NotFound,
    PortInUse,
    Progress,
)
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    EnsureImage,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from reconciler.planner.observed import Condition, Container, HostPort, Network, Observed, Volume

EVENT_SECONDS = 0.001
LOOK_SECONDS = 0.001


class NotOurs(EngineError):
    """Somebody tried to change what does not carry our labels."""

    code = "NotOurs"


@dataclass(frozen=True, slots=True)
class Fault:
    """At ``at`` seconds something happens.

    To a container: ``die``, ``stop``, ``remove``, ``rename``, ``disconnect``, ``pause``, ``ill``. To the engine, for
    ``seconds``: ``down`` (it goes away), ``fail`` (calls fail), ``late`` (they take longer), ``lost`` (they are carried
    out, and reported as failed), ``deaf`` (no hints come).
    """

    at: float
    kind: str
    seconds: float = 0.0
    pick: float = 0.0


FaultSchedule = tuple[Fault, ...]
HITTING = ("die", "stop", "remove", "rename", "disconnect", "pause", "ill")
WEATHER = ("down", "fail", "late", "lost", "deaf")


def schedule(seed: int, *, until: float = 300.0, count: int = 12) -> FaultSchedule:
    """A schedule of faults; the same for the same seed."""
    rng = random.Random(seed)
    faults = [
        Fault(rng.uniform(0.0, until), rng.choice(HITTING + WEATHER), rng.uniform(0.5, 20.0), rng.random())
        for _ in range(count)
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at))


@dataclass(slots=True)
class _Fate:
    """What becomes of containers of an image."""

    ready_after: float = 0.05
    exit_code: int | None = None
    exit_after: float = 0.0
    missing: bool = False


@dataclass(slots=True)
class _Live:
    """What a running container has besides what is seen of it."""

    ready_at: float
    ill: bool = False
    ports: tuple[tuple[str, HostPort], ...] = ()
    timer: asyncio.TimerHandle | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A changing call that the engine got."""

    at: float
    text: str
    action: Action = field(repr=False)


class SimulatedEngine:
    """See the module's text; :class:`reconciler.engine.protocol.Engine`. Durations are ranges in seconds."""

    def __init__(
        self,
        *,
        seed: int = 0,
        start_seconds: tuple[float, float] = (0.2, 0.6),
        stop_seconds: tuple[float, float] = (0.05, 0.3),
        pull_seconds: tuple[float, float] = (0.5, 3.0),
        faults: FaultSchedule = (),
    ) -> None:
        self.containers: dict[str, Container] = {}
        self.networks: dict[str, Network] = {"bridge": Network("net-bridge", "bridge")}
        self.volumes: dict[str, Volume] = {}
        self.images: set[str] = set()
        self.calls: list[Call] = []
        self.fates: dict[str, _Fate] = {}
        self.is_down = False
        self._random = random.Random(seed)
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._pull_seconds = pull_seconds
        self._live: dict[str, _Live] = {}
        self._listeners: list[asyncio.Queue[Glimpse | None]] = []
        self._faults = faults
        self._faults_armed = False
        self._failing_until = 0.0
        self._late_until = 0.0
        self._losing_until = 0.0
        self._deaf_until = 0.0
        self._serial = 0

    # --- what tests and the weather do ------------------------------------------------------------------------

    def fate(self, image: str) -> _Fate:
        """What becomes of the containers of an image; may be changed."""
        return self.fates.setdefault(image, _Fate())

    def named(self, name: str) -> Container:
        """The container of that name. Raises NotFound."""
        for container in self.containers.values():
            if container.name == name:
                return container
        raise NotFound(f"there is no container {name}")

    def die(self, name: str, exit_code: int = 137, *, oom: bool = False) -> None:
        """A container ends."""
        c = self.named(name)
        if c.condition in (Condition.RUNNING, Condition.PAUSED):
            self._end(c, exit_code, oom=oom)

    def stop_by_hand(self, name: str) -> None:
        """Somebody stops it."""
        self.die(name, 143)

    def remove_by_hand(self, name: str) -> None:
        """Somebody removes it."""
        self._drop(self.named(name))

    def rename_by_hand(self, name: str, new_name: str) -> None:
        """Somebody renames it."""
        self._put(replace(self.named(name), name=new_name))

    def disconnect_by_hand(self, name: str, network: str) -> None:
        """Somebody disconnects it from a network."""
        c = self.named(name)
        self._put(replace(c, networks={n: a for n, a in c.networks.items() if n != network}))

    def pause_by_hand(self, name: str) -> None:
        """Somebody pauses it."""
        c = self.named(name)
        if c.condition is Condition.RUNNING:
            self._put(replace(c, condition=Condition.PAUSED))

    def make_ill(self, name: str, ill: bool = True) -> None:
        """It runs on, and answers no probe (or answers again)."""
        live = self._live.get(self.named(name).id)
        if live is not None:
            live.ill = ill

    def go_down(self) -> None:
        """The engine stops answering; its containers go on."""
        self.is_down = True
        for queue in self._listeners:
            queue.put_nowait(None)

    def come_back(self) -> None:
        """It answers again."""
        self.is_down = False

    def plant_container(self, name: str, *, port: int | None = None) -> Container:
        """Somebody else's container."""
        self._serial += 1
        published = {"80/tcp": (HostPort("127.0.0.1", port),)} if port else {}
        container = Container(
            f"foreign{self._serial:05d}", name, "other:1", "sha256:other", Condition.RUNNING, published=published
        )
        self._put(container)
        return container

    def plant_network(self, name: str) -> None:
        """Somebody else's network."""
        self.networks[name] = Network(f"net-foreign-{name}", name)

    def is_ready(self, container_id: str) -> bool:
        """Whether a probe of the container would succeed now."""
        c = self.containers.get(container_id)
        live = self._live.get(container_id)
        if c is None or live is None or c.condition is not Condition.RUNNING or live.ill:
            return False
        return asyncio.get_running_loop().time() >= live.ready_at

    def clear_weather(self) -> None:
        """All that makes calls fail or late is over, and everyone is well."""
        self.is_down = False
        self._failing_until = self._late_until = self._losing_until = self._deaf_until = 0.0
        for live in self._live.values():
            live.ill = False

    def _strike(self, fault: Fault) -> None:
        now = asyncio.get_running_loop().time()
        match fault.kind:
            case "down":
                self.go_down()
                asyncio.get_running_loop().call_later(fault.seconds, self.come_back)
            case "fail":
                self._failing_until = now + fault.seconds
            case "late":
                self._late_until = now + fault.seconds
            case "lost":
                self._losing_until = now + fault.seconds
            case "deaf":
                self._deaf_until = now + fault.seconds
            case _:
                ours = sorted((c for c in self.containers.values() if c.owner is not None), key=lambda c: c.id)
                if ours:
                    self._hit(fault, ours[int(fault.pick * len(ours))])

    def _hit(self, fault: Fault, c: Container) -> None:
        match fault.kind:
            case "die":
                self.die(c.name)
            case "stop":
                self.stop_by_hand(c.name)
            case "remove":
                self._drop(c)
            case "rename":
                self._serial += 1
                self._put(replace(c, name=f"renamed-{self._serial}"))
            case "disconnect":
                self._put(replace(c, networks={}))
            case "pause":
                self.pause_by_hand(c.name)
            case "ill":
                self.make_ill(c.name)
                asyncio.get_running_loop().call_later(fault.seconds, self._well, c.id)

    def _well(self, container_id: str) -> None:
        if container_id in self._live:
            self._live[container_id].ill = False

    # --- the engine -------------------------------------------------------------------------------------------

    async def connect(self) -> EngineInfo:
        """Answer, unless it is down."""
        await self.ping()
        if not self._faults_armed:
            self._faults_armed = True
            for fault in self._faults:
                asyncio.get_running_loop().call_later(fault.at, self._strike, fault)
        return EngineInfo("simulated", "1")

    async def ping(self) -> None:
        """Answer, unless it is down."""
        await asyncio.sleep(LOOK_SECONDS)
        self._check_up()

    def _check_up(self) -> None:
        if self.is_down:
            raise EngineUnavailable("the simulated engine is down")

    async def observe(self) -> Observed:
        """Everything as it is; what happens while the answer travels is not in it."""
        self._check_up()
        seen = Observed(dict(self.containers), dict(self.networks), dict(self.volumes))
        await asyncio.sleep(LOOK_SECONDS * 5)
        self._check_up()
        return seen

    async def look(self, container_id: str) -> Container | None:
        """One container as it is."""
        self._check_up()
        found = self.containers.get(container_id) or next(
            (c for c in self.containers.values() if c.name == container_id), None
        )
        await asyncio.sleep(LOOK_SECONDS)
        self._check_up()
        return found

    async def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints, a moment after what they hint at."""
        self._check_up()
        queue: asyncio.Queue[Glimpse | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            yield Glimpse(None)
            while True:
                hint = await queue.get()
                if hint is None:
                    raise EngineUnavailable("the simulated engine went down")
                yield hint
        finally:
            self._listeners.remove(queue)

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        """0 when the container is ready, else 1."""
        await asyncio.sleep(LOOK_SECONDS)
        self._check_up()
        return (0, "ok") if self.is_ready(container_id) else (1, "not ready")

    async def last_output(self, container_id: str, lines: int = 20) -> str:
        """A line that says what it is."""
        await asyncio.sleep(LOOK_SECONDS)
        self._check_up()
        if container_id not in self.containers:
            raise NotFound(f"there is no container {container_id}")
        return f"simulated output of {self.containers[container_id].name}"

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        """The same."""
        return (await self.last_output(container_id))[:limit_bytes] if since is None else ""

    async def close(self) -> None:
        """Forget the timers; containers stay, as they would."""
        for live in self._live.values():
            if live.timer is not None:
                live.timer.cancel()

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action, in its time, with what the weather does to it."""
        loop = asyncio.get_running_loop()
        self._check_up()
        if loop.time() < self._late_until:
            await asyncio.sleep(self._random.uniform(1.0, 10.0))
        await asyncio.sleep(self._duration(action))
        self._check_up()
        if loop.time() < self._failing_until and self._random.random() < 0.5:
            raise EngineError("the simulated engine failed the call")
        self.calls.append(Call(loop.time(), action.describe(), action))
        result = self._carry_out(action)
        if loop.time() < self._losing_until and self._random.random() < 0.5:
            raise EngineError("the simulated engine lost its answer")
        return result

    def _duration(self, action: Action) -> float:
        match action:
            case StartContainer():
                return self._random.uniform(*self._start_seconds)
            case StopContainer() | RemoveContainer():
                return self._random.uniform(*self._stop_seconds)
            case EnsureImage(image) if image not in self.images:
                return self._random.uniform(*self._pull_seconds)
            case _:
                return 0.005

    def _carry_out(self, action: Action) -> Container | None:
        match action:
            case EnsureImage(image):
                if self.fates.get(image, _Fate()).missing:
                    raise ImagePullFailed(f"image {image} can't be pulled: the simulated registry does not have it")
                self.images.add(image)
            case CreateContainer():
                return self._create(action)
            case StartContainer(name):
                return self._start(self._ours(name))
            case UnpauseContainer(name):
                c = self._ours(name)
                return self._put(replace(c, condition=Condition.RUNNING)) if c.condition is Condition.PAUSED else c
            case StopContainer(name):
                c = self._ours(name)
                if c.condition in (Condition.RUNNING, Condition.PAUSED):
                    return self._end(c, 143)
                return c
            case RemoveContainer(name):
                found = next((c for c in self.containers.values() if c.name == name), None)
                if found is not None:
                    self._drop(self._ours(name))
            case RenameContainer(name, new_name):
                if any(c.name == new_name for c in self.containers.values()):
                    raise NameConflict(f"the name {new_name} is taken")
                return self._put(replace(self._ours(name), name=new_name))
            case ConnectNetwork(name, network):
                c = self._ours(name)
                if network not in self.networks:
                    raise NotFound(f"there is no network {network}")
                return self._put(replace(c, networks={**c.networks, network: "10.0.0.9"}))
            case _:
                self._change_object(action)
        return None

    def _change_object(self, action: Action) -> None:
        match action:
            case CreateNetwork(name, domain):
                existing = self.networks.get(name)
                if existing is not None and existing.domain != domain:
                    raise NameConflict(f"the network name {name} is taken")
                self.networks[name] = Network(f"net-{name}", name, domain)
            case RemoveNetwork(name, domain):
                existing = self.networks.get(name)
                if existing is not None and existing.domain != domain:
                    raise NotOurs(f"network {name} is not ours")
                users = [c.name for c in self.containers.values() if name in c.networks]
                if users:
                    raise EngineError(f"network {name} has active endpoints: {', '.join(users)}")
                self.networks.pop(name, None)
            case CreateVolume(name, domain):
                self.volumes.setdefault(name, Volume(name, domain))
            case RemoveVolume(name, domain):
                volume = self.volumes.get(name)
                if volume is not None and volume.domain != domain:
                    raise NotOurs(f"volume {name} is not ours")
                self.volumes.pop(name, None)
            case _:
                raise EngineError(f"the simulated engine knows no action {type(action).__name__}")

    def _ours(self, name: str) -> Container:
        container = self.named(name)
        if container.owner is None:
            raise NotOurs(f"container {name} is not ours")
        return container

    def _create(self, action: CreateContainer) -> Container:
        spec = action.chunk.container
        for c in self.containers.values():
            if c.name == action.name:
                if c.owner == action.chunk.id and c.spec == spec.digest:
                    return c
                raise NameConflict(f"the name {action.name} is held by container {c.id}")
        if spec.image not in self.images:
            raise NotFound(f"there is no image {spec.image}")
        self._serial += 1
        return self._put(
            Container(
                id=f"sim{self._serial:05d}",
                name=action.name,
                image=spec.image,
                image_id=f"sha256:{spec.image}",
                condition=Condition.CREATED,
                owner=action.chunk.id,
                replica=action.replica,
                spec=spec.digest,
                generation=action.generation,
                networks=dict.fromkeys(spec.networks, ""),
                published=_published(spec.settings),
            )
        )

    def _start(self, c: Container) -> Container:
        if c.condition is Condition.RUNNING:
            return c
        wanted = {port.port for ports in c.published.values() for port in ports}
        for other in self.containers.values():
            held = {port.port for ports in other.published.values() for port in ports}
            if other.id != c.id and other.condition is Condition.RUNNING and wanted & held:
                raise PortInUse(f"host port {min(wanted & held)} is held by container {other.name} ({other.id})")
        self._serial += 1
        now = asyncio.get_running_loop().time()
        fate = self.fates.get(c.image, _Fate())
        live = _Live(ready_at=now + fate.ready_after)
        self._live[c.id] = live
        started = self._put(
            replace(
                c,
                condition=Condition.RUNNING,
                run=f"run{self._serial:05d}",
                exit_code=None,
                oom_killed=False,
                networks=dict.fromkeys(c.networks, "10.0.0.9"),
            )
        )
        if fate.exit_code is not None:
            live.timer = asyncio.get_running_loop().call_later(
                fate.exit_after, self._end_run, c.id, started.run, fate.exit_code
            )
        return started

    def _end_run(self, container_id: str, run: str, exit_code: int) -> None:
        c = self.containers.get(container_id)
        if c is not None and c.run == run and c.condition is Condition.RUNNING:
            self._end(c, exit_code)

    def _end(self, c: Container, exit_code: int, *, oom: bool = False) -> Container:
        self._live.pop(c.id, None)
        return self._put(replace(c, condition=Condition.EXITED, exit_code=exit_code, oom_killed=oom))

    def _put(self, container: Container) -> Container:
        self.containers[container.id] = container
        self._hint(container.id)
        return container

    def _drop(self, container: Container) -> None:
        self._live.pop(container.id, None)
        self.containers.pop(container.id, None)
        self._hint(container.id)

    def _hint(self, container_id: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Planted before the simulation runs: nobody listens yet.
            return
        if loop.time() < self._deaf_until:
            return
        for queue in self._listeners:
            loop.call_later(EVENT_SECONDS, queue.put_nowait, Glimpse(container_id))


def _published(settings: Mapping[str, object]) -> dict[str, tuple[HostPort, ...]]:
    published: dict[str, tuple[HostPort, ...]] = {}
    ports = settings.get("ports")
    for entry in ports if isinstance(ports, (list, tuple)) else ():
        if isinstance(entry, Mapping) and entry.get("published"):
            key = str(entry["target"])
            published[key] = (HostPort(str(entry.get("host_ip", "127.0.0.1")), int(str(entry["published"]))),)
    return published
