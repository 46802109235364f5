"""The Docker engine: sees, does one action a call, and says when to look again.

The SDK blocks, so its calls run in small pools of threads: four starts at once (starting is bound by the CPU), more for
stopping and removing, a few for looking. Nothing without our labels is changed: every action on an existing object
looks at its labels first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import docker
from docker.errors import DockerException

from reconciler.engine.docker import client as clients
from reconciler.engine.docker import images, reading
from reconciler.engine.docker.events import Events
from reconciler.engine.docker.failures import LOST, translate
from reconciler.engine.docker.operations import Operations
from reconciler.engine.protocol import (
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Glimpse,
    NotFound,
    Progress,
)
from reconciler.planner.actions import (
    Action,
    EnsureImage,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StopContainer,
)
from reconciler.planner.observed import Container, Observed

T = TypeVar("T")

PING_SECONDS = 10.0
TAIL_BYTES = 4096
TIMED_OUT = 124


class DockerEngine:
    """See :class:`reconciler.engine.protocol.Engine`. ``runtime_root`` is the directory under which those of
    ``/runtime`` are made; None where no chunk may have one."""

    def __init__(
        self,
        *,
        runtime_root: str | None,
        docker_host: str | None = None,
        start_workers: int = 4,
        removal_workers: int = 8,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._runtime_root = runtime_root
        self._docker_host = docker_host
        self._timeout = timeout_seconds
        self._pool_size = start_workers + removal_workers + 8
        self._starts = ThreadPoolExecutor(start_workers, thread_name_prefix="pnr-start")
        self._removals = ThreadPoolExecutor(removal_workers, thread_name_prefix="pnr-remove")
        self._looks = ThreadPoolExecutor(4, thread_name_prefix="pnr-look")
        self._fetches = ThreadPoolExecutor(4, thread_name_prefix="pnr-image")
        self._address = clients.Address(None)
        self._version = ""
        self._client: docker.APIClient | None = None
        self._known: dict[str, tuple[tuple[Any, ...], Container]] = {}
        self._image_work: dict[tuple[str, str | None, str], asyncio.Task[None]] = {}

    # --- connecting -----------------------------------------------------------------------------------------

    async def connect(self) -> EngineInfo:
        """Find the engine and agree on a version. Raises EngineUnavailable."""

        def find() -> tuple[clients.Address, str, str]:
            address = clients.find(self._docker_host)
            return (address, *clients.agree_on_version(address, timeout=10.0))

        address, api, version = await self._in(self._looks, find)
        if self._client is None or api != self._version or address != self._address:
            if self._client is not None:
                self._client.close()
            self._client = clients.make(address, api, timeout=self._timeout, pool=self._pool_size)
            self._address, self._version = address, api
        return EngineInfo("docker", version, api)

    async def ping(self) -> None:
        """Return when the engine answers."""
        await self._asked(self._looks, lambda c: c.ping())

    async def close(self) -> None:
        """Let go of connections; calls under way end by themselves."""
        for task in self._image_work.values():
            task.cancel()
        await asyncio.gather(*self._image_work.values(), return_exceptions=True)
        for pool in (self._starts, self._removals, self._looks, self._fetches):
            pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- seeing ---------------------------------------------------------------------------------------------

    async def observe(self) -> Observed:
        """List everything; inspect those of ours that have changed since they were last inspected."""
        summaries, networks, volumes = await asyncio.gather(
            self._asked(self._looks, lambda c: c.containers(all=True)),
            self._asked(self._looks, lambda c: c.networks()),
            self._asked(self._looks, lambda c: c.volumes()),
        )
        found: dict[str, Container] = {}
        known: dict[str, tuple[tuple[Any, ...], Container]] = {}
        stale: list[tuple[str, tuple[Any, ...]]] = []
        for summary in summaries:
            cid = summary["Id"]
            signature = reading.signature(summary)
            before = self._known.get(cid)
            if before is not None and before[0] == signature:
                known[cid] = before
                found[cid] = before[1]
            elif reading.owner(summary.get("Labels")) is None:
                container = reading.from_summary(summary)
                known[cid] = (signature, container)
                found[cid] = container
            else:
                stale.append((cid, signature))
        inspected = await asyncio.gather(*(self.look(cid) for cid, _ in stale))
        for (cid, signature), seen in zip(stale, inspected, strict=True):
            if seen is not None:
                known[cid] = (signature, seen)
                found[cid] = seen
        self._known = known
        return Observed(
            found,
            {str(body["Name"]): reading.network(body) for body in networks},
            {str(body["Name"]): reading.volume(body) for body in volumes.get("Volumes") or ()},
        )

    async def look(self, container_id: str) -> Container | None:
        """Inspect one container, by id or name; None when it is gone."""
        try:
            body = await self._asked(self._looks, lambda c: c.inspect_container(container_id))
        except NotFound:
            self._known.pop(container_id, None)
            return None
        container = reading.from_inspection(body)
        before = self._known.get(container.id)
        if before is not None and before[1] != container:
            # What the list showed of it belongs to what it was before: let the next list look again.
            del self._known[container.id]
        return container

    async def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints from the event stream. A ping every few seconds notices a connection that is half open."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Glimpse | EngineError] = asyncio.Queue()
        stream_client = clients.make(self._address, self._version, timeout=None, pool=1)

        def put(item: Glimpse | EngineError) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, item)

        events = Events(stream_client, put, where=str(self._address))
        pinging = asyncio.create_task(self._keep_asking(put))
        await events.start()
        try:
            yield Glimpse(None)
            while True:
                item = await queue.get()
                if isinstance(item, EngineError):
                    raise item
                yield item
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
            events.stop()

    async def _keep_asking(self, put: Callable[[Glimpse | EngineError], None]) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            try:
                await asyncio.wait_for(self.ping(), PING_SECONDS)
            except TimeoutError:
                put(EngineUnavailable(f"the Docker engine at {self._address} does not answer"))
            except EngineError as error:
                put(error)

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        """Run a command in a container. One that takes too long is left behind, with exit code 124."""

        def run(c: docker.APIClient) -> tuple[int, str]:
            made = c.exec_create(container_id, command, stdout=True, stderr=True)
            output = b""
            for part in c.exec_start(made["Id"], stream=True):
                output = (output + part)[-TAIL_BYTES:]
            code = c.exec_inspect(made["Id"]).get("ExitCode")
            return (int(code) if code is not None else TIMED_OUT), output.decode(errors="replace")

        try:
            return await asyncio.wait_for(self._asked(self._fetches, run), limit_seconds)
        except TimeoutError:
            return TIMED_OUT, f"no end within {limit_seconds:g} s"

    async def last_output(self, container_id: str, lines: int = 20) -> str:
        """The end of what the container printed."""
        raw = await self._asked(self._looks, lambda c: c.logs(container_id, stdout=True, stderr=True, tail=lines))
        return bytes(raw)[-64 * 1024 :].decode(errors="replace")

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        """What was printed since a Unix time (None: since the last start), the newest ``limit_bytes`` of it."""

        def read(c: docker.APIClient) -> str:
            start = since
            if start is None:
                start = _unix(c.inspect_container(container_id)["State"]["StartedAt"])
            kept = b""
            for part in c.logs(container_id, stdout=True, stderr=True, stream=True, follow=False, since=start):
                kept = (kept + part)[-limit_bytes:]
            return kept.decode(errors="replace")

        return await self._asked(self._looks, read)

    # --- doing ----------------------------------------------------------------------------------------------

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action; the container as it is afterwards, where there still is one."""
        if isinstance(action, EnsureImage):
            await self._ensure_image(action, progress or (lambda line: None))
            return None
        removing = isinstance(action, (StopContainer, RemoveContainer, RemoveNetwork, RemoveVolume))
        pool = self._removals if removing else self._starts
        operations = Operations(self._ready(), self._runtime_root, str(self._address))
        body: Mapping[str, Any] | None = await self._in(pool, partial(operations.perform, action))
        if body is None:
            return None
        container = reading.from_inspection(body)
        self._known.pop(container.id, None)
        return container

    async def _ensure_image(self, action: EnsureImage, progress: Progress) -> None:
        """One attempt an image, shared by all who want it; only the first is told how it goes."""
        key = (action.image, action.build_path, action.policy)
        task = self._image_work.get(key)
        if task is None:
            loop = asyncio.get_running_loop()

            def tell(line: str) -> None:
                loop.call_soon_threadsafe(progress, line)

            where = str(self._address)
            call = partial(
                images.ensure, self._ready(), action.image, action.build_path, action.policy, tell, where=where
            )
            task = asyncio.create_task(self._in(self._fetches, call))
            self._image_work[key] = task
            task.add_done_callback(lambda _: self._image_work.pop(key, None))
        await asyncio.shield(task)

    # --- threads --------------------------------------------------------------------------------------------

    def _ready(self) -> docker.APIClient:
        if self._client is None:
            raise EngineUnavailable("the Docker engine was not asked yet")
        return self._client

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, call)

    async def _asked(self, pool: ThreadPoolExecutor, call: Callable[[docker.APIClient], T]) -> T:
        """Ask in a thread; errors become the protocol's."""
        client = self._ready()

        def ask() -> T:
            try:
                return call(client)
            except (DockerException, OSError, *LOST) as error:
                raise translate(error, str(self._address), EngineError) from error

        return await self._in(pool, ask)


def _unix(stamp: str) -> float:
    """A time of the engine's (RFC 3339, nanoseconds) as Unix seconds; 0 for one that can't be read."""
    from datetime import datetime

    head, _, rest = stamp.partition(".")
    fraction = rest.rstrip("Z")[:6] or "0"
    try:
        return datetime.fromisoformat(f"{head}.{fraction}+00:00").timestamp()
    except ValueError:
        return 0.0
