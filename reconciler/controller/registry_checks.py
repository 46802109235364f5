"""What registries are asked: which digest they have under the tags that chunks follow.

One question an image and login, however many chunks want it, at the shortest of their intervals; one at a time a
registry. A registry that can't be asked is asked ever less; what it said last stands meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import Message, RegistrySaid
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable
from reconciler.intent.image_names import parse
from reconciler.intent.model import AutoUpdatePolicy, Chunk, ChunkId, Login
from reconciler.planner.back_off import REGISTRIES, BackOff, spread

FIRST_SECONDS = 5.0
UNREACHABLE_SECONDS = 5.0
"""While the engine itself does not answer, which says nothing about what was wanted of it."""
AT_ONCE = 4

Key = tuple[str, ...]


@dataclass(slots=True)
class Question:
    """What is asked, by whom (with the interval that each wants), and what came of it. ``newest`` is the digest that
    was said last, "" before. ``soon``: a person waits for the answer."""

    image: str
    registry: str
    logins: Mapping[str, Login]
    askers: dict[ChunkId, float] = field(default_factory=dict)
    next_at: float = 0.0
    newest: str = ""
    answered_at: datetime | None = None
    trouble: str = ""
    failures: int = 0
    soon: bool = False
    task: asyncio.Task[None] | None = None


class RegistryChecks:
    """See the module's text. Owned by the loop."""

    def __init__(
        self, *, known: LoopState, engine: Engine, post: Callable[[Message], None], source: random.Random
    ) -> None:
        self._state = known
        self._engine = engine
        self._post = post
        self._random = source
        self._registry_checks: dict[Key, Question] = {}

    def of(self, chunk: Chunk) -> Question | None:
        """The question about a chunk's image, where it follows a registry."""
        if chunk.auto_update is None or chunk.auto_update.policy is not AutoUpdatePolicy.REGISTRY:
            return None
        question = self._registry_checks.get(_key(chunk))
        return question if question is not None and chunk.id in question.askers else None

    def follow(self, chunk: Chunk) -> bool:
        """Ask what a chunk wants to know, and nothing else for it. Whether that is new."""
        auto = chunk.auto_update
        key = _key(chunk) if auto is not None and auto.policy is AutoUpdatePolicy.REGISTRY else None
        self.forget(chunk.id, but=key)
        if auto is None or key is None:
            return False
        question = self._registry_checks.get(key)
        if question is None:
            question = self._registry_checks[key] = Question(key[0], parse(key[0]).registry, chunk.container.logins)
            question.next_at = self._now() + self._random.random() * FIRST_SECONDS
        if question.askers.get(chunk.id) == auto.interval_seconds:
            return False
        question.askers[chunk.id] = auto.interval_seconds
        if not question.failures:
            question.next_at = min(question.next_at, self._now() + min(question.askers.values()))
        return True

    def forget(self, id: ChunkId, *, but: Key | None = None) -> None:
        """A chunk wants to know nothing any more (but this)."""
        for key in [key for key, one in self._registry_checks.items() if id in one.askers and key != but]:
            question = self._registry_checks[key]
            del question.askers[id]
            if not question.askers:
                del self._registry_checks[key]
                if question.task is not None:
                    question.task.cancel()

    def ask_now(self, domains: Collection[str]) -> None:
        """A person wants to know, for these domains (all where none is named)."""
        for question in self._registry_checks.values():
            if any(not domains or id.domain in domains for id in question.askers):
                question.next_at, question.failures, question.soon = 0.0, 0, True

    def ask_again(self, image: str, *, after: float) -> None:
        """What was said of an image may not be so any more: ask again after so many seconds."""
        for question in self._registry_checks.values():
            if question.image == image and question.task is None:
                question.next_at = min(question.next_at, self._now() + after)

    def is_waited_for(self, domain: str) -> bool:
        """Whether a person waits for what registries say to a domain."""
        return any(one.soon and any(id.domain == domain for id in one.askers) for one in self._registry_checks.values())

    def due(self) -> Iterable[float]:
        """When something is to be asked next."""
        return (one.next_at for one in self._registry_checks.values() if one.task is None)

    def begin(self) -> None:
        """Ask what is due, as far as there is room."""
        under_way = [one for one in self._registry_checks.values() if one.task is not None]
        busy = {one.registry for one in under_way}
        room = AT_ONCE - len(under_way)
        for key, question in sorted(self._registry_checks.items(), key=lambda item: item[1].next_at):
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

    def said(self, said: RegistrySaid) -> tuple[ChunkId, ...]:
        """A registry has answered, or can't be asked. The chunks for which a person waited for it."""
        question = self._registry_checks.get(said.key)
        if question is None:
            return ()
        waited_for = tuple(question.askers) if question.soon else ()
        question.task, question.soon = None, False
        now, interval = self._now(), min(question.askers.values())
        if said.error is None:
            if question.trouble:
                self._journal(question, f"{question.image}: the registry can be asked again")
            question.newest, question.trouble, question.failures = said.digest, "", 0
            question.answered_at = self._state.clock.now()
            question.next_at = now + interval * spread(self._random.random())
        elif isinstance(said.error, EngineUnavailable):
            question.next_at = now + UNREACHABLE_SECONDS
        else:
            if question.trouble != str(said.error):
                self._journal(question, str(said.error))
            question.trouble = str(said.error)
            question.failures += 1
            back_off = BackOff(REGISTRIES.first, max(interval, REGISTRIES.longest))
            question.next_at = now + back_off.after(question.failures, self._random.random())
        for id in question.askers:
            self._state.mark(id)
        return waited_for

    def tasks(self) -> list[asyncio.Task[None]]:
        """What is under way."""
        return [one.task for one in self._registry_checks.values() if one.task is not None]

    def _journal(self, question: Question, message: str) -> None:
        self._state.recorder.journal(kind="image", chunk=next(iter(question.askers)), message=message)

    def _now(self) -> float:
        return self._state.clock.monotonic()


def login_key(image: str, logins: Mapping[str, Login]) -> tuple[str, str]:
    """Equal for those who ask an image's registry as the same user, with the same password."""
    login = logins.get(parse(image).registry)
    return (login.username, login.fingerprint) if login is not None else ("", "")


def _key(chunk: Chunk) -> Key:
    image = chunk.container.image
    return (image, *login_key(image, chunk.container.logins))
