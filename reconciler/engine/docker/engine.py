"""The Docker engine: sees, does one action a call, and says when to look again.

The SDK blocks, so its calls run in threads: four starts at once (starting is bound by the CPU), more for stopping and
removing, a few for looking; commands inside containers and images have threads of their own, since those take as long
as they like. Nothing without our labels is changed: every action on an existing object looks at its labels first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Hashable, Mapping
from functools import partial
from typing import Any, TypeVar

import docker

from reconciler.engine.docker import client as clients
from reconciler.engine.docker import operations, output, reading
from reconciler.engine.docker.events import Events
from reconciler.engine.docker.failures import RAISED, translate
from reconciler.engine.docker.following import Following
from reconciler.engine.docker.guarding import Guard
from reconciler.engine.docker.host_files import HostFiles
from reconciler.engine.docker.images import ImageKeeper, Logins, SharedWork, seeing
from reconciler.engine.docker.mounted_files import MountedFiles
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.docker.threads import Threads
from reconciler.engine.protocol import (
    Adopted,
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Glimpse,
    NotFound,
    Printed,
    Progress,
    RunOutput,
)
from reconciler.errors import PnrError
from reconciler.intent.image_names import parse
from reconciler.intent.model import Login
from reconciler.planner.actions import (
    Action,
    EnsureImage,
    ExamineContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StopContainer,
)
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container, ImageSeen, Observed

T = TypeVar("T")

log = logging.getLogger("pnr.engine")

CONNECT_SECONDS = 10.0
PING_SECONDS = 10.0
SILENCE_SECONDS = 600.0
TAIL_BYTES = 4096
LAST_OUTPUT_BYTES = 64 * 1024
LOOKS = 8  # as many as are asked for at once: the engine answers about a container that is just ending only once it has
COMMANDS = 8
IMAGES = 8  # twice as many as are fetched ahead at once, so that what is needed now has room beside those
QUESTIONS = 8


class DockerEngine:
    """See :class:`reconciler.engine.protocol.Engine`. ``runtime_root`` is the directory under which those of
    ``/runtime`` are made; None where no chunk may have one. ``docker_host`` goes before what the environment says;
    ``files`` puts secrets and configs into containers (None where no chunk may have any); ``images`` pulls and builds
    (None: pulls only, with nothing but Docker's own logins, and keeps no record). ``guard`` judges every request that
    changes something before it is sent (None: nobody does). ``host_files`` looks at what is mounted of this machine."""

    def __init__(
        self,
        *,
        runtime_root: str | None,
        docker_host: str | None = None,
        adopted: Adopted | None = None,
        files: MountedFiles | None = None,
        images: ImageKeeper | None = None,
        guard: Guard | None = None,
        host_files: HostFiles | None = None,
        start_workers: int = 4,
        removal_workers: int = 8,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._runtime_root = runtime_root
        self._docker_host = docker_host
        self._adopted = adopted
        self._ownership = Ownership(adopted)
        self._files = files
        self._guard = guard
        self._host_files = host_files or HostFiles()
        self._timeout = timeout_seconds
        self._pool_size = start_workers + removal_workers + LOOKS + COMMANDS + IMAGES + QUESTIONS
        self._starts = Threads(start_workers, "pnr-start")
        self._removals = Threads(removal_workers, "pnr-remove")
        self._looks = Threads(LOOKS, "pnr-look")
        self._commands = Threads(COMMANDS, "pnr-command")
        self._fetches = Threads(IMAGES, "pnr-image")
        self._questions = Threads(QUESTIONS, "pnr-registry")
        self._address = clients.Address()
        self._version = ""
        self._client: docker.APIClient | None = None
        # What was last seen of each container, with what the list showed of it then; and those that were seen to
        # change while a list was under way, of which that list may be too old.
        self._known: dict[str, tuple[tuple[Any, ...], Container]] = {}
        self._changed: set[str] = set()
        self._images = images or ImageKeeper(logins=Logins(None))
        self._image_work = SharedWork(self._fetches)
        self._present: set[Hashable] = set()
        self._last_event: float | None = None

    # --- connecting -----------------------------------------------------------------------------------------

    async def connect(self) -> EngineInfo:
        """Find the engine and agree on a version. Raises EngineUnavailable."""

        def find() -> tuple[clients.Address, str, str, str]:
            address = clients.find(self._docker_host)
            return (address, *clients.agree_on_version(address, timeout=min(CONNECT_SECONDS, self._timeout)))

        address, api, version, system = await self._looks.run(find)
        if self._client is None or api != self._version or address != self._address:
            if self._client is not None:
                self._client.close()
            self._client = clients.make(address, api, timeout=self._timeout, pool=self._pool_size, guard=self._guard)
            self._address, self._version = address, api
        told = {}
        if self._guard is not None:
            told = await self._asked(self._looks, lambda c: c.info())
            self._guard.protect(str(told.get("DockerRootDir") or ""))
        return EngineInfo("docker", version, api, system, str(told.get("ID") or ""), told.get("LiveRestoreEnabled"))

    async def ping(self) -> None:
        """Return when the engine answers."""
        await self._asked(self._looks, lambda c: c.ping())

    async def close(self) -> None:
        """Let go of connections; calls under way are left behind."""
        await self._image_work.close()
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- seeing ---------------------------------------------------------------------------------------------

    async def observe(self) -> Observed:
        """List everything; inspect those of ours that have changed since they were last inspected."""
        changed: set[str] = set()
        self._changed = changed
        before = self._known
        summaries, networks, volumes = await asyncio.gather(
            self._asked(self._looks, lambda c: c.containers(all=True)),
            self._asked(self._looks, lambda c: c.networks()),
            self._asked(self._looks, lambda c: c.volumes()),
        )
        known: dict[str, tuple[tuple[Any, ...], Container]] = {}
        stale: list[tuple[str, tuple[Any, ...]]] = []
        for summary in summaries:
            cid = summary["Id"]
            signature = reading.signature(summary)
            entry = self._known.get(cid)
            if entry is not None and entry[0] == signature:
                known[cid] = entry
            elif reading.owner(summary.get("Labels")) is None and not self._ownership.recorded(cid):
                known[cid] = (signature, reading.from_summary(summary))
            else:
                stale.append((cid, signature))
        inspected = await asyncio.gather(*(self._inspect(cid) for cid, _ in stale))
        for (cid, signature), seen in zip(stale, inspected, strict=True):
            if seen is not None:
                known[cid] = (signature, seen)
        self._forget_adopted([str(summary["Id"]) for summary in summaries])
        if self._known is before:
            self._known = {cid: entry for cid, entry in known.items() if cid not in changed}
        return Observed(
            {cid: container for cid, (_, container) in known.items()},
            reading.networks(networks, summaries),
            {str(body["Name"]): reading.volume(body) for body in volumes.get("Volumes") or ()},
            frozenset(cid for cid, _ in stale),
        )

    async def look(self, container_id: str) -> Container | None:
        """Inspect one container, by id or name; None when it is gone."""
        container = await self._inspect(container_id)
        if container is not None:
            entry = self._known.get(container.id)
            if entry is None or entry[1] != container:
                self._distrust(container.id)
        return container

    async def _inspect(self, container_id: str) -> Container | None:
        try:
            body = await self._asked(self._looks, lambda c: self._ownership.inspect(c, container_id))
        except NotFound:
            return None
        return reading.from_inspection(body)

    def _forget_adopted(self, present: list[str]) -> None:
        """Those that are gone need no record. A disk that is full must not keep us from looking: it is tried again."""
        if self._adopted is not None:
            try:
                self._adopted.keep(present)
            except PnrError as error:
                log.warning("the record of containers that were taken over stays as it is: %s", error)

    async def _examine(self, name: str) -> Container:
        """A container of somebody else with what was asked of it."""
        body = await self._asked(self._looks, lambda c: self._ownership.inspect(c, name))
        image = await self._asked(self._looks, lambda c: c.inspect_image(body["Image"]))  # type: ignore[no-untyped-call]
        about = await self._asked(self._looks, lambda c: c.info())
        container = reading.examined(body, image, about)
        entry = self._known.get(container.id)
        if entry is not None:
            # Kept with what the list shows of it, so that it stays examined until it changes.
            self._known[container.id] = (entry[0], container)
        return container

    def _distrust(self, container_id: str) -> None:
        """It has changed: let the next list look at it again, whatever that list shows."""
        self._known.pop(container_id, None)
        self._changed.add(container_id)

    async def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints from the event stream. A ping every few seconds notices an engine that has gone without a word, and
        after a long silence the stream is asked for again, for it may be the only connection that was lost."""
        queue: asyncio.Queue[Glimpse | EngineError] = asyncio.Queue()
        put = partial(_put, asyncio.get_running_loop(), queue)
        events = self._subscribe(put)
        pinging = asyncio.create_task(self._keep_asking(queue))
        patience = CONNECT_SECONDS
        try:
            while True:
                try:
                    async with asyncio.timeout(patience):
                        item = await queue.get()
                except TimeoutError:
                    if patience == CONNECT_SECONDS:
                        raise EngineUnavailable(
                            f"the Docker engine at {self._address} does not open its event stream"
                        ) from None
                    self._last_event = events.newest
                    silent, events = events, self._subscribe(put)
                    silent.stop()
                    patience = CONNECT_SECONDS
                    continue
                if isinstance(item, EngineError):
                    raise item
                if patience == CONNECT_SECONDS:
                    # Subscribed. What happened before it may not show in a list (`docker update`): inspect again.
                    self._known = {}
                    patience = SILENCE_SECONDS
                yield item
        finally:
            pinging.cancel()
            events.stop()
            self._last_event = events.newest
            await asyncio.gather(pinging, return_exceptions=True)

    def _subscribe(self, put: Callable[[Glimpse | EngineError], None]) -> Events:
        stream_client = clients.make(self._address, self._version, timeout=self._timeout, pool=1, guard=self._guard)
        return Events(stream_client, put, where=str(self._address), since=self._last_event)

    async def _keep_asking(self, queue: asyncio.Queue[Glimpse | EngineError]) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self.ping()
            except TimeoutError:
                queue.put_nowait(EngineUnavailable(f"the Docker engine at {self._address} does not answer"))
            except EngineError as error:
                queue.put_nowait(error)

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        """Run a command in a container. One that takes too long is left behind there, with exit code 124."""
        reading_it = output.Reading()
        try:
            async with asyncio.timeout(limit_seconds):
                return await self._asked(
                    self._commands, lambda c: output.run_inside(c, container_id, command, TAIL_BYTES, reading_it)
                )
        except TimeoutError:
            return output.TIMED_OUT, f"timed out: no end within {limit_seconds:g} s"
        finally:
            reading_it.let_go()

    async def last_output(self, container_id: str, lines: int = 20) -> str:
        """The end of what the container printed."""
        return await self._printed(lambda c, r: output.last_lines(c, container_id, lines, LAST_OUTPUT_BYTES, r))

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        """What was printed since a Unix time (None: since the last start), the newest ``limit_bytes`` of it."""
        return await self._printed(lambda c, r: output.since(c, container_id, since, limit_bytes, r))

    async def output_of_run(self, ended: Container, after: float | None, limit_bytes: int) -> RunOutput:
        """What a run printed that ended, and whether that is sure to be of it."""
        return await self._printed(lambda c, r: output.of_run(c, ended, after, limit_bytes, r))

    async def _printed(self, read: Callable[[docker.APIClient, output.Reading], T]) -> T:
        """The SDK reads output without any limit of time: here is one."""
        reading_it = output.Reading()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._asked(self._looks, lambda c: read(c, reading_it))
        except TimeoutError:
            raise EngineUnavailable(
                f"the Docker engine at {self._address} did not hand over output within {self._timeout:g} s"
            ) from None
        finally:
            reading_it.let_go()

    # --- doing ----------------------------------------------------------------------------------------------

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action; the container as it is afterwards, where there still is one."""
        if isinstance(action, EnsureImage):
            await self._ensure_image(action, progress or (lambda line: None))
            return None
        if isinstance(action, ExamineContainer):
            return await self._examine(action.name)
        removing = isinstance(action, (StopContainer, RemoveContainer, RemoveNetwork, RemoveVolume))
        threads = self._removals if removing else self._starts
        call = partial(
            operations.perform,
            action,
            self._ready(),
            self._runtime_root,
            self._address,
            self._adopted,
            self._files,
            self._guard,
            self._ownership,
            self._host_files,
        )
        try:
            body = await threads.run(call)
        except EngineError:
            # One of the images may have been removed since it was seen.
            self._present.clear()
            raise
        if body is None:
            return None
        container = reading.from_inspection(body)
        self._distrust(container.id)
        return container

    async def _ensure_image(self, action: EnsureImage, progress: Progress) -> None:
        """One attempt an image, shared by all whose policies ask for it now."""
        key = _image_key(action)
        # What is built may lose its name to another build at any time; looking costs one call.
        lasting = action.policy == "missing" and action.build is None and not action.digest
        if lasting and key in self._present:
            return
        client, where = self._ready(), str(self._address)
        # Who has what it wants must not wait for those who ask a registry that stalls.
        if await self._looks.run(partial(self._images.wants, client, where, action)):
            await self._image_work.run(key, partial(self._images.ensure, client, where, action), progress)
            await self._looks.run(partial(self._images.asked, action))
        if lasting:
            self._present.add(key)

    async def follow(self, container_id: str, since: int | None, tail: int | None) -> AsyncGenerator[Printed, None]:
        """What a container prints, until it ends."""
        self._ready()
        queue: asyncio.Queue[Printed | EngineError | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(item: Printed | EngineError | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, item)

        client = clients.make(self._address, self._version, timeout=self._timeout, pool=1, guard=self._guard)
        after = since / 1e9 if since is not None else None
        following = Following(client, container_id, put, where=str(self._address), since=after, tail=tail)
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, EngineError):
                    raise item
                following.taken()
                yield item
        finally:
            following.stop()

    async def file_news(self, containers: Collection[Container]) -> tuple[News, bool]:
        """What containers no longer have as it is on this machine; of another one nothing is known."""
        if not self._address.is_local:
            return {}, False
        return await self._looks.run(lambda: self._host_files.look(containers))

    async def volume_sizes(self) -> Mapping[str, int]:
        """What is in the volumes, in bytes, by name."""
        told = await self._asked(self._looks, lambda c: c.df())
        sizes = {one["Name"]: (one.get("UsageData") or {}).get("Size", -1) for one in told.get("Volumes") or []}
        return {name: size for name, size in sizes.items() if size >= 0}

    async def image(self, name: str) -> ImageSeen | None:
        """An image, by name or id; None where there is none."""
        client = self._ready()
        return await self._looks.run(lambda: seeing.inspect(client, name, str(self._address)))

    async def images_named(self, names: Collection[str]) -> Mapping[str, ImageSeen]:
        """What is there under these names, by one call."""
        filters = {"reference": seeing.patterns(names)}
        listed = await self._asked(self._looks, lambda c: c.images(filters=filters))
        return seeing.named([self._images.built_by(seeing.from_summary(summary)) for summary in listed], names)

    async def newest_digest(self, image: str, logins: Mapping[str, Login] | None = None) -> str:
        """What the registry has under this name now."""
        client = self._ready()
        call = partial(self._images.newest_digest, client, str(self._address), image, logins or {})
        return await self._questions.run(call)

    async def own_images(self) -> tuple[tuple[ImageSeen, tuple[str, ...]], ...]:
        """The images that pnr brought in."""
        client = self._ready()
        return await self._looks.run(lambda: self._images.own(client, str(self._address)))

    async def remove_image(self, image_id: str) -> None:
        """Remove an image that pnr brought in."""
        client = self._ready()
        self._present.clear()
        await self._removals.run(lambda: self._images.remove(client, str(self._address), image_id))

    # --- threads --------------------------------------------------------------------------------------------

    def _ready(self) -> docker.APIClient:
        if self._client is None:
            raise EngineUnavailable("the Docker engine is not connected")
        return self._client

    async def _asked(self, threads: Threads, call: Callable[[docker.APIClient], T]) -> T:
        """Ask in a thread; errors become the protocol's."""
        client = self._ready()

        def ask() -> T:
            try:
                return call(client)
            except RAISED as error:
                raise translate(error, str(self._address), EngineError) from error

        return await threads.run(ask)


def _image_key(action: EnsureImage) -> Hashable:
    """Equal for those who ask for the same image, whatever their policies, as the same user of its registry: what one
    may not have, another one may."""
    build = action.build
    how = (build.context, build.fingerprint, action.domain) if build is not None else None
    login = action.logins.get(parse(action.image).registry)
    user = (login.username, login.fingerprint) if login is not None else None
    return (action.image, how, action.platform, user)


def _put(
    loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Glimpse | EngineError], item: Glimpse | EngineError
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(queue.put_nowait, item)
