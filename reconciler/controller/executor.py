"""Carries out work: the actions of one piece after the other, each piece in a task of its own.

How many calls run at once is the engine's concern (it knows what it can bear). Every outcome goes back to the
loop as a message; nothing here changes what the loop knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from reconciler.controller.records import Message, StepDone, WorkDone, WorkProgress
from reconciler.engine.protocol import Engine, EngineError, OutOfDate
from reconciler.intent.model import ChunkId
from reconciler.planner.actions import (
    Action,
    CreateContainer,
    DisconnectNetwork,
    EnsureImage,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    StopContainer,
    Work,
)
from reconciler.planner.situation import ALIVE
from reconciler.sentences import advised
from reconciler.states import Reason

log = logging.getLogger("pnr.controller")

INTERRUPTING = (StopContainer, RemoveContainer, DisconnectNetwork, RemoveNetwork, RemoveVolume)
"""What these were done to does not serve any more."""

IsWanted = Callable[[bool], bool]
"""Whether work is still to be done, where something that served was interrupted for it or not."""

_REASONS: dict[type[Action], Reason] = {CreateContainer: Reason.CREATING, StartContainer: Reason.STARTING}


def _activity(action: Action) -> tuple[Reason | None, str]:
    """What to show while an action runs, where it says more than the work's own label."""
    if isinstance(action, EnsureImage):
        if action.build is not None:
            return Reason.BUILDING_IMAGE, f"building {action.image} from {action.build.context}"
        return Reason.PULLING_IMAGE, action.doing
    if isinstance(action, StopContainer):
        return Reason.STOPPING, f"{action.doing} (grace {action.grace_seconds:g} s)"
    return _REASONS.get(type(action)), action.doing


class Executor:
    """Runs pieces of work, at most one a key at a time (the loop sees to that)."""

    def __init__(self, engine: Engine, post: Callable[[Message], None]) -> None:
        self._engine = engine
        self._post = post
        self._tasks: dict[ChunkId | str, asyncio.Task[None]] = {}
        self._at: dict[ChunkId | str, Action] = {}

    def start(self, work: Work, is_wanted: IsWanted, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Begin a piece of work; its outcome arrives as messages, the last of them WorkDone. ``first`` is done before
        it; where that raises an EngineError, nothing of the work is. ``is_wanted`` is asked before each step: work that
        is not is given up there."""
        task = asyncio.get_running_loop().create_task(self._run(work, is_wanted, first))
        self._tasks[work.key] = task

    def cancel_if_waiting_for_image(self, key: ChunkId | str) -> None:
        """Give up work that is still fetching an image: its intent has changed. Any other step is left to end, since
        half a step is worse than one too many."""
        if isinstance(self._at.get(key), EnsureImage):
            self._tasks[key].cancel()

    def is_fetching(self, key: ChunkId | str) -> bool:
        """Whether the work is at its image, which can take long; everything else takes a moment."""
        return isinstance(self._at.get(key), EnsureImage)

    @property
    def in_flight(self) -> int:
        """How many pieces of work are under way."""
        return len(self._tasks)

    @property
    def keys(self) -> Collection[ChunkId | str]:
        """What they are about: a chunk, or ``network:NAME`` or ``volume:NAME``."""
        return self._tasks.keys()

    async def close(self) -> None:
        """Stop waiting for what is in flight. Calls that have begun end by themselves."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, work: Work, is_wanted: IsWanted, first: Callable[[], Awaitable[None]] | None) -> None:
        key = work.key
        action: Action | None = None
        error: EngineError | None = None
        cancelled = interrupted = False
        begun = 0
        try:
            if first is not None:
                await first()
            for action, _cause in work.steps:
                if not is_wanted(interrupted):
                    cancelled = True
                    break
                begun += 1
                interrupted = interrupted or isinstance(action, INTERRUPTING)
                self._at[key] = action
                reason, text = _activity(action)
                self._post(WorkProgress(key, reason, text))

                def progress(line: str, reason: Reason | None = reason) -> None:
                    self._post(WorkProgress(key, reason, line))

                await self._see_alone(action)
                container = await self._engine.perform(action, progress)
                self._post(StepDone(key, action, container))
        except EngineError as caught:
            error = caught
        except asyncio.CancelledError:
            cancelled = True
        except Exception as caught:
            # An engine may answer what nobody has thought of. Taken for done, it would be done again at once, for ever.
            doing = action.doing if action is not None else "the preparation of its work"
            log.exception("%s of %s failed with an error that pnr does not know", doing, key)
            cause = f"{doing} failed with an error that pnr does not know ({type(caught).__name__}: {caught})"
            error = EngineError(advised(cause, "report it with the matching lines of the daemon's log"))
        finally:
            self._at.pop(key, None)
            self._tasks.pop(key, None)
            self._post(WorkDone(key, error, cancelled, action if error is not None else None, begun))

    async def _see_alone(self, action: Action) -> None:
        """Look whether what may not run beside a container has really ended, right before it is started. What was
        asked for before us, and not told of yet, is done by then: an engine does one thing after the other to a
        container. Raises OutOfDate."""
        for id in action.alone if isinstance(action, StartContainer) else ():
            other = await self._engine.look(id)
            if other is not None and other.condition in ALIVE:
                raise OutOfDate(f"{other.name} runs, and {action.object_name} may not run beside it")
