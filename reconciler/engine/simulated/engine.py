"""An engine that only pretends: work on a :class:`.host.SimulatedHost` takes time, and goes wrong as the faults say.

With it the whole loop can be tried: in virtual time by the tests, where an hour passes in milliseconds and every
schedule of faults replays exactly from its seed, and in real time by a person without Docker
(``pnr run --engine simulated``). Nothing here waits for anything but asyncio's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace

from reconciler.engine.protocol import (
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Glimpse,
    Milestone,
    NotFound,
    Printed,
    Progress,
    RunOutput,
)
from reconciler.engine.simulated.faults import Fault, FaultSchedule, Weather
from reconciler.engine.simulated.host import SimulatedHost
from reconciler.engine.simulated.networks_and_volumes import ALIVE
from reconciler.intent.model import Login
from reconciler.planner.actions import (
    Action,
    AdoptContainer,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    EnsureImage,
    ExamineContainer,
    ExamineMounts,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
)
from reconciler.planner.image_use import registry_digests
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container, ImageSeen, Observed

Seconds = tuple[float, float]

FOLLOW_SECONDS = 1.0
HINT_SECONDS = 0.001
LOOK_SECONDS = 0.001
CALL_SECONDS = 0.005
LATE_CALL_SECONDS: Seconds = (1.0, 10.0)
LATE_LOOK_SECONDS: Seconds = (0.05, 5.0)
LATE_HINT_SECONDS: Seconds = (0.001, 3.0)
GONE_WRONG = 0.5
STALL_SECONDS: Seconds = (0.3, 4.0)
TURN_SECONDS: Seconds = (0.02, 0.5)
_ON_ONE = StartContainer | StopContainer | RemoveContainer | RenameContainer


@dataclass(frozen=True, slots=True)
class Call:
    """A changing call that the engine carried out, or refused for what it asks. ``at`` in the loop's seconds."""

    at: float
    text: str
    action: Action = field(repr=False)


