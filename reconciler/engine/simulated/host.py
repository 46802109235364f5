"""A pretended Docker host: containers, networks, volumes and images in dictionaries, with Docker's rules.

Names are unique, a host port has one holder at a time, a network in use stays, creating needs the image, repeating
what is done is no error. Every image has a HEALTHCHECK that tells the truth, unless its fate says that it has none.
Changes happen at once and each gives a hint; how long they take and what goes wrong is the concern of :mod:`.engine`.
The methods with a plain verb are what people and fate do to a host.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from reconciler.engine.protocol import (
    AddressInUse,
    EngineError,
    Glimpse,
    NameConflict,
    NotFound,
    OutOfDate,
    PortInUse,
    StartFailed,
    UpdateFailed,
)
from reconciler.engine.simulated.fates import Fate, Hidden, asked_for, clash, published, read_back
from reconciler.engine.simulated.networks_and_volumes import ALIVE, SimulatedBelongings
from reconciler.intent.model import Chunk, ChunkId, HealthCheck, Strategy
from reconciler.intent.settings.references import containers_shared, volumes_lent
from reconciler.intent.writers import written
from reconciler.planner.actions import (
    AdoptContainer,
    CreateContainer,
    UpdateContainer,
)
from reconciler.planner.mounts import FileChange, FileNews, News, Node, NodeKind, judge, single_mounts
from reconciler.planner.networks_and_volumes import used_volumes
from reconciler.planner.observed import Condition, Container, HostPort

JOB_SECONDS = 1.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 60.0
LONG_RUN_SECONDS = 10.0
"""As Docker does: it waits twice as long before each restart, and begins again after a run of ten seconds."""
FIRST_FREE_PORT = 49_152


class SimulatedHost(SimulatedBelongings):
    """See the module's text.

    ``host_files`` are those of the host that can be mounted, by path; ``fates`` are by image. ``runs`` names the
    container of every run that began, in their order. ``double_writers`` tells of every start of a second container of
    a chunk on something that it can write to, where its file asks for that neither now (``strategy_now``) nor asked
    for it when one of the two was made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.double_writers: list[str] = []
        self.strategy_now: Callable[[ChunkId], Strategy | None] = lambda id: None
        self.wall: Callable[[], float] = time.time  # a simulation in virtual time has its own
        self.host_files: dict[str, Node] = {}
        self._hidden: dict[str, Hidden] = {}

    # --- what people and fate do ------------------------------------------------------------------------------

    def fate(self, image: str) -> Fate:
        """What becomes of the containers of an image, by name or id; may be changed."""
        return self.fates.setdefault(image, Fate())

    def die(self, name: str, exit_code: int = 137, *, oom: bool = False) -> None:
        """A container ends."""
        c = self.named(name)
        if c.condition in ALIVE:
            self._end(c, exit_code, oom=oom)

    def doom(self, name: str) -> None:
        """The fate of its image, as it is now, becomes that of a container that runs."""
        c = self.named(name)
        self._hidden[c.id].cancel_timers()
        self._begin_run(c, self._hidden[c.id])

    def cancel_fate(self, name: str) -> None:
        """A container that runs goes on running, whatever was to become of it."""
        self._hidden[self.named(name).id].cancel_timers()

    def crash(self, name: str, exit_code: int = 137) -> None:
        """A container that runs ends by itself: its engine may start it again."""
        c = self.named(name)
        if c.condition is Condition.RUNNING:
            self._ends_by_itself(c.id, exit_code)

    def restart_policy_by_hand(self, name: str, policy: str) -> None:
        """Somebody tells the engine when to start a container again."""
        self.set_restart_policy(self.named(name).id, policy)

    def stop_by_hand(self, name: str, takes: float = 0.0, exit_code: int = 143) -> None:
        """Somebody stops or kills it; where it ``takes`` a while, it answers nobody meanwhile."""
        c = self.named(name)
        if c.condition in ALIVE:
            self._hint(Glimpse(c.id, c.owner, is_told_to_end=True))
        if takes:
            self._hidden[c.id].ill = True
            self._hidden[c.id].timers.append(asyncio.get_running_loop().call_later(takes, self.die, name, exit_code))
        else:
            self.die(name, exit_code)

    def remove_by_hand(self, name: str) -> None:
        """Somebody removes it."""
        self._drop(self.named(name))

    def rename_by_hand(self, name: str, new_name: str) -> None:
        """Somebody renames it."""
        self._put(replace(self.named(name), name=new_name))

    def pause_by_hand(self, name: str) -> None:
        """Somebody pauses it."""
        c = self.named(name)
        if c.condition is Condition.RUNNING:
            self._put(replace(c, condition=Condition.PAUSED))

    def replace_file(self, path: str, content: str) -> None:
        """Somebody rewrites a file and renames it into its place, or makes it."""
        self._serial += 1
        self.host_files[path] = Node(NodeKind.FILE, 1, self._serial, len(content), self._serial, content)

    def has_file(self, name: str, target: str) -> str:
        """The content that a container has at ``target``; "" where it has nothing there."""
        had = self._hidden[self.named(name).id].files.get(target)
        return had.digest if had is not None else ""

    def rewrite_file(self, path: str, content: str) -> None:
        """Somebody writes into a file that is there: who has it mounted sees that."""
        before = self.host_files[path]
        self.host_files[path] = replace(before, size=len(content), digest=content)
        for hidden in self._hidden.values():
            for target, had in hidden.files.items():
                if had.inode == before.inode:
                    hidden.files[target] = self.host_files[path]

    def update_by_hand(self, name: str, **settings: Any) -> None:
        """Somebody changes settings of it, as with ``docker update``."""
        c = self.named(name)
        self._put(replace(c, settings={**(c.settings or {}), **settings}))

    def make_ill(self, name: str, ill: bool = True) -> None:
        """It runs on, and answers no probe (or answers again)."""
        c = self.named(name)
        self._hidden[c.id].ill = ill
        if c.condition is Condition.RUNNING and c.health not in (None, "starting"):
            self._put(replace(c, health="unhealthy" if ill else "healthy"))

    def plant_container(self, name: str, *, port: int | None = None, image: str = "other:1", **asked: Any) -> Container:
        """Somebody else's container, running."""
        self._serial += 1
        published = {"80/tcp": (HostPort("127.0.0.1", port),)} if port else {}
        id = f"foreign{self._serial:05d}"
        self._hidden[id] = Hidden(None, published, asked=asked, ready=True)
        return self._put(Container(id, name, image, f"sha256:{image}", Condition.RUNNING, published=published))

    def is_ready(self, container_id: str) -> bool:
        """Whether a probe of the container would succeed now."""
        c = self.containers.get(container_id)
        if c is None or c.condition is not Condition.RUNNING:
            return False
        hidden = self._hidden[container_id]
        return hidden.ready and not hidden.ill

    def answers(self, container_id: str, check: HealthCheck) -> bool:
        """Whether a health check would find the container well now: it is ready, and has what the check asks for."""
        return (
            self.is_ready(container_id) and asked_for(check) not in self._fate_of(self.containers[container_id]).lacks
        )

    def _fate_of(self, c: Container) -> Fate:
        return self.fates.get(c.image_id) or self.fates.get(c.image, Fate())

    def ready_chunk(self, chunk: ChunkId) -> Chunk | None:
        """The intent that a container of the chunk was made from which is ready now; None where there is none."""
        for c in self.containers.values():
            if c.owner == chunk and self.is_ready(c.id):
                return self._hidden[c.id].chunk
        return None

    # --- what calls do ----------------------------------------------------------------------------------------

    def create(self, action: CreateContainer) -> Container:
        """Create; the very one that is there is fine. Raises NameConflict, NotFound for the image, a volume or a
        container that it shares something with."""
        spec, chunk = action.chunk.container, action.chunk
        holder = self._find(action.name)
        if holder is not None:
            if holder.owner == chunk.id and holder.spec == spec.digest:
                return replace(holder, was_there=True)
            raise NameConflict(f"the name {action.name} is held by container {holder.id} ({holder.image})")
        if spec.image not in self.images:
            raise NotFound(f"there is no image {spec.image}")
        for volume in used_volumes(chunk):
            if volume not in self.volumes:
                raise NotFound(f"volume {volume} is gone")
        self._check_shared(spec.settings)
        self._serial += 1
        id = f"sim{self._serial:05d}"
        self._hidden[id] = Hidden(chunk, published(spec.settings, free=FIRST_FREE_PORT + self._serial))
        return self._put(
            Container(
                id=id,
                name=action.name,
                image=spec.image,
                image_id=self.image_id(spec.image),
                condition=Condition.CREATED,
                owner=chunk.id,
                replica=action.replica,
                spec=spec.digest,
                fixed=spec.fixed,
                generation=action.generation,
                networks=dict.fromkeys(spec.networks, ""),
                settings=self._with_ids(read_back(spec.settings)),
                endpoints={
                    network: {"aliases": [*aliases], **spec.endpoints.get(network, {})}
                    for network, aliases in spec.networks.items()
                },
            )
        )

    def _with_ids(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """As an engine keeps them: it finds out once whose namespaces are shared."""
        shared = containers_shared(settings)
        return {**settings, **{setting: f"container:{self.named(other).id}" for setting, other in shared.items()}}

    def start(self, name: str) -> Container:
        """Start; one that runs is fine. Raises StartFailed, PortInUse, and NotFound or OutOfDate where
        it shares something with a container that is not there, or does not run: the engine says so, or the guard in
        front of it, which looks who that is."""
        c = self._ours(name)
        if c.condition in ALIVE:
            return c
        ended = self._check_shared(c.settings or {})
        if ended:
            raise OutOfDate(f"container {name} can't be started: cannot join the namespace of {ended}: it does not run")
        self.containers[c.id] = replace(c, restarts=0)
        self._hidden[c.id].delay = FIRST_DELAY_SECONDS / 2
        return self._start(name)

    def _check_shared(self, settings: Mapping[str, Any]) -> str:
        """The first container that does not run and of which it is to share a namespace; "" where there is none."""
        by = {key: c for c in self.containers.values() for key in (c.id, c.name)}
        namespaces = containers_shared(settings).values()
        for name in (*namespaces, *volumes_lent(settings)):
            if name not in by:
                raise NotFound(f"No such container: {name}")
        return next((name for name in namespaces if by[name].condition not in ALIVE), "")

    def _start(self, name: str) -> Container:
        c = self._ours(name)
        missing = sorted(c.networks.keys() - self.networks.keys())
        if missing:
            raise StartFailed(f"container {name} can't be started: network {missing[0]} not found")
        hidden = self._hidden[c.id]
        for other in self.containers.values() if hidden.ports else ():
            port = clash(hidden.ports, other.published) if other.id != c.id and other.condition in ALIVE else None
            if port is not None:
                raise PortInUse(f"host port {port} is held by container {other.name} ({other.id})")
        if self.fate(c.image).impossible:
            raise StartFailed(f"container {name} can't be started: its command is not in the image", permanent=True)
        for network in c.networks:
            self._find_one(network)
        # As Docker does: one network after the other; what it has been given is its own until it ends.
        addresses = {network: self._address_at_start(c, network) for network in c.networks}
        self._note_writers(c, hidden.chunk)
        self._serial += 1
        started = self._put(
            replace(
                c,
                condition=Condition.RUNNING,
                run=f"run{self._serial:05d}",
                began=self.wall(),
                exit_code=None,
                oom_killed=False,
                networks=addresses,
                published=hidden.ports,
                health=None if self._fate_of(c).unchecked else "starting",
            )
        )
        self.runs.append(name)
        self._begin_run(started, hidden)
        return started

    def _address_at_start(self, c: Container, network: str) -> str:
        try:
            return self._address(c, network, c.endpoints.get(network, {}))
        except (AddressInUse, StartFailed):
            raise
        except EngineError as error:
            raise StartFailed(str(error), permanent=error.permanent) from error

    def check_no_host_port(self, name: str) -> None:
        """Raises PortInUse where a container that does not run yet would publish a port."""
        c = self._ours(name)
        ports = sorted(port.port for each in self._hidden[c.id].ports.values() for port in each)
        if ports and c.condition not in ALIVE:
            raise PortInUse(f"host port {ports[0]} is held by a process that can't be seen from here")

    def _note_writers(self, c: Container, chunk: Chunk | None) -> None:
        if chunk is None or Strategy.START_FIRST in (chunk.strategy, self.strategy_now(chunk.id)):
            return
        own = set(written(c.settings or {}))
        for other in self.containers.values():
            its = self._hidden[other.id].chunk if other.id in self._hidden else None
            if its is not None and its.strategy is Strategy.START_FIRST:
                continue  # it was started beside this one, which its engine now starts again
            if other.id != c.id and other.owner == c.owner and other.condition in ALIVE:
                shared = own & set(written(other.settings or {}))
                if shared:
                    self.double_writers.append(f"{c.name} and {other.name} on {', '.join(sorted(shared))}")

    def _begin_run(self, c: Container, hidden: Hidden) -> None:
        loop = asyncio.get_running_loop()
        fate = self._fate_of(c)
        hidden.ready = hidden.ill = False
        mounts = {target: self.host_files.get(source) for source, target in single_mounts(c)}
        hidden.files = {target: node for target, node in mounts.items() if node is not None}
        hidden.timers.append(loop.call_later(fate.ready_after, self._gets_ready, c.id))
        if fate.exit_code is not None:
            hidden.timers.append(loop.call_later(fate.exit_after, self._ends_by_itself, c.id, fate.exit_code))
        elif hidden.is_job:
            hidden.timers.append(loop.call_later(JOB_SECONDS, self._ends_by_itself, c.id, 0))

    def _gets_ready(self, container_id: str) -> None:
        hidden = self._hidden[container_id]
        hidden.ready = True
        c, said = self.containers[container_id], "unhealthy" if hidden.ill else "healthy"
        self._put(c if c.health is None else replace(c, health=said))

    def _ends_by_itself(self, container_id: str, exit_code: int) -> None:
        ended = self._end(self.containers[container_id], exit_code)
        after = self._restarts_after(ended)
        if after is not None:
            self._put(replace(ended, condition=Condition.RESTARTING, restarts=ended.restarts + 1))
            timers = self._hidden[container_id].timers
            timers.append(asyncio.get_running_loop().call_later(after, self._restarts, container_id))

    def _restarts_after(self, ended: Container) -> float | None:
        """After how many seconds the engine starts again what has ended by itself; None for never."""
        fate, hidden = self.fate(ended.image), self._hidden[ended.id]
        if fate.restarts:
            return fate.restarts_after
        policy, _, most = str((ended.settings or {}).get("restart") or "no").partition(":")
        is_again = policy in ("always", "unless-stopped") or (policy == "on-failure" and ended.exit_code != 0)
        if not is_again or (most and ended.restarts >= int(most)):
            return None
        is_long = ended.lasted is not None and ended.lasted >= LONG_RUN_SECONDS
        hidden.delay = FIRST_DELAY_SECONDS if is_long else min(hidden.delay * 2, LONGEST_DELAY_SECONDS)
        return hidden.delay

    def _restarts(self, container_id: str) -> None:
        c = replace(self.containers[container_id], condition=Condition.EXITED)
        self.containers[container_id] = c
        self._start(c.name)

    def set_restart_policy(self, container_id: str, policy: str) -> None:
        """What its engine is to do by itself once it has ended."""
        c = self.containers.get(container_id)
        settings = (c.settings or {}) if c is not None else {}
        if c is not None and c.owner is not None and settings.get("restart", "no") != policy:
            self._put(replace(c, settings={**settings, "restart": policy}))

    def stop(self, name: str) -> Container | None:
        """Stop; one that is stopped or gone is fine."""
        if self._find(name) is None:
            return None
        c = self._ours(name)
        return self._end(c, 143) if c.condition in (*ALIVE, Condition.RESTARTING) else c

    def remove(self, name: str) -> None:
        """Remove; one that is gone is fine."""
        if self._find(name) is not None:
            self._drop(self._ours(name))

    def rename(self, name: str, new_name: str) -> Container:
        """Rename; fine where it is done already. Raises NameConflict."""
        if self._find(name) is None:
            return self._ours(new_name)
        c = self._ours(name)
        holder = self._find(new_name)
        if holder is not None and holder.id != c.id:
            raise NameConflict(f"the name {new_name} is held by container {holder.id} ({holder.image})")
        if c.condition is Condition.RESTARTING:
            raise EngineError(f"sandbox {c.id} not found")  # Docker's words: it has no sandbox until it runs again
        return self._put(replace(c, name=new_name))

    def unpause(self, name: str) -> Container:
        """Let it go on; one that is not paused is fine."""
        c = self._ours(name)
        return self._put(replace(c, condition=Condition.RUNNING)) if c.condition is Condition.PAUSED else c

    def examine(self, name: str) -> Container:
        """A container of somebody else, with what was asked of it."""
        c = self.named(name)
        return self._put(replace(c, settings=read_back(self._hidden[c.id].asked)))

    def adopt(self, action: AdoptContainer) -> Container:
        """Take it over."""
        spec = action.chunk.container
        digest, fixed = (spec.digest, spec.fixed) if action.matching else ("", "")
        c = self.named(action.name)
        if c.owner not in (None, action.chunk.id):
            raise NameConflict(f"the name {action.name} is held by container {c.id}")
        self._hidden[c.id].chunk = action.chunk
        settings = c.settings if c.settings is not None else read_back({})
        owned = replace(c, owner=action.chunk.id, spec=digest, fixed=fixed, settings=settings, run=c.run or "adopted")
        return self._put(replace(owned, generation=action.generation))

    def update(self, action: UpdateContainer) -> Container:
        """Change settings as it runs. Raises UpdateFailed for an image whose fate says that it bears none."""
        c = self._ours(action.name)
        if self.fate(c.image).unchangeable:
            raise UpdateFailed(f"container {action.name} can't be changed as it is")
        shown = read_back(action.settings)
        return self._put(replace(c, settings={**(c.settings or {}), **{n: shown[n] for n in action.changed}}))

    def _file_news(self, containers: Collection[Container]) -> News:
        found: dict[str, tuple[FileNews, ...]] = {}
        for c in containers:
            hidden = self._hidden.get(c.id)
            news = []
            for source, target in single_mounts(c):
                had = hidden.files.get(target) if hidden is not None else None
                now = self.host_files.get(source)
                change = judge(had, now) if had is not None else FileChange.SAME
                if change is not FileChange.SAME:
                    news.append(FileNews(source, target, change, f"{now.inode}" if now is not None else ""))
            found[c.id] = tuple(news)
        return found

    # --- bookkeeping ------------------------------------------------------------------------------------------

    def _end(self, c: Container, exit_code: int, *, oom: bool = False) -> Container:
        self._hidden[c.id].cancel_timers()
        ended = self._put(
            replace(
                c,
                condition=Condition.EXITED,
                exit_code=exit_code,
                oom_killed=oom,
                finished=self.wall(),
                networks=dict.fromkeys(c.networks, ""),
                published={},
            )
        )
        # The kernel ends all that runs in the process namespace of one that ends.
        for other in list(self.containers.values()):
            if (other.settings or {}).get("pid") == f"container:{c.id}" and other.condition in ALIVE:
                self._end(other, 137)
        return ended

    def _drop(self, container: Container) -> None:
        self._hidden.pop(container.id).cancel_timers()
        del self.containers[container.id]
        self._hint(Glimpse(container.id, container.owner))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
