"""Short ways to say what the engine is to do, and what somebody else does beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import docker
from pydantic import TypeAdapter

from reconciler.engine.docker import DockerEngine
from reconciler.intent.model import Chunk, ChunkId, ContainerSpec, FactsMode, NetworkSpec, VolumeSpec
from reconciler.intent.settings import SETTINGS
from reconciler.planner.actions import CreateContainer, CreateNetwork, CreateVolume, StartContainer
from reconciler.planner.observed import Container

LIMIT_SECONDS = 30

T = TypeVar("T")


@dataclass
class Bench:
    """``domain`` begins the name of everything that is made here."""

    engine: DockerEngine
    client: docker.APIClient
    image: str
    domain: str

    def name(self, what: str) -> str:
        """The engine-side name of something."""
        return f"{self.domain}-{what}"

    def chunk(
        self,
        what: str = "web",
        *,
        networks: dict[str, tuple[str, ...]] | None = None,
        facts: FactsMode = FactsMode.NONE,
        digest: str = "d1",
        image: str | None = None,
        **written: Any,
    ) -> Chunk:
        """A chunk with settings as they are written in a file; its container ends at once when it is asked to."""
        settings = {
            name: TypeAdapter(SETTINGS[name].type).validate_python(value)
            for name, value in {"init": True, **written}.items()
        }
        spec = ContainerSpec(self.name(what), image or self.image, digest, settings, networks or {})
        return Chunk(ChunkId(self.domain, "main", what), spec, facts=facts)

    def creation(self, chunk: Chunk, **flowin: str) -> CreateContainer:
        """The action that creates a chunk's container."""
        return CreateContainer(chunk.container.name, chunk, 1, 7, flowin)

    async def create(self, what: str = "web", **options: Any) -> Container:
        """Create a container through the engine."""
        made = await self.engine.perform(self.creation(self.chunk(what, **options)))
        assert made is not None
        return made

    async def run(self, what: str = "web", **options: Any) -> Container:
        """Create and start a container through the engine."""
        made = await self.create(what, **options)
        started = await self.engine.perform(StartContainer(made.name))
        assert started is not None
        return started

    async def network(self, what: str) -> str:
        """Make a network of the domain through the engine."""
        name = self.name(what)
        await self.engine.perform(CreateNetwork(name, self.domain, NetworkSpec(name)))
        return name

    async def volume(self, what: str) -> str:
        """Make a volume of the domain through the engine."""
        name = self.name(what)
        await self.engine.perform(CreateVolume(name, self.domain, VolumeSpec(name)))
        return name

    def foreign(self, what: str, **options: Any) -> str:
        """A running container of somebody else's; its id."""
        made: str = self.client.create_container(
            self.image, name=self.name(what), host_config=self.client.create_host_config(init=True, **options)
        )["Id"]
        self.client.start(made)
        return made


async def eventually(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """The first look that is as wanted."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            seen = await look()
            if wanted(seen):
                return seen
            await asyncio.sleep(0.05)