class SimulatedEngine(SimulatedHost):
    """See the module's text; :class:`reconciler.engine.protocol.Engine`. Durations are ranges in seconds.

    ``calls`` logs every changing call. ``faults`` begin to strike with the first :meth:`connect`. While
    ``is_mute`` is set, no container can be probed and no ping is answered.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start_seconds: Seconds = (0.2, 0.6),
        stop_seconds: Seconds = (0.05, 0.3),
        pull_seconds: Seconds = (0.5, 3.0),
        faults: FaultSchedule = (),
    ) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.is_down = False
        self.is_mute = False
        self._ran_before: set[str] | None = None
        self.engine_id = ""
        self.weather = Weather()
        self._random = random.Random(seed)  # noqa: S311 - a story that can be told again
        self._turns: dict[str, asyncio.Lock] = {}
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._pull_seconds = pull_seconds
        self._listeners: list[asyncio.Queue[Glimpse | None]] = []
        self._in_flight: set[asyncio.Task[Container | None]] = set()
        self._faults = faults
        self._faults_armed = False
        self._outages = 0

    # --- the weather ------------------------------------------------------------------------------------------

    def go_down(self) -> None:
        """The engine stops answering, and what is under way breaks off; its containers go on."""
        self.is_down = True
        self._outages += 1
        for queue in self._listeners:
            queue.put_nowait(None)

    def come_back(self) -> None:
        """It answers again. After a reboot it has started by then what is to be by its restart policy: with ``always``
        what had been stopped before as well."""
        self.is_down = False
        ran, self._ran_before = self._ran_before, None
        if ran is None:
            return
        for c in list(self.containers.values()):
            policy = str((c.settings or {}).get("restart") or "no")
            again = policy == "always" or (c.id in ran and policy != "no")
            if again and c.run and c.condition not in ALIVE:
                with contextlib.suppress(EngineError):
                    self._start(c.name)

    def drop_stream(self, seconds: float) -> None:
        """The stream of hints breaks off, and can't be had again for a while. All else answers."""
        self.weather.streamless_until = asyncio.get_running_loop().time() + seconds
        for queue in self._listeners:
            queue.put_nowait(None)

    def clear_weather(self) -> None:
        """All that makes calls fail or late is over, and everyone is well."""
        self.come_back()
        self.weather = Weather()
        self.refusing_networks = ""
        for container in list(self.containers.values()):
            if container.condition in ALIVE:
                self.make_ill(container.name, False)

    def strike(self, fault: Fault) -> None:
        """Let a fault happen now, whatever its ``at``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + fault.seconds
        match fault.kind:
            case "down":
                self.go_down()
                loop.call_later(fault.seconds, self.come_back)
            case "reboot":
                self.go_down()
                ran = {c.id for c in self.containers.values() if c.condition in ALIVE}
                self._ran_before = ran | (self._ran_before or set())
                for c in list(self.containers.values()):
                    if c.owner is not None:
                        self.die(c.name)
                loop.call_later(fault.seconds, self.come_back)
            case "fail":
                self.weather.failing_until = until
            case "late":
                self.weather.late_until = until
            case "lost":
                self.weather.losing_until = until
            case "stuck":
                self.weather.stuck_until = until
            case "half":
                self.weather.halving_until = until
            case "held":
                self.weather.ports_held_until = until
            case "starved":
                self._starve(until)
            case "deaf":
                self.weather.deaf_until = until
            case "stutter":
                self.weather.stuttering_until = until
            case "drop":
                self.drop_stream(fault.seconds)
            case "refuse":
                self.refusing_networks = "the simulated engine makes no network now"
                loop.call_later(fault.seconds, self._makes_networks)
            case _:
                ours = sorted((c for c in self.containers.values() if c.owner is not None), key=lambda c: c.id)
                if ours:
                    self._hit(fault, ours[int(fault.pick * len(ours))])

    def _starve(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        stall = getattr(loop, "stall", None)  # that of a simulation in virtual time
        if stall is not None and loop.time() < until:
            stall(self._random.uniform(*STALL_SECONDS))
            loop.call_later(self._random.uniform(*TURN_SECONDS), self._starve, until)

    def _hit(self, fault: Fault, c: Container) -> None:
        match fault.kind:
            case "die":
                self.die(c.name)
            case "stop":
                self.stop_by_hand(c.name)
            case "remove":
                self.remove_by_hand(c.name)
            case "rename":
                self._serial += 1
                self.rename_by_hand(c.name, f"renamed-{self._serial}")
            case "disconnect":
                self._put(replace(c, networks={}, endpoints={}))
            case "pause":
                self.pause_by_hand(c.name)
            case "update":
                self.update_by_hand(c.name, mem_limit=64 * 1024**2)
            case "ill":
                self.make_ill(c.name)
                asyncio.get_running_loop().call_later(fault.seconds, self._well, c.id)
            case _:
                raise ValueError(f"there is no fault of the kind {fault.kind!r}")

    def _makes_networks(self) -> None:
        self.refusing_networks = ""

    def _well(self, container_id: str) -> None:
        if container_id in self.containers:
            self.make_ill(self.containers[container_id].name, False)

    # --- the engine -------------------------------------------------------------------------------------------

    async def connect(self) -> EngineInfo:
        """Answer, unless it is down."""
        await self.ping()
        if not self._faults_armed:
            self._faults_armed = True
            for fault in self._faults:
                asyncio.get_running_loop().call_later(fault.at, self.strike, fault)
        return EngineInfo("simulated", "1", id=self.engine_id)

    async def ping(self) -> None:
        """Answer, unless it is down or mute."""
        await self._answer(LOOK_SECONDS)
        if self.is_mute:
            raise EngineUnavailable("the simulated engine does not answer")

    async def observe(self) -> Observed:
        """Everything as it is; what happens while the answer travels is not in it."""
        seen = Observed(dict(self.containers), dict(self.networks), dict(self.volumes), frozenset(self.containers))
        await self._answer(LOOK_SECONDS * 5)
        return seen

    async def look(self, container_id: str) -> Container | None:
        """One container as it is; what happens while the answer travels is not in it."""
        meant = self.containers.get(container_id) or self._find(container_id)
        async with self._turn(meant):
            found = self.containers.get(meant.id) if meant is not None else None
        await self._answer(LOOK_SECONDS)
        return found

    async def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints, a moment after what they hint at."""
        self._check_up(self._outages)
        if self._now() < self.weather.streamless_until:
            raise EngineUnavailable("the simulated engine has no stream of hints")
        queue: asyncio.Queue[Glimpse | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            yield Glimpse(None)
            while True:
                hint = await queue.get()
                if hint is None:
                    raise EngineUnavailable("the simulated engine ended its stream of hints")
                yield hint
        finally:
            self._listeners.remove(queue)

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        """0 when the container is ready, else 1."""
        await self._answer(LOOK_SECONDS)
        return (0, "ok") if self.is_ready(container_id) else (1, "not ready")

    async def last_output(self, container_id: str, lines: int = 20) -> str:
        """A line that says what it is."""
        await self._answer(LOOK_SECONDS)
        if container_id not in self.containers:
            raise NotFound(f"there is no container {container_id}")
        c = self.containers[container_id]
        return self._fate_of(c).says or f"simulated output of {c.name}"

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        """The same, once."""
        return (await self.last_output(container_id))[:limit_bytes]

    async def output_of_run(self, ended: Container, after: float | None, limit_bytes: int) -> RunOutput:
        """The same, of any run."""
        return RunOutput((await self.last_output(ended.id))[:limit_bytes])

    async def follow(self, container_id: str, since: int | None, tail: int | None) -> AsyncGenerator[Printed, None]:
        """A line a run, then nothing until the run ends."""
        said = await self.last_output(container_id)
        run = self.containers[container_id].run
        at = len(self.runs) + 1
        if since is None:
            yield Printed(at, said)
        while container_id in self.containers:
            now = self.containers[container_id]
            if now.run != run or now.condition not in ALIVE:
                return
            await asyncio.sleep(FOLLOW_SECONDS)

    async def file_news(self, containers: Collection[Container]) -> tuple[News, bool]:
        """What became of the host's files."""
        await self._answer(LOOK_SECONDS)
        return self._file_news(containers), False

    async def image(self, name: str) -> ImageSeen | None:
        """An image by name or id."""
        await self._answer(LOOK_SECONDS)
        return self._image(name)

    async def images_named(self, names: Collection[str]) -> Mapping[str, ImageSeen]:
        """What is there under these names."""
        found = {name: self._image(name) for name in names}
        await self._answer(LOOK_SECONDS)
        return {name: image for name, image in found.items() if image is not None}

    async def newest_digest(self, image: str, logins: Mapping[str, Login] | None = None) -> str:
        """What the simulated registry has."""
        await self._answer(CALL_SECONDS)
        return self._registry_digest(image)

    async def volume_sizes(self) -> Mapping[str, int]:
        """Nothing is in them."""
        await self._answer(LOOK_SECONDS)
        return dict.fromkeys(self.volumes, 0)

    async def own_images(self) -> tuple[tuple[ImageSeen, tuple[str, ...]], ...]:
        """The images that were pulled."""
        await self._answer(LOOK_SECONDS)
        return self._own_images()

    async def remove_image(self, image_id: str) -> None:
        """Remove an image that was pulled. Raises EngineError while a container has it."""
        await self._answer(CALL_SECONDS)
        users = [c.name for c in self.containers.values() if c.image_id == image_id]
        if users:
            raise EngineError(f"image {image_id} is in use by {', '.join(users)}")
        self._forget_image(image_id)

    async def close(self) -> None:
        """Stop all timers and what is under way."""
        for hidden in self._hidden.values():
            hidden.cancel_timers()
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action, in its time, with what the weather does to it.

        As with Docker, what has begun goes on when the asker goes away; only a pull is broken off.
        """
        self._check_up(self._outages)
        if isinstance(action, EnsureImage):
            await self._pull(action, progress)
            return None
        task = asyncio.get_running_loop().create_task(self._perform(action))
        self._in_flight.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Container | None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            task.exception()  # The asker may be gone: somebody must have looked at it.

    async def _pull(self, action: EnsureImage, progress: Progress | None) -> None:
        there = self._image(action.image)
        moved = bool(action.digest) and there is not None and action.digest not in registry_digests(there, action.image)
        missing = there is None or moved
        asks = missing or action.policy not in ("missing", "never")
        seconds = self._random.uniform(*self._pull_seconds) if missing else CALL_SECONDS
        for part in (25, 50, 75, 100):
            await self._answer(seconds / 4, LATE_CALL_SECONDS)
            if missing and progress is not None:
                progress(f"pulling {action.image}: {part} % (simulated)")
        self._fail_perhaps()
        self._log(action)
        if asks:
            self.pull(action.image)
        if missing and progress is not None:
            progress(Milestone(f"pulled {action.image} (simulated)"))

    async def _perform(self, action: Action) -> Container | None:
        match action:
            case StartContainer():
                seconds = self._random.uniform(*self._start_seconds)
            case StopContainer() | RemoveContainer():
                seconds = self._random.uniform(*self._stop_seconds)
            case _:
                seconds = CALL_SECONDS
        meant = self._meant(action)
        slow = self.fate(meant.image).stops_after if meant is not None and meant.condition in ALIVE else None
        if isinstance(action, StopContainer) and slow is not None:
            seconds = min(slow, action.grace_seconds)
        # As Docker does: who is being started is renamed, and looked at, when that is done.
        async with self._turn(meant if isinstance(action, StartContainer | RenameContainer) else None):
            return await self._perform_in(action, seconds, meant)

    def _meant(self, action: Action) -> Container | None:
        match action:
            case StopContainer(id=id) | RemoveContainer(id=id) if id:
                return self.containers.get(id)
            case StartContainer(name) | StopContainer(name) | RemoveContainer(name) | RenameContainer(name):
                return self._find(name)
        return None

    def _turn(self, c: Container | None) -> contextlib.AbstractAsyncContextManager[object]:
        return self._turns.setdefault(c.id, asyncio.Lock()) if c is not None else contextlib.nullcontext()

    async def _perform_in(self, action: Action, seconds: float, meant: Container | None) -> Container | None:
        await self._answer(seconds, LATE_CALL_SECONDS)
        self._fail_perhaps()
        self._log(action)
        if isinstance(action, _ON_ONE):
            # It is done to the container that had the name as it was asked for, whoever has it by now.
            now = self.containers.get(meant.id) if meant is not None else None
            if now is None and isinstance(action, StopContainer | RemoveContainer) and action.id:
                return None
            if now is None and meant is not None and self._find(action.name) is not None:
                raise NotFound(f"container {meant.id} is gone")
            action = replace(action, name=now.name) if now is not None else action
        if isinstance(action, RemoveContainer) and self._now() < self.weather.stuck_until:
            raise EngineError(f"container {action.name} can't be removed: its root file system is busy")
        if isinstance(action, StartContainer) and self._now() < self.weather.ports_held_until:
            self.check_no_host_port(action.name)
        result = self._carry_out(action)
        if self._now() < self.weather.halving_until and self._random.random() < GONE_WRONG:
            raise EngineError("the simulated engine did it, and had a fault then")
        if self._now() < self.weather.losing_until and self._random.random() < GONE_WRONG:
            lost = EngineUnavailable if self._random.random() < GONE_WRONG else EngineError
            raise lost("the simulated engine lost its answer")
        return result

    def _fail_perhaps(self) -> None:
        if self._now() < self.weather.failing_until and self._random.random() < GONE_WRONG:
            raise EngineError("the simulated engine failed the call")

    def _log(self, action: Action) -> None:
        self.calls.append(Call(self._now(), action.describe(), action))

    def _carry_out(self, action: Action) -> Container | None:
        match action:
            case CreateContainer():
                return self.create(action)
            case StartContainer():
                for other in action.alone:
                    self.set_restart_policy(other, "no")
                if action.restart and (own := self._find(action.name)) is not None:
                    self.set_restart_policy(own.id, action.restart)
                return self.start(action.name)
            case ExamineMounts(name):
                return self.named(name)
            case UnpauseContainer(name):
                return self.unpause(name)
            case ExamineContainer(name):
                return self.examine(name)
            case AdoptContainer():
                return self.adopt(action)
            case UpdateContainer():
                return self.update(action)
            case StopContainer(name):
                return self.stop(name)
            case RemoveContainer(name):
                self.remove(name)
            case RenameContainer(name, new_name):
                return self.rename(name, new_name)
            case ConnectNetwork():
                return self.connect_network(action)
            case DisconnectNetwork(name, network):
                return self.disconnect_network(name, network)
            case CreateNetwork():
                self.create_network(action)
            case RemoveNetwork():
                self.remove_network(action)
            case CreateVolume():
                self.create_volume(action)
            case RemoveVolume(name, domain):
                self.remove_volume(name, domain)
            case _:
                raise EngineError(f"the simulated engine knows no action {type(action).__name__}")
        return None

    async def _answer(self, seconds: float, late: Seconds = LATE_LOOK_SECONDS) -> None:
        """Take the time that an answer takes. Raises EngineUnavailable where it is or goes down meanwhile."""
        outages = self._outages
        self._check_up(outages)
        if self._now() < self.weather.late_until:
            seconds += self._random.uniform(*late)
        await asyncio.sleep(seconds)
        self._check_up(outages)

    def _check_up(self, outages: int) -> None:
        if self.is_down or outages != self._outages:
            raise EngineUnavailable("the simulated engine is down")

    def _hint(self, glimpse: Glimpse) -> None:
        if not self._listeners:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self.weather.deaf_until:
            return
        stutters = loop.time() < self.weather.stuttering_until
        for queue in self._listeners:
            delays = [self._random.uniform(*LATE_HINT_SECONDS) for _ in range(2)] if stutters else [HINT_SECONDS]
            for delay in delays:
                loop.call_later(delay, queue.put_nowait, glimpse)
