"""What is known of the images that chunks name, and what is fetched ahead of the chunks' own work.

Three questions are kept answered: what the engine has under each declared name (looked at when an event hints at it,
after our own pulls, and every minute), what registries have under the tags that are followed (asked at intervals, one
question an image and login however many chunks want it, one at a time a registry), and what the planner wants to have
fetched. The planner decides what follows from the answers; nothing here changes a chunk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.controller.known import Known
from reconciler.controller.records import FetchEnded, FetchSaid, ImagesSeen, Message, RegistrySaid
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable, Milestone
from reconciler.intent.image_names import parse
from reconciler.intent.model import AutoUpdatePolicy, Chunk, ChunkId, Login
from reconciler.planner.actions import EnsureImage
from reconciler.planner.images import registry_digests
from reconciler.planner.observed import ImageNews, ImageSeen

LOOK_SECONDS = 60.0
GATHER_SECONDS = 0.25
FIRST_QUESTION_SECONDS = 5.0
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0
UNREACHABLE_SECONDS = 5.0
QUESTIONS_AT_ONCE = 4
FETCHES_AT_ONCE = 4

Key = tuple[str, ...]


@dataclass(slots=True)
class Question:
    """What is asked of a registry: what it has under a tag. ``soon``: a person waits for the answer."""

    image: str
    registry: str
    logins: Mapping[str, Login]
    askers: dict[ChunkId, float] = field(default_factory=dict)  # with the interval that each wants
    next_at: float = 0.0
    newest: str = ""
    answered_at: datetime | None = None
    trouble: str = ""
    failures: int = 0
    soon: bool = False
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Fetch:
    """An image that is to be had ahead. ``is_done`` once it was had, for as long as it is wanted."""

    action: EnsureImage
    wanted_by: dict[ChunkId, None] = field(default_factory=dict)
    next_at: float = 0.0
    said: str = ""
    trouble: str = ""
    failures: int = 0
    is_done: bool = False
    task: asyncio.Task[None] | None = None


class Images:
    """See the module's text. Owned by the loop: its own task begins looks, questions and fetches, and what comes of
    them comes back as messages."""

    def __init__(self, *, known: Known, engine: Engine, post: Callable[[Message], None], seed: int | None) -> None:
        self._known = known
        self._engine = engine
        self._post = post
        self._random = random.Random(seed)
        self._names: dict[ChunkId, str] = {}
        self._there: dict[str, ImageSeen] = {}
        self._questions: dict[Key, Question] = {}
        self._fetches: dict[Key, Fetch] = {}
        self._wake = asyncio.Event()
        self._is_to_look = True
        self._last_look = 0.0
        self._touched = 0

    # --- what the loop asks and tells -------------------------------------------------------------------------

    def news(self, chunk: Chunk | None) -> ImageNews:
        """What is known of the image that a chunk names."""
        if chunk is None:
            return ImageNews()
        image = chunk.container.image
        seen = self._there.get(image)
        fetch = next((one for one in self._fetches.values() if chunk.id in one.wanted_by), None)
        news = ImageNews(seen.id if seen is not None else "", fetching=fetch.said if fetch is not None else "")
        question = self._questions.get(_question_key(chunk)) if chunk.auto_update is not None else None
        if question is None or chunk.id not in question.askers:
            return news
        digests = registry_digests(seen, image) if seen is not None else frozenset()
        return replace(news, digests=digests, newest=question.newest)

    def follow(self, chunk: Chunk) -> None:
        """A chunk is declared: see to it that what there is to know of its image is known."""
        image = chunk.container.image
        if self._names.get(chunk.id) != image and not parse(image).is_fixed:
            self._names[chunk.id] = image
            self.look_soon()
        auto = chunk.auto_update
        follows = auto is not None and auto.policy is AutoUpdatePolicy.REGISTRY
        key = _question_key(chunk) if follows else None
        self._ask_no_more(chunk.id, but=key)
        if auto is None or key is None:
            return
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = Question(image, parse(image).registry, chunk.container.logins)
            question.next_at = self._now() + self._random.random() * FIRST_QUESTION_SECONDS
        if question.askers.get(chunk.id) != auto.interval_seconds:
            question.askers[chunk.id] = auto.interval_seconds
            latest = self._now() + min(question.askers.values())
            question.next_at = min(question.next_at, latest) if not question.failures else question.next_at
            self._wake.set()

    def want(self, id: ChunkId, action: EnsureImage | None) -> None:
        """The planner wants an image for a chunk; None: none (any more)."""
        key = _fetch_key(action) if action is not None else None
        for other in [other for other, fetch in self._fetches.items() if id in fetch.wanted_by and other != key]:
            fetch = self._fetches[other]
            del fetch.wanted_by[id]
            if not fetch.wanted_by:
                del self._fetches[other]
                if fetch.task is not None:
                    fetch.task.cancel()
        if action is None or key is None:
            return
        fetch = self._fetches.setdefault(key, Fetch(action))
        if id not in fetch.wanted_by:
            fetch.wanted_by[id] = None
            self._begin_fetches()
            if fetch.said:
                self._known.mark(id)

    def forget(self, id: ChunkId) -> None:
        """A chunk is not declared any more."""
        self._names.pop(id, None)
        self._ask_no_more(id, but=None)
        self.want(id, None)

    def look_soon(self) -> None:
        """Something may have changed about the engine's images."""
        self._is_to_look = True
        self._wake.set()

    def touched(self) -> None:
        """A step of ours has dealt with an image: what was looked at before it may be out of date."""
        self._touched += 1
        self.look_soon()

    def ask_now(self, domains: Collection[str]) -> None:
        """A person wants to know: ask the registries at once for these domains (all where none is named), and try what
        could not be fetched."""

        def concerns(ids: Iterable[ChunkId]) -> bool:
            return any(not domains or id.domain in domains for id in ids)

        for question in self._questions.values():
            if concerns(question.askers):
                question.next_at, question.failures, question.soon = 0.0, 0, True
        for fetch in self._fetches.values():
            if concerns(fetch.wanted_by):
                fetch.next_at = 0.0
        self._wake.set()

    def is_asking_for(self, domain: str) -> bool:
        """Whether a person waits for what registries say to a domain."""
        return any(one.soon and any(id.domain == domain for id in one.askers) for one in self._questions.values())

    def is_asked_about(self, id: ChunkId) -> bool:
        """Whether a registry is asked about a chunk's image."""
        return any(id in one.askers for one in self._questions.values())

    def view(self, chunk: Chunk) -> dict[str, Any]:
        """What there is to tell of a chunk's image: see docs/commands.md."""
        question = self._questions.get(_question_key(chunk)) if chunk.auto_update is not None else None
        fetch = next((one for one in self._fetches.values() if chunk.id in one.wanted_by), None)
        return {
            "policy": str(chunk.auto_update.policy) if chunk.auto_update is not None else None,
            "newest": (question.newest or None) if question is not None else None,
            "asked_at": question.answered_at if question is not None else None,
            "next_at": question.next_at if question is not None else None,
            "trouble": "; ".join(
                text for text in (question.trouble if question else "", fetch.trouble if fetch else "") if text
            ),
        }

    # --- what comes back --------------------------------------------------------------------------------------

    def seen(self, seen: ImagesSeen) -> None:
        """The engine's images were looked at."""
        if seen.asked != self._touched:
            self.look_soon()
            return
        for name in {*seen.names, *self._there}:
            self._put(name, seen.images.get(name))

    def _put(self, name: str, image: ImageSeen | None) -> None:
        before = self._there.get(name)
        if image is not None:
            self._there[name] = image
        else:
            self._there.pop(name, None)
            for fetch in self._fetches.values():
                if fetch.action.image == name and fetch.task is None:
                    fetch.is_done = False  # somebody has removed it
        if before != image:
            self._mark(id for id, named in self._names.items() if named == name)

    def registry_said(self, said: RegistrySaid) -> tuple[ChunkId, ...]:
        """A registry has answered, or can't be asked. The chunks for which a person waits for it."""
        question = self._questions.get(said.key)
        if question is None:
            return ()
        waited_for = tuple(question.askers) if question.soon else ()
        question.task, question.soon = None, False
        now, interval = self._now(), min(question.askers.values())
        if said.error is None:
            if question.trouble:
                self._journal(question.askers, f"{question.image}: the registry can be asked again")
            question.newest, question.trouble, question.failures = said.digest, "", 0
            question.answered_at = self._known.clock.now()
            question.next_at = now + interval * self._spread()
        elif isinstance(said.error, EngineUnavailable):
            question.next_at = now + UNREACHABLE_SECONDS
        else:
            if question.trouble != str(said.error):
                self._journal(question.askers, str(said.error))
            question.trouble = str(said.error)
            question.failures += 1
            question.next_at = now + self._back_off(question.failures, max(interval, LONGEST_RETRY_SECONDS))
        self._mark(question.askers)
        self._wake.set()
        return waited_for

    def fetch_said(self, said: FetchSaid) -> None:
        """A fetch goes on."""
        fetch = self._fetches.get(said.key)
        if fetch is None or fetch.task is None:
            return
        if isinstance(said.text, Milestone):
            self._journal(fetch.wanted_by, str(said.text))
        fetch.said = str(said.text)
        self._mark(fetch.wanted_by)

    def fetch_ended(self, ended: FetchEnded) -> None:
        """A fetch has ended; ``image`` is what the engine then has under its name."""
        self._touched += 1
        fetch = self._fetches.get(ended.key)
        if fetch is None:
            self.look_soon()
            return
        fetch.task, fetch.said = None, ""
        if ended.error is None:
            fetch.is_done, fetch.failures, fetch.trouble = True, 0, ""
            self._put(fetch.action.image, ended.image)
            self._check_digest(fetch, ended.image)
        elif isinstance(ended.error, EngineUnavailable):
            fetch.next_at = self._now() + UNREACHABLE_SECONDS
        else:
            if fetch.trouble != str(ended.error):
                self._journal(fetch.wanted_by, str(ended.error))
            fetch.trouble = str(ended.error)
            fetch.failures += 1
            fetch.next_at = self._now() + self._back_off(fetch.failures, LONGEST_RETRY_SECONDS)
        self._mark(fetch.wanted_by)
        self._wake.set()

    def _check_digest(self, fetch: Fetch, image: ImageSeen | None) -> None:
        wanted, name = fetch.action.digest, fetch.action.image
        if not wanted or image is None or wanted in registry_digests(image, name):
            return
        # Most often the tag has moved on meanwhile; a mirror that lags behind says something else each time.
        fetch.trouble = f"{name}: the registry says {wanted}, and something else is pulled under that tag"
        for question in self._questions.values():
            if question.image == name and question.task is None:
                question.next_at = min(question.next_at, self._now() + FIRST_RETRY_SECONDS)

    # --- the task ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look and ask until cancelled."""
        while True:
            self._wake.clear()
            if self._known.engine_up:
                if self._is_to_look or self._now() >= self._last_look + LOOK_SECONDS:
                    await self._look()
                self._begin_questions()
                self._begin_fetches()
            await self._wait()

    async def close(self) -> None:
        """Give up all that is under way."""
        tasks = [one.task for one in self._questions.values() if one.task is not None]
        tasks += [one.task for one in self._fetches.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self) -> None:
        due = [self._last_look + LOOK_SECONDS]
        due.extend(one.next_at for one in self._questions.values() if one.task is None)
        due.extend(one.next_at for one in self._fetches.values() if one.task is None and not one.is_done)
        # What is due and has not begun waits for its turn, and is woken by what ends.
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
            self._last_look = self._now()

    def _begin_questions(self) -> None:
        under_way = [one for one in self._questions.values() if one.task is not None]
        busy = {one.registry for one in under_way}
        room = QUESTIONS_AT_ONCE - len(under_way)
        for key, question in sorted(self._questions.items(), key=lambda item: item[1].next_at):
            if room <= 0 or question.next_at > self._now():
                return
            if question.task is None and question.registry not in busy:
                busy.add(question.registry)
                room -= 1
                question.task = asyncio.get_running_loop().create_task(self._ask(key, question))

    async def _ask(self, key: Key, question: Question) -> None:
        digest, error = "", None
        try:
            digest = await self._engine.newest_digest(question.image, question.logins)
        except EngineError as caught:
            error = caught
        self._post(RegistrySaid(key, digest, error))

    def _begin_fetches(self) -> None:
        if not self._known.engine_up:
            return
        room = FETCHES_AT_ONCE - sum(one.task is not None for one in self._fetches.values())
        for key, fetch in self._fetches.items():
            if room <= 0:
                return
            if fetch.task is None and not fetch.is_done and fetch.next_at <= self._now():
                room -= 1
                fetch.said = f"seeing to image {fetch.action.image}" if fetch.action.digest else ""
                fetch.task = asyncio.get_running_loop().create_task(self._fetch(key, fetch.action))

    async def _fetch(self, key: Key, action: EnsureImage) -> None:
        error, image = None, None
        try:
            await self._engine.perform(action, lambda text: self._post(FetchSaid(key, text)))
            image = (await self._engine.images_named([action.image])).get(action.image)
        except EngineError as caught:
            error = caught
        self._post(FetchEnded(key, image, error))

    # --- small things -----------------------------------------------------------------------------------------

    def _ask_no_more(self, id: ChunkId, *, but: Key | None) -> None:
        for key in [key for key, one in self._questions.items() if id in one.askers and key != but]:
            question = self._questions[key]
            del question.askers[id]
            if not question.askers:
                del self._questions[key]
                if question.task is not None:
                    question.task.cancel()

    def _journal(self, ids: Iterable[ChunkId], message: str) -> None:
        self._known.recorder.journal(kind="image", chunk=next(iter(ids)), message=message)

    def _mark(self, ids: Iterable[ChunkId]) -> None:
        for id in ids:
            self._known.mark(id)

    def _spread(self) -> float:
        """±10 %, so that what began together does not go on together."""
        return 0.9 + 0.2 * self._random.random()

    def _back_off(self, failures: int, longest: float) -> float:
        return float(min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 32), longest)) * self._spread()

    def _now(self) -> float:
        return self._known.clock.monotonic()


def _login_key(image: str, logins: Mapping[str, Login]) -> tuple[str, str]:
    login = logins.get(parse(image).registry)
    return (login.username, login.fingerprint) if login is not None else ("", "")


def _question_key(chunk: Chunk) -> Key:
    image = chunk.container.image
    return (image, *_login_key(image, chunk.container.logins))


def _fetch_key(action: EnsureImage) -> Key:
    return (
        action.image,
        action.policy,
        action.platform or "",
        action.digest,
        *_login_key(action.image, action.logins),
    )
