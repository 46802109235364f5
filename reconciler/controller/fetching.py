"""Images that are fetched ahead of the chunks' own work: behind closed gates, and newer ones for what runs.

One fetch an image, platform and login, however many chunks want it; a few at a time, so that what is needed now has
room beside them. One that fails is tried ever less, and holds nobody up: whoever needs the image sees to it then.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import FetchEnded, FetchSaid, Message
from reconciler.controller.registry_checks import UNREACHABLE_SECONDS, Key, login_key
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable, Milestone
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import EnsureImage
from reconciler.planner.back_off import REGISTRIES

AT_ONCE = 4


@dataclass(slots=True)
class Fetch:
    """An image that is to be had. ``is_done`` once it was had, for as long as it is wanted."""

    action: EnsureImage
    wanted_by: dict[ChunkId, None] = field(default_factory=dict)
    next_at: float = 0.0
    said: str = ""
    trouble: str = ""
    failures: int = 0
    is_done: bool = False
    task: asyncio.Task[None] | None = None


class Fetching:
    """See the module's text. Owned by the loop."""

    def __init__(
        self, *, known: LoopState, engine: Engine, post: Callable[[Message], None], source: random.Random
    ) -> None:
        self._state = known
        self._engine = engine
        self._post = post
        self._random = source
        self._fetches: dict[Key, Fetch] = {}

    def of(self, id: ChunkId) -> Fetch | None:
        """What is fetched for a chunk."""
        return next((fetch for fetch in self._fetches.values() if id in fetch.wanted_by), None)

    def want(self, id: ChunkId, action: EnsureImage | None) -> None:
        """The planner wants an image for a chunk; None: none (any more)."""
        key = _key(action) if action is not None else None
        for other in [other for other, fetch in self._fetches.items() if id in fetch.wanted_by and other != key]:
            fetch = self._fetches[other]
            del fetch.wanted_by[id]
            if not fetch.wanted_by:
                del self._fetches[other]
                if fetch.task is not None:
                    fetch.task.cancel()  # where the chunk's own work wants the same, the engine goes on with it
        if action is None or key is None:
            return
        fetch = self._fetches.setdefault(key, Fetch(action))
        if id not in fetch.wanted_by:
            fetch.wanted_by[id] = None
            self.begin()
            if fetch.said:
                self._state.mark(id)

    def try_now(self, domains: Collection[str]) -> None:
        """A person asks, for these domains (all where none is named): what could not be fetched is tried again."""
        for fetch in self._fetches.values():
            if any(not domains or id.domain in domains for id in fetch.wanted_by):
                fetch.next_at = 0.0

    def is_gone(self, image: str) -> None:
        """The engine has an image no more: what was fetched is to be fetched again."""
        for fetch in self._fetches.values():
            if fetch.action.image == image and fetch.task is None:
                fetch.is_done = False

    def due(self) -> Iterable[float]:
        """When something is to be fetched next."""
        return (one.next_at for one in self._fetches.values() if one.task is None and not one.is_done)

    def begin(self) -> None:
        """Fetch what is due, as far as there is room."""
        if not self._state.engine_up:
            return
        room = AT_ONCE - len(self.tasks())
        for key, fetch in self._fetches.items():
            if room <= 0:
                return
            if fetch.task is None and not fetch.is_done and fetch.next_at <= self._state.clock.monotonic():
                room -= 1
                # Of a newer image it is known that something will be fetched.
                fetch.said = f"checking image {fetch.action.image}" if fetch.action.digest else ""
                fetch.task = asyncio.get_running_loop().create_task(self._fetch(key, fetch.action))

    async def _fetch(self, key: Key, action: EnsureImage) -> None:
        error, image = None, None
        try:
            await self._engine.perform(action, lambda text: self._post(FetchSaid(key, text)))
            image = (await self._engine.images_named([action.image])).get(action.image)
        except EngineError as caught:
            error = caught
        self._post(FetchEnded(key, image, error))

    def said(self, said: FetchSaid) -> None:
        """A fetch goes on."""
        fetch = self._fetches.get(said.key)
        if fetch is None or fetch.task is None:
            return
        if isinstance(said.text, Milestone):
            self._journal(fetch, str(said.text))
        fetch.said = str(said.text)
        self._mark(fetch)

    def ended(self, ended: FetchEnded) -> Fetch | None:
        """A fetch has ended; it, where anybody still wants it."""
        fetch = self._fetches.get(ended.key)
        if fetch is None:
            return None
        fetch.task, fetch.said = None, ""
        now = self._state.clock.monotonic()
        if ended.error is None:
            fetch.is_done, fetch.failures, fetch.trouble = True, 0, ""
        elif isinstance(ended.error, EngineUnavailable):
            fetch.next_at = now + UNREACHABLE_SECONDS
        else:
            if fetch.trouble != str(ended.error):
                self._journal(fetch, str(ended.error))
            fetch.trouble = str(ended.error)
            fetch.failures += 1
            fetch.next_at = now + REGISTRIES.after(fetch.failures, self._random.random())
        self._mark(fetch)
        return fetch

    def tasks(self) -> list[asyncio.Task[None]]:
        """What is under way."""
        return [one.task for one in self._fetches.values() if one.task is not None]

    def _journal(self, fetch: Fetch, message: str) -> None:
        self._state.recorder.journal(kind="image", chunk=next(iter(fetch.wanted_by)), message=message)

    def _mark(self, fetch: Fetch) -> None:
        for id in fetch.wanted_by:
            self._state.mark(id)


def _key(action: EnsureImage) -> Key:
    login = login_key(action.image, action.logins)
    return (action.image, action.policy, action.platform or "", action.digest, *login)
