"""What ``pnr apply`` would do now, found out by doing it on a pretended engine, in virtual time.

It is the daemon's own loop that does it, with the daemon's own memory: so a plan says exactly what the daemon does,
supposing that every check passes and every call succeeds. Nothing outside this process is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from reconciler.controller.clock import LoopClock
from reconciler.controller.executor import Executor, IsWanted
from reconciler.controller.intake import Intake
from reconciler.controller.loop import Controller
from reconciler.controller.loop_state import LoopState
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import ConfirmRemoval, Message
from reconciler.daemon.rehearsal.engine import RehearsalEngine
from reconciler.daemon.rehearsal.ground import Ground
from reconciler.daemon.rehearsal.numbering import Piece, plan_of
from reconciler.daemon.rehearsal.stores import OneScan, OneVerdict, Unwritten, UnwrittenFolder, UnwrittenIntents
from reconciler.daemon.rehearsal.virtual_time import VirtualLoop, run
from reconciler.daemon.simulation import SimulatedRuntime, simulated_probe_factory
from reconciler.daemon.verdict import finished_applying
from reconciler.engine.protocol import Engine
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner.actions import EnsureImage, Plan, Work
from reconciler.planner.ordering import dependencies
from reconciler.states import Reason, State

FETCHED_NEWER = "the registry has another image under the tag; the chunk is updated to it"
FETCHED_AHEAD = "it is fetched in advance, while the chunk waits for its gatekeeper"
LOOK_SECONDS = 0.5
LONGEST_SECONDS = 4 * 3600.0
"""Of virtual time: whoever is not done by then is not going to be."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A chunk that does not come up by what can be done now, and why."""

    id: ChunkId
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The plan, and what stands in the way of the rest. ``known`` and ``intake`` are as they were in the end."""

    plan: Plan
    blocked: tuple[Blocked, ...]
    known: LoopState
    intake: Intake


class _NotingExecutor(Executor):
    """Notes which work was begun when."""

    def __init__(self, engine: Engine, post: Callable[[Message], None], *, begun: list[tuple[Work, int]]) -> None:
        super().__init__(engine, post)
        self._rehearsed = engine
        self._begun = begun

    def start(self, work: Work, is_wanted: IsWanted, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Note it, and begin it."""
        assert isinstance(self._rehearsed, RehearsalEngine)
        self._begun.append((work, len(self._rehearsed.done)))
        super().start(work, is_wanted, first)


def rehearse(ground: Ground) -> Rehearsed:
    """Do what there is to do, on the pretended engine. Blocking; not from within an event loop."""
    return run(_rehearse(ground), VirtualLoop(ground.now))


async def _rehearse(ground: Ground) -> Rehearsed:
    loop = asyncio.get_running_loop()
    clock = LoopClock(ground.at - timedelta(seconds=loop.time()))
    engine = RehearsalEngine(ground)
    engine.wall = lambda: clock.now().timestamp()
    begun: list[tuple[Work, int]] = []
    folder = UnwrittenFolder(ground)
    recorder = Recorder(
        snapshots=Unwritten(ground),
        intents=UnwrittenIntents(ground),
        journal=folder,
        clock=clock,
        offload=_at_once,
        folder=folder,
    )

    def first() -> None:
        for record in controller.known.domains.values():
            record.seen = record.seen or ground.is_watched

    controller = Controller(
        engine=engine,
        source=OneScan(ground, first),
        judge=OneVerdict(ground),
        runtime=SimulatedRuntime(engine),
        make_probe=simulated_probe_factory(engine),
        clock=clock,
        recorder=recorder,
        seed=0,
        may_take_up=ground.may_take_up,
        make_executor=partial(_NotingExecutor, begun=begun),
    )
    running = asyncio.create_task(controller.run())
    try:
        await _first(running, asyncio.create_task(_first_pass(controller)))
        last = {chunk.id: chunk for chunk in ground.chunks() if controller.known.desired(chunk.id) is None}
        if ground.is_confirmed:
            controller.post(ConfirmRemoval(tuple(n for n, r in controller.known.domains.items() if r.hold is not None)))
        look = asyncio.create_task(controller.look_now(()))
        await _first(running, look)
        await _first(running, asyncio.create_task(_all_done(controller)))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await engine.close()
    wanted = {c.id: c for r in controller.known.domains.values() if r.wanted is not None for c in r.wanted.chunks()}
    needs = {**dependencies(last.values()), **dependencies(wanted.values())}
    plan = plan_of(engine.done, _pieces(ground, engine, begun, wanted), needs, last.keys())
    return Rehearsed(plan, tuple(_blocked(controller.known, wanted)), controller.known, controller.intake)


def _pieces(
    ground: Ground, engine: RehearsalEngine, begun: list[tuple[Work, int]], wanted: dict[ChunkId, Chunk]
) -> list[Piece]:
    """Which actions were done for what. What belongs to no work is an image that was fetched ahead; that one which is
    there was asked for is nothing to tell."""
    pieces = [Piece(_about(work), at) for work, at in begun]
    of = {id(action): (n, cause) for n, (work, _) in enumerate(begun) for action, cause in work.steps}
    for place, one in enumerate(engine.done):
        n, cause = of.get(id(one.action), (-1, ""))
        if n >= 0:
            piece = pieces[n]
        elif isinstance(one.action, EnsureImage) and _brings_something(ground, one.action):
            users = [c.id for c in wanted.values() if c.container.image == one.action.image]
            about = next((user for user in users if user.domain == one.action.domain), one.action.domain)
            cause = FETCHED_NEWER if one.action.digest else FETCHED_AHEAD
            piece = Piece(about, place)
            pieces.append(piece)
        else:
            continue
        piece.done.append(place)
        piece.causes.append(cause)
    return pieces


def _brings_something(ground: Ground, action: EnsureImage) -> bool:
    return bool(action.digest) or action.policy != "missing" or action.image not in ground.images


def _about(work: Work) -> ChunkId | str:
    """The chunk, or the domain whose network or volume it is."""
    if isinstance(work.key, ChunkId):
        return work.key
    return next((domain for action, _ in work.steps if (domain := getattr(action, "domain", ""))), work.key)


def _blocked(known: LoopState, wanted: dict[ChunkId, Chunk]) -> list[Blocked]:
    found = []
    for id in sorted(wanted):
        record = known.chunks.get(id)
        if record is not None and record.state != State.COMPLETED and record.reason is not Reason.SUSPENDED:
            found.append(Blocked(id, record.reason, record.message))
    return found


async def _first_pass(controller: Controller) -> None:
    while not controller.first_pass_done:
        await controller.changed(controller.version)


async def _all_done(controller: Controller) -> None:
    end = asyncio.get_running_loop().time() + LONGEST_SECONDS
    while asyncio.get_running_loop().time() < end:
        if controller.idle and finished_applying(controller.view()):
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _first(running: asyncio.Task[None], task: asyncio.Task[None]) -> None:
    """Wait for a task. Raises what ended the loop, should it end before."""
    await asyncio.wait({running, task}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        task.cancel()
        running.result()
    task.result()


async def _at_once(call: Callable[[], None]) -> None:
    call()
