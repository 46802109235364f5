"""A pretended engine that has what a real one has. Every check passes in it, and every call takes the same moment."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.daemon.rehearsal.ground import Ground
from reconciler.daemon.rehearsal.touches import Touch, touches
from reconciler.engine.protocol import EngineInfo, Progress, RegistryFailed
from reconciler.engine.simulated import SimulatedEngine
from reconciler.engine.simulated.fates import Hidden, published
from reconciler.engine.simulated.networks_and_volumes import ALIVE
from reconciler.intent.image_names import parse
from reconciler.planner.actions import Action
from reconciler.planner.mounts import FileNews, News
from reconciler.planner.observed import Condition, Container, ImageSeen

CALL_SECONDS = (0.2, 0.2)
RESTART_SECONDS = 0.5
FIRST_SERIAL = 1_000_000
"""Of what is made here, so that no id is one of what is there already, where that is pretended as well."""


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out, and what it had to do with."""

    action: Action
    touches: frozenset[Touch]


class RehearsalEngine(SimulatedEngine):
    """See the module's text. ``done`` is what was carried out, in its order."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(start_seconds=CALL_SECONDS, stop_seconds=CALL_SECONDS, pull_seconds=CALL_SECONDS)
        self.done: list[Done] = []
        self._serial = FIRST_SERIAL
        self._ground = ground
        self._has_begun = False
        self._there: dict[str, ImageSeen] = dict(ground.images)
        self.images.update(ground.images)
        self.networks = dict(ground.observed.networks)
        self.volumes = dict(ground.observed.volumes)
        made_from = {(chunk.id, chunk.container.digest): chunk for chunk in ground.chunks()}
        for c in ground.observed.containers.values():
            # What its check says now is not what is asked: it is supposed to pass.
            self.containers[c.id] = replace(c, health="healthy") if c.health is not None else c
            chunk = made_from.get((c.owner, c.spec)) if c.owner is not None else None
            ports = c.published or (published(chunk.container.settings, free=0) if chunk is not None else {})
            self._hidden[c.id] = Hidden(chunk, ports)

    async def connect(self) -> EngineInfo:
        """Say of itself what the real one says."""
        await self.ping()
        if not self._has_begun:
            self._has_begun = True
            self._go_on()
        return self._ground.info

    def _go_on(self) -> None:
        """What runs goes on, jobs come to their end, and what the engine is about to do it does."""
        loop = asyncio.get_running_loop()
        for c in list(self.containers.values()):
            if c.condition is Condition.RUNNING:
                self.doom(c.name)
            if c.condition in ALIVE:
                self._hidden[c.id].ready = True
            elif c.condition is Condition.RESTARTING and c.owner is not None:
                loop.call_later(RESTART_SECONDS, self._restarts, c.id)
            elif c.condition is Condition.REMOVING:
                self._drop(c)

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action, and note it."""
        touched = touches(action, self.containers.values())
        result = await super().perform(action, progress)
        self.done.append(Done(action, touched))
        return result

    def examine(self, name: str) -> Container:
        """A container of somebody else, as the real engine showed it when it was asked."""
        c = self.named(name)
        return self._put(self._ground.examined.get(c.id, c))

    def image_id(self, image: str) -> str:
        """The id of what there is under a name, or of what there would be."""
        found = self._image(image)
        return found.id if found is not None else _new_id(image, self._ground.digests.get(image, ""))

    def newest_id(self, image: str) -> str:
        """The id of what the registry has, as far as it was asked."""
        return self.image_id(image)

    def pull(self, image: str) -> None:
        """Have what the registry has, as far as that is known; else what is there is taken for it."""
        self.images.add(image)
        digest, there = self._ground.digests.get(image, ""), self._image(image)
        name = f"{parse(image).name}@{digest}"
        if there is None or (digest and name not in there.digests):
            # What is not known to be another one is taken for that which the containers of this name have.
            users = (c.image_id for c in self.containers.values() if c.image == image and there is None and not digest)
            id = next(users, _new_id(image, digest))
            self._there[image] = ImageSeen(id, (str(parse(image)),), (name,) if digest else ())

    def _image(self, name: str) -> ImageSeen | None:
        found = self._there.get(name)
        if found is not None:
            return found
        return next((seen for n, seen in self._there.items() if name in (seen.id, str(parse(n)))), None)

    def _registry_digest(self, image: str) -> str:
        if image not in self._ground.digests:
            raise RegistryFailed(f"what the registry has under {image} is not known")
        return self._ground.digests[image]

    def _file_news(self, containers: Collection[Container]) -> News:
        before: Mapping[str, Container] = self._ground.observed.containers
        found: dict[str, tuple[FileNews, ...]] = {}
        for c in containers:
            is_same = c.id in before and before[c.id].run == c.run
            found[c.id] = self._ground.files.get(c.id, ()) if is_same else ()
        return found


def _new_id(image: str, digest: str) -> str:
    return f"sha256:{hashlib.sha256(f'{image} {digest}'.encode()).hexdigest()}"
