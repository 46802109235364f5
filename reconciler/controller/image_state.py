"""What is known of the images that chunks name: what the engine has under each name, what registries have under the
tags that are followed, and what is fetched ahead.

The engine's names are looked at when an event hints at it, after our own pulls, and every minute. The planner decides
what follows from all that; nothing here changes a chunk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from dataclasses import replace

from reconciler.controller.fetching import Fetch, Fetching
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import FetchEnded, FetchSaid, ImagesSeen, Message, RegistrySaid
from reconciler.controller.registry_checks import Question, RegistryChecks
from reconciler.engine.protocol import Engine, EngineError
from reconciler.intent.image_names import parse
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner.actions import EnsureImage
from reconciler.planner.back_off import REGISTRIES
from reconciler.planner.image_use import registry_digests
from reconciler.planner.observed import ImageNews, ImageSeen

LOOK_SECONDS = 60.0
GATHER_SECONDS = 0.25


class Images:
    """See the module's text. Owned by the loop: its own task begins looks, questions and fetches, and what comes of
    them comes back as messages. ``may_take_up`` says of a name and a domain whether the policy lets its containers be
    recreated from what another domain has built under it. ``asked_for`` are the domains for which a person waits that
    the engine's images are looked at: () for all, None for none."""

    def __init__(
        self,
        *,
        known: LoopState,
        engine: Engine,
        post: Callable[[Message], None],
        seed: int | None,
        may_take_up: Callable[[str, str], bool],
    ) -> None:
        self._may_take_up = may_take_up
        source = random.Random(seed)  # noqa: S311 - spreads waits
        self._state = known
        self._engine = engine
        self._post = post
        self._registry_checks = RegistryChecks(known=known, engine=engine, post=post, source=source)
        self._fetching = Fetching(known=known, engine=engine, post=post, source=source)
        self._names: dict[ChunkId, str] = {}
        self._there: dict[str, ImageSeen] = {}
        self._doubtful: set[str] = set()  # not looked at since a step of ours dealt with it
        self._wake = asyncio.Event()
        self._is_to_look = True
        self._last_look = 0.0
        self._touched = 0
        self.asked_for: tuple[str, ...] | None = None

    # --- what the loop asks -----------------------------------------------------------------------------------

    def news(self, chunk: Chunk | None) -> ImageNews:
        """What is known of the image that a chunk names."""
        if chunk is None:
            return ImageNews()
        image = chunk.container.image
        seen, fetch = self._there.get(image), self._fetching.of(chunk.id)
        id = seen.id if seen is not None and image not in self._doubtful else ""
        builder = seen.built_by if seen is not None else ""
        stranger = (
            builder if builder not in ("", chunk.id.domain) and not self._may_take_up(image, chunk.id.domain) else ""
        )
        news = ImageNews(id, fetching=fetch.said if fetch is not None else "", stranger=stranger)
        question = self._registry_checks.of(chunk)
        if question is None:
            return news
        digests = registry_digests(seen, image) if seen is not None else frozenset()
        return replace(news, digests=digests, newest=question.newest)

    def question(self, chunk: Chunk) -> Question | None:
        """What is asked about a chunk's image."""
        return self._registry_checks.of(chunk)

    def fetch(self, id: ChunkId) -> Fetch | None:
        """What is fetched for a chunk."""
        return self._fetching.of(id)

    def is_waited_for(self, domain: str) -> bool:
        """Whether a person waits for what registries, or the engine, say of a domain's images."""
        return self._registry_checks.is_waited_for(domain) or (
            self.asked_for is not None and any(id.domain == domain for id in self._names)
        )

    # --- what the loop tells ----------------------------------------------------------------------------------

    def follow(self, chunk: Chunk) -> None:
        """A chunk is declared: see to it that what there is to know of its image is known."""
        image = chunk.container.image
        if self._names.get(chunk.id) != image and not parse(image).is_fixed:
            self._names[chunk.id] = image
            self.look_soon()
        if self._registry_checks.follow(chunk):
            self._wake.set()

    def want(self, id: ChunkId, action: EnsureImage | None) -> None:
        """The planner wants an image for a chunk; None: none (any more)."""
        fetch = self._fetching.of(id) if action is None else None
        if fetch is not None and self._has_arrived(fetch):
            return  # it is about to end, and to tell what it has fetched
        self._fetching.want(id, action)

    def _has_arrived(self, fetch: Fetch) -> bool:
        """Whether what is being fetched has been seen on the engine already."""
        wanted, seen = fetch.action.digest, self._there.get(fetch.action.image)
        is_there = seen is not None and bool(wanted) and wanted in registry_digests(seen, fetch.action.image)
        return is_there and fetch.task is not None

    def forget(self, id: ChunkId) -> None:
        """A chunk is not declared any more."""
        self._names.pop(id, None)
        self._registry_checks.forget(id)
        self._fetching.want(id, None)

    def look_soon(self) -> None:
        """Something may have changed about the engine's images."""
        self._is_to_look = True
        self._wake.set()

    def touched(self, image: str) -> None:
        """A step of ours has dealt with an image: what was looked at before it may be out of date."""
        self._doubtful.add(image)
        self._touched += 1
        self.look_soon()

    def ask_now(self, domains: Collection[str]) -> None:
        """A person wants to know: ask the registries at once for these domains (all where none is named), and try what
        could not be fetched."""
        self._registry_checks.ask_now(domains)
        self._fetching.try_now(domains)
        everybody = not domains or self.asked_for == ()
        self.asked_for = () if everybody else (*(self.asked_for or ()), *domains)
        self._touched += 1  # a look that has begun is from before
        self.look_soon()

    def seen(self, seen: ImagesSeen) -> None:
        """The engine's images were looked at."""
        if seen.asked != self._touched:
            self.look_soon()
            return
        self.asked_for = None
        for name in {*seen.names, *self._there}:
            self._put(name, seen.images.get(name))

    def registry_said(self, said: RegistrySaid) -> tuple[ChunkId, ...]:
        """A registry has answered, or can't be asked. The chunks for which a person waited for it."""
        self._wake.set()
        return self._registry_checks.said(said)

    def fetch_said(self, said: FetchSaid) -> None:
        """A fetch goes on."""
        self._fetching.said(said)

    def fetch_ended(self, ended: FetchEnded) -> None:
        """A fetch has ended; with it comes what the engine then has under its name."""
        self._touched += 1
        fetch = self._fetching.ended(ended)
        if fetch is None or ended.error is not None:
            self.look_soon()
            return
        self._put(fetch.action.image, ended.image)
        self._wake.set()
        wanted, name = fetch.action.digest, fetch.action.image
        if wanted and ended.image is not None and wanted not in registry_digests(ended.image, name):
            # Most often the tag has moved on meanwhile; a mirror that lags behind says something else each time.
            fetch.trouble = f"{name}: the registry says {wanted}, and something else is pulled under that tag"
            self._registry_checks.ask_again(name, after=REGISTRIES.first)

    def _put(self, name: str, image: ImageSeen | None) -> None:
        before = self._there.get(name)
        if name in self._doubtful:
            self._doubtful.discard(name)
            before = None
        if image is not None:
            self._there[name] = image
        else:
            self._there.pop(name, None)
            self._fetching.is_gone(name)
        if before != image:
            for id, named in self._names.items():
                if named == name:
                    self._state.mark(id)

    # --- the task ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look and ask until cancelled."""
        while True:
            self._wake.clear()
            if self._state.engine_up:
                if self._is_to_look or self._now() >= self._last_look + LOOK_SECONDS:
                    await self._look()
                self._registry_checks.begin()
                self._fetching.begin()
            await self._wait()

    async def close(self) -> None:
        """Give up all that is under way."""
        tasks = [*self._registry_checks.tasks(), *self._fetching.tasks()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self) -> None:
        # What is due and has not begun waits for its turn, and is woken by what ends.
        due = (self._last_look + LOOK_SECONDS, *self._registry_checks.due(), *self._fetching.due())
        ahead = [at - self._now() for at in due if at > self._now()]
        try:
            async with asyncio.timeout(min([*ahead, LOOK_SECONDS])):
                await self._wake.wait()
        except TimeoutError:
            return
        if self._is_to_look:
            await asyncio.sleep(GATHER_SECONDS)  # hints come in groups, most of them from our own work

    async def _look(self) -> None:
        self._is_to_look = False
        self._last_look = self._now()
        names, asked = sorted(set(self._names.values())), self._touched
        if not names:
            return
        try:
            self._post(ImagesSeen(tuple(names), await self._engine.images_named(names), asked))
        except EngineError:
            self._is_to_look = True  # whether the engine answers, the watcher finds out

    def _now(self) -> float:
        return self._state.clock.monotonic()
